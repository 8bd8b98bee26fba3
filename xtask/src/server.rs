//! The servers that commands start: the sandbox, and a host with the edge worker.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use vod_uploader_wire::{Client, Request};

use crate::child::Child;
use crate::command_error::CommandError;
use crate::components::Built;
use crate::data_dir;
use crate::seal_key;

/// A running server.
#[derive(Debug)]
pub(crate) struct Server {
    /// Its process, which ends with this value.
    pub(crate) child: Child,
    /// `http://` and the address it listens on.
    pub(crate) origin: String,
}

impl Server {
    /// The address it listens on.
    pub(crate) fn address(&self) -> Result<SocketAddr, CommandError> {
        let address = self.origin.strip_prefix("http://").unwrap_or(&self.origin);
        address.parse().map_err(|_| {
            CommandError::new(format!(
                "{} listens on {:?}: no address",
                self.child.name(),
                self.origin
            ))
        })
    }
}

/// Where the log of a server goes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Log<'a> {
    /// To standard error.
    Terminal,
    /// To the end of this file.
    File(&'a Path),
}

/// Starts the sandbox on `listen` (port 0: a free one), with its state in `data`.
pub(crate) fn start_sandbox(
    built: &Built,
    listen: SocketAddr,
    data: &Path,
    bodies: Bodies,
    log: Log<'_>,
) -> Result<Server, CommandError> {
    let mut command = Command::new(&built.sandbox);
    command.arg("--listen").arg(listen.to_string()).arg("--data").arg(data);
    if bodies == Bodies::Discard {
        command.arg("--discard-bodies");
    }
    start_announcing("the sandbox", &mut command, log)
}

/// What the sandbox does with the bytes it receives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bodies {
    /// Stores them.
    Keep,
    /// Keeps their length and checksum only.
    Discard,
}

/// How a host runs the edge worker.
#[derive(Debug)]
pub(crate) struct HostSetup<'a> {
    /// The address to listen on. Port 0 selects a free one, except with Spin.
    pub(crate) listen: SocketAddr,
    /// The directory for its state.
    pub(crate) data: &'a Path,
    /// The sandbox that it uploads to.
    pub(crate) sandbox_origin: &'a str,
    /// The origins whose pages may use the worker.
    pub(crate) cors_origins: &'a str,
    /// Further origins it may send requests to.
    pub(crate) allow_outbound: &'a [String],
    /// Where its log goes.
    pub(crate) log: Log<'a>,
}

/// Starts the local host and waits until its worker responds.
pub(crate) fn start_devhost(built: &Built, setup: &HostSetup<'_>) -> Result<Server, CommandError> {
    let mut command = Command::new(&built.devhost);
    command.arg("--manifest").arg(&built.manifest);
    command.arg("--listen").arg(setup.listen.to_string()).arg("--data").arg(setup.data);
    for origin in setup.allow_outbound {
        command.arg("--allow-outbound").arg(origin);
    }
    // All state is in the data directory, including temporary files.
    command.env("TMPDIR", data_dir::open(&setup.data.join("tmp"))?);
    set_variables(&mut command, setup)?;
    let server = start_announcing("the host", &mut command, setup.log)?;
    wait_until_healthy(server)
}

/// Checks that a `spin` that can run the app is installed.
pub(crate) fn check_spin() -> Result<(), CommandError> {
    let output = Command::new("spin").arg("--version").output().map_err(|cause| {
        CommandError::new(format!(
            "spin cannot be started ({cause}): install Spin 4.1 or newer from \
             https://spinframework.dev/install, or omit --host"
        ))
    })?;
    let text = String::from_utf8_lossy(&output.stdout);
    match spin_version(&text) {
        Some(version) if version >= SPIN_VERSION_MIN => Ok(()),
        _ => Err(CommandError::new(format!(
            "`spin --version` printed {:?}: WASI 0.3 needs Spin 4.1 or newer, from \
             https://spinframework.dev/install",
            text.trim()
        ))),
    }
}

/// Starts the app with `spin up` and waits until the worker responds.
pub(crate) fn start_spin(built: &Built, setup: &HostSetup<'_>) -> Result<Server, CommandError> {
    let mut command = Command::new("spin");
    command.arg("up").arg("--from").arg(&built.manifest);
    command.arg("--listen").arg(setup.listen.to_string());
    command.arg("--state-dir").arg(setup.data);
    // Its output is progress; standard output is reserved for the result.
    command.stdout(Stdio::from(std::io::stderr()));
    set_variables(&mut command, setup)?;
    let child = Child::start("spin", &mut command)?;
    wait_until_healthy(Server { child, origin: format!("http://{}", setup.listen) })
}

