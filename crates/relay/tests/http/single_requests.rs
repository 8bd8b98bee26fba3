//! Files in one request, and requests for one upload.

use crate::support::{Fault, SentBody, Worker};

const TUS: (&str, &str) = ("tus-resumable", "1.0.0");
const CHUNK: (&str, &str) = ("content-type", "application/offset+octet-stream");
const PATH: &str = "/v1/uploads/a.mp4";

/// The keys of uploads.
fn upload_keys(worker: &Worker) -> Vec<String> {
    worker.keys().into_iter().filter(|key| key.contains(".u.")).collect()
}

#[test]
fn nothing_but_the_object_remains_of_a_file_in_one_request() {
    let worker = Worker::new(&[]);
    assert_eq!(worker.send("PUT", PATH, &[], b"12345").status, 201);
    assert_eq!(worker.only_object(), b"12345");
    assert_eq!(upload_keys(&worker), Vec::<String>::new());
}

#[test]
fn a_file_that_is_shorter_than_declared_is_not_stored() {
    let worker = Worker::new(&[]);
    let body = SentBody::new(b"12345");
    let refused = worker.send_body("PUT", PATH, &[("content-length", "9")], body);
    refused.assert_problem(400, "length-mismatch");
    assert!(worker.services.objects.borrow().is_empty());
}

#[test]
fn only_a_file_of_undeclared_length_that_exceeds_the_limit_is_too_large() {
    let worker = Worker::new(&[("upload_max_bytes", "1000")]);
    let refused = worker.send_chunked("PUT", PATH, &[], &[7; 1_001]);
    refused.assert_problem(413, "file-too-large");
    let refused = worker.send_body("PUT", PATH, &[], SentBody::interrupted(&[7; 999]));
    assert_ne!(refused.status, 413, "{}", refused.text());
    assert!(worker.services.objects.borrow().is_empty());
}

#[test]
fn the_title_of_a_tus_upload_is_that_of_its_media() {
    let worker = Worker::new(&[]);
    let length = ("upload-length", "5");
    // "name" in base64.
    for metadata in ["title bmFtZQ==", "title"] {
        let headers = [TUS, length, ("upload-metadata", metadata)];
        assert_eq!(worker.send("POST", "/v1/files", &headers, b"").status, 201);
    }
    assert_eq!(worker.services.parameters("Title")[0], "name");
    assert!(worker.services.parameters("Title").iter().all(|title| !title.is_empty()));
}

#[test]
fn a_complete_upload_is_deleted_without_its_object() {
    let worker = Worker::new(&[]);
    let headers = [TUS, CHUNK, ("upload-length", "5")];
    let created = worker.send("POST", "/v1/files", &headers, b"12345");
    assert_eq!(created.header("upload-offset"), Some("5"));
    assert_eq!(worker.send("DELETE", created.location(), &[TUS], b"").status, 204);
    assert_eq!(worker.only_object(), b"12345");
    assert_eq!(upload_keys(&worker), Vec::<String>::new());
}

#[test]
fn the_reason_why_an_upload_cannot_be_deleted_now_is_reported() {
    let worker = Worker::new(&[("part_size_bytes", "102400")]);
    let headers = [TUS, CHUNK, ("upload-length", "307200")];
    let created = worker.send("POST", "/v1/files", &headers, &[7; 204_800]);
    assert_eq!(created.header("upload-offset"), Some("204800"));
    let unavailable = Fault::Reject(503, "ServiceUnavailable");
    *worker.services.fault.borrow_mut() = Some(("uploadId=", unavailable));
    let refused = worker.send("DELETE", created.location(), &[TUS], b"");
    assert_eq!(refused.status, 503, "{}", refused.text());
    assert_ne!(refused.code(), "busy");
    *worker.services.fault.borrow_mut() = None;
    assert_eq!(worker.send("DELETE", created.location(), &[TUS], b"").status, 204);
}

#[test]
fn a_credential_is_replaced_only_where_one_is_used_and_can_be_stored() {
    let variables = [("temporary_bucket", "temporary"), ("client_credentials", "on")];
    let token = br#"{"AccessKeyId": "STS.a", "AccessKeySecret": "b", "SecurityToken": "c"}"#;
    let length = ("upload-length", "5");
    let replace = |worker: &Worker, kind: &[(&str, &str)]| {
        let headers = [&[TUS, length], kind].concat();
        let created = worker.send("POST", "/v1/files", &headers, b"");
        worker.send("POST", &format!("{}/credential", created.location()), &[], token)
    };
    let worker = Worker::new(&variables);
    let partial = replace(&worker, &[("upload-concat", "partial")]);
    partial.assert_problem(409, "file-state-wrong");
    let unsealed = replace(&worker, &[]);
    assert_eq!(unsealed.code(), "credential-not-storable", "{}", unsealed.text());
    let seal_key = ("seal_key", "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=");
    let sealed = Worker::new(&[&variables[..], &[seal_key]].concat());
    let replaced = replace(&sealed, &[]);
    assert_eq!(replaced.status, 204, "{}", replaced.text());
}
