//! `@tus/server` with `@tus/s3-store`, from npm, in front of a store that keeps no part.

use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::SystemTime;

use super::s3_store::S3Store;
use super::store_requests::StoreRequests;
use super::target::{BenchTarget, Peer};
use crate::child;
use crate::command_error::CommandError;
use crate::data_dir;
use crate::report;
use crate::server::{self, Log, Server};

/// Installs the packages if they are not, and lets the server write below `data`. `None`, with the
/// reason on the terminal, if this machine cannot.
pub(super) fn find(root: &Path, data: &Path) -> Result<Option<Box<dyn Peer>>, CommandError> {
    let install = Install {
        directory: root.join("tests/bench_servers"),
        temporary: data_dir::open(&data.join("tmp"))?,
        log: data.join("log"),
    };
    Ok(match install.complete() {
        Ok(()) => Some(Box::new(install)),
        Err(reason) => {
            report::progress(&format!("no @tus/server to compare with: {reason}"));
            None
        }
    })
}

/// The installed packages.
#[derive(Debug)]
struct Install {
    /// The directory of `server.mjs`.
    directory: PathBuf,
    /// Where the server may write what is temporary.
    temporary: PathBuf,
    log: PathBuf,
}

impl Install {
    fn complete(&self) -> Result<(), CommandError> {
        let node = Command::new("node").arg("--version").stderr(Stdio::null()).output();
        let version = node.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
        match version.as_deref().map(node_version) {
            Ok(Some(version)) if version >= NODE_VERSION_MIN => {}
            Ok(Some(_)) => return Err(CommandError::new("node is older than 20.19")),
            _ => return Err(CommandError::new("node is not installed: https://nodejs.org")),
        }
        if self.is_installed() {
            return Ok(());
        }
        report::progress("installing @tus/server and @tus/s3-store");
        let log = || File::options().create(true).append(true).open(&self.log);
        let fail = CommandError::file(&self.log, "no log there");
        let mut npm = Command::new("npm");
        npm.args(["ci", "--ignore-scripts"]).current_dir(&self.directory);
        npm.stdout(log().map_err(&fail)?).stderr(log().map_err(&fail)?);
        child::run("npm", &mut npm, &format!("npm ci failed: see {}", self.log.display()))
    }

    /// Whether what npm last wrote is younger than what it should write.
    fn is_installed(&self) -> bool {
        let modified = |name: &str| -> Option<SystemTime> {
            fs::metadata(self.directory.join(name)).and_then(|file| file.modified()).ok()
        };
        let installed = modified("node_modules/.package-lock.json");
        installed.is_some() && installed >= modified("package-lock.json")
    }
}

/// A running server, with its store.
struct TusServer {
    server: Server,
    store: S3Store,
}

impl Peer for Install {
    fn start(&self) -> Result<Box<dyn BenchTarget>, CommandError> {
        let store = S3Store::start()?;
        let mut command = Command::new("node");
        command.arg("server.mjs").current_dir(&self.directory);
        command.env("STORE_ORIGIN", format!("http://{}", store.address()));
        command.env("NODE_ENV", "production").env("TMPDIR", &self.temporary);
        let server = server::start_announcing("@tus/server", &mut command, Log::File(&self.log))?;
        Ok(Box::new(TusServer { server, store }))
    }
}

impl BenchTarget for TusServer {
    fn process(&self) -> u32 {
        self.server.child.id()
    }

    fn address(&self) -> Result<SocketAddr, CommandError> {
        self.server.address()
    }

    fn reset_counts(&self) -> Result<(), CommandError> {
        self.store.reset_requests();
        Ok(())
    }

    fn store_requests(&self) -> Result<StoreRequests, CommandError> {
        Ok(self.store.requests())
    }
}

/// Reads `v20.19.0` as (20, 19).
fn node_version(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.strip_prefix('v')?.split('.');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

/// What `@tus/server` asks for.
const NODE_VERSION_MIN: (u32, u32) = (20, 19);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_node_are_compared_as_numbers() {
        assert_eq!(node_version("v20.20.2"), Some((20, 20)));
        assert!(node_version("v8.17.0") < Some(NODE_VERSION_MIN));
        assert_eq!(node_version(""), None);
    }
}
