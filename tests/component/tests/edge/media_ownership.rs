//! A media ID is public: only the client for which the worker created the media asset can continue
//! it.

use serde_json::{Value, json};
use vod_uploader_component_tests::body::Body;
use vod_uploader_component_tests::edge::{Edge, Setup};
use vod_uploader_component_tests::source::{KIB, MIB, Source};
use vod_uploader_component_tests::tus::{self, Upload};
use vod_uploader_wire::Response;

#[test]
fn no_protocol_accepts_a_public_media_id_as_authorization() {
    let edge = Setup::new().sealed().start();
    let source = Source::new(61, 2 * MIB);
    let published = Upload::create(&edge, source.length());
    published.finish(&edge, &source);
    for forged in ["", "9999999999.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"] {
        for (protocol, rejected) in attempts(&edge, &published.media_id, forged) {
            let code = code_of(&rejected);
            assert_eq!((rejected.status, code.as_str()), (403, "media-not-owned"), "{protocol}");
        }
    }
    assert_unchanged(&edge, &source);
}

#[test]
fn the_token_of_complete_media_is_rejected_also_after_its_records_are_deleted() {
    let edge = Setup::new().sealed().start();
    let source = Source::new(62, 2 * MIB);
    let published = Upload::create(&edge, source.length());
    let token = published.media_token.clone();
    published.finish(&edge, &source);
    for deleted in [false, true] {
        for (protocol, rejected) in attempts(&edge, &published.media_id, &token) {
            let code = code_of(&rejected);
            let case = format!("{protocol}, deleted: {deleted}");
            assert_eq!((rejected.status, code.as_str()), (403, "media-not-owned"), "{case}");
        }
        let end = edge.request("DELETE", &published.path, &[tus::VERSION], &Body::None).unwrap();
        assert_eq!(end.status, if deleted { 404 } else { 204 }, "{}", end.text());
    }
    assert_unchanged(&edge, &source);
}

#[test]
fn a_new_upload_with_the_token_replaces_the_previous_one() {
    let edge = Setup::new().sealed().start();
    let source = Source::new(63, 2 * MIB);
    let first = Upload::create(&edge, source.length());
    assert_eq!(first.patch(&edge, &source, 0..MIB).unwrap().status, 204);
    let second = first.continued(&edge, source.length());
    assert_eq!(second.media_id, first.media_id);
    let gone = first.patch(&edge, &source, MIB..source.length()).unwrap();
    assert_eq!((gone.status, gone.code().as_str()), (410, "upload-aborted"));
    second.finish(&edge, &source);
    assert_eq!(edge.sandbox.only_object().crc64, source.crc64());
    assert_eq!(edge.sandbox.requests("CreateUploadVideo"), 1);
    for token in [&first.media_token, &second.media_token] {
        let owner = [("media_id", first.media_id.as_str()), ("media_token", token.as_str())];
        let rejected = tus::create(&edge, source.length(), &owner, &[]);
        assert_eq!((rejected.status, rejected.code().as_str()), (403, "media-not-owned"));
    }
}

#[test]
fn one_of_several_concurrent_continuations_can_be_completed() {
    let edge = Setup::new().sealed().start();
    let source = Source::new(64, MIB);
    let first = Upload::create(&edge, source.length());
    let owner =
        [("media_id", first.media_id.as_str()), ("media_token", first.media_token.as_str())];
    let created: Vec<_> = std::thread::scope(|scope| {
        let create = || tus::create(&edge, source.length(), &owner, &[]);
        let requests: Vec<_> = (0..4).map(|_| scope.spawn(create)).collect();
        requests.into_iter().map(|request| request.join().unwrap()).collect()
    });
    let uploads: Vec<_> = created.iter().map(Upload::from_response).collect();
    let states: Vec<_> = uploads.iter().map(|upload| upload.head(&edge).status).collect();
    assert_eq!(states.iter().filter(|status| **status == 200).count(), 1, "{states:?}");
    let open = states.iter().position(|status| *status == 200).unwrap();
    uploads[open].finish(&edge, &source);
    assert_eq!(edge.sandbox.only_object().crc64, source.crc64());
}

#[test]
fn a_failed_single_request_upload_can_be_repeated_with_its_token() {
    let edge = Setup::new().with_fast_retries().sealed().start();
    let source = Source::new(64, 50 * KIB);
    let body = Body::Range(&source, 0..source.length());
    edge.sandbox.fault(&json!({"operation": "PutObject", "kind": "access-denied", "times": 1}));
    let failed = edge.put(&[], &body);
    assert_ne!(failed.status, 201, "{}", failed.text());
    let media_id = failed.json()["media_id"].as_str().unwrap().to_owned();
    let token = failed.header("media-token").unwrap().to_owned();
    let headers = [("upload-media-id", media_id.as_str()), ("upload-media-token", token.as_str())];
    let stored = edge.put(&headers, &body);
    assert_eq!((stored.status, &stored.json()["media_id"]), (201, &Value::from(media_id.as_str())));
    assert_eq!(stored.header("media-token"), None);
    let again = edge.put(&headers, &body);
    assert_eq!((again.status, again.code().as_str()), (403, "media-not-owned"));
    assert_unchanged(&edge, &source);
}

