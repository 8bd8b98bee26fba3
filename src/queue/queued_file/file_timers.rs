//! The deadline of a file, and the retries of its sessions.

use crate::queue::context::QueueContext;
use crate::units::UnixMillis;
use crate::upload::Attempts;

/// The deadline of a file, and the retries of its sessions.
#[derive(Debug, Default)]
pub(super) struct FileTimers {
    deadline: Option<UnixMillis>,
    /// Sessions that failed since the last progress.
    attempts: Option<Attempts>,
}

impl FileTimers {
    /// Starts the time limit of a file that becomes active.
    pub(super) fn start(&mut self, ctx: &QueueContext) {
        *self = Self { deadline: ctx.options().deadline_from(ctx.now()), attempts: None };
    }

    pub(super) const fn deadline(&self) -> Option<UnixMillis> {
        self.deadline
    }

    /// Clears the deadline. It takes effect once: the termination after it is not limited.
    pub(super) const fn clear_deadline(&mut self) {
        self.deadline = None;
    }

    pub(super) const fn reset_retries(&mut self) {
        self.attempts = None;
    }

    /// Returns when to retry a failed session, or `None` if the retries are exhausted.
    pub(super) fn next_retry(&mut self, ctx: &mut QueueContext) -> Option<UnixMillis> {
        ctx.next_retry(self.attempts.get_or_insert(Attempts::first(ctx.now())))
    }
}
