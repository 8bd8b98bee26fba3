//! One log line for each request, written when both its bodies have ended or were given up.

use std::pin::Pin;
use std::sync::atomic::{AtomicU16, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::Instant;

use bytes::Bytes;
use http::Method;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use wasmtime_wasi_http::{Error, WasiBody};

use crate::instance::InstanceRecord;

/// A request that is under way. The line is written when the last part of it is dropped.
pub(crate) struct RequestRecord {
    method: Method,
    /// Without the query, which may carry a signature.
    path: String,
    started: Instant,
    /// 0 until there is a response.
    status: AtomicU16,
    bytes_in: AtomicU64,
    bytes_out: AtomicU64,
    /// The instance that serves it, once one has taken it.
    pub(crate) served_by: Arc<OnceLock<Arc<InstanceRecord>>>,
}

impl RequestRecord {
    /// The record of a request that just came.
    pub(crate) fn new(method: Method, path: &str) -> Arc<Self> {
        Arc::new(Self {
            method,
            path: path.to_owned(),
            started: Instant::now(),
            status: AtomicU16::new(0),
            bytes_in: AtomicU64::new(0),
            bytes_out: AtomicU64::new(0),
            served_by: Arc::default(),
        })
    }

    /// Notes the status that the client was sent.
    pub(crate) fn answered(&self, status: http::StatusCode) {
        self.status.store(status.as_u16(), Relaxed);
    }
}

impl Drop for RequestRecord {
    fn drop(&mut self) {
        let status = Some(*self.status.get_mut()).filter(|status| *status != 0);
        let outcome = if status.is_some() { "request" } else { "request, its client left" };
        tracing::info!(
            method = %self.method,
            path = self.path,
            status,
            bytes_in = *self.bytes_in.get_mut(),
            bytes_out = *self.bytes_out.get_mut(),
            ms = self.started.elapsed().as_millis() as u64,
            instance = self.served_by.get().map(|instance| instance.id),
            "{outcome}"
        );
    }
}

/// A client's request body on its way to the guest.
///
/// It ends with an error when it is shorter than its declared length: to the guest that is a body
/// stream that ended and a trailers future that failed.
pub(crate) struct RecordedRequestBody {
    body: Incoming,
    declared_left: Option<u64>,
    record: Arc<RequestRecord>,
}

impl RecordedRequestBody {
    /// Counts a body into a record.
    pub(crate) fn new(body: Incoming, record: Arc<RequestRecord>) -> Self {
        Self { declared_left: body.size_hint().exact(), body, record }
    }
}

impl Body for RecordedRequestBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        match &polled {
            Poll::Ready(Some(Ok(frame))) => {
                let bytes = frame.data_ref().map_or(0, |piece| piece.len() as u64);
                self.record.bytes_in.fetch_add(bytes, Relaxed);
                self.declared_left = self.declared_left.map(|left| left.saturating_sub(bytes));
            }
            Poll::Ready(None) if self.declared_left.is_some_and(|left| left > 0) => {
                return Poll::Ready(Some(Err(Error::ConnectionTerminated)));
            }
            _ => {}
        }
        polled.map_err(|_| Error::ConnectionTerminated)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A response body on its way to the client.
///
/// When the instance trapped while it sent, the body ends with an error: the connection is cut, and
/// the client cannot take what it has for the whole.
pub(crate) struct RecordedResponseBody {
    body: WasiBody,
    record: Arc<RequestRecord>,
}

impl RecordedResponseBody {
    /// Counts a body into a record.
    pub(crate) fn new(body: WasiBody, record: Arc<RequestRecord>) -> Self {
        Self { body, record }
    }
}

impl Body for RecordedResponseBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        match &polled {
            Poll::Ready(Some(Ok(frame))) => {
                let bytes = frame.data_ref().map_or(0, |piece| piece.len() as u64);
                self.record.bytes_out.fetch_add(bytes, Relaxed);
            }
            Poll::Ready(None)
                if self.record.served_by.get().is_some_and(|instance| instance.trapped()) =>
            {
                return Poll::Ready(Some(Err(Error::ConnectionTerminated)));
            }
            _ => {}
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
