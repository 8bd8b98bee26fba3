//! The builds that commands need.

use std::fs;
use std::path::{Path, PathBuf};

use crate::child;
use crate::command_error::CommandError;
use crate::report;
use crate::target;
use crate::workspace::Workspace;

/// The paths of the built programs and components.
#[derive(Clone, Debug)]
pub(crate) struct Built {
    /// The Spin manifest with the edge component.
    pub(crate) manifest: PathBuf,
    /// The directory of the components.
    components: PathBuf,
    /// The local host.
    pub(crate) devhost: PathBuf,
    /// The emulator of OSS and VOD.
    pub(crate) sandbox: PathBuf,
}

/// A component of this workspace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Component {
    /// The edge worker.
    Edge,
    /// The uploader for other components.
    Uploader,
    /// The app that imports the uploader in tests.
    TestApp,
    /// `examples/upload-from-a-component`.
    Example,
}

impl Component {
    /// All of them.
    pub(crate) const ALL: [Self; 4] = [Self::Edge, Self::Uploader, Self::TestApp, Self::Example];

    /// Its package.
    pub(crate) const fn package(self) -> &'static str {
        match self {
            Self::Edge => "vod-uploader-edge",
            Self::Uploader => "vod-uploader-component",
            Self::TestApp => "vod-uploader-test-app",
            Self::Example => "upload-from-a-component",
        }
    }

    /// The name of its file.
    pub(crate) fn file_name(self) -> String {
        format!("{}.wasm", self.package().replace('-', "_"))
    }
}

impl Built {
    /// The same with the edge worker in `worker`, by a manifest in `directory`.
    pub(crate) fn with_worker(
        &self,
        worker: &Path,
        directory: &Path,
    ) -> Result<Self, CommandError> {
        let unreadable = CommandError::file(worker, "cannot be read");
        let worker = fs::canonicalize(worker).map_err(unreadable)?;
        let text = fs::read_to_string(&self.manifest)
            .map_err(CommandError::file(&self.manifest, "cannot be read"))?;
        let source = format!("source = {:?}", worker.display().to_string());
        let lines = text.lines().map(|line| match line.starts_with("source = ") {
            true => &source,
            false => line,
        });
        let manifest = directory.join("spin.toml");
        fs::write(&manifest, lines.collect::<Vec<_>>().join("\n"))
            .map_err(CommandError::file(&manifest, "cannot be written"))?;
        Ok(Self { manifest, ..self.clone() })
    }

    /// The file of a built component.
    pub(crate) fn wasm(&self, component: Component) -> PathBuf {
        self.components.join(component.file_name())
    }
}

/// Builds these components, the local host and the sandbox, and shows cargo's progress.
pub(crate) fn build(
    workspace: &Workspace,
    components: &[Component],
) -> Result<Built, CommandError> {
    report::progress("building the host and the sandbox");
    let native = ["--package", "vod-uploader-devhost", "--package", "vod-uploader-sandbox"];
    cargo_build(workspace, "release", &native)?;
    build_worker(workspace, components)
}

/// Builds these components. The local host and the sandbox must already be built.
pub(crate) fn build_worker(
    workspace: &Workspace,
    components: &[Component],
) -> Result<Built, CommandError> {
    let built = Built {
        manifest: workspace.root.join("spin.toml"),
        components: build_components(workspace, components)?,
        devhost: workspace.target_directory.join("release/devhost"),
        sandbox: workspace.target_directory.join("release/sandbox"),
    };
    let named = workspace.root.join("target").join(COMPONENTS).join(Component::Edge.file_name());
    place_for_manifest(&built.wasm(Component::Edge), &named)?;
    Ok(built)
}

/// Builds these components, and returns their directory.
pub(crate) fn build_components(
    workspace: &Workspace,
    components: &[Component],
) -> Result<PathBuf, CommandError> {
    target::ensure_installed(workspace)?;
    report::progress("building the components");
    let packages = components.iter().flat_map(|component| ["--package", component.package()]);
    let selection: Vec<_> = packages.chain(["--target", target::TRIPLE]).collect();
    cargo_build(workspace, "component", &selection)?;
    Ok(workspace.target_directory.join(COMPONENTS))
}

/// Copies the component to the path in spin.toml, if cargo's target directory is elsewhere.
fn place_for_manifest(built: &Path, named: &Path) -> Result<(), CommandError> {
    if built == named {
        return Ok(());
    }
    let directory = named.parent().unwrap_or(named);
    // cargo hard-links its outputs: overwriting one would change the other, too.
    let _ = fs::remove_file(named);
    fs::create_dir_all(directory).and_then(|()| fs::copy(built, named)).map(drop).map_err(|cause| {
        CommandError::new(format!(
            "{} cannot be copied to {} ({cause})",
            built.display(),
            named.display()
        ))
    })
}

fn cargo_build(
    workspace: &Workspace,
    profile: &str,
    selection: &[&str],
) -> Result<(), CommandError> {
    let mut command = workspace.cargo();
    command.args(["build", "--profile", profile]).args(selection);
    child::run("cargo", &mut command, "the build failed; see cargo's error above")
}

/// The directory of the components below the target directory.
const COMPONENTS: &str = "wasm32-wasip2/component";
