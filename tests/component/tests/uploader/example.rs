//! Tests of `examples/upload-from-a-component`.

use std::path::Path;

use serde_json::json;
use vod_uploader_component_tests::app_host::AppHost;
use vod_uploader_component_tests::binaries::Binaries;
use vod_uploader_component_tests::body::Body;
use vod_uploader_component_tests::source::{MIB, Source};
use vod_uploader_component_tests::vod::create_upload_video;
use vod_uploader_wire::Request;

#[test]
fn the_example_uploads_the_body_of_a_request() {
    let host = AppHost::start_with(&Binaries::find().example_wasm, &[]);
    let source = Source::new(1, 6 * MIB + 6);
    let credential = create_upload_video(&host.sandbox, &host.sandbox.nonce());
    let headers =
        [("upload-address", credential.address.as_str()), ("upload-auth", &credential.auth)];
    let body = Body::Range(&source, source.all());
    let response =
        body.send(&host.client(), Request::new("PUT", "/film.mp4").headers(&headers)).unwrap();
    assert_eq!(response.status, 201, "{}", response.text());
    let object = host.sandbox.only_object();
    assert_eq!((object.key, object.crc64), (credential.object(), source.crc64()));
    assert!(response.text().contains(&credential.object()));
}

#[test]
fn the_example_reports_why_an_upload_fails() {
    let host = AppHost::start_with(&Binaries::find().example_wasm, &[]);
    let source = Source::new(2, MIB);
    let put = |headers: &[(&str, &str)]| {
        let body = Body::Range(&source, source.all());
        body.send(&host.client(), Request::new("PUT", "/film.mp4").headers(headers)).unwrap()
    };
    assert_eq!(put(&[]).status, 502);
    let credential = create_upload_video(&host.sandbox, &host.sandbox.nonce());
    host.sandbox.fault(&json!({ "operation": "UploadPart", "kind": "access-denied", "times": 0 }));
    host.sandbox.fault(&json!({ "operation": "PutObject", "kind": "access-denied", "times": 0 }));
    let denied = put(&[("upload-address", &credential.address), ("upload-auth", &credential.auth)]);
    assert_eq!(denied.status, 502, "{}", denied.text());
    assert!(host.sandbox.objects().is_empty());
}

#[test]
fn the_examples_manifest_refers_to_the_built_components() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/upload-from-a-component");
    let manifest = std::fs::read_to_string(dir.join("spin.toml")).unwrap();
    let binaries = Binaries::find();
    for (key, wasm) in [("source", binaries.example_wasm), ("path", binaries.uploader_wasm)] {
        let name = wasm.file_name().unwrap().to_string_lossy().into_owned();
        let line = format!("{key} = \"../../target/wasm32-wasip2/component/{name}\"");
        assert!(manifest.contains(&line), "{line}");
    }
    assert!(manifest.contains("\"vod:uploader@0.1.0\""));
}
