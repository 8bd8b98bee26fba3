//! UploadAddress and UploadAuth of clients. A valid credential round-trips through its record.
//!
//! The input is both values, one per line. They are parsed as they are and as the JSON in their
//! Base64.

#![no_main]

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use libfuzzer_sys::fuzz_target;
use vod_uploader::credential::UploadCredential;
use vod_uploader_fuzz::{NOW, split};

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    let (address, auth) = split(&text, '\n');
    check(address, auth);
    check(&BASE64_STANDARD.encode(address), &BASE64_STANDARD.encode(auth));
    let _ = UploadCredential::from_bytes(bytes);
});

fn check(address: &str, auth: &str) {
    let Ok(credential) = UploadCredential::parse(address, auth, NOW) else { return };
    let _ = (credential.is_usable_at(NOW), credential.refresh_due_at(NOW));
    let stored = UploadCredential::from_bytes(&credential.to_bytes());
    assert_eq!(stored.as_ref().ok(), Some(&credential), "what is stored reads back");
    let _ = UploadCredential::from_json(auth.as_bytes(), &credential.address, NOW);
}
