//! The response to a request.

use futures::channel::mpsc;
use vod_uploader::http;

/// A response for the host.
pub type Response = ::http::Response<ResponseBody>;

/// The body of a response.
pub enum ResponseBody {
    /// The complete body; may be empty.
    Bytes(Vec<u8>),
    /// The body in chunks. The host drops the stream when the client disconnects.
    Stream(mpsc::Receiver<Vec<u8>>),
}

/// A response before its body is serialized.
pub(crate) struct RelayResponse {
    /// The status, the headers and the body, unless the body is streamed.
    pub(crate) head: http::Response,
    /// The streamed body.
    pub(crate) stream: Option<mpsc::Receiver<Vec<u8>>>,
}

impl RelayResponse {
    pub(crate) fn streamed(head: http::Response, stream: mpsc::Receiver<Vec<u8>>) -> Self {
        Self { head, stream: Some(stream) }
    }

    /// The response for the host.
    pub(crate) fn into_http(self) -> Response {
        let body = match self.stream {
            Some(stream) => ResponseBody::Stream(stream),
            None => ResponseBody::Bytes(self.head.body.into_bytes()),
        };
        let mut response = ::http::Response::new(body);
        *response.status_mut() = self.head.status;
        *response.headers_mut() = self.head.headers;
        response
    }
}

impl From<http::Response> for RelayResponse {
    fn from(head: http::Response) -> Self {
        Self { head, stream: None }
    }
}
