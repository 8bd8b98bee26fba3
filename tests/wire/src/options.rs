//! The options of a client, and the request heads that follow from them.

use std::time::Duration;

use crate::request::Request;
use crate::transcript::{Recorder, Transcript};

/// The options that all connections of a client share.
#[derive(Clone, Debug)]
pub(crate) struct ClientOptions {
    /// The host of the server, with its port if that is not 80.
    pub(crate) authority: String,
    /// The limit of connecting and of each read and write.
    pub(crate) timeout: Duration,
    /// The headers of every request.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) transcript: Option<Transcript>,
}

impl ClientOptions {
    /// The head of a request as it is sent.
    pub(crate) fn head(&self, request: &Request) -> String {
        self.head_lines(request, &self.headers).join("\r\n") + "\r\n\r\n"
    }

    /// Starts the record of a request, without the values of the client's headers.
    pub(crate) fn record(&self, request: &Request) -> Recorder {
        let Some(transcript) = &self.transcript else { return Recorder::default() };
        let hidden = self.headers.iter().map(|(name, _)| (name.clone(), "(as given)".to_owned()));
        transcript.record(self.head_lines(request, &hidden.collect::<Vec<_>>()))
    }

    fn head_lines(&self, request: &Request, headers: &[(String, String)]) -> Vec<String> {
        let target = match request.absolute_target() {
            Some((_, "")) => "/",
            Some((_, target)) => target,
            None => &request.target,
        };
        let mut lines = vec![
            format!("{} {target} HTTP/1.1", request.method),
            format!("Host: {}", self.authority),
        ];
        let headers = headers.iter().chain(&request.headers);
        lines.extend(headers.map(|(name, value)| format!("{name}: {value}")));
        lines.extend(request.framing.header());
        lines
    }
}
