//! Webhooks of VOD.

use serde_json::{Value, json};
use vod_uploader_component_tests::app_host::AppHost;

/// 2025-01-01T00:00:00Z.
const TIMESTAMP: u64 = 1_735_689_600;

#[test]
fn a_webhook_is_verified_and_parsed() {
    let host = AppHost::start();
    let report = host.converse().call("receive", delivery(0)).unwrap();
    assert_eq!(report["kind"], "FileUploadComplete");
    assert_eq!(report["media_id"], "43q9fjdqg0v41fpqtts");
    assert_eq!(report["size"], 1_024);
    assert_eq!(report["succeeded"], true);
}

#[test]
fn a_forged_or_old_webhook_is_rejected() {
    let host = AppHost::start();
    let mut app = host.converse();
    let mut forged = delivery(0);
    forged["delivery"]["signature"] = json!("0".repeat(32));
    assert_eq!(app.call("receive", forged).unwrap_err().code(), "SignatureWrong");
    assert_eq!(app.call("receive", delivery(301)).unwrap_err().code(), "SignatureWrong");
    let mut other_body = delivery(0);
    other_body["delivery"]["body"] = json!(b"not json".to_vec());
    assert_eq!(app.call("receive", other_body).unwrap_err().code(), "FieldInvalid");
}

/// A delivery received this many seconds after it was signed. The signature is
/// `md5("https://app.example/callback|1735689600|callback-key")`.
fn delivery(late_secs: u64) -> Value {
    let body = json!({
        "EventType": "FileUploadComplete",
        "EventTime": "2025-01-01T00:00:00Z",
        "VideoId": "43q9fjdqg0v41fpqtts",
        "Size": 1_024,
        "FileUrl": "http://bucket.example/film.mp4",
    });
    json!({
        "delivery": {
            "callback_url": "https://app.example/callback",
            "timestamp": TIMESTAMP.to_string(),
            "signature": "fca5dab4c8a2b37f31f856058bb4099c",
            "body": body.to_string().into_bytes(),
        },
        "auth_key": "callback-key",
        "now": (TIMESTAMP + late_secs) * 1_000,
    })
}
