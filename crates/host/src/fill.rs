//! How one part's bytes get from the source to where they are sent from: into a buffer that is
//! held, or straight into a request.

use std::pin::pin;
use std::time::Duration;

use futures::future::{Either, select};
use spin_sdk::wasip3::wit_bindgen::StreamWriter;
use vod_uploader::crc64::Crc64Digest;
use vod_uploader::units::ByteCount;
use vod_uploader::upload::{FillId, SourceEnd, Want};

use crate::buffer_budget::Permit;
use crate::byte_stream::ByteStream;
use crate::clock;
use crate::source::{Filled, Source};

/// How much of a part that is passed through is moved at a time.
const STREAM_BYTES: usize = 256 << 10;

/// A fill that has ended, with the source given back.
pub(crate) struct FillEnded<B> {
    pub(crate) source: Source<B>,
    pub(crate) fill: FillId,
    pub(crate) filled: Filled,
    pub(crate) len: ByteCount,
    /// For a part that is held.
    pub(crate) permit: Option<Permit>,
}

/// Fills a buffer of a part that is held.
pub(crate) async fn fill_held<B: ByteStream>(
    mut source: Source<B>,
    fill: FillId,
    buffer: Vec<u8>,
    len: usize,
    permit: Permit,
) -> FillEnded<B> {
    let filled = source.fill(buffer, len).await;
    let len = ByteCount(filled.buffer.len() as u64);
    FillEnded { source, fill, filled, len, permit: Some(permit) }
}

/// Moves a part's bytes from the source into its request, with the CRC taken on the way. It is cut
/// off once the store has taken none of its bytes for `stall_max`; a source may take its time.
pub(crate) async fn pass_through<B: ByteStream>(
    mut source: Source<B>,
    want: Want,
    mut writer: StreamWriter<u8>,
    stall_max: Duration,
) -> FillEnded<B> {
    let mut digest = Crc64Digest::new();
    let mut passed = 0;
    let mut end = SourceEnd::More;
    let mut buffer = Vec::with_capacity(STREAM_BYTES);
    while passed < want.size.bytes() && end == SourceEnd::More {
        let left = want.size.bytes() - passed;
        let len = usize::try_from(left).unwrap_or(STREAM_BYTES).min(STREAM_BYTES);
        let chunk = source.chunk(buffer, len).await;
        let moved = chunk.buffer.len() as u64;
        // The store has the part once it has the last byte: a source that goes on after the file
        // is noticed before.
        if moved == left && source.end_at_full().await == SourceEnd::Overrun {
            end = SourceEnd::Overrun;
            break;
        }
        digest.update(&chunk.buffer);
        let taken = pin!(writer.write_all(chunk.buffer));
        let stalled = pin!(clock::sleep(stall_max));
        match select(taken, stalled).await {
            Either::Left((left, _)) if left.is_empty() => buffer = left,
            // The store takes no more: its answer says why, and with it the session ends. This
            // fill is not the one to end it, unless no answer comes.
            Either::Left(_) => {
                clock::sleep(stall_max).await;
                end = SourceEnd::Cut;
                break;
            }
            Either::Right(_) => {
                end = SourceEnd::Cut;
                break;
            }
        }
        passed += moved;
        end = chunk.end;
    }
    drop(writer);
    let filled = Filled { buffer: Vec::new(), crc64: digest.value(), end };
    FillEnded { source, fill: want.fill, filled, len: ByteCount(passed), permit: None }
}
