//! Ctrl-C, SIGTERM and a closed terminal end this process and its children.

use std::{process, thread};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::child;
use crate::command_error::CommandError;

/// From now on a signal first ends all children, then this process with status 128 + signal.
pub(crate) fn end_children_on_signals() -> Result<(), CommandError> {
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP])
        .map_err(|cause| CommandError::new(format!("signals cannot be handled ({cause})")))?;
    thread::spawn(move || {
        if let Some(signal) = signals.forever().next() {
            child::end_all_for_exit();
            process::exit(128 + signal);
        }
    });
    Ok(())
}
