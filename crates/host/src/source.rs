//! What fills part buffers: the stored tail first, then the request's body, with the CRC taken as
//! the bytes arrive.

use vod_uploader::crc64::{Crc64, Crc64Digest};
use vod_uploader::units::ByteCount;
use vod_uploader::upload::SourceEnd;

use crate::request_body::RequestBody;

/// How much is read to see whether there is anything.
const FIRST_READ_BYTES: usize = 64 << 10;

/// A source of bytes for one session.
pub(crate) struct Source {
    body: RequestBody,
    /// Bytes that come before those of the body.
    carried: Vec<u8>,
    /// Bytes of the body that have been read.
    read_bytes: u64,
    /// What the body brings, where that is known.
    body_len: Option<ByteCount>,
    /// After this many bytes of the body the file is whole, and there must be none left.
    body_max: Option<ByteCount>,
}

/// A buffer that has been filled.
pub(crate) struct Filled {
    pub(crate) buffer: Vec<u8>,
    pub(crate) crc64: Crc64,
    pub(crate) end: SourceEnd,
}

impl Source {
    pub(crate) fn new(
        body: RequestBody,
        body_len: Option<ByteCount>,
        body_max: Option<ByteCount>,
    ) -> Self {
        Self { body, carried: Vec::new(), read_bytes: 0, body_len, body_max }
    }

    /// Puts the stored tail before everything that is still to be read.
    pub(crate) fn prepend(&mut self, mut tail: Vec<u8>) {
        tail.append(&mut self.carried);
        self.carried = tail;
    }

    /// True where there is at least one byte: waits for it.
    pub(crate) async fn has_bytes(&mut self) -> bool {
        while self.carried.is_empty() {
            let (first, end) = self.body.read(Vec::with_capacity(FIRST_READ_BYTES)).await;
            self.read_bytes += first.len() as u64;
            self.carried = first;
            if end.is_some() {
                break;
            }
        }
        !self.carried.is_empty()
    }

    /// How large a buffer the next fill of up to `size` bytes needs. It ends where the file must
    /// be whole, so that a body that goes on is noticed there.
    pub(crate) fn buffer_len(&self, size: ByteCount) -> usize {
        let carried = self.carried.len() as u64;
        let expected = self.body_len.or(self.body_max).map_or(u64::MAX, |len| {
            len.bytes().saturating_add(carried).saturating_sub(self.read_bytes)
        });
        usize::try_from(size.bytes().min(expected)).unwrap_or(usize::MAX)
    }

    /// Fills `buffer`, which is empty, up to `len` bytes.
    pub(crate) async fn fill(&mut self, mut buffer: Vec<u8>, len: usize) -> Filled {
        let mut digest = Crc64Digest::new();
        self.take_carried(&mut buffer, len);
        digest.update(&buffer);
        let mut end = None;
        while end.is_none() && buffer.len() < len {
            let filled = buffer.len();
            (buffer, end) = self.body.read(buffer).await;
            self.read_bytes += (buffer.len() - filled) as u64;
            // The allocator may have given more room than was asked for.
            if buffer.len() > len {
                self.carried = buffer.split_off(len);
            }
            digest.update(&buffer[filled..]);
        }
        let end = match end {
            Some(end) => end,
            None => self.end_at_full().await,
        };
        Filled { buffer, crc64: digest.value(), end }
    }

    /// Up to `buffer`'s capacity of bytes, for a part that is passed through; the empty buffer at
    /// the end.
    pub(crate) async fn chunk(&mut self, mut buffer: Vec<u8>, len: usize) -> Filled {
        self.take_carried(&mut buffer, len);
        let mut end = SourceEnd::More;
        if buffer.is_empty() {
            let ended;
            (buffer, ended) = self.body.read(buffer).await;
            self.read_bytes += buffer.len() as u64;
            if buffer.len() > len {
                self.carried = buffer.split_off(len);
            }
            end = ended.unwrap_or(SourceEnd::More);
        }
        Filled { crc64: Crc64::EMPTY, buffer, end }
    }

    fn take_carried(&mut self, buffer: &mut Vec<u8>, len: usize) {
        let taken = self.carried.len().min(len);
        buffer.extend(self.carried.drain(..taken));
    }

    /// A body of declared length ends there: the host sees to it. Where the file is whole by its
    /// length, a body of undeclared length must end here, too.
    async fn end_at_full(&mut self) -> SourceEnd {
        if self
            .body_len
            .is_some_and(|len| self.read_bytes >= len.bytes() && self.carried.is_empty())
        {
            return SourceEnd::Ended;
        }
        let whole = self.body_max.is_some_and(|max| self.read_bytes >= max.bytes());
        if !whole || self.body_len.is_some() {
            return SourceEnd::More;
        }
        if !self.carried.is_empty() {
            return SourceEnd::Overrun;
        }
        loop {
            match self.body.read(Vec::with_capacity(1)).await {
                (rest, _) if !rest.is_empty() => return SourceEnd::Overrun,
                (_, Some(end)) => return end,
                (_, None) => {}
            }
        }
    }
}
