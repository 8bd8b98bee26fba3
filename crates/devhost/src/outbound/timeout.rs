//! The waits of one outbound request, as the guest asked for them in its request options.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::time::{Instant, Sleep, sleep};
use wasmtime_wasi_http::{Error, RequestOptions};

/// How long each phase may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Timeouts {
    /// For a connection: name lookup, TCP and TLS together.
    pub(crate) connect: Duration,
    /// For the response head, counted from the start of the request: it includes the time to send
    /// the request body.
    pub(crate) first_byte: Duration,
    /// Between two pieces of the response body.
    pub(crate) between_bytes: Duration,
}

impl Timeouts {
    /// The guest's options, and this host's defaults where it set none.
    pub(crate) fn of(options: Option<RequestOptions>) -> Self {
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

/// A response body that fails when the upstream falls silent.
pub(crate) struct TimedResponseBody {
    incoming: Incoming,
    wait: Duration,
    silence: Pin<Box<Sleep>>,
}

impl TimedResponseBody {
    /// Wraps a body whose pieces may each take up to `wait`.
    pub(crate) fn new(incoming: Incoming, wait: Duration) -> Self {
        Self { incoming, wait, silence: Box::pin(sleep(wait)) }
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
                let deadline = Instant::now() + self.wait;
                self.silence.as_mut().reset(deadline);
                Poll::Ready(frame.map(|frame| frame.map_err(Error::from)))
            }
            Poll::Pending => {
                ready!(self.silence.as_mut().poll(cx));
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
