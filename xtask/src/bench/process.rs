//! What a process used, as Linux tells it: proc(5).

use std::fs;

use crate::command_error::CommandError;

/// What a process used so far.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Usage {
    /// User and system time.
    pub(super) cpu_seconds: f64,
    /// The highest resident set, which may have been reset.
    pub(super) rss_peak_bytes: u64,
}

impl Usage {
    /// Reads the usage of a running process.
    pub(super) fn read(process: u32) -> Result<Self, CommandError> {
        let read = |name: &str| fs::read_to_string(format!("/proc/{process}/{name}"));
        let ticks = read("stat").ok().and_then(|stat| cpu_ticks(&stat));
        let rss = read("status").ok().and_then(|status| rss_peak_bytes(&status));
        let (Some(ticks), Some(rss_peak_bytes)) = (ticks, rss) else {
            return Err(CommandError::new(format!("/proc/{process} cannot be read: did it end?")));
        };
        let per_second = rustix::param::clock_ticks_per_second();
        Ok(Self { cpu_seconds: ticks as f64 / per_second as f64, rss_peak_bytes })
    }
}

/// User and system time of `/proc/PID/stat`, in clock ticks.
fn cpu_ticks(stat: &str) -> Option<u64> {
    // The name of the program comes second, in parentheses, and may hold anything.
    let (_, after_name) = stat.rsplit_once(") ")?;
    let mut fields = after_name.split(' ').skip(FIELDS_BEFORE_UTIME);
    Some(fields.next()?.parse::<u64>().ok()? + fields.next()?.parse::<u64>().ok()?)
}

fn rss_peak_bytes(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok()? * 1024)
}

/// utime is field 14, and field 3 is the first after the name.
const FIELDS_BEFORE_UTIME: usize = 11;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed assumption fails the test")]

    use super::*;

    #[test]
    fn times_are_found_behind_any_program_name() {
        let stat = "42 (a) b) S 1 42 42 0 -1 4194560 900 0 3 0 250 75 0 0 20 0 5 0 99 1 2 3\n";
        assert_eq!(cpu_ticks(stat), Some(325));
        assert_eq!(cpu_ticks("42 (a"), None);
    }

    #[test]
    fn the_peak_is_in_kibibytes() {
        assert_eq!(rss_peak_bytes("VmPeak:\t 9 kB\nVmHWM:\t    2048 kB\n"), Some(2_097_152));
        assert_eq!(rss_peak_bytes("VmPeak:\t 9 kB\n"), None);
    }

    #[test]
    fn this_process_uses_memory() {
        assert!(Usage::read(std::process::id()).unwrap().rss_peak_bytes > 0);
    }
}
