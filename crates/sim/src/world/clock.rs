//! Virtual time.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use vod_uploader::units::UnixMillis;

/// 2024-01-01T00:00:00Z, the time at which every run starts.
pub const START: UnixMillis = UnixMillis(1_704_067_200_000);

/// The virtual time of a run. Clones share it.
#[derive(Clone, Debug)]
pub struct Clock(Rc<Cell<UnixMillis>>);

impl Clock {
    /// The current time.
    #[must_use]
    pub fn now(&self) -> UnixMillis {
        self.0.get()
    }

    /// Lets `duration` pass.
    pub fn advance(&self, duration: Duration) {
        self.0.set(self.now() + duration);
    }

    /// Advances the time to `instant`, unless it has passed.
    pub fn advance_to(&self, instant: UnixMillis) {
        self.0.set(self.now().max(instant));
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self(Rc::new(Cell::new(START)))
    }
}
