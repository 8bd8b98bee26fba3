//! Many runs on all cores: each run has one thread.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use super::run::RunReport;

/// The reports of all cases that pass, summed up, and the messages of those that fail.
#[derive(Debug, Default)]
pub struct Summary {
    /// The sum of the reports.
    pub total: RunReport,
    /// The index of each case that failed, and why.
    pub failures: Vec<(usize, String)>,
}

impl Summary {
    /// Panics if a case failed, and names each failed case by `replay`, the arguments that run it
    /// again.
    pub fn assert_no_failures(&self, replay: impl Fn(usize) -> String) {
        let failures = self.failures.iter();
        let failures: Vec<_> =
            failures.map(|(index, message)| format!("{}: {message}", replay(*index))).collect();
        assert!(failures.is_empty(), "{} fail:\n{}", failures.len(), failures.join("\n"));
    }
}

/// The tests of a binary run in threads that share the panic hook.
static HOOK: Mutex<()> = Mutex::new(());

/// Runs `count` cases on all cores. Panics are caught and not printed.
pub fn run_all(count: usize, run_case: impl Fn(usize) -> RunReport + Sync) -> Summary {
    let _hook = HOOK.lock().unwrap_or_else(PoisonError::into_inner);
    let (next, summary) = (AtomicUsize::new(0), Mutex::new(Summary::default()));
    let previous_hook = take_hook();
    set_hook(Box::new(|_| {}));
    let threads = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    if index >= count {
                        return;
                    }
                    let result = catch_unwind(AssertUnwindSafe(|| run_case(index)));
                    let mut summary = summary.lock().unwrap();
                    match result {
                        Ok(report) => summary.total.add(&report),
                        Err(panic) => summary.failures.push((index, message(&*panic))),
                    }
                }
            });
        }
    });
    set_hook(previous_hook);
    let mut summary = summary.into_inner().unwrap();
    summary.failures.sort();
    summary
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("a panic").to_owned()
}