#[test]
fn a_filepond_transfer_continues_its_media_with_the_token() {
    let edge = Setup::new().sealed().start();
    let source = Source::new(65, 200 * KIB);
    let first = Upload::create(&edge, source.length());
    let created = create_filepond(&edge, source.length(), &first.media_id, &first.media_token);
    assert_eq!(created.status, 201, "{}", created.text());
    let path = format!("/v1/filepond?patch={}", created.text());
    let length = source.length().to_string();
    let headers = [
        ("content-type", "application/offset+octet-stream"),
        ("upload-offset", "0"),
        ("upload-length", length.as_str()),
        ("upload-name", "clip.mp4"),
    ];
    let body = Body::Range(&source, 0..source.length());
    let stored = edge.request("PATCH", &path, &headers, &body).unwrap();
    assert_eq!(stored.status, 204, "{}", stored.text());
    assert_eq!(stored.header("media-id"), Some(first.media_id.as_str()));
    assert_unchanged(&edge, &source);
}

#[test]
fn a_worker_without_a_seal_key_issues_no_token_and_continues_no_media() {
    let edge = Setup::new().start();
    let upload = Upload::create(&edge, MIB);
    assert_eq!(upload.media_token, "");
    for (protocol, rejected) in attempts(&edge, &upload.media_id, "1.AAAA") {
        let code = code_of(&rejected);
        assert_eq!((rejected.status, code.as_str()), (403, "media-not-owned"), "{protocol}");
    }
    assert_eq!(edge.sandbox.requests("RefreshUploadVideo"), 0);
}

/// Tries to continue media with every protocol and every location of its ID and token.
fn attempts(edge: &Edge, media_id: &str, token: &str) -> Vec<(&'static str, Response)> {
    let other = Source::new(99, 150 * KIB);
    let body = Body::Range(&other, 0..other.length());
    let headers = [("upload-media-id", media_id), ("upload-media-token", token)];
    let metadata = [("media_id", media_id), ("media_token", token)];
    let ietf = [
        ("upload-complete", "?1"),
        ("upload-draft-interop-version", "8"),
        ("content-disposition", "inline; filename=\"clip.mp4\""),
        headers[0],
        headers[1],
    ];
    let form = format!(
        "--b\r\nContent-Disposition: form-data; name=\"media_id\"\r\n\r\n{media_id}\r\n\
         --b\r\nContent-Disposition: form-data; name=\"media_token\"\r\n\r\n{token}\r\n\
         --b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"clip.mp4\"\r\n\
         Content-Type: video/mp4\r\n\r\nbytes\r\n--b--\r\n"
    );
    let form_type = [("content-type", "multipart/form-data; boundary=b")];
    let send = |method, path, headers: &[(&str, &str)], body: &Body<'_>| {
        edge.request(method, path, headers, body).expect("a response")
    };
    vec![
        ("tus, header", tus::create(edge, other.length(), &[], &headers)),
        ("tus, metadata", tus::create(edge, other.length(), &metadata, &[])),
        ("plain PUT", edge.put(&headers, &body)),
        ("IETF draft", send("POST", "/v1/files", &ietf, &body)),
        ("form", send("POST", "/v1/uploads", &form_type, &Body::Bytes(form.as_bytes()))),
        (
            "FilePond process",
            send("POST", "/v1/filepond", &form_type, &Body::Bytes(form.as_bytes())),
        ),
        ("FilePond chunks", create_filepond(edge, other.length(), media_id, token)),
    ]
}

fn create_filepond(edge: &Edge, length: u64, media_id: &str, token: &str) -> Response {
    let length = length.to_string();
    let metadata = json!({"media_id": media_id, "media_token": token});
    let form = format!(
        "--b\r\nContent-Disposition: form-data; name=\"filepond\"\r\n\r\n{metadata}\r\n--b--\r\n"
    );
    let headers =
        [("content-type", "multipart/form-data; boundary=b"), ("upload-length", length.as_str())];
    let body = Body::Bytes(form.as_bytes());
    edge.request("POST", "/v1/filepond", &headers, &body).expect("a response")
}

/// The problem code of a response, or of the only file of a form.
fn code_of(response: &Response) -> String {
    let body = response.json();
    let problem = if body["files"].is_array() { &body["files"][0]["problem"] } else { &body };
    problem["code"].as_str().unwrap_or_default().to_owned()
}

fn assert_unchanged(edge: &Edge, source: &Source) {
    assert_eq!(edge.sandbox.only_object().crc64, source.crc64());
    assert_eq!(edge.sandbox.media().len(), 1);
}
