//! Correction of the local clock by a server's clock.

use crate::error::Error;
use crate::units::UnixMillis;

/// The difference between a server's clock and the local one; zero until it is observed.
///
/// OSS and VOD reject a request whose signature is more than 15 minutes off their clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClockSkew {
    server_ahead_ms: i64,
}

impl ClockSkew {
    /// Records the difference if the server reported its time in `error`. Returns true if it
    /// did: the request may succeed once it is signed again.
    pub fn observe(&mut self, error: &Error, now: UnixMillis) -> bool {
        let server_time = error.service().and_then(|store| store.server_time);
        if let Some(server_time) = server_time {
            self.server_ahead_ms = server_time.0.checked_signed_diff(now.0).unwrap_or(0);
        }
        server_time.is_some()
    }

    /// The server's time at the local time `now`.
    #[must_use]
    pub const fn now_at_server(self, now: UnixMillis) -> UnixMillis {
        now.shifted(self.server_ahead_ms)
    }

    /// The local time at the server's time `at`.
    #[must_use]
    pub const fn local_time_of(self, at: UnixMillis) -> UnixMillis {
        at.shifted(self.server_ahead_ms.saturating_neg())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{ErrorKind, ServiceError};

    #[test]
    fn the_reported_server_time_corrects_a_clock_that_is_off_either_way() {
        let mut skew = ClockSkew::default();
        for server_ms in [9_000_000, 1_000_000] {
            let now = UnixMillis(5_000_000);
            assert!(skew.observe(&error(Some(UnixMillis(server_ms))), now));
            assert_eq!(skew.now_at_server(now), UnixMillis(server_ms));
            assert_eq!(skew.now_at_server(UnixMillis(5_000_007)), UnixMillis(server_ms + 7));
            assert_eq!(skew.local_time_of(UnixMillis(server_ms + 7)), UnixMillis(5_000_007));
        }
    }

    #[test]
    fn an_error_without_a_server_time_leaves_the_correction_unchanged() {
        let mut skew = ClockSkew::default();
        skew.observe(&error(Some(UnixMillis(9_000_000))), UnixMillis(5_000_000));
        let before = skew;
        assert!(!skew.observe(&error(None), UnixMillis(1)));
        assert!(!skew.observe(&Error::new(ErrorKind::StoreUnavailable, "cut"), UnixMillis(1)));
        assert_eq!(skew, before);
    }

    #[test]
    fn a_difference_beyond_all_range_is_ignored() {
        let mut skew = ClockSkew::default();
        assert!(skew.observe(&error(Some(UnixMillis(u64::MAX))), UnixMillis(0)));
        assert_eq!(skew, ClockSkew::default());
    }

    fn error(server_time: Option<UnixMillis>) -> Error {
        let store = ServiceError { server_time, ..ServiceError::default() };
        Error::new(ErrorKind::StoreUnavailable, "refused").with_service(store)
    }
}
