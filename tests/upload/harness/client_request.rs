//! What one client request brings.

use vod_uploader::units::ByteCount;
use vod_uploader::upload::{Purpose, ReceiveOptions, SourceStatus};

/// The bytes `from` to `to` of the content, in one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ClientRequest {
    pub(crate) from: u64,
    pub(crate) to: u64,
    /// Whether the request says how long it is.
    pub(crate) says_length: bool,
    /// How it ends after `to`.
    pub(crate) end: SourceStatus,
    /// Where the client says that it would end, when it is cut off before.
    pub(crate) declared_to: u64,
    /// For a source of unknown length: the request's end is the source's end.
    pub(crate) complete_at_end: bool,
    /// The whole length that it declares.
    pub(crate) length: Option<u64>,
    /// Nothing of it counts unless it ends as it should.
    pub(crate) atomic: bool,
    /// The file is not whole after it, whatever it brings.
    pub(crate) keep_open: bool,
    /// The end is told with the last byte, and not by a fill of its own.
    pub(crate) end_with_last_byte: bool,
}

impl ClientRequest {
    pub(crate) const fn new(from: u64, to: u64) -> Self {
        Self {
            from,
            to,
            says_length: true,
            end: SourceStatus::Eof,
            declared_to: to,
            complete_at_end: false,
            length: None,
            atomic: false,
            keep_open: false,
            end_with_last_byte: false,
        }
    }

    /// The same request, cut off at `to`.
    pub(crate) const fn cut_at(self, to: u64) -> Self {
        Self { to, end: SourceStatus::Interrupted, ..self }
    }

    pub(crate) const fn ending(self, end: SourceStatus) -> Self {
        Self { end, ..self }
    }

    pub(crate) const fn declaring(self, length: u64) -> Self {
        Self { length: Some(length), ..self }
    }

    pub(crate) const fn atomic(self) -> Self {
        Self { atomic: true, ..self }
    }

    pub(crate) const fn staying_open(self) -> Self {
        Self { keep_open: true, ..self }
    }

    pub(crate) const fn ending_with_last_byte(self) -> Self {
        Self { end_with_last_byte: true, ..self }
    }

    pub(crate) const fn completing(self) -> Self {
        Self { complete_at_end: true, ..self }
    }

    pub(crate) const fn without_length(self) -> Self {
        Self { says_length: false, ..self }
    }

    pub(crate) fn purpose(self) -> Purpose {
        Purpose::Receive(ReceiveOptions {
            offset: ByteCount(self.from),
            request_bytes: self.says_length.then_some(ByteCount(self.declared_to - self.from)),
            complete_at_end: self.complete_at_end,
            length: self.length.map(ByteCount),
            atomic: self.atomic,
            keep_open: self.keep_open,
        })
    }
}
