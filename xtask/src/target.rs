//! The compilation target of the components.

use std::path::PathBuf;
use std::process::Command;

use crate::child;
use crate::command_error::CommandError;
use crate::report;
use crate::workspace::Workspace;

/// Adds the target if its standard library is missing.
///
/// # Errors
/// Returns an error with both ways to install it if rustup cannot add it.
pub(crate) fn ensure_installed(workspace: &Workspace) -> Result<(), CommandError> {
    if is_installed(workspace)? {
        return Ok(());
    }
    report::progress(&format!("adding the target {TRIPLE}"));
    let mut rustup = Command::new("rustup");
    rustup.args(["target", "add", TRIPLE]).current_dir(&workspace.root);
    let added = child::run("rustup", &mut rustup, MISSING).is_ok();
    if added && is_installed(workspace)? { Ok(()) } else { Err(CommandError::new(MISSING)) }
}

fn is_installed(workspace: &Workspace) -> Result<bool, CommandError> {
    let output = Command::new("rustc")
        .args(["--print", "target-libdir", "--target", TRIPLE])
        .current_dir(&workspace.root)
        .output()
        .map_err(|cause| {
            CommandError::new(format!(
                "rustc cannot be started ({cause}): install Rust from https://rustup.rs"
            ))
        })?;
    let directory = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
    let files = std::fs::read_dir(directory).into_iter().flatten().flatten();
    Ok(files.into_iter().any(|file| {
        let name = file.file_name();
        let name = name.to_string_lossy();
        name.starts_with("libstd-") && name.ends_with(".rlib")
    }))
}

/// The target triple. Its `std` uses WASI 0.2; the components also import interfaces of 0.3.
pub(crate) const TRIPLE: &str = "wasm32-wasip2";

const MISSING: &str = "\
the target wasm32-wasip2 is missing and rustup did not add it: either run `rustup target add \
wasm32-wasip2` where rustup may download, or build its standard library from \
the packages rust-src (of rustc's version) and wasi-libc with `cargo build -Zbuild-std`, as \
CONTRIBUTING.md shows step by step";
