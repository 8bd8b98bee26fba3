//! docs/protocols.md documents every error code.

use vod_uploader::ErrorKind;

#[test]
fn every_error_code_is_documented() {
    let documentation = include_str!("../docs/protocols.md");
    for kind in ErrorKind::ALL {
        assert!(documentation.contains(&format!("`{}`", kind.code())), "{}", kind.code());
    }
}
