//! Sending requests.

use std::io;
use std::time::Duration;

use serde_json::Value;

use crate::connection::{Connection, Exchange};
use crate::options::ClientOptions;
use crate::request::{Framing, Request};
use crate::response::Response;
use crate::transcript::Transcript;

/// A client of one server. Each request has its own connection, unless the caller keeps a
/// [`Connection`].
#[derive(Clone, Debug)]
pub struct Client(ClientOptions);

impl Client {
    /// A client of the server at `origin`, such as `http://127.0.0.1:3000`. Its timeout is longer
    /// than any retry budget of the tests.
    #[must_use]
    pub fn new(origin: &str) -> Self {
        let rest = origin.strip_prefix("http://").unwrap_or(origin);
        let authority = rest.split('/').next().unwrap_or_default().to_owned();
        let timeout = Duration::from_secs(90);
        Self(ClientOptions { authority, timeout, headers: Vec::new(), transcript: None })
    }

    /// Limits connecting and each read and write to `timeout`.
    #[must_use]
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.0.timeout = timeout;
        self
    }

    /// Adds headers to every request. The transcript does not contain their values.
    #[must_use]
    pub fn with_headers(mut self, headers: &[(String, String)]) -> Self {
        self.0.headers = headers.to_vec();
        self
    }

    /// Records all exchanges in `transcript`.
    #[must_use]
    pub fn with_transcript(mut self, transcript: &Transcript) -> Self {
        self.0.transcript = Some(transcript.clone());
        self
    }

    /// The transcript, if there is one.
    #[must_use]
    pub fn transcript(&self) -> Option<&Transcript> {
        self.0.transcript.as_ref()
    }

    /// Sends a request and reads its response, which may arrive before the end of the body.
    ///
    /// # Errors
    /// Returns an error if no complete response arrives within the timeout.
    pub fn send(&self, request: &Request) -> io::Result<Response> {
        let mut exchange = self.start(request)?;
        match request.framing {
            Framing::Chunked => request.content.chunks(CHUNK_BYTES).all(|it| exchange.send(it)),
            Framing::None | Framing::Length(_) => exchange.send(&request.content),
        };
        exchange.finish()
    }

    /// Opens a connection and sends the head of a request. The caller sends the body.
    ///
    /// # Errors
    /// Returns an error if there is no connection.
    pub fn start(&self, request: &Request) -> io::Result<Exchange> {
        let mut client = self.clone();
        if let Some((authority, _)) = request.absolute_target() {
            authority.clone_into(&mut client.0.authority);
        }
        client.connect()?.start(&request.clone().header("Connection", "close"))
    }

    /// Sends a request with the first `bytes` of its content, and leaves the connection open.
    ///
    /// # Errors
    /// Returns an error if there is no connection.
    pub fn send_part(&self, request: &Request, bytes: usize) -> io::Result<Exchange> {
        let mut exchange = self.start(request)?;
        exchange.send(&request.content[..bytes.min(request.content.len())]);
        Ok(exchange)
    }

    /// Opens a connection for several requests.
    ///
    /// # Errors
    /// Returns an error if there is no connection.
    pub fn connect(&self) -> io::Result<Connection> {
        Connection::open(&self.0)
    }

    /// Sends a request and expects a success.
    ///
    /// # Errors
    /// Returns an error if no complete response arrives, or its status is not 2xx.
    pub fn expect_success(&self, request: &Request) -> io::Result<Response> {
        self.send(request)?.into_success(request)
    }

    /// The JSON body of a GET.
    ///
    /// # Errors
    /// Returns an error if there is no success with a JSON body.
    pub fn get_json(&self, target: &str) -> io::Result<Value> {
        let response = self.expect_success(&Request::new("GET", target))?;
        serde_json::from_slice(&response.body)
            .map_err(|cause| io::Error::other(format!("GET {target}: not JSON ({cause})")))
    }

    /// Sends a POST without content.
    ///
    /// # Errors
    /// Returns an error if there is no success.
    pub fn post(&self, target: &str) -> io::Result<()> {
        self.expect_success(&Request::new("POST", target).body(b"")).map(drop)
    }
}

/// Small enough that small bodies, too, have several chunks.
const CHUNK_BYTES: usize = 700;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed assumption fails the test")]

    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;
    use std::thread::{self, JoinHandle};

    use super::*;

    /// Serves one request, which ends with `end`, and returns it.
    fn serve(end: &'static str) -> (String, JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let served = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = Vec::new();
            while !request.ends_with(end.as_bytes()) {
                let mut byte = [0];
                stream.read_exact(&mut byte).unwrap();
                request.extend(byte);
            }
            stream.write_all(b"HTTP/1.1 204 No Content\r\nUpload-Offset: 5\r\n\r\n").unwrap();
            String::from_utf8(request).unwrap()
        });
        (origin, served)
    }

    #[test]
    fn a_target_may_be_a_path_or_the_url_of_another_server() {
        for is_absolute in [false, true] {
            let (origin, served) = serve("\r\n\r\n");
            let (client, target) = match is_absolute {
                false => (Client::new(&origin), "/v1/files/a?b".to_owned()),
                true => (Client::new("http://127.0.0.1:1"), format!("{origin}/v1/files/a?b")),
            };
            let response = client.send(&Request::new("GET", &target)).unwrap();
            assert_eq!((response.status, response.offset()), (204, 5));
            let host = origin.trim_start_matches("http://");
            let expected =
                format!("GET /v1/files/a?b HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
            assert_eq!(served.join().unwrap(), expected);
        }
    }

    #[test]
    fn a_chunked_body_ends_with_its_trailers() {
        let (origin, served) = serve("X-Sum: 1\r\n\r\n");
        let request = Request::new("PUT", "/").chunked(&[7; 701]).trailer("X-Sum", 1);
        assert!(Client::new(&origin).send(&request).unwrap().is_success());
        let request = served.join().unwrap();
        assert!(request.contains("Trailer: X-Sum\r\n"), "{request}");
        assert!(request.contains("Transfer-Encoding: chunked\r\n"), "{request}");
        assert!(request.ends_with("\r\n1\r\n\u{7}\r\n0\r\nX-Sum: 1\r\n\r\n"), "{request}");
    }

    #[test]
    fn a_transcript_contains_responses_but_no_values_of_client_headers() {
        let (origin, served) = serve("\r\n\r\n");
        let transcript = Transcript::default();
        let client = Client::new(&origin)
            .with_headers(&[("X-Key".to_owned(), "secret".to_owned())])
            .with_transcript(&transcript);
        client.send(&Request::new("GET", "/")).unwrap();
        assert!(served.join().unwrap().contains("X-Key: secret\r\n"));
        let shown = transcript.records()[0].to_string();
        assert!(shown.contains("> X-Key: (as given)\n") && !shown.contains("secret"), "{shown}");
        assert!(shown.contains("< HTTP/1.1 204 No Content\n< Upload-Offset: 5\n"), "{shown}");
        assert!(transcript.contains("5") && !transcript.contains("secret"));
    }

    #[test]
    fn an_error_names_what_failed_and_keeps_its_kind() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = Client::new(&listener.local_addr().unwrap().to_string());
        let client = client.with_timeout(Duration::from_millis(20));
        let error = client.send(&Request::new("GET", "/x")).unwrap_err();
        assert_eq!(error.to_string(), "no complete response to GET /x: nothing arrived in time");
        drop(listener);
        let error = client.send(&Request::new("GET", "/x")).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
        assert!(error.to_string().starts_with("no connection to 127.0.0.1:"), "{error}");
    }
}
