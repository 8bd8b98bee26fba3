//! What one client request brings.

use vod_uploader::units::ByteCount;
use vod_uploader::upload::{Purpose, Receive, SourceEnd};

/// The bytes `from` to `to` of the content, in one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ClientRequest {
    pub(crate) from: u64,
    pub(crate) to: u64,
    /// Whether the request says how long it is.
    pub(crate) says_length: bool,
    /// How it ends after `to`.
    pub(crate) end: SourceEnd,
    /// Where the client says that it would end, when it is cut off before.
    pub(crate) declared_to: u64,
    /// For a source of unknown length: the request's end is the source's end.
    pub(crate) end_completes: bool,
    /// The whole length that it declares.
    pub(crate) length: Option<u64>,
    /// Nothing of it counts unless it ends as it should.
    pub(crate) atomic: bool,
    /// The file is not whole after it, whatever it brings.
    pub(crate) stays_open: bool,
    /// The end is told with the last byte, and not by a fill of its own.
    pub(crate) end_with_last_byte: bool,
}

impl ClientRequest {
    pub(crate) const fn new(from: u64, to: u64) -> Self {
        Self {
            from,
            to,
            says_length: true,
            end: SourceEnd::Ended,
            declared_to: to,
            end_completes: false,
            length: None,
            atomic: false,
            stays_open: false,
            end_with_last_byte: false,
        }
    }

    /// The same request, cut off at `to`.
    pub(crate) const fn cut_at(self, to: u64) -> Self {
        Self { to, end: SourceEnd::Cut, ..self }
    }

    pub(crate) const fn ending(self, end: SourceEnd) -> Self {
        Self { end, ..self }
    }

    pub(crate) const fn declaring(self, length: u64) -> Self {
        Self { length: Some(length), ..self }
    }

    pub(crate) const fn atomic(self) -> Self {
        Self { atomic: true, ..self }
    }

    pub(crate) const fn staying_open(self) -> Self {
        Self { stays_open: true, ..self }
    }

    pub(crate) const fn ending_with_last_byte(self) -> Self {
        Self { end_with_last_byte: true, ..self }
    }

    pub(crate) const fn completing(self) -> Self {
        Self { end_completes: true, ..self }
    }

    pub(crate) const fn without_length(self) -> Self {
        Self { says_length: false, ..self }
    }

    pub(crate) fn purpose(self) -> Purpose {
        Purpose::Receive(Receive {
            offset: ByteCount(self.from),
            request_len: self.says_length.then_some(ByteCount(self.declared_to - self.from)),
            end_completes: self.end_completes,
            length: self.length.map(ByteCount),
            atomic: self.atomic,
            stays_open: self.stays_open,
        })
    }
}
