//! The suites that cargo runs.

use std::fs;

use super::context::TestContext;
use super::log::SuiteLog;
use super::programs;
use super::suite_result::SuiteResult;
use crate::command_error::CommandError;

/// Whether all sources are formatted.
pub(super) fn format(context: &TestContext, log: &SuiteLog) -> Result<SuiteResult, CommandError> {
    check(context, log, "fmt --all --check")
}

/// Clippy on everything, with warnings as errors. Uses the profile of the build, so that build
/// scripts and macros are compiled once.
pub(super) fn lints(context: &TestContext, log: &SuiteLog) -> Result<SuiteResult, CommandError> {
    let native = format!("clippy --quiet --all-targets {NATIVE} -- -D warnings");
    let components = format!("clippy --quiet {COMPONENTS} -- -D warnings");
    Ok(check(context, log, &native)?.and(check(context, log, &components)?))
}

/// Rustdoc on everything, with warnings as errors, and the examples in it.
pub(super) fn documentation(
    context: &TestContext,
    log: &SuiteLog,
) -> Result<SuiteResult, CommandError> {
    // The examples of the packages whose test programs `programs` runs.
    let mut result = check(context, log, &format!("test --quiet --doc {}", programs::SELECTION))?;
    for selection in [NATIVE, COMPONENTS] {
        let mut command = context.workspace.cargo();
        command.args(["doc", "--quiet", "--no-deps"]).args(selection.split_whitespace());
        command.env("RUSTDOCFLAGS", "-D warnings");
        result = result.and(SuiteResult::from_success(log.run(&mut command)?.success));
    }
    Ok(result)
}

/// Whether crates.io would accept the packages that are published.
pub(super) fn package(context: &TestContext, log: &SuiteLog) -> Result<SuiteResult, CommandError> {
    // Cargo identifies an unpublished package by the path of the directory and its version: with
    // another run's directory, it would verify the relay against that run's engine.
    let name = format!("publish-{}", std::process::id());
    let directory = context.workspace.target_directory.join(name);
    let mut command = context.workspace.cargo();
    command.args(["publish", "--dry-run", "--allow-dirty"]);
    command.args(["--package", "vod-uploader", "--package", "vod-uploader-relay"]);
    let finished = log.run(command.arg("--target-dir").arg(&directory))?;
    let removed = fs::remove_dir_all(&directory);
    removed.map_err(CommandError::file(&directory, "cannot be removed"))?;
    Ok(SuiteResult::from_success(finished.success))
}

/// The tests that these options of `cargo test` select.
pub(super) fn test(
    context: &TestContext,
    log: &SuiteLog,
    options: &str,
) -> Result<SuiteResult, CommandError> {
    let mut command = context.workspace.cargo();
    let finished =
        log.run(command.args(["test", "--no-fail-fast"]).args(options.split_whitespace()))?;
    Ok(SuiteResult::from_cargo_test(&finished.output, finished.success))
}

/// One check: whether a cargo command succeeds.
fn check(
    context: &TestContext,
    log: &SuiteLog,
    arguments: &str,
) -> Result<SuiteResult, CommandError> {
    let mut command = context.workspace.cargo();
    Ok(SuiteResult::from_success(log.run(command.args(arguments.split_whitespace()))?.success))
}

/// The packages that run on this machine.
const NATIVE: &str = "--release --workspace --exclude vod-uploader-host \
     --exclude vod-uploader-edge --exclude vod-uploader-component \
     --exclude vod-uploader-test-app --exclude upload-from-a-component";

/// The packages that run in a component only, where their host's functions exist.
const COMPONENTS: &str = "--release --target wasm32-wasip2 --package vod-uploader-host \
     --package vod-uploader-edge --package vod-uploader-component \
     --package vod-uploader-test-app --package upload-from-a-component";
