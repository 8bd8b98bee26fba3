//! The body of an inbound request.

use std::pin::pin;

use futures::FutureExt as _;
use futures::future::{Either, LocalBoxFuture, select};
use spin_sdk::wasip3::http::types::{ErrorCode, Request, Trailers};
use spin_sdk::wasip3::wit_bindgen::{FutureReader, StreamReader, StreamResult};
use spin_sdk::wasip3::wit_future;
use vod_uploader_relay::ports::{Body, BodyStatus};

/// `wasi:http`'s stream of bytes and its trailers.
pub(crate) struct HostBody {
    bytes: StreamReader<u8>,
    /// Taken once the bytes have ended.
    trailers: Option<FutureReader<Result<Option<Trailers>, ErrorCode>>>,
}

impl HostBody {
    /// The body of `request`, whose head must have been read before.
    pub(crate) fn new(request: Request) -> Self {
        let (result_writer, result) = wit_future::new(|| Ok(()));
        let (bytes, trailers) = Request::consume_body(request, result);
        drop(result_writer);
        Self { bytes, trailers: Some(trailers) }
    }

    /// The status at the end of the stream, which is complete only if its trailers resolve.
    async fn end(&mut self) -> BodyStatus {
        let Some(trailers) = self.trailers.take() else { return BodyStatus::Interrupted };
        match trailers.await {
            Err(_) => BodyStatus::Interrupted,
            Ok(None) => BodyStatus::Complete(Vec::new()),
            Ok(Some(trailers)) => {
                let fields = trailers.copy_all().into_iter().filter_map(|(name, value)| {
                    String::from_utf8(value).ok().map(|value| (name, value))
                });
                BodyStatus::Complete(fields.collect())
            }
        }
    }
}

impl Body for HostBody {
    fn read<'a>(
        &'a mut self,
        buffer: Vec<u8>,
        cancel: LocalBoxFuture<'a, ()>,
    ) -> LocalBoxFuture<'a, (Vec<u8>, BodyStatus)> {
        async move {
            let (result, buffer) = {
                let mut read = pin!(self.bytes.read(buffer));
                match select(read.as_mut(), cancel).await {
                    Either::Left((read, _)) => read,
                    // Bytes that have arrived in the meantime are returned.
                    Either::Right(((), _)) => {
                        return (read.as_mut().cancel().1, BodyStatus::Canceled);
                    }
                }
            };
            let status = match result {
                StreamResult::Dropped => self.end().await,
                StreamResult::Complete(_) | StreamResult::Cancelled => BodyStatus::Open,
            };
            (buffer, status)
        }
        .boxed_local()
    }
}
