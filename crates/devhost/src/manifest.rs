//! The supported part of a Spin manifest (version 2).
//!
//! An unsupported setting that changes the behavior of a component is rejected by name: ignoring it
//! would make the local run differ from the deployed one without notice.
//! The format: <https://spinframework.dev/v3/manifest-reference>.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::variables::Declaration;

/// A validated manifest.
#[derive(Debug)]
pub(crate) struct Manifest {
    /// The directory of the manifest; `source` paths are relative to it.
    pub(crate) dir: PathBuf,
    /// The declared application variables.
    pub(crate) variables: BTreeMap<String, Declaration>,
    /// The HTTP triggers: a route pattern and the ID of its component.
    pub(crate) triggers: Vec<HttpTrigger>,
    /// The components by ID.
    pub(crate) components: BTreeMap<String, ComponentSection>,
}

/// One `[[trigger.http]]` entry.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct HttpTrigger {
    /// The route pattern, such as `/...` or `/users/:id`.
    pub(crate) route: String,
    /// The ID of the component that serves it.
    pub(crate) component: String,
}

/// One `[component.<id>]` table.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ComponentSection {
    /// The component's `.wasm` file, relative to the manifest.
    pub(crate) source: PathBuf,
    /// The origins the component may send requests to; entries may be templates.
    #[serde(default)]
    pub(crate) allowed_outbound_hosts: Vec<String>,
    /// The labels of the key-value stores the component may open.
    #[serde(default)]
    pub(crate) key_value_stores: Vec<String>,
    /// Variable name to template.
    #[serde(default)]
    pub(crate) variables: BTreeMap<String, String>,

    // Used for building and documentation only.
    #[serde(default, rename = "description")]
    _description: IgnoredAny,
    #[serde(default, rename = "build")]
    _build: IgnoredAny,
    #[serde(default, rename = "tool")]
    _tool: IgnoredAny,
}

/// An error of reading a manifest.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ManifestError {
    #[error("{path}: cannot be read ({cause}); pass the path of a spin.toml with --manifest")]
    Unreadable { path: String, cause: std::io::Error },
    #[error("{path}:{line}: {cause}")]
    Malformed { path: String, line: usize, cause: String },
    #[error("{path}: spin_manifest_version is {version}; expected 2")]
    Version { path: String, version: i64 },
    #[error("{path}: expected at least one [[trigger.http]]")]
    NoTrigger { path: String },
    #[error("{path}: the component {component:?} of the route {route:?} has no section")]
    UnknownComponent { path: String, route: String, component: String },
}

impl Manifest {
    /// Reads and checks the manifest file at `path`.
    ///
    /// # Errors
    /// Returns an error if the file cannot be read, is not a version 2 manifest, or has unsupported
    /// settings.
    pub(crate) fn read(path: &Path) -> Result<Self, ManifestError> {
        let shown = path.display().to_string();
        let text = std::fs::read_to_string(path)
            .map_err(|cause| ManifestError::Unreadable { path: shown.clone(), cause })?;
        let dir = match path.parent() {
            Some(dir) if !dir.as_os_str().is_empty() => dir.to_owned(),
            _ => PathBuf::from("."),
        };
        Self::parse(&text, &shown, dir)
    }

    fn parse(text: &str, path: &str, dir: PathBuf) -> Result<Self, ManifestError> {
        let document: Document =
            toml::from_str(text).map_err(|cause| ManifestError::Malformed {
                path: path.to_owned(),
                line: line_of(text, cause.span().map_or(0, |span| span.start)),
                cause: cause.message().replace('\n', " "),
            })?;
        let path = path.to_owned();
        if document.spin_manifest_version != 2 {
            let version = document.spin_manifest_version;
            return Err(ManifestError::Version { path, version });
        }
        let triggers = document.trigger.http;
        if triggers.is_empty() {
            return Err(ManifestError::NoTrigger { path });
        }
        if let Some(trigger) =
            triggers.iter().find(|trigger| !document.component.contains_key(&trigger.component))
        {
            return Err(ManifestError::UnknownComponent {
                path,
                route: trigger.route.clone(),
                component: trigger.component.clone(),
            });
        }
        Ok(Self { dir, variables: document.variables, triggers, components: document.component })
    }
}

