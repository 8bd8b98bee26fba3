//! Child processes that end with this process.
//!
//! Each child leads its own process group, so that what it starts ends with it, and so that Ctrl-C
//! in a terminal reaches this process alone, which then ends its children in order. A child ends
//! when its [`Child`] is dropped (also by a panic) and when this process ends: by a signal, or,
//! with the help of the [watchdog], by SIGKILL.

use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc::Sender;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use std::{process, thread};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

use crate::command_error::CommandError;
use crate::watchdog;

/// A running child process. Dropping it ends it.
#[derive(Debug)]
pub(crate) struct Child {
    name: &'static str,
    process: process::Child,
    group: Pid,
    collected: bool,
}

impl Child {
    /// Starts `command` without standard input. Messages use `name`.
    pub(crate) fn start(name: &'static str, command: &mut Command) -> Result<Self, CommandError> {
        use std::os::unix::process::CommandExt as _;

        watchdog::mark(command);
        // Locked during the start, so that a signal handler finds the child in the list.
        let mut running = running();
        let process = command.stdin(Stdio::null()).process_group(0).spawn().map_err(|cause| {
            let program = command.get_program().to_string_lossy().into_owned();
            CommandError::new(format!("{name}: {program} cannot be started ({cause})"))
        })?;
        let group = Pid::from_child(&process);
        running.push(group);
        Ok(Self { name, process, group, collected: false })
    }

    /// The name in messages.
    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    /// The process ID.
    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    /// Takes its standard output, if it was started with a pipe.
    pub(crate) fn take_stdout(&mut self) -> Option<process::ChildStdout> {
        self.process.stdout.take()
    }

    /// Whether it has ended.
    pub(crate) fn has_ended(&self) -> bool {
        has_ended(self.group)
    }

    /// Sends the child's name to `listener` when it has ended.
    pub(crate) fn report_exit(&self, listener: Sender<&'static str>) {
        let (name, group) = (self.name, self.group);
        thread::spawn(move || {
            wait_until_ended(group);
            // The receiver is gone if the command has finished.
            let _ = listener.send(name);
        });
    }

    /// Waits for its end.
    pub(crate) fn wait(mut self) -> Result<ExitStatus, CommandError> {
        wait_until_ended(self.group);
        self.reap()
    }

    /// Ends it with SIGKILL, as a crash would.
    pub(crate) fn kill(self) {
        signal_group(self.group, Signal::KILL);
        drop(self);
    }

    /// Collects the ended child, after removing it from the list, because its ID can then be
    /// reused.
    fn reap(&mut self) -> Result<ExitStatus, CommandError> {
        let mut running = running();
        // Descendants that are still running.
        signal_group(self.group, Signal::KILL);
        running.retain(|group| *group != self.group);
        self.collected = true;
        self.process.wait().map_err(|cause| {
            CommandError::new(format!("{}: its end is unknown ({cause})", self.name))
        })
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        if !self.collected {
            end_groups(&[self.group]);
            // The status is not needed here.
            let _ = self.reap();
        }
    }
}

/// Runs `command` to its end. Messages use `name`.
///
/// # Errors
/// Returns `failure` if the command does not succeed, and another error if it cannot be started.
pub(crate) fn run(
    name: &'static str,
    command: &mut Command,
    failure: &str,
) -> Result<(), CommandError> {
    let status = Child::start(name, command)?.wait()?;
    if status.success() { Ok(()) } else { Err(CommandError::new(failure)) }
}

/// Ends every running child, and prevents new ones, because the caller is about to exit.
pub(crate) fn end_all_for_exit() {
    let running = running();
    end_groups(&running);
    // Otherwise other threads would report the exit of these children as an error.
    std::mem::forget(running);
}

/// Sends SIGTERM to the groups, and SIGKILL to those that do not end.
fn end_groups(groups: &[Pid]) {
    let mut left: Vec<Pid> = groups.iter().copied().filter(|group| !has_ended(*group)).collect();
    for group in &left {
        signal_group(*group, Signal::TERM);
    }
    let deadline = Instant::now() + GRACE;
    while !left.is_empty() && Instant::now() < deadline {
        thread::sleep(POLL_INTERVAL);
        left.retain(|group| !has_ended(*group));
    }
    for group in groups {
        signal_group(*group, Signal::KILL);
    }
}

fn signal_group(group: Pid, signal: Signal) {
    // Fails only if the group is already empty.
    let _ = kill_process_group(group, signal);
}

/// Whether the leader has ended. Does not collect it, so its ID is not reused before
/// [`Child::reap`].
fn has_ended(leader: Pid) -> bool {
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
    !matches!(waitid(WaitId::Pid(leader), options), Ok(None))
}

fn wait_until_ended(leader: Pid) {
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
    while matches!(waitid(WaitId::Pid(leader), options), Err(rustix::io::Errno::INTR)) {}
}

fn running() -> MutexGuard<'static, Vec<Pid>> {
    // A panic cannot leave the list inconsistent.
    RUNNING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The groups of all children that were started and not yet collected.
static RUNNING: Mutex<Vec<Pid>> = Mutex::new(Vec::new());

/// The time for children to end after SIGTERM. The host gives running requests 5 seconds.
const GRACE: Duration = Duration::from_secs(7);

const POLL_INTERVAL: Duration = Duration::from_millis(10);

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed assumption fails the test")]

    use std::io::{BufRead as _, BufReader};

    use super::*;

    /// A shell that starts a grandchild, prints its ID and waits.
    fn shell_with_a_child() -> (Child, Pid) {
        let mut command = Command::new("sh");
        command.args(["-c", "sleep 1000 & echo $!; wait"]).stdout(Stdio::piped());
        let mut child = Child::start("shell", &mut command).unwrap();
        let mut line = String::new();
        BufReader::new(child.take_stdout().unwrap()).read_line(&mut line).unwrap();
        (child, Pid::from_raw(line.trim().parse().unwrap()).unwrap())
    }

    /// Whether a process runs; a zombie does not.
    fn runs(pid: Pid) -> bool {
        std::fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero()))
            .is_ok_and(|stat| !stat.contains(") Z "))
    }

    /// Waits until the process has ended.
    fn assert_ends(pid: Pid) {
        let deadline = Instant::now() + GRACE;
        while runs(pid) {
            assert!(Instant::now() < deadline, "{pid:?} still runs");
            thread::sleep(POLL_INTERVAL);
        }
    }

    #[test]
    fn dropping_a_child_ends_it_and_what_it_started() {
        let (child, grandchild) = shell_with_a_child();
        let leader = child.group;
        drop(child);
        assert!(!runs(leader));
        assert_ends(grandchild);
    }

    #[test]
    fn a_panic_ends_the_child() {
        let (child, grandchild) = shell_with_a_child();
        let leader = child.group;
        let panicked = thread::spawn(move || {
            let _child = child;
            std::panic::resume_unwind(Box::new("the test's panic"));
        });
        assert!(panicked.join().is_err());
        assert!(!runs(leader));
        assert_ends(grandchild);
    }
}
