//! Waiting for a state.

use std::thread;
use std::time::{Duration, Instant};

use crate::case::CaseAbort;

/// Asks again and again until `is_reached` likes the answer, and returns the last answer, which
/// is the one that was waited for or the one when the time was up.
pub(crate) fn poll<T>(
    limit: Duration,
    mut ask: impl FnMut() -> Result<T, CaseAbort>,
    is_reached: impl Fn(&T) -> bool,
) -> Result<T, CaseAbort> {
    let deadline = Instant::now() + limit;
    loop {
        let answer = ask()?;
        if is_reached(&answer) || Instant::now() > deadline {
            return Ok(answer);
        }
        thread::sleep(INTERVAL);
    }
}

const INTERVAL: Duration = Duration::from_millis(25);
