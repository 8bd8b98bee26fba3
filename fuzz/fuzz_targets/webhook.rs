//! Notifications, which are untrusted input: time, signature and URL, one per line, and the body.

#![no_main]

use libfuzzer_sys::fuzz_target;
use vod_uploader::credential::Secret;
use vod_uploader::webhook::{Callback, Event, TIMESTAMP_TOLERANCE_DEFAULT};
use vod_uploader_fuzz::NOW;

fuzz_target!(|bytes: &[u8]| {
    let mut lines = bytes.splitn(4, |byte| *byte == b'\n').map(String::from_utf8_lossy);
    let mut line = || lines.next().unwrap_or_default();
    let (timestamp, signature, url, body) = (line(), line(), line(), line());
    let callback =
        Callback { url: &url, timestamp: &timestamp, signature: &signature, body: body.as_bytes() };
    let key = Secret::new("key");
    let _ = callback.verify_and_parse(&key, NOW, Some(TIMESTAMP_TOLERANCE_DEFAULT));
    let _ = Event::parse(body.as_bytes());
    let _ = Event::parse(bytes);
});
