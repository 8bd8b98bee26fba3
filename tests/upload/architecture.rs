//! The state diagram of ARCHITECTURE.md.

use std::path::Path;

use vod_uploader::upload::state;

#[test]
fn the_diagram_in_architecture_md_equals_the_transition_table() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("ARCHITECTURE.md");
    let text = std::fs::read_to_string(path).unwrap();
    let block = format!("```mermaid\n{}```\n", state::diagram());
    assert!(text.contains(&block), "ARCHITECTURE.md lacks this block:\n{block}");
}
