//! The dependencies between packages and between the engine's modules: those that ARCHITECTURE.md
//! allows, and no others.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a failed assumption fails the test"
)]

#[path = "architecture/import_cycles.rs"]
mod import_cycles;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// The packages of the workspace that each of them may use. If an emulator or a test shared code
/// with what it tests, the same bug could be in both.
const PACKAGE_DEPENDENCIES: &[(&str, &[&str])] = &[
    // Only for its tests, which run in the simulator.
    ("vod-uploader", &["vod-uploader-sim"]),
    ("vod-uploader-sim", &["vod-uploader", "vod-uploader-relay"]),
    ("vod-uploader-relay", &["vod-uploader"]),
    ("vod-uploader-host", &["vod-uploader", "vod-uploader-relay"]),
    ("vod-uploader-edge", &["vod-uploader-host"]),
    ("vod-uploader-component", &["vod-uploader-host"]),
    ("vod-uploader-devhost", &[]),
    ("vod-uploader-sandbox", &[]),
    ("vod-uploader-component-tests", &["vod-uploader-compose", "vod-uploader-wire"]),
    ("vod-uploader-compose", &[]),
    ("vod-uploader-conformance", &["vod-uploader-wire"]),
    ("vod-uploader-wire", &[]),
    ("vod-uploader-test-app", &[]),
    ("upload-from-a-component", &[]),
    ("xtask", &["vod-uploader-wire"]),
    ("vod-uploader-wit-docs", &[]),
];

/// The packages that may use the host's interfaces.
const HOST_PACKAGES: &[&str] = &[
    "vod-uploader-host",
    "vod-uploader-edge",
    "vod-uploader-component",
    "vod-uploader-test-app",
    "upload-from-a-component",
];

/// Packages that are the host's interfaces, by the beginning of their names.
const HOST_INTERFACES: &[&str] = &["spin-", "wasi", "wit-bindgen"];

/// Packages that only read .wit files.
const WIT_READERS: &[&str] = &["wit-bindgen-core", "wit-bindgen-markdown"];

/// Packages that provide clocks, randomness or I/O, by the beginning of their names.
const AMBIENT_PACKAGES: &[&str] =
    &["spin-", "wasi", "wit-bindgen", "tokio", "mio", "rand", "getrandom", "hyper", "fastrand"];

/// The same in the standard library.
const AMBIENT_PATHS: &[&str] = &[
    "std::env",
    "std::fs",
    "std::io::stdin",
    "std::io::stdout",
    "std::io::stderr",
    "std::net",
    "std::os",
    "std::process",
    "std::thread",
    "std::time::Instant",
    "std::time::SystemTime",
    "time::OffsetDateTime::now_utc",
];

/// The modules of the engine that each of them may use.
const MODULE_DEPENDENCIES: &[(&str, &[&str])] = &[
    ("units", &[]),
    ("error", &["units"]),
    ("crc64", &["error", "units"]),
    ("hex", &[]),
    ("percent", &[]),
    ("timestamp", &["units"]),
    ("credential", &["error", "hex", "percent", "timestamp", "units"]),
    ("oss", &["credential", "crc64", "error", "hex", "percent", "timestamp", "units"]),
    // VOD's calls are the same kind of HTTP message as the store's.
    ("vod", &["credential", "error", "oss", "percent", "timestamp", "units"]),
    // Its key is a secret like those of credentials.
    ("webhook", &["credential", "error", "hex", "units"]),
    ("upload", &["credential", "crc64", "error", "oss", "units", "vod"]),
    ("queue", &["credential", "error", "oss", "units", "upload", "vod"]),
    ("http", &["credential", "crc64", "error", "timestamp", "units", "upload"]),
];

/// The items of `upload` that `http` may use: values that it returns to clients, never the session.
const UPLOAD_VALUES: &[&str] = &[
    "Checkpoint",
    "CompletedObject",
    "UploadPhase",
    "UploadKind",
    "Target",
    "UploadId",
    "UploadRecord",
];

