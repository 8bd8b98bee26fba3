//! What a file's sessions have achieved: the offsets reached, and the failures since.

use crate::queue::context::QueueContext;
use crate::queue::interface::Progress;
use crate::units::{ByteCount, UnixMillis};
use crate::upload::Attempts;

/// The offsets that a file has reached, and the retries of its sessions.
#[derive(Debug, Default)]
pub(super) struct TransferProgress {
    durable: ByteCount,
    sent: ByteCount,
    /// Sessions that failed since the durable offset last increased.
    attempts: Option<Attempts>,
}

impl TransferProgress {
    pub(super) const fn durable(&self) -> ByteCount {
        self.durable
    }

    /// Returns true if bytes were sent to OSS.
    pub(super) const fn has_sent(&self) -> bool {
        !self.sent.is_zero()
    }

    /// Sets both offsets.
    pub(super) const fn reset_to(&mut self, offset: ByteCount) {
        self.durable = offset;
        self.sent = offset;
    }

    pub(super) const fn set_durable(&mut self, offset: ByteCount) {
        self.durable = offset;
    }

    pub(super) fn raise_durable(&mut self, offset: ByteCount) {
        self.durable = self.durable.max(offset);
    }

    pub(super) fn set_sent(&mut self, offset: ByteCount) {
        self.sent = offset.max(self.durable);
    }

    /// Resets the sent offset: bytes beyond the durable offset have to be sent again.
    pub(super) const fn discard_unconfirmed(&mut self) {
        self.sent = self.durable;
    }

    pub(super) const fn reset_retries(&mut self) {
        self.attempts = None;
    }

    /// Returns when to retry a failed session, or `None` if the retries are exhausted.
    pub(super) fn next_retry(&mut self, ctx: &mut QueueContext) -> Option<UnixMillis> {
        ctx.next_retry(self.attempts.get_or_insert(Attempts::first(ctx.now())))
    }

    /// Returns the progress of a file of this `size`.
    pub(super) fn report(&self, size: Option<ByteCount>, is_complete: bool) -> Progress {
        let total = size.or(is_complete.then_some(self.durable));
        Progress::at(self.durable, self.sent, total, is_complete)
    }
}
