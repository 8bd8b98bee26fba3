//! Where the programs and the component are that the tests run.

use std::env;
use std::path::{Path, PathBuf};

/// What one test run is about: set by `cargo xtask test`, or found in the target folder.
#[derive(Clone, Debug)]
pub struct Binaries {
    /// The local host.
    pub devhost: PathBuf,
    /// The stand-in for OSS and VOD.
    pub sandbox: PathBuf,
    /// The edge worker.
    pub edge_wasm: PathBuf,
    /// The Spin manifest whose variables and permissions the worker has.
    pub manifest: PathBuf,
}

impl Binaries {
    /// Finds them all.
    ///
    /// # Panics
    /// Where one is missing, with what to do.
    #[must_use]
    pub fn find() -> Self {
        let target = target_folder();
        Self {
            devhost: built("VOD_DEVHOST", target.join("release/devhost")),
            sandbox: built("VOD_SANDBOX", target.join("release/sandbox")),
            edge_wasm: built(
                "VOD_EDGE_WASM",
                target.join("wasm32-wasip2/release/vod_uploader_edge.wasm"),
            ),
            manifest: built("VOD_MANIFEST", workspace().join("spin.toml")),
        }
    }
}

/// The folder for what tests leave behind between runs: compiled components.
#[must_use]
pub fn cache_folder() -> PathBuf {
    target_folder().join("component-tests")
}

fn built(variable: &str, default: PathBuf) -> PathBuf {
    let path = env::var_os(variable).map_or(default, PathBuf::from);
    assert!(
        path.is_file(),
        "{} is missing: run `cargo xtask test`, which builds it, or set {variable}",
        path.display()
    );
    path.canonicalize().expect("a file that exists has a canonical path")
}

fn target_folder() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| workspace().join("target"), PathBuf::from)
}

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