#[test]
fn packages_use_only_those_below_them() {
    let packages = workspace_packages();
    assert!(packages.len() >= PACKAGE_DEPENDENCIES.len(), "{packages:?}");
    assert_eq!(package_violations(&packages), [""; 0]);
}

#[test]
fn the_engine_and_the_relay_link_nothing_that_has_a_clock_or_randomness_or_io() {
    for package in ["vod-uploader", "vod-uploader-relay"] {
        let mut linked = BTreeSet::new();
        for target in [&[][..], &["--target", "wasm32-wasip2"]] {
            let arguments =
                [&["tree", "--package", package, "--edges", "normal", "--prefix", "none"], target];
            linked.extend(cargo(&arguments.concat()).lines().filter_map(first_word));
        }
        assert!(linked.contains("serde"), "{linked:?}");
        assert_eq!(ambient_packages(&linked), [""; 0], "{package}");
    }
}

#[test]
fn the_engines_modules_use_only_those_below_them_and_nothing_of_the_host() {
    let mut violations = Vec::new();
    let mut files = 0;
    for path in rust_files(&root().join("src")) {
        let relative = path.strip_prefix(root().join("src")).unwrap().to_owned();
        violations.extend(file_violations(&relative, &fs::read_to_string(&path).unwrap()));
        files += 1;
    }
    assert!(files > 50, "{files} files");
    assert_eq!(violations, [""; 0]);
}

#[test]
fn the_table_of_upload_modules_lists_exactly_the_files() {
    let directory = root().join("crates/relay/src/upload");
    let text = fs::read_to_string(directory.join("mod.rs")).unwrap();
    let rows = text.lines().filter(|line| line.starts_with("//! | `"));
    let cells = rows.map(|row| row.split('|').nth(1).unwrap());
    let named: BTreeSet<_> = cells
        .flat_map(|cell| cell.split(',').map(|name| name.trim().trim_matches('`').to_owned()))
        .collect();
    let files = rust_files(&directory);
    let stems = files.iter().map(|file| file.file_stem().unwrap().to_string_lossy().into_owned());
    assert_eq!(named, stems.filter(|stem| stem != "mod").collect());
}

#[test]
fn every_test_in_the_threat_model_exists() {
    let text = fs::read_to_string(root().join("SECURITY.md")).unwrap();
    let named: Vec<_> = text.split('`').filter_map(|code| code.split_once(".rs::")).collect();
    assert!(named.len() > 20, "{named:?}");
    for (file, test) in named {
        let source = fs::read_to_string(root().join(format!("{file}.rs"))).unwrap();
        assert!(source.contains(&format!("fn {test}(")), "{file}.rs has no test {test}");
    }
}

#[test]
fn a_package_with_a_forbidden_dependency_is_detected() {
    let uses = |name: &str, used: &[&str]| {
        package_violations(&[(name.to_owned(), used.iter().map(|used| (*used).into()).collect())])
    };
    assert_eq!(uses("vod-uploader-sandbox", &["serde", "vod-uploader"]).len(), 1);
    assert_eq!(uses("vod-uploader-edge", &["vod-uploader"]).len(), 1);
    assert_eq!(uses("vod-uploader-devhost", &["spin-sdk"]).len(), 1);
    assert_eq!(uses("vod-uploader", &["vod-uploader-host", "wasip3"]).len(), 2);
    assert_eq!(uses("something-new", &[]).len(), 1);
    assert!(uses("vod-uploader-edge", &["vod-uploader-host", "spin-sdk"]).is_empty());
}

#[test]
fn a_package_with_io_below_the_engine_is_detected() {
    let linked = ["serde", "getrandom", "tokio-util"].map(str::to_owned);
    assert_eq!(ambient_packages(&linked.into()), ["getrandom", "tokio-util"]);
}

