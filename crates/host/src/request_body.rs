//! The body of an incoming request, read in buffers as large as the caller's.

use std::pin::pin;
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::{Either, LocalBoxFuture, select};
use spin_sdk::wasip3::http::types::{ErrorCode, Request, Trailers};
use spin_sdk::wasip3::wit_bindgen::{FutureReader, StreamReader, StreamResult};
use spin_sdk::wasip3::{wit_bindgen, wit_future};
use vod_uploader::http::ContentChecks;
use vod_uploader::upload::SourceEnd;
use vod_uploader::{Error, ErrorKind};

use crate::byte_stream::ByteStream;
use crate::clock;
use crate::stop_sign::StopSign;

/// How long a client may send nothing in the middle of a request's body.
const IDLE_MAX: Duration = Duration::from_secs(60);

/// How much of a small body is read at a time.
const SMALL_READ_BYTES: usize = 4 << 10;

/// How much of a body that is refused is read all the same, for how long, and how much at a time:
/// enough for a chunk of a usual client on a usual line.
const DRAINED_BYTES_MAX: usize = 16 << 20;
const DRAIN_TIME_MAX: Duration = Duration::from_secs(2);
const DRAIN_READ_BYTES: usize = 64 << 10;

/// Where a client names a checksum that it knows only at the end
/// (<https://tus.io/protocols/resumable-upload#checksum>).
const CHECKSUM_TRAILER: &str = "upload-checksum";

type TrailersFuture = FutureReader<Result<Option<Trailers>, ErrorCode>>;

/// The bytes of a request.
///
/// What nobody has read is read and thrown away after the answer, within limits: a host that closes
/// a connection with unread bytes resets it, and the client never sees why it was refused.
pub(crate) struct RequestBody {
    /// Away while it is read, and once it has been given to whoever drains it.
    stream: Option<StreamReader<u8>>,
    trailers: Option<TrailersFuture>,
    checks: ContentChecks,
    stop: Option<LocalBoxFuture<'static, ()>>,
    end: Option<SourceEnd>,
}

impl RequestBody {
    /// The body of `request`, whose head must have been read before.
    pub(crate) fn of(request: Request) -> Self {
        let (result_writer, result) = wit_future::new(|| Ok(()));
        let (stream, trailers) = Request::consume_body(request, result);
        drop(result_writer);
        let checks = ContentChecks::default();
        Self { stream: Some(stream), trailers: Some(trailers), checks, stop: None, end: None }
    }

    /// The same body, whose bytes are compared with what the client says of them.
    pub(crate) fn compared_with(mut self, checks: ContentChecks) -> Self {
        self.checks = checks;
        self
    }

    /// The same body, which ends when the sign is raised.
    pub(crate) fn until(mut self, stop: StopSign) -> Self {
        self.stop = Some(stop.raised().boxed_local());
        self
    }

    /// Reads a small body whole.
    ///
    /// # Errors
    /// [`ErrorKind::RequestInvalid`] above `size_max` bytes, [`ErrorKind::LengthMismatch`] where it
    /// breaks off.
    pub(crate) async fn read_whole(mut self, size_max: usize) -> vod_uploader::Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            body.reserve(SMALL_READ_BYTES);
            let end;
            (body, end) = self.read(body).await;
            if body.len() > size_max {
                let allowed = format!("at most {size_max} bytes long");
                return Err(Error::field_invalid("body", allowed));
            }
            match end {
                None => {}
                Some(SourceEnd::Ended) => return Ok(body),
                Some(_) => {
                    let message = "the request broke off before its end";
                    return Err(Error::new(ErrorKind::LengthMismatch, message));
                }
            }
        }
    }

    /// Reads once, or finds out that nothing more is to be read.
    async fn read_stream(&mut self, buffer: Vec<u8>) -> (StreamResult, Vec<u8>) {
        let Some(stream) = &mut self.stream else { return (StreamResult::Dropped, buffer) };
        let mut read = pin!(stream.read(buffer));
        let idle = pin!(clock::sleep(IDLE_MAX).map(|()| SourceEnd::Cut));
        let waiting = match &mut self.stop {
            Some(stop) => select(idle, stop.map(|()| SourceEnd::Stopped))
                .map(|first| first.factor_first().0)
                .left_future(),
            None => idle.right_future(),
        };
        match select(read.as_mut(), pin!(waiting)).await {
            Either::Left((read, _)) => read,
            // A client that says nothing is taken for gone; what it sent before counts.
            Either::Right((end, _)) => {
                self.end = Some(end);
                read.as_mut().cancel()
            }
        }
    }

    /// A stream that has ended is not yet a body that is whole: its trailers tell.
    async fn settled_end(&mut self) -> SourceEnd {
        let trailers = match self.trailers.take() {
            Some(trailers) => trailers.await,
            None => return SourceEnd::Cut,
        };
        match trailers {
            Err(_) => SourceEnd::Cut,
            Ok(None) => self.compared(None),
            Ok(Some(trailers)) => {
                let checksum = trailers.get(CHECKSUM_TRAILER).into_iter().next();
                let checksum = checksum.and_then(|value| String::from_utf8(value).ok());
                self.compared(checksum.as_deref())
            }
        }
    }

    fn compared(&self, trailer: Option<&str>) -> SourceEnd {
        if self.checks.agree(trailer) { SourceEnd::Ended } else { SourceEnd::Mismatched }
    }
}

impl ByteStream for RequestBody {
    async fn read(&mut self, buffer: Vec<u8>) -> (Vec<u8>, Option<SourceEnd>) {
        if self.end.is_some() {
            return (buffer, self.end);
        }
        let before = buffer.len();
        let (result, buffer) = self.read_stream(buffer).await;
        self.checks.update(buffer.get(before..).unwrap_or_default());
        if result == StreamResult::Dropped && self.end.is_none() {
            self.end = Some(self.settled_end().await);
        }
        (buffer, self.end)
    }

    fn end_at_length(&self) -> SourceEnd {
        self.compared(None)
    }
}

impl Drop for RequestBody {
    fn drop(&mut self) {
        let unread = self.stream.take().filter(|_| self.end.is_none());
        if let (Some(stream), Some(trailers)) = (unread, self.trailers.take()) {
            wit_bindgen::spawn(drain(stream, trailers));
        }
    }
}

/// Reads what is left of a body that nobody wants, and no more than that is worth.
async fn drain(mut stream: StreamReader<u8>, trailers: TrailersFuture) {
    let all = async {
        let (mut drained, mut buffer) = (0, Vec::with_capacity(DRAIN_READ_BYTES));
        while drained < DRAINED_BYTES_MAX {
            let result;
            (result, buffer) = stream.read(buffer).await;
            if result == StreamResult::Dropped {
                let _ = trailers.await;
                return;
            }
            drained += buffer.len();
            buffer.clear();
        }
    };
    select(pin!(all), pin!(clock::sleep(DRAIN_TIME_MAX))).await;
}
