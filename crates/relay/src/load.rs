//! What the clients of one instance do at once, and its limits.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use vod_uploader::units::UnixMillis;
use vod_uploader::{Error, ErrorKind, Result};

/// The limits of one instance. `None`: unlimited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct LoadLimits {
    /// Requests with bytes of uploads at once.
    pub(crate) active_uploads_max: Option<u32>,
    /// Requests that create uploads, per minute.
    pub(crate) creations_per_minute_max: Option<u32>,
}

/// The load of one instance.
#[derive(Debug, Default)]
pub(crate) struct Load {
    active_uploads: Rc<Cell<u32>>,
    /// The start of the present minute.
    minute_at: Cell<UnixMillis>,
    creations: Cell<u32>,
}

/// A request with bytes of an upload, until it is dropped.
#[derive(Debug)]
pub(crate) struct ActiveUpload(Rc<Cell<u32>>);

impl Load {
    /// Counts a request with bytes of an upload.
    ///
    /// # Errors
    /// Returns [`ErrorKind::TooManyRequests`] above the limit.
    pub(crate) fn begin_upload(&self, limits: LoadLimits) -> Result<ActiveUpload> {
        let active = self.active_uploads.get();
        if limits.active_uploads_max.is_some_and(|max| active >= max) {
            return Err(too_many("the worker receives as many uploads as it is configured to"));
        }
        self.active_uploads.set(active + 1);
        Ok(ActiveUpload(Rc::clone(&self.active_uploads)))
    }

    /// Counts a request that creates an upload.
    ///
    /// # Errors
    /// Returns [`ErrorKind::TooManyRequests`] above the limit.
    pub(crate) fn count_creation(&self, limits: LoadLimits, now: UnixMillis) -> Result<()> {
        // A clock that was set back starts a new minute.
        if now < self.minute_at.get() || now.since(self.minute_at.get()) >= MINUTE {
            self.minute_at.set(now);
            self.creations.set(0);
        }
        let creations = self.creations.get();
        if limits.creations_per_minute_max.is_some_and(|max| creations >= max) {
            return Err(too_many("more uploads are created per minute than configured"));
        }
        self.creations.set(creations + 1);
        Ok(())
    }
}

impl Drop for ActiveUpload {
    fn drop(&mut self) {
        self.0.set(self.0.get().saturating_sub(1));
    }
}

fn too_many(message: &str) -> Error {
    Error::new(ErrorKind::TooManyRequests, message)
}

const MINUTE: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: LoadLimits =
        LoadLimits { active_uploads_max: Some(2), creations_per_minute_max: Some(2) };
    const NOW: UnixMillis = UnixMillis(1_700_000_000_000);

    #[test]
    fn an_upload_that_ends_makes_room_for_another_one() {
        let load = Load::default();
        let (first, second) = (load.begin_upload(LIMITS), load.begin_upload(LIMITS));
        assert!(first.is_ok() && second.is_ok());
        let refused = load.begin_upload(LIMITS).map(drop);
        assert_eq!(refused.map_err(|error| error.kind()), Err(ErrorKind::TooManyRequests));
        drop(first);
        assert!(load.begin_upload(LIMITS).is_ok());
    }

    #[test]
    fn creations_are_limited_per_minute() {
        let load = Load::default();
        let create = |now| load.count_creation(LIMITS, now).is_ok();
        assert!(create(NOW) && create(NOW + MINUTE / 2));
        assert!(!create(NOW + Duration::from_secs(59)));
        assert!(create(NOW + MINUTE) && create(NOW + MINUTE));
        assert!(!create(NOW + MINUTE));
        assert!(create(NOW), "the clock was set back");
    }

    #[test]
    fn without_limits_nothing_is_refused() {
        let load = Load::default();
        let none = LoadLimits::default();
        let uploads: Vec<_> = (0..1_000).map(|_| load.begin_upload(none)).collect();
        assert!(uploads.iter().all(Result::is_ok));
        assert!((0..10_000).all(|_| load.count_creation(none, NOW).is_ok()));
    }
}