#[test]
fn a_module_with_a_forbidden_dependency_is_detected_however_it_is_written() {
    let found = |file: &str, source: &str| file_violations(Path::new(file), source).len();
    assert_eq!(found("oss/sign/signer.rs", "use crate::upload::UploadId;"), 1);
    assert_eq!(found("credential/mod.rs", "use crate::{error::Error, oss::{self, Bucket}};"), 2);
    assert_eq!(found("units.rs", "fn f() -> crate::Error { crate::error::Error::new() }"), 2);
    assert_eq!(found("error.rs", "use super::http::Head;"), 1);
    assert_eq!(found("oss/action/mod.rs", "use super::super::upload::Plan;"), 1);
    assert_eq!(found("http/tus.rs", "use crate::upload::{UploadPhase, Session};"), 1);
    assert_eq!(found("lib.rs", "pub mod units; use crate::upload::Session;"), 0);
    assert_eq!(found("upload/plan.rs", "// crate::http\nuse crate::units::ByteCount;"), 0);
    assert_eq!(found("something_new.rs", "use crate::units::ByteCount;"), 1);
}

#[test]
fn a_clock_or_io_in_the_engine_is_detected_however_it_is_written() {
    let found = |source: &str| file_violations(Path::new("upload/plan.rs"), source);
    assert_eq!(found("let now = std::time::Instant::now();").len(), 1);
    assert_eq!(found("use std::{time::{Duration, SystemTime}, thread};").len(), 2);
    assert_eq!(found("use std::fs::File; use tokio::net::TcpStream;").len(), 2);
    assert_eq!(found("use spin_sdk::key_value::Store;").len(), 1);
    assert_eq!(found("use std::time::Duration; let random = 4; let env = 1;"), [""; 0]);
}

/// The violations of the allowed dependencies between packages.
fn package_violations(packages: &[(String, Vec<String>)]) -> Vec<String> {
    let mut violations = Vec::new();
    for (name, used) in packages {
        let Some((_, allowed)) = PACKAGE_DEPENDENCIES.iter().find(|(listed, _)| listed == name)
        else {
            violations.push(format!("{name} has no row in {}", file!()));
            continue;
        };
        for used in used.iter().map(String::as_str) {
            let of_workspace = PACKAGE_DEPENDENCIES.iter().any(|(listed, _)| *listed == used);
            let of_host = begins_with_one_of(used, HOST_INTERFACES) && !WIT_READERS.contains(&used);
            let wrong = of_workspace && !allowed.contains(&used)
                || of_host && !HOST_PACKAGES.contains(&name.as_str());
            if wrong {
                violations.push(format!("{name} must not use {used}"));
            }
        }
    }
    violations
}

fn ambient_packages(linked: &BTreeSet<String>) -> Vec<String> {
    linked.iter().filter(|name| begins_with_one_of(name, AMBIENT_PACKAGES)).cloned().collect()
}

/// The violations in one source file, whose path is below `src/`.
fn file_violations(file: &Path, source: &str) -> Vec<String> {
    let here = module_path(file);
    let Some(module) = here.first() else { return Vec::new() };
    let Some((_, allowed)) = MODULE_DEPENDENCIES.iter().find(|(listed, _)| listed == module) else {
        return vec![format!("the module {module} has no row in {}", file!())];
    };
    let mut violations = Vec::new();
    for path in paths(source) {
        let path = from_root(&here, path);
        let written = path.join("::");
        if is_ambient(&path) {
            violations.push(format!("{}: {written}", file.display()));
        }
        let [root, used, ..] = &path[..] else { continue };
        // Items that lib.rs re-exports belong to the error module.
        let reexported = used.starts_with(char::is_uppercase);
        let used = if reexported { "error" } else { used.as_str() };
        if root != "crate" || !MODULE_DEPENDENCIES.iter().any(|(listed, _)| *listed == used) {
            continue;
        }
        let machine = module == "http"
            && used == "upload"
            && path.get(2).is_some_and(|name| !UPLOAD_VALUES.contains(&name.as_str()));
        if machine || used != module && !allowed.contains(&used) {
            violations.push(format!("{}: {written}", file.display()));
        }
    }
    violations
}

