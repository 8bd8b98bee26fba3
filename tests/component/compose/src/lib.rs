//! Composition: a component that imports `vod:uploader`, and `uploader.wasm`, made one.
//!
//! It is what `wac plug` does, as a library, so that no other tool is needed.

mod contract;

use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use wac_graph::{CompositionGraph, EncodeOptions, plug};
use wac_types::{Package, Types};

pub use contract::{Contract, Mismatch};

/// The component of `app` whose imports of `vod:uploader` are what `uploader` exports. Everything
/// else that the two import, the result imports.
///
/// # Errors
/// A file is no component, or `app` imports nothing that `uploader` exports, or something that
/// `uploader` exports otherwise.
pub fn plugged(app: &Path, uploader: &Path) -> Result<Vec<u8>> {
    let mut graph = CompositionGraph::new();
    let mut register = |name: &str, path: &Path| {
        let package = Package::from_file(name, None, path, graph.types_mut())
            .with_context(|| format!("{} is no component", path.display()))?;
        Ok::<_, anyhow::Error>(graph.register_package(package)?)
    };
    let uploader = register("uploader", uploader)?;
    let app_package = register("app", app)?;
    plug(&mut graph, vec![uploader], app_package)
        .with_context(|| format!("{} imports nothing of vod:uploader", app.display()))?;
    let composed = graph.encode(EncodeOptions::default())?;
    let left = imports_of_uploader(&composed)?;
    ensure!(left.is_empty(), "{} has another form of {}", app.display(), left.join(", "));
    Ok(composed)
}

/// What is left to be plugged: an import whose type is not that of the export.
fn imports_of_uploader(component: &[u8]) -> Result<Vec<String>> {
    let mut types = Types::default();
    let component = Package::from_bytes("composed", None, component, &mut types)?;
    let imports = types[component.ty()].imports.keys();
    Ok(imports.filter(|name| name.starts_with("vod:uploader/")).cloned().collect())
}
