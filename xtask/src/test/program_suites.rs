//! The suites that run test programs of the release profile.

use std::process::Command;

use super::context::TestContext;
use super::log::SuiteLog;
use super::suite_result::SuiteResult;
use crate::command_error::CommandError;
use crate::components::Component;

/// Runs the test programs of the packages in these directories, as `cargo test` does.
pub(super) fn run(
    context: &TestContext,
    log: &SuiteLog,
    packages: &[&str],
) -> Result<SuiteResult, CommandError> {
    let directories: Vec<_> =
        packages.iter().map(|path| context.workspace.root.join(path)).collect();
    let programs = context.programs.iter().flatten();
    let (mut output, mut success) = (String::new(), true);
    for program in programs.filter(|program| directories.contains(&program.directory)) {
        let mut command = Command::new(&program.path);
        command.current_dir(&program.directory).env("CARGO_MANIFEST_DIR", &program.directory);
        set_paths(&mut command, context);
        let finished = log.run(&mut command)?;
        output.push_str(&finished.output);
        success &= finished.success;
    }
    Ok(SuiteResult::from_cargo_test(&output, success))
}

/// Sets the variables by which component tests find what was built.
pub(super) fn set_paths(command: &mut Command, context: &TestContext) {
    if let Some(built) = &context.built {
        command.env("VOD_DEVHOST", &built.devhost).env("VOD_SANDBOX", &built.sandbox);
        command.env("VOD_MANIFEST", &built.manifest);
        command.env("VOD_EDGE_WASM", built.wasm(Component::Edge));
        command.env("VOD_UPLOADER_WASM", built.wasm(Component::Uploader));
        command.env("VOD_TEST_APP_WASM", built.wasm(Component::TestApp));
        command.env("VOD_EXAMPLE_WASM", built.wasm(Component::Example));
    }
}