/// `oss/action/mod.rs` as `oss`, `action`; empty for the crate's root.
fn module_path(file: &Path) -> Vec<String> {
    let names = file.with_extension("");
    let names = names.iter().map(|name| name.to_string_lossy().into_owned());
    names.filter(|name| name != "mod" && name != "lib").collect()
}

/// A path relative to the module `here`, resolved from the crate's root.
fn from_root(here: &[String], path: Vec<String>) -> Vec<String> {
    let climbed = path.iter().take_while(|name| *name == "super").count();
    if climbed < here.len() || climbed == 0 {
        return path;
    }
    std::iter::once("crate".to_owned()).chain(path.into_iter().skip(climbed)).collect()
}

fn is_ambient(path: &[String]) -> bool {
    let written = path.join("::");
    let of_std = AMBIENT_PATHS.iter().any(|ambient| {
        written == *ambient || written.strip_prefix(ambient).is_some_and(|r| r.starts_with("::"))
    });
    let package = path.first().map(|name| name.replace('_', "-")).unwrap_or_default();
    of_std || path.len() > 1 && begins_with_one_of(&package, AMBIENT_PACKAGES)
}

fn begins_with_one_of(name: &str, beginnings: &[&str]) -> bool {
    beginnings.iter().any(|beginning| name.starts_with(beginning))
}

/// Every path in a source file, those of grouped imports one by one.
fn paths(source: &str) -> Vec<Vec<String>> {
    let code: Vec<_> = source.lines().map(|line| line.split("//").next().unwrap_or("")).collect();
    let tokens = tokens(&code.join("\n"));
    let mut found = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        at = if is_name(&tokens[at]) { path(&tokens, at, &[], &mut found) } else { at + 1 };
    }
    found
}

/// Reads the path that starts at `at`, and returns the position of its end.
fn path(
    tokens: &[String],
    mut at: usize,
    prefix: &[String],
    found: &mut Vec<Vec<String>>,
) -> usize {
    let mut names = prefix.to_vec();
    while let Some(name) = tokens.get(at).filter(|token| is_name(token)) {
        names.push(name.clone());
        at += 1;
        if tokens.get(at).is_none_or(|token| token != "::") {
            break;
        }
        at += 1;
        if tokens.get(at).is_some_and(|token| token == "{") {
            at += 1;
            while tokens.get(at).is_some_and(|token| token != "}") {
                let is_path = is_name(&tokens[at]);
                at = if is_path { path(tokens, at, &names, found) } else { at + 1 };
            }
            return at + 1;
        }
    }
    found.push(names);
    at
}

fn tokens(code: &str) -> Vec<String> {
    let mut tokens: Vec<String> = Vec::new();
    let mut characters = code.chars().peekable();
    while let Some(character) = characters.next() {
        let mut token = String::from(character);
        if is_name(&token) {
            while let Some(next) = characters.next_if(|next| is_name(&next.to_string())) {
                token.push(next);
            }
        } else if character == ':' && characters.next_if_eq(&':').is_some() {
            token.push(':');
        } else if character.is_whitespace() {
            continue;
        }
        tokens.push(token);
    }
    tokens
}

fn is_name(token: &str) -> bool {
    token.chars().all(|character| character.is_alphanumeric() || character == '_')
}

/// The workspace's packages, each with what it uses directly, tests and build scripts included.
fn workspace_packages() -> Vec<(String, Vec<String>)> {
    let metadata = cargo(&["metadata", "--no-deps", "--format-version", "1"]);
    let metadata: Value = serde_json::from_str(&metadata).unwrap();
    let text = |value: &Value| value["name"].as_str().unwrap().to_owned();
    let packages = metadata["packages"].as_array().unwrap().iter();
    packages
        .map(|package| {
            let used = package["dependencies"].as_array().unwrap().iter().map(text).collect();
            (text(package), used)
        })
        .collect()
}

fn cargo(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO")).args(arguments).current_dir(root()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn first_word(line: &str) -> Option<String> {
    line.split_whitespace().next().map(str::to_owned)
}

fn rust_files(directory: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}
