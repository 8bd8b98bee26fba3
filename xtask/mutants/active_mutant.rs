//! Added to each crate that is mutated: which mutant runs.

use std::cell::Cell;
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
    let active = *ACTIVE.get_or_init(|| std::env::var("MUTANT").ok()?.parse().ok());
    if active.is_some() && !IS_HOOKED.replace(true) && !std::thread::panicking() {
        // A panic, even one that is caught, ends the program, because the test will fail. Each
        // thread sets the hook, because a test may have replaced it.
        std::panic::set_hook(Box::new(|_| std::process::exit(101)));
    }
    active.unwrap_or(usize::MAX)
}

fn open_trace() -> Option<Mutex<(File, BTreeSet<usize>)>> {
    let path = std::env::var("MUTANT_TRACE").ok()?;
    let file = File::options().append(true).create(true).open(path).ok()?;
    Some(Mutex::new((file, BTreeSet::new())))
}

thread_local! {
    static IS_HOOKED: Cell<bool> = const { Cell::new(false) };
}

static ACTIVE: OnceLock<Option<usize>> = OnceLock::new();
static TRACE: OnceLock<Option<Mutex<(File, BTreeSet<usize>)>>> = OnceLock::new();
