//! The response to a request.

use futures::channel::mpsc;
use vod_uploader::http;

/// A response: its head, and its body as bytes or as a stream.
pub struct Response {
    /// The status, the headers and the body, unless the body is streamed.
    pub head: http::Response,
    /// The body in chunks, which the host sends as they come. The host drops it when the client
    /// disconnects.
    pub stream: Option<mpsc::Receiver<Vec<u8>>>,
}

impl Response {
    pub(crate) fn streamed(head: http::Response, stream: mpsc::Receiver<Vec<u8>>) -> Self {
        Self { head, stream: Some(stream) }
    }
}

impl From<http::Response> for Response {
    fn from(head: http::Response) -> Self {
        Self { head, stream: None }
    }
}
