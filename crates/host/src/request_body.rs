//! The body of an incoming request, read in buffers as large as the caller's.

use std::pin::pin;
use std::time::Duration;

use futures::future::{Either, select};
use spin_sdk::wasip3::http::types::{ErrorCode, Request, Trailers};
use spin_sdk::wasip3::wit_bindgen::{FutureReader, StreamReader, StreamResult};
use spin_sdk::wasip3::wit_future;
use vod_uploader::upload::SourceEnd;

use crate::byte_stream::ByteStream;
use crate::clock;

/// How long a client may send nothing in the middle of a request's body.
const IDLE_MAX: Duration = Duration::from_secs(60);

type TrailersFuture = FutureReader<Result<Option<Trailers>, ErrorCode>>;

/// The bytes of a request.
pub(crate) struct RequestBody {
    stream: StreamReader<u8>,
    trailers: Option<TrailersFuture>,
    end: Option<SourceEnd>,
}

impl RequestBody {
    /// The body of `request`, whose head must have been read before.
    pub(crate) fn of(request: Request) -> Self {
        let (result_writer, result) = wit_future::new(|| Ok(()));
        let (stream, trailers) = Request::consume_body(request, result);
        drop(result_writer);
        Self { stream, trailers: Some(trailers), end: None }
    }
}

impl ByteStream for RequestBody {
    async fn read(&mut self, buffer: Vec<u8>) -> (Vec<u8>, Option<SourceEnd>) {
        if self.end.is_some() {
            return (buffer, self.end);
        }
        let (result, buffer) = {
            let mut read = pin!(self.stream.read(buffer));
            let idle = pin!(clock::sleep(IDLE_MAX));
            match select(read.as_mut(), idle).await {
                Either::Left((read, _)) => read,
                // A client that says nothing is taken for gone; what it sent before counts.
                Either::Right(_) => {
                    self.end = Some(SourceEnd::Cut);
                    read.as_mut().cancel()
                }
            }
        };
        if result == StreamResult::Dropped && self.end.is_none() {
            self.end = Some(self.settled_end().await);
        }
        (buffer, self.end)
    }
}

impl RequestBody {
    /// A stream that has ended is not yet a body that is whole: its trailers tell.
    async fn settled_end(&mut self) -> SourceEnd {
        let whole = match self.trailers.take() {
            Some(trailers) => trailers.await.is_ok(),
            None => false,
        };
        if whole { SourceEnd::Ended } else { SourceEnd::Cut }
    }
}
