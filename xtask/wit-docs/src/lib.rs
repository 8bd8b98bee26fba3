//! The page of the WIT package, generated from the .wit files.

use std::path::{Path, PathBuf};

use anyhow::Result;
use wit_bindgen_core::Files;
use wit_bindgen_core::wit_parser::{PackageId, Resolve};

/// The world that the page describes: it has every interface of the package.
const WORLD: &str = "component";

/// The first lines of the page.
const HEADING: &str = "# The WIT package `vod:uploader@0.1.0`

Written by `cargo xtask docs` from the files in [`wit/`](../wit); not to be edited here.
";

/// The directory of the .wit files.
#[must_use]
pub fn wit_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit")
}

/// The file of the page.
#[must_use]
pub fn page_file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/wit.md")
}

/// The package in the .wit files.
///
/// # Errors
/// Returns an error if they cannot be read or are not WIT.
pub fn package() -> Result<(Resolve, PackageId)> {
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_dir(wit_folder())?;
    Ok((resolve, package))
}

/// The page, in Markdown.
///
/// # Errors
/// Returns an error if the .wit files cannot be read or have no world of this name.
pub fn page() -> Result<String> {
    let (mut resolve, package) = package()?;
    let world = resolve.select_world(&[package], Some(WORLD))?;
    let mut files = Files::default();
    let mut generator = wit_bindgen_markdown::Opts::default().build();
    generator.generate(&mut resolve, world, &mut files)?;
    let markdown = files.iter().find(|(name, _)| name.ends_with(".md")).map(|(_, bytes)| bytes);
    let body = String::from_utf8_lossy(markdown.unwrap_or_default()).into_owned();
    let lines = body.lines().map(|line| line.trim_end().replace("<p>", "<br>"));
    let mut page = String::from(HEADING);
    for line in lines {
        page.push('\n');
        // The page has another title.
        page.push_str(line.strip_prefix("# ").map_or(&line, |title| title));
    }
    page.push('\n');
    page.push_str(&other_worlds(&resolve, package));
    Ok(page)
}

/// The worlds that others include, with their imports.
fn other_worlds(resolve: &Resolve, package: PackageId) -> String {
    let mut section = String::from("\n## Worlds to be included\n");
    for (name, id) in &resolve.packages[package].worlds {
        if name == WORLD {
            continue;
        }
        let world = &resolve.worlds[*id];
        let imports: Vec<_> =
            world.imports.keys().map(|key| format!("`{}`", resolve.name_world_key(key))).collect();
        let docs = world.docs.contents.as_deref().unwrap_or_default().trim();
        section.push_str(&format!("\n### `{name}`\n\n{docs}\n\nImports {}.\n", imports.join(", ")));
    }
    section
}
