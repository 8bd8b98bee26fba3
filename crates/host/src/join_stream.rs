//! The bytes of partial uploads that are too few for a copy, read back from the store.

use std::cell::Cell;
use std::collections::VecDeque;
use std::rc::Rc;

use vod_uploader::credential::StsCredential;
use vod_uploader::oss::action::{CopyRange, GetObject};
use vod_uploader::units::ByteCount;
use vod_uploader::upload::{JoinSource, ReadRange, SourceEnd, Target, reads};
use vod_uploader::{Error, Result};

use crate::byte_stream::ByteStream;
use crate::config::Config;
use crate::retrying_client::RetryingClient;

/// How much is asked for at a time: a reply is read whole.
const READ_BYTES_MAX: u64 = 1 << 20;

/// Reads what [`reads`] names, in its order.
pub(crate) struct JoinStream {
    config: Rc<Config>,
    /// Where the partial uploads are; its object is not looked at.
    storage: Target,
    credential: StsCredential,
    sources: Vec<JoinSource>,
    left: VecDeque<ReadRange>,
    trouble: Rc<Cell<Option<Error>>>,
}

impl JoinStream {
    /// The bytes of `sources`, from where [`ByteStream::begin_at`] says.
    pub(crate) fn new(
        config: Rc<Config>,
        storage: Target,
        credential: StsCredential,
        sources: Vec<JoinSource>,
    ) -> Self {
        Self { config, storage, credential, sources, left: VecDeque::new(), trouble: Rc::default() }
    }

    /// Why the bytes broke off, once they have.
    pub(crate) fn trouble(&self) -> Rc<Cell<Option<Error>>> {
        Rc::clone(&self.trouble)
    }

    /// Up to `room` of the next bytes; none at the end.
    async fn read_next(&mut self, room: u64) -> Result<Vec<u8>> {
        let Some(next) = self.left.front_mut() else { return Ok(Vec::new()) };
        let Some(source) = self.sources.get(next.source) else { return Ok(Vec::new()) };
        let len = ByteCount(next.len.bytes().min(room).min(READ_BYTES_MAX));
        let range = CopyRange { start: next.start, len };
        let action = GetObject { key: &source.object, range };
        let bucket = Target { bucket: source.bucket.clone(), ..self.storage.clone() }.bucket()?;
        let client = RetryingClient::from_config(&self.config);
        let bytes = client.call_oss(&bucket, &self.credential, &action).await?;
        next.start += len;
        next.len = next.len - len;
        if next.len.is_zero() {
            self.left.pop_front();
        }
        Ok(bytes)
    }
}

impl ByteStream for JoinStream {
    /// A read that fails ends the bytes: the session notes what it has, and the next one goes on.
    async fn read(&mut self, mut buffer: Vec<u8>) -> (Vec<u8>, Option<SourceEnd>) {
        if self.left.is_empty() {
            return (buffer, Some(SourceEnd::Ended));
        }
        let room = (buffer.capacity() - buffer.len()).max(1) as u64;
        match self.read_next(room).await {
            Ok(bytes) => {
                buffer.extend_from_slice(&bytes);
                (buffer, None)
            }
            Err(error) => {
                self.trouble.set(Some(error));
                (buffer, Some(SourceEnd::Cut))
            }
        }
    }

    fn begin_at(&mut self, offset: ByteCount) {
        self.left = reads(&self.sources, offset).into();
    }
}
