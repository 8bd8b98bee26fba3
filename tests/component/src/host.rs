//! The local host, started on a separate directory, and its counters.

use std::path::Path;
use std::process::Command;

use serde_json::Value;
use vod_uploader_wire::Client;

use crate::binaries::{Binaries, cache_dir};
use crate::process::Server;

/// The host's counters at one moment.
#[derive(Clone, Debug)]
pub struct Stats(Value);

impl Stats {
    /// The counters of `host`.
    ///
    /// # Panics
    /// If it does not respond.
    #[must_use]
    pub fn new(host: &Server) -> Self {
        Self(Client::new(host.origin()).get_json("/_host/stats").expect("a response"))
    }

    /// Resets the counters and peaks of `host`.
    ///
    /// # Panics
    /// If it does not respond.
    pub fn reset(host: &Server) {
        Client::new(host.origin()).post("/_host/stats/reset").expect("a response");
    }

    /// The counter of this name.
    ///
    /// # Panics
    /// If there is none.
    #[must_use]
    pub fn count(&self, name: &str) -> u64 {
        self.0[name].as_u64().unwrap_or_else(|| panic!("no counter {name} in {}", self.0))
    }
}

/// Starts the host with the manifest `spin.toml` in `dir`, and its data in `dir/host`.
#[must_use]
pub fn start(binaries: &Binaries, dir: &Path, variables: &[(String, String)]) -> Server {
    let mut command = Command::new(&binaries.devhost);
    command.args(["--listen", "127.0.0.1:0"]);
    command.arg("--manifest").arg(dir.join("spin.toml"));
    command.arg("--data").arg(dir.join("host"));
    for (name, value) in variables {
        command.arg("--variable").arg(format!("{name}={value}"));
    }
    Server::start(&mut command, &dir.join("host.log"))
}

/// Shares compiled components between hosts: otherwise each would compile the component.
///
/// # Panics
/// If a directory cannot be created.
pub fn share_compiled(dir: &Path) {
    let shared = cache_dir().join("compiled");
    std::fs::create_dir_all(&shared).expect("a writable target directory");
    let shared = shared.canonicalize().expect("an existing directory");
    std::fs::create_dir_all(dir.join("host")).expect("a writable directory");
    std::os::unix::fs::symlink(shared, dir.join("host/compiled")).expect("a symbolic link");
}

/// The errors in a log, and its end.
#[must_use]
pub fn relevant_lines(log: &str) -> String {
    let lines: Vec<_> = log.lines().collect();
    let (before, end) = lines.split_at(lines.len().saturating_sub(40));
    let errors = before.iter().filter(|line| line.contains(" ERROR "));
    errors.chain(end).copied().collect::<Vec<_>>().join("\n")
}
