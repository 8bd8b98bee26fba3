//! What one client request brings.

use vod_uploader::units::ByteCount;
use vod_uploader::upload::{Purpose, SourceEnd};

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
        }
    }

    /// The same request, cut off at `to`.
    pub(crate) const fn cut_at(self, to: u64) -> Self {
        Self { to, end: SourceEnd::Cut, ..self }
    }

    pub(crate) const fn completing(self) -> Self {
        Self { end_completes: true, ..self }
    }

    pub(crate) const fn without_length(self) -> Self {
        Self { says_length: false, ..self }
    }

    pub(crate) fn purpose(self) -> Purpose {
        Purpose::Receive {
            offset: ByteCount(self.from),
            request_len: self.says_length.then_some(ByteCount(self.declared_to - self.from)),
            end_completes: self.end_completes,
        }
    }
}
