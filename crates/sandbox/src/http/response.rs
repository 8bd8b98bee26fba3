//! Replies and their bodies.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response, StatusCode};
use http_body::{Body, Frame};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use serde::Serialize;
use tokio::sync::mpsc::Receiver;

/// The body of every reply.
pub(crate) type ReplyBody = UnsyncBoxBody<Bytes, io::Error>;

/// A reply on its way to the client.
pub(crate) type Reply = Response<ReplyBody>;

/// A reply without a body.
pub(crate) fn empty(status: StatusCode) -> Reply {
    full(status, "", Bytes::new())
}

/// A reply whose body is known whole. An empty `content_type` sends no such header.
pub(crate) fn full(status: StatusCode, content_type: &str, body: impl Into<Bytes>) -> Reply {
    let body = Full::new(body.into()).map_err(|never| match never {}).boxed_unsync();
    let mut reply = Response::new(body);
    *reply.status_mut() = status;
    if content_type.is_empty() { reply } else { with_header(reply, "content-type", content_type) }
}

/// A JSON reply.
pub(crate) fn json(status: StatusCode, value: &impl Serialize) -> Reply {
    match serde_json::to_vec(value) {
        Ok(text) => full(status, "application/json", text),
        Err(error) => full(
            StatusCode::INTERNAL_SERVER_ERROR,
            "text/plain",
            format!("the reply could not be written as JSON: {error}\n"),
        ),
    }
}

/// A reply of `length` bytes, streamed from a channel.
pub(crate) fn streamed(
    status: StatusCode,
    length: u64,
    chunks: Receiver<io::Result<Bytes>>,
) -> Reply {
    let mut reply = Response::new(ChannelBody(chunks).boxed_unsync());
    *reply.status_mut() = status;
    with_header(reply, "content-length", &length.to_string())
}

/// Adds or replaces a header. A value that HTTP cannot carry is left out.
pub(crate) fn with_header(mut reply: Reply, name: &'static str, value: &str) -> Reply {
    if let Ok(value) = HeaderValue::from_bytes(value.as_bytes()) {
        reply.headers_mut().insert(HeaderName::from_static(name), value);
    }
    reply
}

/// The same reply, of which the client gets only the first half: the head promises more bytes
/// than are sent before the connection closes.
pub(crate) async fn received_then_cut(reply: Reply) -> Reply {
    let (mut parts, body) = reply.into_parts();
    // Replies that are cut come from memory; reading one cannot fail.
    let whole = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    // An empty body has nothing to cut, so one byte is promised that never comes.
    let promised = whole.len().max(1);
    parts.headers.insert("content-length", HeaderValue::from(promised));
    let half = whole.slice(..whole.len() / 2);
    Response::from_parts(parts, CutBody { half: Some(half), flushed: false }.boxed_unsync())
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
struct CutBody {
    half: Option<Bytes>,
    flushed: bool,
}

impl Body for CutBody {
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
            // hyper flushes what it has only when the body is pending.
            self.flushed = true;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(Some(Err(io::Error::other("the reply is cut by a fault"))))
    }
}