/// Sets the worker's variables. In the environment, because every user can read arguments.
fn set_variables(command: &mut Command, setup: &HostSetup<'_>) -> Result<(), CommandError> {
    command
        .env("SPIN_VARIABLE_VOD_ACCESS_KEY_ID", ACCESS_KEY_ID)
        .env("SPIN_VARIABLE_VOD_ACCESS_KEY_SECRET", ACCESS_KEY_SECRET)
        .env("SPIN_VARIABLE_VOD_ENDPOINT", setup.sandbox_origin)
        .env("SPIN_VARIABLE_VOD_REGION", REGION)
        // Allows requests to the sandbox.
        .env("SPIN_VARIABLE_STORE_ORIGIN", setup.sandbox_origin)
        // Both kinds of credentials can be tried.
        .env("SPIN_VARIABLE_CLIENT_CREDENTIALS", "on")
        // The sandbox has one bucket, so it also stores partial uploads.
        .env("SPIN_VARIABLE_TEMPORARY_BUCKET", BUCKET)
        .env("SPIN_VARIABLE_TEMPORARY_ENDPOINT", setup.sandbox_origin)
        .env("SPIN_VARIABLE_CORS_ORIGINS", setup.cors_origins)
        // Allows no DNS rebinding.
        .env("SPIN_VARIABLE_ALLOWED_HOSTS", "localhost, *.localhost, 127.0.0.1, [::1]")
        .env("SPIN_VARIABLE_SEAL_KEY", seal_key::load_or_create(setup.data)?);
    Ok(())
}

/// Starts a program that prints `listening <origin>` when it is ready.
pub(crate) fn start_announcing(
    name: &'static str,
    command: &mut Command,
    log: Log<'_>,
) -> Result<Server, CommandError> {
    command.stdout(Stdio::piped());
    if let Log::File(path) = log {
        let file = File::options().create(true).append(true).open(path);
        command.stderr(file.map_err(CommandError::file(path, "cannot be written"))?);
    }
    let mut child = Child::start(name, command)?;
    let stdout =
        child.take_stdout().ok_or_else(|| CommandError::new(format!("{name}: no output")))?;
    let (sender, first_line) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            // Only the first line is received. The rest is read so that the child never blocks.
            let _ = sender.send(line);
        }
    });
    match first_line.recv_timeout(START_LIMIT) {
        Ok(line) => match line.strip_prefix("listening ") {
            Some(origin) => Ok(Server { child, origin: origin.to_owned() }),
            None => {
                Err(CommandError::new(format!("{name} printed {line:?} instead of its address")))
            }
        },
        Err(mpsc::RecvTimeoutError::Timeout) => Err(CommandError::new(format!(
            "{name} did not start within {} s",
            START_LIMIT.as_secs()
        ))),
        Err(mpsc::RecvTimeoutError::Disconnected) => {
            let status = child.wait()?;
            Err(CommandError::new(match log {
                Log::Terminal => format!("{name} did not start ({status}): see its error above"),
                Log::File(path) => {
                    format!("{name} did not start ({status}): see {}", path.display())
                }
            }))
        }
    }
}

fn wait_until_healthy(server: Server) -> Result<Server, CommandError> {
    let client = Client::new(&server.origin);
    let health = Request::new("GET", "/healthz");
    let deadline = Instant::now() + START_LIMIT;
    loop {
        match client.expect_success(&health) {
            Ok(_) => return Ok(server),
            Err(failure) if Instant::now() > deadline => return Err(failure.into()),
            Err(_) if server.child.has_ended() => {
                let name = server.child.name();
                let status = server.child.wait()?;
                return Err(CommandError::new(format!(
                    "{name} ended ({status}) before it responded"
                )));
            }
            Err(_) => thread::sleep(POLL_INTERVAL),
        }
    }
}

/// Reads `spin 4.1.0-pre0 (abc 2026-08-01)` as (4, 1).
fn spin_version(text: &str) -> Option<(u32, u32)> {
    let version = text.trim().strip_prefix("spin ")?;
    let mut numbers = version.split(['.', '-', ' ']);
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

/// The sandbox's account.
pub(crate) const ACCESS_KEY_ID: &str = "sandbox-key";
/// The secret of [`ACCESS_KEY_ID`], which is valid for the sandbox only.
pub(crate) const ACCESS_KEY_SECRET: &str = "sandbox-secret";
/// The bucket that the sandbox's VOD stores into.
pub(crate) const BUCKET: &str = "sandbox-bucket";
/// The region of the sandbox.
pub(crate) const REGION: &str = "cn-shanghai";

/// The first Spin that runs components of WASI 0.3.0.
const SPIN_VERSION_MIN: (u32, u32) = (4, 1);

/// The first start compiles the component, which takes seconds on a busy machine.
const START_LIMIT: Duration = Duration::from_secs(120);

const POLL_INTERVAL: Duration = Duration::from_millis(20);

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed assumption fails the test")]

    use super::*;

    #[test]
    fn versions_of_spin_are_read_with_and_without_a_prerelease() {
        assert_eq!(spin_version("spin 4.1.0 (1234567 2026-09-01)\n"), Some((4, 1)));
        assert_eq!(spin_version("spin 4.1.0-pre0 (1234567 2026-08-01)"), Some((4, 1)));
        assert_eq!(spin_version("spin 10.0.2"), Some((10, 0)));
        assert_eq!(spin_version("something else"), None);
    }

    #[test]
    fn a_program_that_ends_without_listening_is_named_with_its_log() {
        let directory = tempfile::tempdir().unwrap();
        let log = directory.path().join("log");
        let mut command = Command::new("sh");
        command.args(["-c", "echo no luck >&2; exit 3"]);
        let failure = start_announcing("the shell", &mut command, Log::File(&log)).unwrap_err();
        let message = failure.to_string();
        assert!(message.contains("the shell") && message.contains("exit status: 3"), "{message}");
        assert!(message.contains(&log.display().to_string()), "{message}");
        assert_eq!(std::fs::read_to_string(&log).unwrap(), "no luck\n");
    }
}
