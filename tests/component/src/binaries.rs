//! The paths of the programs and components that the tests run.

use std::env;
use std::path::{Path, PathBuf};

/// The files under test: set by `cargo xtask test`, or found in the target directory.
#[derive(Clone, Debug)]
pub struct Binaries {
    /// The local host.
    pub devhost: PathBuf,
    /// The emulator of OSS and VOD.
    pub sandbox: PathBuf,
    /// The edge worker.
    pub edge_wasm: PathBuf,
    /// The uploader component.
    pub uploader_wasm: PathBuf,
    /// The test app, which executes the commands of a test.
    pub test_app_wasm: PathBuf,
    /// `examples/upload-from-a-component`.
    pub example_wasm: PathBuf,
    /// The Spin manifest whose variables and permissions the worker has.
    pub manifest: PathBuf,
}

impl Binaries {
    /// Finds all files.
    ///
    /// # Panics
    /// If one is missing.
    #[must_use]
    pub fn find() -> Self {
        let target = target_dir();
        let component = |name: &str| target.join(format!("wasm32-wasip2/component/{name}.wasm"));
        Self {
            devhost: built("VOD_DEVHOST", target.join("release/devhost")),
            sandbox: built("VOD_SANDBOX", target.join("release/sandbox")),
            edge_wasm: built("VOD_EDGE_WASM", component("vod_uploader_edge")),
            uploader_wasm: built("VOD_UPLOADER_WASM", component("vod_uploader_component")),
            test_app_wasm: built("VOD_TEST_APP_WASM", component("vod_uploader_test_app")),
            example_wasm: built("VOD_EXAMPLE_WASM", component("upload_from_a_component")),
            manifest: built("VOD_MANIFEST", workspace().join("spin.toml")),
        }
    }
}

/// The app in Python, which is built separately.
///
/// # Panics
/// If it is missing.
#[must_use]
pub fn python_app_wasm() -> PathBuf {
    built("VOD_PYTHON_APP_WASM", target_dir().join("python-app/app.wasm"))
}

/// The directory of the WIT files.
#[must_use]
pub fn wit_dir() -> PathBuf {
    workspace().join("wit")
}

/// The directory for compiled components, which runs share.
#[must_use]
pub fn cache_dir() -> PathBuf {
    target_dir().join("component-tests")
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

fn target_dir() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| workspace().join("target"), PathBuf::from)
}

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
