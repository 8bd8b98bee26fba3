//! The suites that cargo runs.

use std::path::Path;

use super::context::TestContext;
use super::log::SuiteLog;
use super::suite_result::SuiteResult;
use crate::command_error::CommandError;
use crate::components::{Built, Component};

/// Whether all sources are formatted.
pub(super) fn format(context: &TestContext, log: &SuiteLog) -> Result<SuiteResult, CommandError> {
    check(context, log, "fmt --all --check")
}

/// Clippy over everything, warnings being errors. With the profile of the build, so that build
/// scripts and macros are compiled once.
pub(super) fn lints(context: &TestContext, log: &SuiteLog) -> Result<SuiteResult, CommandError> {
    let native = format!("clippy --quiet --all-targets {NATIVE} -- -D warnings");
    let components = format!("clippy --quiet {COMPONENTS} -- -D warnings");
    Ok(check(context, log, &native)?.and(check(context, log, &components)?))
}

/// Rustdoc over everything, warnings being errors.
pub(super) fn documentation(
    context: &TestContext,
    log: &SuiteLog,
) -> Result<SuiteResult, CommandError> {
    let mut result = SuiteResult::default();
    for selection in [NATIVE, COMPONENTS] {
        let mut command = context.workspace.cargo();
        command.args(["doc", "--quiet", "--no-deps"]).args(selection.split_whitespace());
        command.env("RUSTDOCFLAGS", "-D warnings");
        result = result.and(SuiteResult::from_success(log.run(&mut command)?.success));
    }
    Ok(result)
}

/// The tests that these options of `cargo test` select.
pub(super) fn test(
    context: &TestContext,
    log: &SuiteLog,
    options: &str,
) -> Result<SuiteResult, CommandError> {
    let mut command = context.workspace.cargo();
    command.args(["test", "--no-fail-fast"]).args(options.split_whitespace());
    run_tests(context, log, &mut command)
}

/// The test of the app in Python, which lies at `app`.
pub(super) fn python_app(
    context: &TestContext,
    log: &SuiteLog,
    app: &Path,
) -> Result<SuiteResult, CommandError> {
    let mut command = context.workspace.cargo();
    command.env("VOD_PYTHON_APP_WASM", app).args(["test", "--release"]);
    command.args(["--package", "vod-uploader-component-tests", "--test", "python"]);
    run_tests(context, log, &mut command)
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

fn run_tests(
    context: &TestContext,
    log: &SuiteLog,
    command: &mut std::process::Command,
) -> Result<SuiteResult, CommandError> {
    if let Some(built) = &context.built {
        set_paths(command, built);
    }
    let finished = log.run(command)?;
    Ok(SuiteResult::from_cargo_test(&finished.output, finished.success))
}

/// Component tests run what was built, and find it by these variables.
fn set_paths(command: &mut std::process::Command, built: &Built) {
    command
        .env("VOD_DEVHOST", &built.devhost)
        .env("VOD_SANDBOX", &built.sandbox)
        .env("VOD_EDGE_WASM", built.wasm(Component::Edge))
        .env("VOD_UPLOADER_WASM", built.wasm(Component::Uploader))
        .env("VOD_TEST_APP_WASM", built.wasm(Component::TestApp))
        .env("VOD_EXAMPLE_WASM", built.wasm(Component::Example))
        .env("VOD_MANIFEST", &built.manifest);
}

/// What runs on this machine.
const NATIVE: &str = "--release --workspace --exclude vod-uploader-host \
     --exclude vod-uploader-edge --exclude vod-uploader-component \
     --exclude vod-uploader-test-app --exclude upload-from-a-component";

/// What runs in a component, where alone its host's functions exist.
const COMPONENTS: &str = "--release --target wasm32-wasip2 --package vod-uploader-host \
     --package vod-uploader-edge --package vod-uploader-component \
     --package vod-uploader-test-app --package upload-from-a-component";
