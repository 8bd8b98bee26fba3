//! The browser that web pages are tried in.

use std::process::Command;

use super::log::SuiteLog;
use super::tool::is_installed;
use crate::command_error::CommandError;

/// The browser, if there is one.
pub(super) enum Chromium {
    /// The program.
    Ready(&'static str),
    /// Why it is not available, and what to do.
    Missing(&'static str),
}

/// Finds Chromium, or installs it if this is a Debian and this process may do so.
pub(super) fn chromium(log: &SuiteLog) -> Result<Chromium, CommandError> {
    if let Some(program) = installed() {
        return Ok(Chromium::Ready(program));
    }
    if !(rustix::process::geteuid().is_root() && is_installed("apt-get")) {
        return Ok(Chromium::Missing("chromium is not installed: apt-get install chromium"));
    }
    for arguments in [&["update"][..], &["install", "--yes", "--no-install-recommends", PACKAGE]] {
        let mut command = Command::new("apt-get");
        command.args(["--quiet", "--quiet"]).args(arguments);
        // No terminal is available to answer questions.
        if !log.run(command.env("DEBIAN_FRONTEND", "noninteractive"))?.success {
            return Ok(Chromium::Missing("apt-get cannot install chromium: its log says why"));
        }
    }
    Ok(installed().map_or(Chromium::Missing("apt-get installed no chromium"), Chromium::Ready))
}

fn installed() -> Option<&'static str> {
    PROGRAMS.iter().copied().find(|program| is_installed(program))
}

/// As distributions call it.
const PROGRAMS: &[&str] = &["chromium", "chromium-browser", "google-chrome"];

const PACKAGE: &str = "chromium";
