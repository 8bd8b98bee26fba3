//! Waits for a condition in another process.

use std::thread;
use std::time::{Duration, Instant};

/// Polls `probe` until it returns `Some`.
///
/// # Panics
/// After 30 seconds, with `what` in the message.
pub fn until<T>(what: &str, mut probe: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + LIMIT;
    loop {
        if let Some(found) = probe() {
            return found;
        }
        assert!(Instant::now() < deadline, "timed out waiting until {what}");
        thread::sleep(STEP);
    }
}

const LIMIT: Duration = Duration::from_secs(30);
const STEP: Duration = Duration::from_millis(5);
