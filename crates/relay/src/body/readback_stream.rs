//! Reads back the bytes of partial uploads that are too few for UploadPartCopy.

use std::collections::VecDeque;
use std::rc::Rc;

use futures::channel::oneshot;
use vod_uploader::credential::AccessKey;
use vod_uploader::oss::action::{CopyRange, GetObject};
use vod_uploader::units::ByteCount;
use vod_uploader::upload::{ConcatSource, ReadRange, SourceStatus, Target, ranges_to_read};
use vod_uploader::{Error, Result};

use super::ByteStream;
use crate::instance::Instance;
use crate::retrying_client::RetryingClient;

/// The bytes of [`ranges_to_read`].
pub(crate) struct ReadbackStream {
    instance: Rc<Instance>,
    /// The storage of the partial uploads; its object key is not used.
    storage: Target,
    credential: AccessKey,
    sources: Vec<ConcatSource>,
    remaining: VecDeque<ReadRange>,
    error: Option<oneshot::Sender<Error>>,
}

impl ReadbackStream {
    /// The bytes of `sources` from the offset of [`ByteStream::seek`], and the error if the stream
    /// is interrupted.
    pub(crate) fn new(
        instance: Rc<Instance>,
        storage: Target,
        credential: AccessKey,
        sources: Vec<ConcatSource>,
    ) -> (Self, oneshot::Receiver<Error>) {
        let (error, interrupted) = oneshot::channel();
        let (remaining, error) = (VecDeque::new(), Some(error));
        (Self { instance, storage, credential, sources, remaining, error }, interrupted)
    }

    /// Up to `room` of the next bytes; none at the end.
    async fn read_next(&mut self, room: u64) -> Result<Vec<u8>> {
        let Some(next) = self.remaining.front_mut() else { return Ok(Vec::new()) };
        let Some(source) = self.sources.get(next.source) else { return Ok(Vec::new()) };
        let len = ByteCount(next.len.bytes().min(room).min(READ_BYTES_MAX));
        let range = CopyRange { start: next.start, len };
        let action = GetObject { key: &source.object, range };
        let bucket = Target { bucket: source.bucket.clone(), ..self.storage.clone() }.bucket()?;
        let client = RetryingClient::new(&self.instance);
        let bytes = client.call_oss(&bucket, &self.credential, &action).await?;
        next.start += len;
        next.len = next.len - len;
        if next.len.is_zero() {
            self.remaining.pop_front();
        }
        Ok(bytes)
    }
}

impl ByteStream for ReadbackStream {
    /// A failed read interrupts the stream: the session stores the bytes before it, and the next
    /// session continues.
    async fn read(&mut self, mut buffer: Vec<u8>) -> (Vec<u8>, Option<SourceStatus>) {
        if self.remaining.is_empty() {
            return (buffer, Some(SourceStatus::Eof));
        }
        let room = (buffer.capacity() - buffer.len()).max(1) as u64;
        match self.read_next(room).await {
            Ok(bytes) => {
                buffer.extend_from_slice(&bytes);
                (buffer, None)
            }
            Err(error) => {
                if let Some(interrupted) = self.error.take() {
                    let _ = interrupted.send(error);
                }
                (buffer, Some(SourceStatus::Interrupted))
            }
        }
    }

    fn seek(&mut self, offset: ByteCount) {
        self.remaining = ranges_to_read(&self.sources, offset).into();
    }
}

/// Bytes per request: a response is buffered.
const READ_BYTES_MAX: u64 = 1 << 20;
