//! The suites that cargo runs.

use std::path::Path;

use super::context::TestContext;
use super::log::SuiteLog;
use super::outcome::Outcome;
use crate::components::Built;
use crate::components::Component;
use crate::failure::Failure;
use crate::target;

/// Whether all sources are formatted.
pub(super) fn format(context: &TestContext, log: &SuiteLog) -> Result<Outcome, Failure> {
    check(context, log, &["fmt", "--all", "--check"])
}

/// Clippy over everything, warnings being errors. With the profile of the build, so that build
/// scripts and macros are compiled once.
pub(super) fn lints(context: &TestContext, log: &SuiteLog) -> Result<Outcome, Failure> {
    let native =
        [&["clippy", "--quiet", "--all-targets"], NATIVE, &["--", "-D", "warnings"]].concat();
    let components = [&["clippy", "--quiet"], COMPONENTS, &["--", "-D", "warnings"]].concat();
    Ok(check(context, log, &native)?.and(check(context, log, &components)?))
}

/// Rustdoc over everything, warnings being errors.
pub(super) fn documentation(context: &TestContext, log: &SuiteLog) -> Result<Outcome, Failure> {
    let mut outcome = Outcome::default();
    for selection in [NATIVE, COMPONENTS] {
        let mut command = context.workspace.cargo();
        command
            .args(["doc", "--quiet", "--no-deps"])
            .args(selection)
            .env("RUSTDOCFLAGS", "-D warnings");
        outcome = outcome.and(Outcome::of(log.run(&mut command)?.success));
    }
    Ok(outcome)
}

/// The engine's tests, with the checks of the dev profile.
pub(super) fn engine(context: &TestContext, log: &SuiteLog) -> Result<Outcome, Failure> {
    test(context, log, &["--package", "vod-uploader"])
}

/// Thousands of scenarios of the entire engine under a virtual clock, and its steps one by one.
pub(super) fn simulator(context: &TestContext, log: &SuiteLog) -> Result<Outcome, Failure> {
    test(context, log, &["--release", "--package", "vod-uploader-sim"])
}

/// The tests of the driver and of the glue that need no host.
pub(super) fn driver(context: &TestContext, log: &SuiteLog) -> Result<Outcome, Failure> {
    let packages = ["--package", "vod-uploader-host", "--package", "vod-uploader-component"];
    test(context, log, &[&["--release", "--lib"][..], &packages].concat())
}

/// Whether the WIT package documents everything, and its page is up to date.
pub(super) fn wit(context: &TestContext, log: &SuiteLog) -> Result<Outcome, Failure> {
    test(context, log, &["--release", "--package", "vod-uploader-wit-docs"])
}

/// The tests of this program.
pub(super) fn xtask(context: &TestContext, log: &SuiteLog) -> Result<Outcome, Failure> {
    test(context, log, &["--package", "xtask"])
}

/// The sandbox's tests.
pub(super) fn sandbox(context: &TestContext, log: &SuiteLog) -> Result<Outcome, Failure> {
    test(context, log, &["--release", "--package", "vod-uploader-sandbox"])
}

/// The local host's tests.
pub(super) fn devhost(context: &TestContext, log: &SuiteLog) -> Result<Outcome, Failure> {
    test(context, log, &["--release", "--package", "vod-uploader-devhost"])
}

/// The tests of what was built, the lists of what the components import among them.
pub(super) fn components(context: &TestContext, log: &SuiteLog) -> Result<Outcome, Failure> {
    test(context, log, &["--release", "--package", "vod-uploader-component-tests"])
}

/// The test of the app in Python, which lies at `app`.
pub(super) fn python_app(
    context: &TestContext,
    log: &SuiteLog,
    app: &Path,
) -> Result<Outcome, Failure> {
    let mut command = context.workspace.cargo();
    command.env("VOD_PYTHON_APP_WASM", app).args(["test", "--release"]);
    command.args(["--package", "vod-uploader-component-tests", "--test", "python"]);
    run_tests(context, log, &mut command)
}

/// One check: whether a cargo command succeeds.
fn check(context: &TestContext, log: &SuiteLog, arguments: &[&str]) -> Result<Outcome, Failure> {
    Ok(Outcome::of(log.run(context.workspace.cargo().args(arguments))?.success))
}

fn test(context: &TestContext, log: &SuiteLog, selection: &[&str]) -> Result<Outcome, Failure> {
    let mut command = context.workspace.cargo();
    command.args(["test", "--no-fail-fast"]).args(selection);
    run_tests(context, log, &mut command)
}

fn run_tests(
    context: &TestContext,
    log: &SuiteLog,
    command: &mut std::process::Command,
) -> Result<Outcome, Failure> {
    if let Some(built) = &context.built {
        set_paths(command, built);
    }
    let finished = log.run(command)?;
    Ok(Outcome::of_cargo_test(&finished.output, finished.success))
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
const NATIVE: &[&str] = &[
    "--release",
    "--workspace",
    "--exclude",
    "vod-uploader-host",
    "--exclude",
    "vod-uploader-edge",
    "--exclude",
    "vod-uploader-component",
    "--exclude",
    "vod-uploader-test-app",
    "--exclude",
    "upload-from-a-component",
];

/// What runs in a component, where alone its host's functions exist.
const COMPONENTS: &[&str] = &[
    "--release",
    "--target",
    target::TRIPLE,
    "--package",
    "vod-uploader-host",
    "--package",
    "vod-uploader-edge",
    "--package",
    "vod-uploader-component",
    "--package",
    "vod-uploader-test-app",
    "--package",
    "upload-from-a-component",
];
