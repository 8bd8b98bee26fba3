//! The timeouts of one outbound request, from the request options of the guest.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::time::{Instant, Sleep, sleep};
use wasmtime_wasi_http::{Error, RequestOptions};

/// The timeout of each phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Timeouts {
    /// Connecting: name lookup, TCP and TLS together.
    pub(crate) connect: Duration,
    /// The response head, measured from the start of the request: this includes sending the request
    /// body.
    pub(crate) first_byte: Duration,
    /// Between two reads of the response body.
    pub(crate) between_bytes: Duration,
}

impl Timeouts {
    /// The guest's options, with this host's defaults for those that are not set.
    pub(crate) fn from_options(options: Option<RequestOptions>) -> Self {
        let options = options.unwrap_or_default();
        Self {
            connect: options.connect_timeout.unwrap_or(Self::CONNECT),
            first_byte: options.first_byte_timeout.unwrap_or(Self::FIRST_BYTE),
            between_bytes: options.between_bytes_timeout.unwrap_or(Self::BETWEEN_BYTES),
        }
    }

    const CONNECT: Duration = Duration::from_secs(10);
    const FIRST_BYTE: Duration = Duration::from_secs(600);
    const BETWEEN_BYTES: Duration = Duration::from_secs(600);
}

/// A response body that fails if the upstream sends nothing for too long.
pub(crate) struct TimedResponseBody {
    incoming: Incoming,
    timeout: Duration,
    timer: Pin<Box<Sleep>>,
}

impl TimedResponseBody {
    /// Wraps a body of which each read may take up to `timeout`.
    pub(crate) fn new(incoming: Incoming, timeout: Duration) -> Self {
        Self { incoming, timeout, timer: Box::pin(sleep(timeout)) }
    }
}

impl Body for TimedResponseBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        match Pin::new(&mut self.incoming).poll_frame(cx) {
            Poll::Ready(frame) => {
                let deadline = Instant::now() + self.timeout;
                self.timer.as_mut().reset(deadline);
                Poll::Ready(frame.map(|frame| frame.map_err(Error::from)))
            }
            Poll::Pending => {
                ready!(self.timer.as_mut().poll(cx));
                Poll::Ready(Some(Err(Error::ConnectionReadTimeout)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}
