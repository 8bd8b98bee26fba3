//! Polling for a state.

use std::thread;
use std::time::{Duration, Instant};

use crate::case::CaseAbort;

/// Repeats a request until `is_reached` returns true or the limit has passed. Returns the last
/// result.
pub(crate) fn poll<T>(
    limit: Duration,
    mut request: impl FnMut() -> Result<T, CaseAbort>,
    is_reached: impl Fn(&T) -> bool,
) -> Result<T, CaseAbort> {
    let deadline = Instant::now() + limit;
    loop {
        let result = request()?;
        if is_reached(&result) || Instant::now() > deadline {
            return Ok(result);
        }
        thread::sleep(INTERVAL);
    }
}

const INTERVAL: Duration = Duration::from_millis(25);
