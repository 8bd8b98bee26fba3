//! `cargo xtask sim`: replays the simulator.

use std::process::{ExitCode, Stdio};

use crate::child::Child;
use crate::command_error::CommandError;
use crate::workspace::Workspace;

pub(crate) const OPTIONS: &str = "[relay|queue] --seed N | --seeds A..B";

pub(crate) const SUMMARY: &str = "\
Replays the storm of a seed with a readable trace, or runs the storms of many seeds. Passes
all arguments to the program of crates/sim.";

/// Runs the program of `crates/sim` with the rest of the command line.
pub(crate) fn run(mut arguments: lexopt::Parser) -> Result<ExitCode, CommandError> {
    let mut command = Workspace::find()?.cargo();
    command.args(["run", "--quiet", "--release", "--package", "vod-uploader-sim", "--"]);
    command.args(arguments.raw_args()?).stdin(Stdio::null());
    let status = Child::start("cargo", &mut command)?.wait()?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
