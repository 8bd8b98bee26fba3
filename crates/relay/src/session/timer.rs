//! A timer that wakes a driver at one instant.

use std::rc::Rc;
use std::task::{Context, Poll};

use futures::FutureExt as _;
use futures::future::LocalBoxFuture;
use vod_uploader::units::UnixMillis;

use crate::ports::Clock;

/// A timer that is due once after each reset to another instant.
pub struct Timer {
    clock: Rc<dyn Clock>,
    due: Option<(UnixMillis, LocalBoxFuture<'static, ()>)>,
}

impl Timer {
    /// A timer that is never due.
    #[must_use]
    pub fn new(clock: Rc<dyn Clock>) -> Self {
        Self { clock, due: None }
    }

    /// Makes the timer due at `at`, or never. A pending sleep continues if the instant is the same.
    pub fn reset(&mut self, at: Option<UnixMillis>) {
        if self.due.as_ref().map(|(at, _)| *at) != at {
            self.due = at.map(|at| (at, self.clock.sleep(at.since(self.clock.now()))));
        }
    }

    /// Ready once, when the timer is due.
    pub fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some((_, sleep)) = &mut self.due else { return Poll::Pending };
        let due = sleep.poll_unpin(cx);
        if due.is_ready() {
            self.due = None;
        }
        due
    }
}
