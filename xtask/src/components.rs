//! What is built before anything runs.

use std::fs;
use std::path::{Path, PathBuf};

use crate::child::Child;
use crate::failure::Failure;
use crate::report;
use crate::target;
use crate::workspace::Workspace;

/// The paths of what was built.
#[derive(Clone, Debug)]
pub(crate) struct Built {
    /// The Spin manifest, which names the edge component.
    pub(crate) manifest: PathBuf,
    /// The edge worker, a component.
    pub(crate) edge_wasm: PathBuf,
    /// The local host.
    pub(crate) devhost: PathBuf,
    /// The stand-in for OSS and VOD.
    pub(crate) sandbox: PathBuf,
}

/// Builds the component and the native programs in release, showing cargo's own progress.
///
/// # Errors
/// The target is missing and cannot be added, or a build fails (cargo has said why).
pub(crate) fn build(workspace: &Workspace) -> Result<Built, Failure> {
    target::ensure_installed(workspace)?;
    report::progress("building the component");
    cargo_build(workspace, &["--package", "vod-uploader-edge", "--target", target::TRIPLE])?;
    report::progress("building the host and the sandbox");
    let native = ["--package", "vod-uploader-devhost", "--package", "vod-uploader-sandbox"];
    cargo_build(workspace, &native)?;

    let edge_wasm = Path::new(target::TRIPLE).join("release/vod_uploader_edge.wasm");
    let built = Built {
        manifest: workspace.root.join("spin.toml"),
        edge_wasm: workspace.target_folder.join(&edge_wasm),
        devhost: workspace.target_folder.join("release/devhost"),
        sandbox: workspace.target_folder.join("release/sandbox"),
    };
    place_for_manifest(&built.edge_wasm, &workspace.root.join("target").join(edge_wasm))?;
    Ok(built)
}

/// spin.toml names the component below `target/`. Where cargo was told to build elsewhere, it is
/// copied there.
fn place_for_manifest(built: &Path, named: &Path) -> Result<(), Failure> {
    if built == named {
        return Ok(());
    }
    let folder = named.parent().unwrap_or(named);
    fs::create_dir_all(folder).and_then(|()| fs::copy(built, named)).map(drop).map_err(|cause| {
        Failure::new(format!(
            "{} cannot be copied to {} ({cause})",
            built.display(),
            named.display()
        ))
    })
}

fn cargo_build(workspace: &Workspace, selection: &[&str]) -> Result<(), Failure> {
    let mut command = workspace.cargo();
    command.args(["build", "--release"]).args(selection);
    if Child::start("cargo", &mut command)?.wait()?.success() {
        Ok(())
    } else {
        Err(Failure::new("the build failed: cargo's message is above"))
    }
}
