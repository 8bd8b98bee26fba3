//! `cargo xtask compose`: plugs `uploader.wasm` into a component that imports `vod:uploader`.

use std::path::PathBuf;
use std::process::ExitCode;

use crate::child;
use crate::command_error::CommandError;
use crate::components::{self, Component};
use crate::report;
use crate::workspace::Workspace;

pub(crate) const OPTIONS: &str = "APP.wasm -o OUT.wasm";

pub(crate) const SUMMARY: &str = "\
Builds uploader.wasm and plugs it into a component that imports vod:uploader, as
`wac plug` does.";

/// Builds `uploader.wasm` and composes both.
pub(crate) fn run(arguments: lexopt::Parser) -> Result<ExitCode, CommandError> {
    let Options { app, out } = Options::parse(arguments)?;
    let workspace = Workspace::find()?;
    let uploader = Component::Uploader;
    let directory = components::build_components(&workspace, &[uploader])?;
    let mut compose = workspace.cargo();
    // Paths are relative to the caller's directory; cargo finds the workspace by its manifest.
    compose.current_dir(".").args(["run", "--quiet", "--release", "--manifest-path"]);
    compose.arg(workspace.root.join("tests/component/compose/Cargo.toml")).arg("--");
    compose.args([&app, &directory.join(uploader.file_name()), &out]);
    child::run("cargo", &mut compose, "failed to compose; see the error above")?;
    report::line(&format!("{} is written", out.display()));
    Ok(ExitCode::SUCCESS)
}

struct Options {
    app: PathBuf,
    out: PathBuf,
}

impl Options {
    fn parse(mut arguments: lexopt::Parser) -> Result<Self, CommandError> {
        use lexopt::prelude::*;

        let (mut app, mut out) = (None, None);
        while let Some(argument) = arguments.next()? {
            match argument {
                Short('o') | Long("output") => out = Some(arguments.value()?.into()),
                Value(path) if app.is_none() => app = Some(path.into()),
                other => return Err(other.unexpected().into()),
            }
        }
        match (app, out) {
            (Some(app), Some(out)) => Ok(Self { app, out }),
            _ => Err(CommandError::new(format!("use `cargo xtask compose {OPTIONS}`"))),
        }
    }
}