/// The structure of the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    spin_manifest_version: i64,
    #[serde(default, rename = "application")]
    _application: IgnoredAny,
    #[serde(default)]
    variables: BTreeMap<String, Declaration>,
    #[serde(default)]
    trigger: Triggers,
    #[serde(default)]
    component: BTreeMap<String, ComponentSection>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Triggers {
    #[serde(default)]
    http: Vec<HttpTrigger>,
}

fn line_of(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        reason = "a failed assumption fails the test"
    )]

    use super::*;

    const COMPLETE: &str = r#"
spin_manifest_version = 2

[application]
name = "app"
version = "1.0.0"
authors = ["someone"]

[variables]
endpoint = { default = "" }
secret = { required = true, secret = true }

[[trigger.http]]
route = "/..."
component = "edge"

[component.edge]
source = "edge.wasm"
description = "the worker"
allowed_outbound_hosts = ["https://*.aliyuncs.com", "{{ endpoint }}"]
key_value_stores = ["default"]

[component.edge.variables]
key = "{{ secret }}"

[component.edge.build]
command = "cargo build"
watch = ["src/**"]
"#;

    fn parse(text: &str) -> Result<Manifest, ManifestError> {
        Manifest::parse(text, "spin.toml", PathBuf::from("."))
    }

    #[test]
    fn a_complete_manifest_is_parsed() {
        let manifest = parse(COMPLETE).unwrap();
        assert_eq!(manifest.triggers.len(), 1);
        assert_eq!(manifest.triggers[0].route, "/...");
        assert!(manifest.variables["secret"].required);
        let edge = &manifest.components["edge"];
        assert_eq!(edge.source, Path::new("edge.wasm"));
        assert_eq!(edge.key_value_stores, ["default"]);
        assert_eq!(edge.allowed_outbound_hosts, ["https://*.aliyuncs.com", "{{ endpoint }}"]);
        assert_eq!(edge.variables["key"], "{{ secret }}");
    }

    #[test]
    fn an_unsupported_setting_is_rejected_with_its_line_and_name() {
        let text = COMPLETE.replace("description = \"the worker\"", "files = [\"a\"]");
        let error = parse(&text).unwrap_err().to_string();
        assert!(error.starts_with("spin.toml:"), "{error}");
        assert!(error.contains("unknown field `files`"), "{error}");
        assert!(!error.contains('\n'), "{error}");
    }

    #[test]
    fn a_syntax_error_reports_its_line() {
        let error = parse("spin_manifest_version = 2\n[application\n").unwrap_err().to_string();
        assert!(error.starts_with("spin.toml:2: "), "{error}");
        assert!(!error.contains('\n'), "{error}");
    }

    #[test]
    fn another_manifest_version_is_rejected() {
        let text = COMPLETE.replace("spin_manifest_version = 2", "spin_manifest_version = 1");
        assert!(matches!(parse(&text), Err(ManifestError::Version { version: 1, .. })));
    }

    #[test]
    fn a_trigger_of_an_undefined_component_is_rejected() {
        let text = COMPLETE.replace("component = \"edge\"", "component = \"egde\"");
        assert!(matches!(
            parse(&text),
            Err(ManifestError::UnknownComponent { component, .. }) if component == "egde"
        ));
    }

    #[test]
    fn a_manifest_without_an_http_trigger_is_rejected() {
        assert!(matches!(
            parse("spin_manifest_version = 2\n"),
            Err(ManifestError::NoTrigger { .. })
        ));
    }

    #[test]
    fn the_error_for_a_missing_file_names_the_option() {
        let error = Manifest::read(Path::new("/nonexistent/spin.toml")).unwrap_err().to_string();
        assert!(error.contains("/nonexistent/spin.toml") && error.contains("--manifest"));
    }
}
