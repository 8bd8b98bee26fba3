//! The imports of the built worker.

use vod_uploader_component_tests::binaries::Binaries;
use vod_uploader_component_tests::imports::is_from_standard_library;
use wasmparser::{Parser, Payload};

/// The expected imports.
const IMPORTS: [&str; 8] = [
    "spin:key-value/key-value@3.0.0",
    "spin:variables/variables@3.0.0",
    "wasi:clocks/monotonic-clock@0.3.0",
    "wasi:clocks/system-clock@0.3.0",
    "wasi:clocks/types@0.3.0",
    "wasi:http/client@0.3.0",
    "wasi:http/types@0.3.0",
    "wasi:random/random@0.3.0",
];

#[test]
fn the_worker_imports_only_the_allowed_interfaces() {
    let (imports, exports) = interfaces(&std::fs::read(Binaries::find().edge_wasm).unwrap());
    let unexpected: Vec<_> = imports.iter().filter(|name| !is_allowed(name)).collect();
    assert!(unexpected.is_empty(), "{unexpected:?}");
    for needed in ["wasi:http/client@0.3.0", "spin:key-value/key-value@3.0.0"] {
        assert!(imports.iter().any(|name| name == needed), "{needed} in {imports:?}");
    }
    assert_eq!(exports, ["wasi:http/handler@0.3.0"]);
}

#[test]
fn an_unexpected_import_is_detected() {
    for name in ["wasi:sockets/tcp@0.2.6", "spin:sqlite/sqlite@3.0.0", "wasi:http/types@0.2.6"] {
        assert!(!is_allowed(name), "{name}");
    }
    assert!(is_allowed("wasi:io/poll@0.2.6"));
}

fn is_allowed(name: &str) -> bool {
    IMPORTS.contains(&name) || is_from_standard_library(name)
}

/// The imports and exports of the outermost component.
fn interfaces(component: &[u8]) -> (Vec<String>, Vec<String>) {
    let (mut imports, mut exports) = (Vec::new(), Vec::new());
    let mut depth = 0;
    for payload in Parser::new(0).parse_all(component) {
        match payload.unwrap() {
            Payload::ComponentSection { .. } | Payload::ModuleSection { .. } => depth += 1,
            Payload::End(_) if depth > 0 => depth -= 1,
            Payload::ComponentImportSection(section) if depth == 0 => {
                imports.extend(section.into_iter().map(|item| item.unwrap().name.name.to_owned()));
            }
            Payload::ComponentExportSection(section) if depth == 0 => {
                exports.extend(section.into_iter().map(|item| item.unwrap().name.name.to_owned()));
            }
            _ => {}
        }
    }
    (imports, exports)
}
