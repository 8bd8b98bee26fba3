//! Added to each crate that is mutated: which mutant runs.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Write as _;
use std::sync::{Mutex, OnceLock, PoisonError};

/// Returns the number of the mutant that runs, and records that the function was reached.
pub(crate) fn select(function: usize) -> usize {
    if let Some(trace) = TRACE.get_or_init(open_trace) {
        let (file, reached) = &mut *trace.lock().unwrap_or_else(PoisonError::into_inner);
        if reached.insert(function) {
            let _ = writeln!(file, "{function}");
        }
    }
    *ACTIVE.get_or_init(read_active)
}

/// A panic, even one that is caught, ends the program, because the test will fail.
fn read_active() -> usize {
    let active = std::env::var("MUTANT").ok().and_then(|number| number.parse().ok());
    if active.is_some() {
        std::panic::set_hook(Box::new(|_| std::process::exit(101)));
    }
    active.unwrap_or(usize::MAX)
}

fn open_trace() -> Option<Mutex<(File, BTreeSet<usize>)>> {
    let path = std::env::var("MUTANT_TRACE").ok()?;
    let file = File::options().append(true).create(true).open(path).ok()?;
    Some(Mutex::new((file, BTreeSet::new())))
}

static ACTIVE: OnceLock<usize> = OnceLock::new();
static TRACE: OnceLock<Option<Mutex<(File, BTreeSet<usize>)>>> = OnceLock::new();
