//! `cargo xtask up`: builds and runs the worker and the sandbox on this machine.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::mpsc;

use crate::command_error::CommandError;
use crate::components::{self, Component};
use crate::data_dir;
use crate::ports;
use crate::report;
use crate::server::{self, Bodies, HostSetup, Log, Server};
use crate::workspace::Workspace;

pub(crate) const OPTIONS: &str = "[--listen 127.0.0.1:3000] [--sandbox 127.0.0.1:9000] \
     [--data .data] [--host embedded|spin] [--allow-outbound URL]…";

pub(crate) const SUMMARY: &str = "\
Builds, starts the sandbox and the edge worker, and serves until Ctrl-C.
Stores all state in the data directory; restarting with the same directory resumes.";

/// Serves until a signal ends this process.
pub(crate) fn run(arguments: lexopt::Parser) -> Result<ExitCode, CommandError> {
    let options = Options::parse(arguments)?;
    // Errors that can be detected before the build are reported before it.
    let data = data_dir::open(&options.data)?;
    ports::check_free("sandbox", options.sandbox)?;
    ports::check_free("listen", options.listen)?;
    if options.host == HostKind::Spin {
        server::check_spin()?;
    }
    let workspace = Workspace::find()?;
    let built = components::build(&workspace, &[Component::Edge])?;

    let sandbox_data = data_dir::open(&data.join("sandbox"))?;
    let sandbox =
        server::start_sandbox(&built, options.sandbox, &sandbox_data, Bodies::Keep, Log::Terminal)?;
    let host = start_host(&options, &built, &data, &sandbox)?;

    report::line(&format!(
        "sandbox {} with access key ID {}, secret {}, bucket {}, region {}",
        sandbox.origin,
        server::ACCESS_KEY_ID,
        server::ACCESS_KEY_SECRET,
        server::BUCKET,
        server::REGION
    ));
    report::line(&format!("ready {}", host.origin));
    report::line(&format!(
        "head -c 5000000 /dev/urandom | curl -T - {}/v1/uploads/first.mp4",
        host.origin
    ));
    Err(wait_for_an_end([sandbox, host]))
}

fn start_host(
    options: &Options,
    built: &components::Built,
    data: &Path,
    sandbox: &Server,
) -> Result<Server, CommandError> {
    let directory = match options.host {
        HostKind::Embedded => "host",
        HostKind::Spin => "spin",
    };
    let setup = HostSetup {
        listen: options.listen,
        data: &data_dir::open(&data.join(directory))?,
        sandbox_origin: &sandbox.origin,
        // Of any origin, including local files.
        cors_origins: "*, null",
        allow_outbound: &options.allow_outbound,
        log: Log::Terminal,
    };
    match options.host {
        HostKind::Embedded => server::start_devhost(built, &setup),
        HostKind::Spin => server::start_spin(built, &setup),
    }
}

/// Waits until one of the servers exits, which is an error. The others end with it.
fn wait_for_an_end(servers: [Server; 2]) -> CommandError {
    let (sender, ended) = mpsc::channel();
    for server in &servers {
        server.child.report_exit(sender.clone());
    }
    let first = ended.recv().unwrap_or_default();
    let child = servers.into_iter().map(|server| server.child).find(|child| child.name() == first);
    let status = child.map(|child| child.wait().map(|status| status.to_string()));
    match status {
        Some(Ok(status)) => CommandError::new(format!("{first} exited unexpectedly ({status})")),
        _ => CommandError::new("a server exited unexpectedly"),
    }
}

#[derive(Debug)]
struct Options {
    listen: SocketAddr,
    sandbox: SocketAddr,
    data: PathBuf,
    host: HostKind,
    allow_outbound: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum HostKind {
    Embedded,
    Spin,
}

impl Options {
    fn parse(mut arguments: lexopt::Parser) -> Result<Self, CommandError> {
        use lexopt::prelude::*;

        let mut options = Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 3000)),
            sandbox: SocketAddr::from(([127, 0, 0, 1], 9000)),
            data: data_dir::DEFAULT.into(),
            host: HostKind::Embedded,
            allow_outbound: Vec::new(),
        };
        while let Some(argument) = arguments.next()? {
            match argument {
                Long("listen") => {
                    options.listen =
                        ports::loopback_address("listen", &arguments.value()?.string()?)?;
                }
                Long("sandbox") => {
                    options.sandbox =
                        ports::loopback_address("sandbox", &arguments.value()?.string()?)?;
                }
                Long("data") => options.data = arguments.value()?.into(),
                Long("host") => options.host = host_kind(&arguments.value()?.string()?)?,
                Long("allow-outbound") => {
                    options.allow_outbound.push(arguments.value()?.string()?);
                }
                other => return Err(other.unexpected().into()),
            }
        }
        if options.listen == options.sandbox && options.listen.port() != 0 {
            return Err(CommandError::new("--listen and --sandbox need different ports"));
        }
        if options.host == HostKind::Spin {
            options.check_spin()?;
        }
        Ok(options)
    }

    /// Rejects options that Spin does not have.
    fn check_spin(&self) -> Result<(), CommandError> {
        if self.listen.port() == 0 {
            return Err(CommandError::new("--listen with port 0 works with --host embedded only"));
        }
        if !self.allow_outbound.is_empty() {
            return Err(CommandError::new(
                "--allow-outbound works with --host embedded only: Spin allows what spin.toml \
                 lists in allowed_outbound_hosts",
            ));
        }
        Ok(())
    }
}

fn host_kind(value: &str) -> Result<HostKind, CommandError> {
    match value {
        "embedded" => Ok(HostKind::Embedded),
        "spin" => Ok(HostKind::Spin),
        _ => Err(CommandError::new(format!("--host {value}: use embedded or spin"))),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed assumption fails the test")]

    use super::*;

    fn parse(arguments: &[&str]) -> Result<Options, CommandError> {
        Options::parse(lexopt::Parser::from_args(arguments))
    }

    #[test]
    fn an_invalid_option_is_rejected_with_a_reason() {
        for (arguments, reason) in [
            (vec!["--host", "docker"], "embedded or spin"),
            (vec!["--listen", "0.0.0.0:80"], "loopback"),
            (vec!["--host=spin", "--allow-outbound=http://127.0.0.1:3"], "spin.toml"),
            (vec!["--host=spin", "--listen=127.0.0.1:0"], "port 0"),
            (vec!["--listen=127.0.0.1:9000"], "different ports"),
            (vec!["--lisen"], "--lisen"),
        ] {
            let failure = parse(&arguments).unwrap_err().to_string();
            assert!(failure.contains(reason), "{arguments:?}: {failure}");
        }
    }
}
