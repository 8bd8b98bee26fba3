//! `cargo xtask docs`: writes the page of the WIT package, then the site of all pages.

use std::process::{Command, ExitCode};

use crate::child;
use crate::command_error::CommandError;
use crate::report;
use crate::tool::CrateTool;
use crate::workspace::Workspace;

pub(crate) const OPTIONS: &str = "";

pub(crate) const SUMMARY: &str = "\
Writes docs/wit.md from the files in wit/, then builds docs/ into a site with mdBook, which the
first run installs below target/.";

/// Writes the page, then builds the site.
///
/// # Errors
/// Returns an error if the page or the site cannot be written, or if mdBook cannot be installed.
pub(crate) fn run(mut arguments: lexopt::Parser) -> Result<ExitCode, CommandError> {
    if let Some(argument) = arguments.next()? {
        return Err(argument.unexpected().into());
    }
    let workspace = Workspace::find()?;
    let mut page = workspace.cargo();
    page.args(["run", "--quiet", "--package", "vod-uploader-wit-docs"]);
    child::run("cargo", &mut page, "failed to write docs/wit.md; see the error above")?;
    report::line("docs/wit.md is written");

    let mdbook = MDBOOK.install(&workspace)?;
    let site = workspace.target_directory.join("docs-site");
    let mut build = Command::new(mdbook);
    build.env("MDBOOK_LOG", "warn").args(["build", "--dest-dir"]).arg(&site);
    build.current_dir(&workspace.root);
    child::run("mdBook", &mut build, "failed to build the site; see the error above")?;
    report::line(&format!("{} is written", site.join("index.html").display()));
    Ok(ExitCode::SUCCESS)
}

const MDBOOK: CrateTool =
    CrateTool { name: "mdbook", version: "0.5.4", options: &["--no-default-features"] };
