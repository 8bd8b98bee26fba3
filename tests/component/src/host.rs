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
    /// What `host` has counted.
    ///
    /// # Panics
    /// If it does not answer.
    #[must_use]
    pub fn of(host: &Server) -> Self {
        Self(Client::new(host.origin()).get_json("/_host/stats").expect("the host answers"))
    }

    /// Starts the counts and peaks of `host` anew.
    ///
    /// # Panics
    /// If it does not answer.
    pub fn reset(host: &Server) {
        Client::new(host.origin()).post("/_host/stats/reset").expect("the host answers");
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

/// Starts the host on the manifest `spin.toml` in `folder`, with its data in `host` beside it.
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

/// All hosts share what they compile: otherwise each of them would compile the component.
///
/// # Panics
/// If a folder cannot be made.
pub fn share_compiled(dir: &Path) {
    let shared = cache_dir().join("compiled");
    std::fs::create_dir_all(&shared).expect("the target folder is writable");
    let shared = shared.canonicalize().expect("a folder that exists");
    std::fs::create_dir_all(dir.join("host")).expect("the folder is writable");
    std::os::unix::fs::symlink(shared, dir.join("host/compiled")).expect("a link can be made");
}

/// The end of a log.
#[must_use]
pub fn last_lines(log: &str) -> String {
    let lines: Vec<_> = log.lines().collect();
    lines[lines.len().saturating_sub(40)..].join("\n")
}
