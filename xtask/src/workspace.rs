//! This checkout, and cargo commands in it.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::command_error::CommandError;

/// The directories of the sources and of cargo's output.
#[derive(Clone, Debug)]
pub(crate) struct Workspace {
    /// The directory of the root `Cargo.toml`.
    pub(crate) root: PathBuf,
    /// Cargo's target directory, which the environment or the user's configuration may have moved.
    pub(crate) target_directory: PathBuf,
}

impl Workspace {
    /// Reads the directories from cargo's metadata.
    pub(crate) fn find() -> Result<Self, CommandError> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let root = root.canonicalize().map_err(|cause| {
            CommandError::new(format!("{}: the checkout is gone ({cause})", root.display()))
        })?;
        let output = cargo_in(&root)
            .args(["metadata", "--no-deps", "--format-version=1"])
            .output()
            .map_err(|cause| CommandError::new(format!("cargo cannot be started ({cause})")))?;
        let metadata: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        let target_directory = metadata["target_directory"].as_str().ok_or_else(|| {
            let stderr = String::from_utf8_lossy(&output.stderr);
            CommandError::new(format!("cargo metadata failed: {}", stderr.trim()))
        })?;
        Ok(Self { target_directory: target_directory.into(), root })
    }

    /// A cargo command at the root.
    pub(crate) fn cargo(&self) -> Command {
        cargo_in(&self.root)
    }

    /// The directory for logs and notes of this program.
    pub(crate) fn log_directory(&self) -> PathBuf {
        self.target_directory.join("xtask")
    }
}

fn cargo_in(root: &Path) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root);
    // `cargo run` describes this package in the environment. Build scripts that watch these
    // variables would run again if the same build is started differently.
    for (name, _) in std::env::vars_os() {
        let describes_package =
            name.to_str().is_some_and(|name| PACKAGE_VARIABLES.iter().any(|p| name.starts_with(p)));
        if describes_package {
            command.env_remove(name);
        }
    }
    command
}

/// Prefixes of the variables that cargo sets for a package's programs:
/// <https://doc.rust-lang.org/cargo/reference/environment-variables.html>.
const PACKAGE_VARIABLES: &[&str] =
    &["CARGO_BIN_NAME", "CARGO_CRATE_NAME", "CARGO_MANIFEST_", "CARGO_PKG_", "CARGO_PRIMARY_"];
