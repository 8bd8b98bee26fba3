//! `cargo xtask check-config`: whether the worker accepts a manifest and its variables.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use vod_uploader_wire::{Client, Request};

use crate::command_error::CommandError;
use crate::components::{self, Component};
use crate::data_dir;
use crate::report;
use crate::server::{self, Log};
use crate::workspace::Workspace;

pub(crate) const OPTIONS: &str = "[--manifest spin.toml]";

pub(crate) const SUMMARY: &str = "\
Runs the worker with the manifest and the variables SPIN_VARIABLE_… of the environment, and prints
every variable that is invalid. It connects to nothing and stores nothing.";

/// Fails if a variable is invalid.
pub(crate) fn run(arguments: lexopt::Parser) -> Result<ExitCode, CommandError> {
    let manifest = parse(arguments)?;
    let workspace = Workspace::find()?;
    let built = components::build(&workspace, &[Component::Edge])?;
    let manifest = manifest.unwrap_or(built.manifest);
    let data = data_dir::open_empty(&workspace.target_directory.join("check-config"))?;
    let problems = problems(&built.devhost, &manifest, &data)?;
    for problem in &problems {
        report::line(problem);
    }
    if problems.is_empty() {
        report::line("the configuration is valid");
        return Ok(ExitCode::SUCCESS);
    }
    Ok(ExitCode::FAILURE)
}

fn parse(mut arguments: lexopt::Parser) -> Result<Option<PathBuf>, CommandError> {
    let mut manifest = None;
    while let Some(argument) = arguments.next()? {
        match argument {
            lexopt::Arg::Long("manifest") => manifest = Some(arguments.value()?.into()),
            other => return Err(other.unexpected().into()),
        }
    }
    Ok(manifest)
}

/// What the worker logs about its configuration.
fn problems(devhost: &Path, manifest: &Path, data: &Path) -> Result<Vec<String>, CommandError> {
    let log = data.join("host.log");
    let mut command = Command::new(devhost);
    command.arg("--manifest").arg(manifest).args(["--listen", "127.0.0.1:0", "--data"]).arg(data);
    let server = server::start_announcing("the host", &mut command, Log::File(&log))?;
    // The worker reads its variables for the first request.
    Client::new(&server.origin).send(&Request::new("OPTIONS", "/v1/files"))?;
    let logged = fs::read_to_string(&log).map_err(CommandError::file(&log, "cannot be read"))?;
    Ok(logged.lines().filter_map(problem_list).flatten().collect())
}

/// The problems in a line of the log, if it is about the configuration.
fn problem_list(line: &str) -> Option<impl Iterator<Item = String>> {
    let (_, problems) = line.split_once(MARK)?;
    let (_, problems) = problems.split_once(": ")?;
    let problems = problems.split(HOST_FIELDS).next()?;
    Some(problems.split("; ").map(str::to_owned))
}

/// What the host adds to a line of the worker.
const HOST_FIELDS: &str = " component=";

/// The start of what the worker logs about its configuration.
const MARK: &str = "vod-uploader: invalid configuration";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_problem_of_a_line_is_one_line() {
        let found = |line| problem_list(line).map(Iterator::collect::<Vec<_>>);
        let line = "WARN guest: vod-uploader: invalid configuration: a: must be b; c: must be d \
                    component=\"edge\" instance=1";
        assert_eq!(found(line), Some(vec!["a: must be b".into(), "c: must be d".into()]));
        let pages = "guest: vod-uploader: invalid configuration for pages: cors_origins: x";
        assert_eq!(found(pages), Some(vec!["cors_origins: x".into()]));
        assert_eq!(found("INFO listening"), None);
    }
}
