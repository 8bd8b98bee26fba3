//! Compares a component with a world of WIT files.

use std::path::Path;

use anyhow::{Context as _, Result, anyhow};
use wac_types::{ItemKind, Package, Types, WorldId, validate_target};

/// A component and a world.
#[derive(Debug)]
pub struct Contract {
    types: Types,
    world: WorldId,
    component: WorldId,
}

/// How a component differs from a world.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mismatch {
    /// Imports that the world lacks.
    pub unexpected_imports: Vec<String>,
    /// Exports of the world that the component lacks.
    pub missing_exports: Vec<String>,
    /// Items whose types differ.
    pub mismatched_types: Vec<String>,
}

impl Contract {
    /// Reads the component in `component`, and the world `world` of the only package in the
    /// directory `wit`.
    ///
    /// # Errors
    /// Returns an error if one of them cannot be read, or the world does not exist.
    pub fn new(component: &Path, wit: &Path, world: &str) -> Result<Self> {
        let mut types = Types::default();
        let mut resolve = wit_parser::Resolve::new();
        let (package, _) = resolve.push_dir(wit)?;
        let package = wit_component::encode(&resolve, package)?;
        let package = Package::from_bytes("wit", None, package, &mut types)?;
        let component = Package::from_file("component", None, component, &mut types)?;
        // An encoded WIT package exports its worlds, each as a component that exports the world.
        let outer = types[package.ty()]
            .exports
            .iter()
            .find_map(|(name, item)| match item {
                ItemKind::Type(wac_types::Type::World(id)) if name == world => Some(*id),
                _ => None,
            })
            .with_context(|| format!("there is no world {world}"))?;
        let inner = types[outer].exports.values().find_map(|item| match item {
            ItemKind::Component(id) => Some(*id),
            _ => None,
        });
        let world = inner.ok_or_else(|| anyhow!("{world} is encoded in an unknown way"))?;
        let component = component.ty();
        Ok(Self { types, world, component })
    }

    /// The imports of the component.
    #[must_use]
    pub fn imports(&self) -> Vec<String> {
        self.types[self.component].imports.keys().cloned().collect()
    }

    /// The exports of the component.
    #[must_use]
    pub fn exports(&self) -> Vec<String> {
        self.types[self.component].exports.keys().cloned().collect()
    }

    /// How the component differs from the world; empty if it implements the world.
    #[must_use]
    pub fn mismatch(&self) -> Mismatch {
        let Err(report) = validate_target(&self.types, self.world, self.component) else {
            return Mismatch::default();
        };
        Mismatch {
            unexpected_imports: report.imports_not_in_target().map(str::to_owned).collect(),
            missing_exports: report.missing_exports().map(|(name, _)| name.to_owned()).collect(),
            mismatched_types: report
                .mismatched_types()
                .map(|(name, _, cause)| format!("{name}: {cause}"))
                .collect(),
        }
    }
}
