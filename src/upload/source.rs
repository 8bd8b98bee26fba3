//! The source of a session's bytes: one request, a source that can be read from any offset, or
//! other objects on the store.

use super::concat_session::Concatenation;
use super::input::SourceStatus;
use super::options::{Purpose, ReceiveOptions};
use crate::crc64::Crc64;
use crate::error::{Error, ErrorKind, Result};
use crate::units::ByteCount;

/// The source of a session's bytes.
#[derive(Debug)]
pub(super) enum Source {
    /// The session appends nothing.
    None,
    /// One request of a client.
    Request(ReceiveOptions),
    /// A source that can be read from any offset.
    Seekable,
    /// Objects on the store.
    Concatenation(Concatenation),
}

impl Source {
    /// # Errors
    /// Returns [`ErrorKind::FileEmpty`] if a source of length zero is to be continued, and
    /// [`ErrorKind::FileTooLarge`] if the store cannot concatenate the objects.
    pub(super) fn new(purpose: Purpose, length: Option<ByteCount>) -> Result<Self> {
        Ok(match purpose {
            Purpose::Receive(request) => Self::Request(request),
            Purpose::Continue if length.is_some_and(ByteCount::is_zero) => return Err(empty_file()),
            Purpose::Continue => Self::Seekable,
            Purpose::Concatenate { sources } => Self::Concatenation(Concatenation::new(sources)?),
            Purpose::Reconcile | Purpose::Fence | Purpose::Abort => Self::None,
        })
    }

    pub(super) const fn has_bytes(&self) -> bool {
        !matches!(self, Self::None)
    }

    /// Whether the request's bytes are accepted only once all of them have arrived.
    pub(super) const fn is_atomic(&self) -> bool {
        matches!(self, Self::Request(ReceiveOptions { atomic: true, .. }))
    }

    /// Whether the file stays incomplete even if all of its bytes are stored.
    pub(super) const fn keeps_open(&self) -> bool {
        matches!(self, Self::Request(ReceiveOptions { keep_open: true, .. }))
    }

    /// Returns the file's length, if the source declares it.
    pub(super) fn declared_length(&self) -> Option<ByteCount> {
        match self {
            Self::Request(request) => request.length,
            Self::Concatenation(concatenation) => Some(concatenation.total()),
            Self::None | Self::Seekable => None,
        }
    }

    /// Checks that the request starts at the durable offset.
    pub(super) fn check_offset(&self, durable: ByteCount) -> Result<()> {
        match self {
            Self::Request(request) if request.offset != durable => {
                let (offset, durable) = (request.offset.bytes(), durable.bytes());
                let message = format!("the request starts at offset {offset}; expected {durable}");
                Err(Error::new(ErrorKind::OffsetMismatch, message))
            }
            _ => Ok(()),
        }
    }

    /// Returns the total number of bytes that the next fills can have, if known: after `read` bytes
    /// of the request, and including the `tail` before it. `file_left` is the number of bytes that
    /// the file lacks.
    pub(super) fn bytes_left(
        &self,
        read: ByteCount,
        tail: ByteCount,
        file_left: Option<ByteCount>,
    ) -> Option<ByteCount> {
        match self {
            Self::Request(request) => request.request_bytes.map(|len| len - read + tail),
            _ => file_left,
        }
    }

    /// Returns whether the file ends at `offset`, at which a fill ended with `end`.
    pub(super) fn ends_at(
        &self,
        offset: ByteCount,
        length: Option<ByteCount>,
        end: SourceStatus,
    ) -> bool {
        match (length, self) {
            (Some(length), _) => offset == length,
            (None, Self::Request(ReceiveOptions { complete_at_end, .. })) => {
                *complete_at_end && end == SourceStatus::Eof
            }
            (None, Self::Seekable) => end == SourceStatus::Eof,
            (None, Self::None | Self::Concatenation(_)) => false,
        }
    }

    /// Starts again from offset zero of a file of `length` bytes.
    pub(super) fn restart(&mut self, length: Option<ByteCount>) -> Result<()> {
        match self {
            Self::Request(request) => {
                let end = request.request_bytes.map(|len| request.offset + len);
                request.request_bytes = length.or(end);
                request.offset = ByteCount::ZERO;
                Ok(())
            }
            Self::Concatenation(concatenation) => {
                concatenation.start_at(ByteCount::ZERO, Crc64::EMPTY)
            }
            Self::None | Self::Seekable => Ok(()),
        }
    }
}

pub(super) fn empty_file() -> Error {
    Error::new(ErrorKind::FileEmpty, "the file has no bytes")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed assumption fails the test")]

    use super::*;

    const TAIL: ByteCount = ByteCount(30);

    fn request() -> Source {
        let (offset, request_bytes) = (ByteCount(100), Some(ByteCount(50)));
        Source::Request(ReceiveOptions { offset, request_bytes, ..ReceiveOptions::default() })
    }

    #[test]
    fn fills_have_the_rest_of_a_request_and_the_tail_before_it() {
        let left = |read| request().bytes_left(ByteCount(read), TAIL, None);
        assert_eq!((left(0), left(20)), (Some(ByteCount(80)), Some(ByteCount(60))));
    }

    #[test]
    fn a_restarted_request_has_the_bytes_before_it_too() {
        for (length, bytes) in [(None, 150), (Some(ByteCount(400)), 400)] {
            let mut source = request();
            source.restart(length).unwrap();
            let left = source.bytes_left(ByteCount::ZERO, ByteCount::ZERO, None);
            assert_eq!(left, Some(ByteCount(bytes)));
            assert_eq!(source.check_offset(ByteCount::ZERO), Ok(()));
        }
    }

    #[test]
    fn a_source_of_unknown_length_ends_with_its_last_byte() {
        let ends = |end| Source::Seekable.ends_at(ByteCount(5), None, end);
        assert!(ends(SourceStatus::Eof));
        assert!(!ends(SourceStatus::More) && !ends(SourceStatus::Interrupted));
    }
}
