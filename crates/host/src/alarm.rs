//! One wake-up at an instant, kept while the instant stays the same.

use std::task::{Context, Poll};

use futures::FutureExt as _;
use futures::future::LocalBoxFuture;
use vod_uploader::units::UnixMillis;

use crate::clock;

/// A wake-up that is due at most once for each time it is set.
#[derive(Default)]
pub(crate) struct Alarm {
    set: Option<(UnixMillis, LocalBoxFuture<'static, ()>)>,
}

impl Alarm {
    /// Is due at `at`, or never.
    pub(crate) fn set(&mut self, at: Option<UnixMillis>) {
        if self.set.as_ref().map(|(at, _)| *at) != at {
            self.set = at.map(|at| (at, clock::sleep_until(at).boxed_local()));
        }
    }

    /// Ready once, when it is due.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some((_, sleep)) = &mut self.set else { return Poll::Pending };
        let due = sleep.poll_unpin(cx);
        if due.is_ready() {
            self.set = None;
        }
        due
    }
}
