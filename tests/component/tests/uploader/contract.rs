//! The exports and imports of the built component.

use vod_uploader_component_tests::binaries::{Binaries, wit_dir};
use vod_uploader_component_tests::imports::is_from_standard_library;
use vod_uploader_compose::{Contract, plugged};

/// The expected imports.
const IMPORTS: [&str; 7] = [
    "spin:key-value/key-value@3.0.0",
    "wasi:clocks/monotonic-clock@0.3.0",
    "wasi:clocks/system-clock@0.3.0",
    "wasi:clocks/types@0.3.0",
    "wasi:http/client@0.3.0",
    "wasi:http/types@0.3.0",
    "wasi:random/random@0.3.0",
];

#[test]
fn the_component_matches_the_wit_files() {
    let contract = contract();
    let mismatch = contract.mismatch();
    assert_eq!(mismatch.missing_exports, [""; 0]);
    assert_eq!(mismatch.mismatched_types, [""; 0]);
    assert_eq!(
        contract.exports(),
        [
            "vod:uploader/types@0.1.0",
            "vod:uploader/uploader@0.1.0",
            "vod:uploader/webhooks@0.1.0",
            "vod:uploader/url-uploads@0.1.0",
        ]
    );
}

#[test]
fn the_component_imports_exactly_the_expected_interfaces() {
    let (mut own, ambient): (Vec<_>, Vec<_>) =
        contract().imports().into_iter().partition(|name| !is_from_standard_library(name));
    own.sort();
    assert_eq!(own, IMPORTS, "beside {ambient:?}");
}

#[test]
fn a_composed_app_imports_nothing_of_the_uploader() {
    let binaries = Binaries::find();
    let dir = tempfile::tempdir().unwrap();
    let composed = dir.path().join("composed.wasm");
    let bytes = plugged(&binaries.test_app_wasm, &binaries.uploader_wasm).unwrap();
    std::fs::write(&composed, bytes).unwrap();
    let contract = Contract::new(&composed, &wit_dir(), "component").unwrap();
    let imports = contract.imports();
    let foreign: Vec<_> = imports
        .iter()
        .filter(|name| !is_from_standard_library(name) && !IMPORTS.contains(&name.as_str()))
        .collect();
    assert_eq!(foreign, [""; 0]);
    assert_eq!(contract.exports(), ["wasi:http/handler@0.3.0"]);
}

#[test]
fn a_component_that_differs_from_the_wit_files_is_detected() {
    let app = Contract::new(&Binaries::find().test_app_wasm, &wit_dir(), "component").unwrap();
    let mismatch = app.mismatch();
    assert_eq!(mismatch.missing_exports.len(), 4, "{mismatch:?}");
    assert!(mismatch.unexpected_imports.iter().any(|name| name == "vod:uploader/uploader@0.1.0"));
    let rejected = plugged(&Binaries::find().edge_wasm, &Binaries::find().uploader_wasm);
    assert!(rejected.unwrap_err().to_string().contains("imports nothing of vod:uploader"));
}

fn contract() -> Contract {
    Contract::new(&Binaries::find().uploader_wasm, &wit_dir(), "component").unwrap()
}
