//! The host's clocks.

use std::time::Duration;

use futures::FutureExt as _;
use futures::future::LocalBoxFuture;
use spin_sdk::wasip3::clocks::{monotonic_clock, system_clock};
use vod_uploader::units::UnixMillis;
use vod_uploader_relay::ports::Clock;

/// `wasi:clocks`.
pub(crate) struct HostClock;

impl Clock for HostClock {
    fn now(&self) -> UnixMillis {
        let now = system_clock::now();
        let secs = u64::try_from(now.seconds).unwrap_or_default();
        UnixMillis(secs.saturating_mul(1_000) + u64::from(now.nanoseconds / 1_000_000))
    }

    fn sleep(&self, duration: Duration) -> LocalBoxFuture<'static, ()> {
        let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        async move {
            if nanos > 0 {
                monotonic_clock::wait_for(nanos).await;
            }
        }
        .boxed_local()
    }
}
