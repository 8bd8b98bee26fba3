//! Responses and their bodies.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{HeaderName, HeaderValue, StatusCode};
use http_body::{Body, Frame};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use serde::Serialize;
use tokio::sync::mpsc::Receiver;

/// A response of the sandbox.
pub(crate) type Response = http::Response<UnsyncBoxBody<Bytes, io::Error>>;

/// A response without a body.
pub(crate) fn empty(status: StatusCode) -> Response {
    full(status, "", Bytes::new())
}

/// A response with this body. Without `content_type` there is no such header.
pub(crate) fn full(status: StatusCode, content_type: &str, body: impl Into<Bytes>) -> Response {
    let body = Full::new(body.into()).map_err(|never| match never {}).boxed_unsync();
    let mut response = Response::new(body);
    *response.status_mut() = status;
    if content_type.is_empty() {
        response
    } else {
        with_header(response, "content-type", content_type)
    }
}

/// A JSON response.
pub(crate) fn json(status: StatusCode, value: &impl Serialize) -> Response {
    match serde_json::to_vec(value) {
        Ok(text) => full(status, "application/json", text),
        Err(error) => full(
            StatusCode::INTERNAL_SERVER_ERROR,
            "text/plain",
            format!("the response cannot be serialized: {error}\n"),
        ),
    }
}

/// A response of `length` bytes, streamed from a channel.
pub(crate) fn streamed(
    status: StatusCode,
    length: u64,
    chunks: Receiver<io::Result<Bytes>>,
) -> Response {
    let mut response = Response::new(ChannelBody(chunks).boxed_unsync());
    *response.status_mut() = status;
    with_header(response, "content-length", &length.to_string())
}

/// Sets a header. An invalid value is ignored.
pub(crate) fn with_header(mut response: Response, name: &'static str, value: &str) -> Response {
    if let Ok(value) = HeaderValue::from_bytes(value.as_bytes()) {
        response.headers_mut().insert(HeaderName::from_static(name), value);
    }
    response
}

/// The response, truncated to the first half: the head declares more bytes than are sent before the
/// connection closes.
pub(crate) async fn truncated(response: Response) -> Response {
    let (mut parts, body) = response.into_parts();
    // Truncated responses come from memory, so reading them cannot fail.
    let bytes = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    // For an empty body, one byte is declared and not sent.
    let declared = bytes.len().max(1);
    parts.headers.insert("content-length", HeaderValue::from(declared));
    let half = bytes.slice(..bytes.len() / 2);
    Response::from_parts(parts, TruncatedBody { half: Some(half), flushed: false }.boxed_unsync())
}

/// A body fed by a channel; ends when the sender is dropped.
struct ChannelBody(Receiver<io::Result<Bytes>>);

impl Body for ChannelBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        self.0.poll_recv(cx).map(|chunk| chunk.map(|bytes| bytes.map(Frame::data)))
    }
}

/// Half of a body, then an error that makes hyper close the connection.
struct TruncatedBody {
    half: Option<Bytes>,
    flushed: bool,
}

impl Body for TruncatedBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        if let Some(half) = self.half.take().filter(|half| !half.is_empty()) {
            return Poll::Ready(Some(Ok(Frame::data(half))));
        }
        if !self.flushed {
            // hyper flushes its buffer only if the body is pending.
            self.flushed = true;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(Some(Err(io::Error::other("truncated by a fault"))))
    }
}
