//! The requests of clients.

use vod_uploader::units::ByteCount;
use vod_uploader::upload::{Purpose, ReceiveOptions, SourceStatus};

/// A request that sends the bytes `from` to `to` of the content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientRequest {
    /// Offset of the first byte.
    pub from: u64,
    /// Offset after the last byte that arrives.
    pub to: u64,
    /// Whether the request declares its length.
    pub has_length: bool,
    /// How the body ends after `to`.
    pub end: SourceStatus,
    /// Offset after the last byte that the client declares.
    pub declared_to: u64,
    /// Whether the end of the request is the end of a source of unknown length.
    pub complete_at_end: bool,
    /// The declared length of the upload.
    pub length: Option<u64>,
    /// Whether the request is discarded unless it ends normally.
    pub atomic: bool,
    /// Whether the upload stays incomplete after the request.
    pub keep_open: bool,
    /// Whether the end is reported with the last byte instead of by an extra fill.
    pub end_with_last_byte: bool,
}

impl ClientRequest {
    /// A request that ends normally.
    #[must_use]
    pub const fn new(from: u64, to: u64) -> Self {
        Self {
            from,
            to,
            has_length: true,
            end: SourceStatus::Eof,
            declared_to: to,
            complete_at_end: false,
            length: None,
            atomic: false,
            keep_open: false,
            end_with_last_byte: false,
        }
    }

    /// The same request, interrupted at `to`.
    #[must_use]
    pub const fn cut_at(self, to: u64) -> Self {
        Self { to, end: SourceStatus::Interrupted, ..self }
    }

    /// The same request with another end.
    #[must_use]
    pub const fn ending(self, end: SourceStatus) -> Self {
        Self { end, ..self }
    }

    /// The same request, which declares the length of the upload.
    #[must_use]
    pub const fn declaring(self, length: u64) -> Self {
        Self { length: Some(length), ..self }
    }

    /// The same request, which is discarded unless it ends normally.
    #[must_use]
    pub const fn atomic(self) -> Self {
        Self { atomic: true, ..self }
    }

    /// The same request, after which the upload stays incomplete.
    #[must_use]
    pub const fn staying_open(self) -> Self {
        Self { keep_open: true, ..self }
    }

    /// The same request, whose end is reported with its last byte.
    #[must_use]
    pub const fn ending_with_last_byte(self) -> Self {
        Self { end_with_last_byte: true, ..self }
    }

    /// The same request, whose end is the end of the source.
    #[must_use]
    pub const fn completing(self) -> Self {
        Self { complete_at_end: true, ..self }
    }

    /// The same request, which does not declare its length.
    #[must_use]
    pub const fn without_length(self) -> Self {
        Self { has_length: false, ..self }
    }

    /// The purpose of a session that receives the request.
    #[must_use]
    pub fn purpose(self) -> Purpose {
        Purpose::Receive(ReceiveOptions {
            offset: ByteCount(self.from),
            request_bytes: self.has_length.then_some(ByteCount(self.declared_to - self.from)),
            complete_at_end: self.complete_at_end,
            length: self.length.map(ByteCount),
            atomic: self.atomic,
            keep_open: self.keep_open,
        })
    }
}
