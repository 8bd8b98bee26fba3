//! A process that ends the children of this one, and all their descendants, if this one is killed.
//!
//! A process that gets SIGKILL cannot end its children. Each command therefore starts this program
//! again as its watchdog, which waits until a pipe that only the command holds is closed. Every
//! child has the value of [`RUN`] in its environment. Descendants inherit it in any process group
//! or session, and the watchdog kills each process that has it.
//!
//! `PR_SET_PDEATHSIG` affects the child only, because `fork` clears it: a test started by cargo, or
//! a browser started by Node.js, would continue to run.

use std::io::{self, Read as _};
use std::os::unix::process::CommandExt as _;
use std::process::{self, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use std::{env, fs, thread};

use rustix::process::{Pid, Signal, kill_process};

use crate::command_error::CommandError;

/// The watchdog of this process. Dropping it kills the remaining children.
#[derive(Debug)]
pub(crate) struct Watchdog(process::Child);

impl Watchdog {
    /// Starts it. Children that are [marked](mark) from now on end with this process.
    pub(crate) fn start() -> Result<Self, CommandError> {
        let fail = |cause| CommandError::new(format!("the watchdog cannot be started ({cause})"));
        let started = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let run = format!("{}-{}", process::id(), started.as_nanos());
        let mut command = Command::new(env::current_exe().map_err(fail)?);
        // A signal to the process group of this process must not reach the watchdog, and no search
        // for marked processes may find it.
        command.args([COMMAND, &run]).env_remove(RUN).process_group(0);
        let child = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().map_err(fail)?;
        // There is one watchdog in a process.
        let _ = RUN_OF_THIS_PROCESS.set(run);
        Ok(Self(child))
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        // `wait` closes the pipe first, for which the watchdog waits.
        let _ = self.0.wait();
    }
}

/// Makes the process that `command` starts, and its descendants, end with this process.
pub(crate) fn mark(command: &mut Command) {
    if let Some(run) = RUN_OF_THIS_PROCESS.get() {
        command.env(RUN, run);
    }
}

/// Runs the watchdog: waits for the end of standard input, then kills the processes of `run`.
pub(crate) fn watch(run: &str) {
    // An error ends the input, too.
    let _ = io::stdin().read_to_end(&mut Vec::new());
    let mut empty_searches = 0;
    while empty_searches < EMPTY_SEARCHES {
        let left = processes_of(run);
        for process in &left {
            // Fails only if the process has already ended.
            let _ = kill_process(*process, Signal::KILL);
        }
        empty_searches = if left.is_empty() { empty_searches + 1 } else { 0 };
        thread::sleep(SEARCH_INTERVAL);
    }
}

/// The running processes that have `run` in their environment: proc(5), `/proc/pid/environ`.
fn processes_of(run: &str) -> Vec<Pid> {
    let variable = format!("{RUN}={run}");
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    processes
        .filter_map(|entry| {
            let pid = Pid::from_raw(entry.file_name().to_str()?.parse().ok()?)?;
            let environment = fs::read(entry.path().join("environ")).ok()?;
            let is_marked =
                environment.split(|byte| *byte == 0).any(|set| set == variable.as_bytes());
            is_marked.then_some(pid)
        })
        .collect()
}

/// The command line of a watchdog: this word and the run.
pub(crate) const COMMAND: &str = "watch-children";

/// The environment variable of children. Its value is unique to a run.
const RUN: &str = "VOD_XTASK_RUN";

static RUN_OF_THIS_PROCESS: OnceLock<String> = OnceLock::new();

/// A child has this process's environment until it executes its program, so one search without a
/// result does not suffice.
const EMPTY_SEARCHES: u32 = 2;

const SEARCH_INTERVAL: Duration = Duration::from_millis(50);
