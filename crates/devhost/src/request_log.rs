//! One log line for each request, written when both its bodies have ended or were dropped.

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

/// A request in progress. The line is written when the last reference to it is dropped.
pub(crate) struct RequestRecord {
    method: Method,
    /// Without the query, which may contain a signature.
    path: String,
    started: Instant,
    /// 0 until there is a response.
    status: AtomicU16,
    bytes_in: AtomicU64,
    bytes_out: AtomicU64,
    /// The instance that serves it, once assigned.
    pub(crate) served_by: Arc<OnceLock<Arc<InstanceRecord>>>,
}

impl RequestRecord {
    /// The record of a new request.
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

    /// The ID of the instance that serves the request, once assigned.
    pub(crate) fn instance_id(&self) -> Option<u64> {
        self.served_by.get().map(|instance| instance.id)
    }

    /// Records the status of the response.
    pub(crate) fn set_status(&self, status: http::StatusCode) {
        self.status.store(status.as_u16(), Relaxed);
    }
}

impl Drop for RequestRecord {
    fn drop(&mut self) {
        let status = Some(*self.status.get_mut()).filter(|status| *status != 0);
        let (bytes_in, bytes_out) = (*self.bytes_in.get_mut(), *self.bytes_out.get_mut());
        let outcome = if status.is_some() { "request" } else { "request, client disconnected" };
        tracing::info!(
            method = %self.method,
            path = self.path,
            status,
            bytes_in,
            bytes_out,
            ms = self.started.elapsed().as_millis() as u64,
            instance = self.instance_id(),
            "{outcome}"
        );
    }
}

/// A request body that is being forwarded to the guest.
///
/// It ends with an error if it is shorter than its declared length: in the guest, the body stream
/// ends and the trailers future fails.
pub(crate) struct RecordedRequestBody {
    body: Incoming,
    declared_left: Option<u64>,
    record: Arc<RequestRecord>,
}

impl RecordedRequestBody {
    /// Wraps a body and counts its bytes in `record`.
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
                let bytes = frame.data_ref().map_or(0, |data| data.len() as u64);
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

/// A response body that is being sent to the client.
///
/// If the instance trapped, the body ends with an error: the connection is closed, and the client
/// cannot mistake the received part for the complete body.
pub(crate) struct RecordedResponseBody {
    body: WasiBody,
    record: Arc<RequestRecord>,
}

impl RecordedResponseBody {
    /// Wraps a body and counts its bytes in `record`.
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
                let bytes = frame.data_ref().map_or(0, |data| data.len() as u64);
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
