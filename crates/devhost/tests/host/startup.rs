//! Startup errors are one line with the remedy.

use std::process::Command;

use crate::support::Application;

/// Runs a command that must fail and returns its line of error.
fn failure(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert!(output.stdout.is_empty());
    assert_eq!(error.lines().count(), 1, "{error}");
    error
}

#[test]
fn a_port_in_use_is_named_in_the_error() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let error = failure(Application::new().command().args(["--listen", &address]));
    assert!(error.contains(&address) && error.contains("--listen"), "{error}");
}

#[test]
fn a_non_loopback_address_is_rejected() {
    let error = failure(Application::new().command().args(["--listen", "0.0.0.0:0"]));
    assert!(error.contains("loopback"), "{error}");
}

#[test]
fn an_unwritable_data_directory_is_named_in_the_error() {
    let application = Application::new();
    let below_a_file = application.path("spin.toml").join("data");
    let error = failure(application.command().arg("--data").arg(below_a_file));
    assert!(error.contains("spin.toml/data") && error.contains("--data"), "{error}");
}

#[test]
fn the_error_for_a_missing_component_says_how_to_build_it() {
    let application = Application::new();
    std::fs::remove_file(application.path("guest.wasm")).unwrap();
    let error = failure(&mut application.command());
    assert!(error.contains("guest.wasm"), "{error}");
    assert!(error.contains("cargo xtask up") && error.contains("spin build"), "{error}");
}

#[test]
fn a_file_that_is_no_component_is_rejected() {
    let application = Application::new();
    std::fs::remove_file(application.path("guest.wasm")).unwrap();
    std::fs::write(application.path("guest.wasm"), "not wasm").unwrap();
    let error = failure(&mut application.command());
    assert!(error.contains("guest.wasm"), "{error}");
}

#[test]
fn a_component_without_the_http_export_is_rejected() {
    let application = Application::new();
    std::fs::remove_file(application.path("guest.wasm")).unwrap();
    // An empty component: the preamble alone, version 13 and layer 1.
    std::fs::write(application.path("guest.wasm"), b"\0asm\x0d\0\x01\0").unwrap();
    let error = failure(&mut application.command());
    assert!(error.contains("wasi:http/handler@0.3.0"), "{error}");
}

#[test]
fn the_error_for_an_invalid_manifest_contains_the_line() {
    let application = Application::new();
    std::fs::write(application.path("spin.toml"), "spin_manifest_version = 2\nnonsense\n").unwrap();
    let error = failure(&mut application.command());
    assert!(error.contains("spin.toml:2: "), "{error}");
}

#[test]
fn an_unset_required_variable_is_named_in_the_error() {
    let error = failure(Application::new().command().env_remove("SPIN_VARIABLE_TOKEN"));
    assert!(error.contains("`token`") && error.contains("SPIN_VARIABLE_TOKEN"), "{error}");
}

#[test]
fn an_invalid_outbound_origin_is_named_in_the_error() {
    let error = failure(Application::new().command().args(["--allow-outbound", "127.0.0.1:9000"]));
    assert!(error.contains("\"127.0.0.1:9000\""), "{error}");
}
