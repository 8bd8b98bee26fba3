//! The host's clocks.

use std::time::Duration;

use spin_sdk::wasip3::clocks::{monotonic_clock, system_clock};
use vod_uploader::units::UnixMillis;

/// The present instant.
pub(crate) fn now() -> UnixMillis {
    let now = system_clock::now();
    let secs = u64::try_from(now.seconds).unwrap_or_default();
    UnixMillis(secs.saturating_mul(1_000) + u64::from(now.nanoseconds / 1_000_000))
}

/// Waits until `at`, or not at all where that has passed.
pub(crate) async fn sleep_until(at: UnixMillis) {
    let wait = at.since(now());
    if !wait.is_zero() {
        sleep(wait).await;
    }
}

/// Waits for `duration`.
pub(crate) async fn sleep(duration: Duration) {
    let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
    monotonic_clock::wait_for(nanos).await;
}
