//! A test of an application in Python, composed with `uploader.wasm`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a failed assumption fails the test"
)]

use serde_json::json;
use vod_uploader_component_tests::app_host::AppHost;
use vod_uploader_component_tests::app_server;
use vod_uploader_component_tests::application::OfferedFile;
use vod_uploader_component_tests::binaries::python_app_wasm;
use vod_uploader_component_tests::source::MIB;
use vod_uploader_wire::Request;

#[test]
fn a_python_app_uploads_three_media_kinds_and_renews_an_expired_token() {
    let host = AppHost::start_with(&python_app_wasm(), &[]);
    let files = [
        OfferedFile::new("film.mp4", 1, 3 * MIB + 77),
        OfferedFile::new("poster.png", 2, 150_000),
        OfferedFile::new("subtitles.srt", 3, 40_000),
    ];
    let fault = json!({ "operation": "UploadPart", "part": 9, "kind": "expired-token" });
    host.sandbox.fault(&fault);
    let response = app_server::serve(&host.sandbox, &files, |server| {
        host.client().send(&Request::new("POST", &format!("/{server}")).body(b"")).unwrap()
    });
    assert_eq!(response.status, 200, "{}", response.text());
    let response = response.json();
    for file in &files {
        let result = &response["files"][&file.name];
        assert_eq!(result["crc64"], file.source().crc64(), "{response}");
        let objects = host.sandbox.objects();
        let object = objects.iter().find(|object| object.key == result["object"]).unwrap();
        assert_eq!((object.size, &object.crc64), (file.size, &file.source().crc64()));
        assert!(object.key.to_lowercase().contains(result["media_id"].as_str().unwrap()));
    }
    assert_eq!(host.sandbox.fault_hits(), 1);
    assert_eq!(host.sandbox.requests("RefreshUploadVideo"), 1);
    let events = response["events"].as_array().unwrap();
    let count = |name: &str| events.iter().filter(|event| **event == name).count();
    for (name, times) in [("FileAdded", 3), ("UploadStarted", 3), ("TokenExpired", 1)] {
        assert_eq!(count(name), times, "{response}");
    }
    assert_eq!(events.last().unwrap(), "UploadEnd");
}
