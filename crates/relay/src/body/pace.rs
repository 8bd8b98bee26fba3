//! How fast a client must send: a slow one occupies a buffer and a connection that others need.

use std::time::Duration;

/// The pace of a body. Only the time in which the relay waits for bytes counts.
#[derive(Debug, Default)]
pub(super) struct Pace {
    has_begun: bool,
    /// The time since the last byte.
    silence: Duration,
    /// The time and the bytes of the present window.
    window_time: Duration,
    window_bytes: usize,
}

impl Pace {
    /// How long the next read may wait for a byte.
    pub(super) fn wait_max(&self) -> Duration {
        let silence_left = self.silence_max().saturating_sub(self.silence);
        silence_left.min(WINDOW.saturating_sub(self.window_time))
    }

    /// Records a read. Returns false if the client is too slow.
    pub(super) fn observe(&mut self, waited: Duration, bytes: usize) -> bool {
        self.silence = if bytes == 0 { self.silence + waited } else { Duration::ZERO };
        if self.silence >= self.silence_max() {
            return false;
        }
        self.has_begun |= bytes > 0;
        self.window_time += waited;
        self.window_bytes = self.window_bytes.saturating_add(bytes);
        if self.window_time < WINDOW {
            return true;
        }
        let is_fast = self.window_bytes >= WINDOW_BYTES_MIN;
        (self.window_time, self.window_bytes) = (Duration::ZERO, 0);
        is_fast
    }

    const fn silence_max(&self) -> Duration {
        if self.has_begun { IDLE_MAX } else { FIRST_BYTE_MAX }
    }
}

/// How long a client may wait before its first byte.
const FIRST_BYTE_MAX: Duration = Duration::from_secs(30);

/// How long a client may send nothing in the middle of a body.
const IDLE_MAX: Duration = Duration::from_secs(60);

/// The time over which the rate is measured, and the bytes that must arrive in it: 1 KiB/s.
const WINDOW: Duration = Duration::from_secs(60);
const WINDOW_BYTES_MIN: usize = 60 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// The number of reads of `bytes`, each after `waited`, until the client is too slow.
    fn reads_until_too_slow(waited: Duration, bytes: usize) -> Option<usize> {
        let mut pace = Pace::default();
        (0..1_000).find(|_| !pace.observe(waited.min(pace.wait_max()), bytes))
    }

    #[test]
    fn a_client_that_sends_nothing_is_too_slow_at_its_first_deadline() {
        let mut pace = Pace::default();
        assert_eq!(pace.wait_max(), FIRST_BYTE_MAX);
        assert!(!pace.observe(FIRST_BYTE_MAX, 0));
    }

    #[test]
    fn a_client_below_the_minimum_rate_is_too_slow_after_one_window() {
        assert_eq!(reads_until_too_slow(SECOND, 1), Some(59));
        assert_eq!(reads_until_too_slow(SECOND, 1_023), Some(59));
    }

    #[test]
    fn a_client_at_the_minimum_rate_is_never_too_slow() {
        assert_eq!(reads_until_too_slow(SECOND, 1_024), None);
        assert_eq!(reads_until_too_slow(59 * SECOND, 120 << 10), None);
    }

    #[test]
    fn a_window_that_ends_during_a_read_is_judged_by_its_bytes() {
        let mut pace = Pace::default();
        assert!(pace.observe(20 * SECOND, WINDOW_BYTES_MIN));
        assert_eq!(pace.wait_max(), 40 * SECOND);
        assert!(pace.observe(40 * SECOND, 0));
        // The time since the last byte counts, also over two windows.
        assert_eq!(pace.wait_max(), 20 * SECOND);
        assert!(!pace.observe(20 * SECOND, 0));
    }
}
