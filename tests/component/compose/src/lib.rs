//! Composes a component that imports `vod:uploader` with `uploader.wasm`.
//!
//! Equivalent to `wac plug`, as a library, so that no other tool is needed.

mod contract;

use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use wac_graph::{CompositionGraph, EncodeOptions, plug};
use wac_types::{Package, Types};

pub use contract::{Contract, Mismatch};

/// Composes `app` with `uploader`, whose exports satisfy the imports of `vod:uploader`. The result
/// has all other imports of both.
///
/// # Errors
/// Returns an error if a file is not a component, `app` imports nothing that `uploader` exports, or
/// the types differ.
pub fn plugged(app: &Path, uploader: &Path) -> Result<Vec<u8>> {
    let mut graph = CompositionGraph::new();
    let mut register = |name: &str, path: &Path| {
        let package = Package::from_file(name, None, path, graph.types_mut())
            .with_context(|| format!("{} is not a component", path.display()))?;
        Ok::<_, anyhow::Error>(graph.register_package(package)?)
    };
    let uploader = register("uploader", uploader)?;
    let app_package = register("app", app)?;
    plug(&mut graph, vec![uploader], app_package)
        .with_context(|| format!("{} imports nothing of vod:uploader", app.display()))?;
    let composed = graph.encode(EncodeOptions::default())?;
    let left = imports_of_uploader(&composed)?;
    ensure!(left.is_empty(), "{} imports other types of {}", app.display(), left.join(", "));
    Ok(composed)
}

/// The remaining imports of `vod:uploader`, whose types differ from the exports.
fn imports_of_uploader(component: &[u8]) -> Result<Vec<String>> {
    let mut types = Types::default();
    let component = Package::from_bytes("composed", None, component, &mut types)?;
    let imports = types[component.ty()].imports.keys();
    Ok(imports.filter(|name| name.starts_with("vod:uploader/")).cloned().collect())
}
