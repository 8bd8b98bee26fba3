//! Moves the bytes of one part from the source into a buffer, or into a request that is being sent.

use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use futures::SinkExt as _;
use futures::channel::mpsc;
use futures::future::{Either, poll_fn, select};
use vod_uploader::crc64::Crc64Digest;
use vod_uploader::units::ByteCount;
use vod_uploader::upload::{FillId, FillRequest, SourceStatus};

use super::source::{FilledBuffer, Source};
use crate::body::ByteStream;
use crate::buffers::Permit;
use crate::ports::Clock;

/// The result of a fill, with its source.
pub(super) struct FillResult<B> {
    pub(super) source: Source<B>,
    pub(super) fill: FillId,
    pub(super) filled: FilledBuffer,
    pub(super) len: ByteCount,
    /// Present for a buffered part.
    pub(super) permit: Option<Permit>,
}

/// Fills the buffer of a part.
pub(super) async fn fill_buffer<B: ByteStream>(
    mut source: Source<B>,
    fill: FillId,
    buffer: Vec<u8>,
    len: usize,
    permit: Permit,
) -> FillResult<B> {
    let filled = source.fill(buffer, len).await;
    let len = ByteCount(filled.buffer.len() as u64);
    FillResult { source, fill, filled, len, permit: Some(permit) }
}

/// Streams the bytes of a part into its request and computes their CRC-64. The part is interrupted
/// once OSS has accepted no bytes for `stall_max`; the source may take any time.
pub(super) async fn stream_part<B: ByteStream>(
    mut source: Source<B>,
    part: FillRequest,
    mut request: mpsc::Sender<Vec<u8>>,
    clock: Rc<dyn Clock>,
    stall_max: Duration,
) -> FillResult<B> {
    let mut digest = Crc64Digest::new();
    let mut streamed = 0;
    let mut end = SourceStatus::More;
    while streamed < part.size.bytes() && end == SourceStatus::More {
        let remaining = part.size.bytes() - streamed;
        let len = usize::try_from(remaining).unwrap_or(STREAM_CHUNK_BYTES).min(STREAM_CHUNK_BYTES);
        let chunk = source.chunk(Vec::with_capacity(len), len).await;
        let chunk_bytes = chunk.buffer.len() as u64;
        // OSS stores the part when it has received the last byte, so a source that is too long must
        // be detected before that.
        if chunk_bytes == remaining && source.status_when_full().await == SourceStatus::TooLong {
            end = SourceStatus::TooLong;
            break;
        }
        digest.update(&chunk.buffer);
        match select(pin!(accept(&mut request, chunk.buffer)), clock.sleep(stall_max)).await {
            Either::Left((true, _)) => {}
            // OSS accepts no more bytes: its response ends the session. If there is none, this fill
            // ends it.
            Either::Left((false, _)) => {
                clock.sleep(stall_max).await;
                end = SourceStatus::Interrupted;
                break;
            }
            Either::Right(_) => {
                end = SourceStatus::Interrupted;
                break;
            }
        }
        streamed += chunk_bytes;
        end = chunk.end;
    }
    drop(request);
    let filled = FilledBuffer { buffer: Vec::new(), crc64: digest.value(), end };
    FillResult { source, fill: part.fill, filled, len: ByteCount(streamed), permit: None }
}

/// Sends `chunk` and waits until it is accepted. Returns false if the request has ended.
async fn accept(request: &mut mpsc::Sender<Vec<u8>>, chunk: Vec<u8>) -> bool {
    if chunk.is_empty() {
        return true;
    }
    request.send(chunk).await.is_ok() && poll_fn(|cx| request.poll_ready(cx)).await.is_ok()
}

/// The largest chunk of a streamed part.
const STREAM_CHUNK_BYTES: usize = 256 << 10;
