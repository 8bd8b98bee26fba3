//! The variables that the worker reads are those of the manifest, and all of them are documented.

use std::collections::BTreeSet;

use vod_uploader_relay::Variables;

const MANIFEST: &str = include_str!("../../../spin.toml");
const DOCUMENTATION: &str = include_str!("../../../docs/operating.md");

#[test]
fn the_manifest_passes_every_variable_to_the_worker() {
    let (_, passed) = MANIFEST.split_once("[component.edge.variables]\n").unwrap_or_default();
    let (passed, _) = passed.split_once("\n\n").unwrap_or_default();
    let expected: BTreeSet<_> =
        Variables::NAMES.iter().map(|name| format!("{name} = \"{{{{ {name} }}}}\"")).collect();
    assert_eq!(passed.lines().map(str::to_owned).collect::<BTreeSet<_>>(), expected);
}

#[test]
fn the_manifest_declares_every_variable_with_a_default() {
    let (_, declared) = MANIFEST.split_once("[variables]\n").unwrap_or_default();
    let (declared, _) = declared.split_once("\n[").unwrap_or_default();
    for name in Variables::NAMES {
        let prefix = format!("{name} = {{ default = ");
        assert!(declared.lines().any(|line| line.starts_with(&prefix)), "{name}");
    }
}

#[test]
fn every_variable_is_documented() {
    for name in Variables::NAMES {
        assert!(DOCUMENTATION.contains(&format!("`{name}`")), "{name}");
    }
}
