//! The requests of FilePond's built-in uploader.

use std::thread;

use serde_json::json;
use vod_uploader_component_tests::body::Body;
use vod_uploader_component_tests::edge::{Edge, SEAL_KEY, Setup};
use vod_uploader_component_tests::key_value;
use vod_uploader_component_tests::source::{KIB, MIB, Source};
use vod_uploader_component_tests::tus::VERSION;
use vod_uploader_component_tests::vod::create_upload_video;
use vod_uploader_component_tests::wait;
use vod_uploader_wire::{Framing, Response};

const FORM: (&str, &str) = ("content-type", "multipart/form-data; boundary=b");
const CHUNK_TYPE: (&str, &str) = ("content-type", "application/offset+octet-stream");

/// FilePond's default is 5,000,000 bytes.
const CHUNK_BYTES: u64 = 1_000_000;

#[test]
fn a_chunked_file_is_stored_and_reports_its_media_id() {
    let edge = Setup::new().start();
    let source = Source::new(1, 2 * CHUNK_BYTES + 345);
    let id = create(&edge, source.length(), "{\"title\":\"Holiday\"}");
    assert!(edge.sandbox.media().is_empty(), "no name, no media");
    for offset in (0..source.length()).step_by(CHUNK_BYTES as usize) {
        let stored = chunk(&edge, &id, &source, offset);
        assert_eq!(stored.status, 204, "{}", stored.text());
    }
    assert_eq!(edge.sandbox.only_object().crc64, source.crc64());
    let media = edge.sandbox.media();
    assert_eq!(media.len(), 1);
    assert_eq!(media[0]["parameters"]["Title"], "Holiday");
    let status = edge.request("GET", &format!("/v1/files/{id}"), &[], &Body::None).unwrap().json();
    assert_eq!((&status["state"], &status["media_id"]), (&"completed".into(), &media[0]["id"]));
    assert_eq!(status["file_name"], "测试 1.mp4");
}

#[test]
fn a_file_of_full_chunks_ends_with_an_empty_chunk() {
    let edge = Setup::new().start();
    let source = Source::new(2, 2 * CHUNK_BYTES);
    let id = create(&edge, source.length(), "{}");
    for offset in [0, CHUNK_BYTES, 2 * CHUNK_BYTES] {
        assert_eq!(chunk(&edge, &id, &source, offset).status, 204, "{offset}");
    }
    assert_eq!(edge.sandbox.only_object().crc64, source.crc64());
}

#[test]
fn a_disconnected_client_resumes_with_the_interrupted_chunk() {
    let edge = Setup::new().variable("part_size_bytes", "102400").start();
    let source = Source::new(3, 3 * CHUNK_BYTES + 7);
    let id = create(&edge, source.length(), "{}");
    assert_eq!(chunk(&edge, &id, &source, 0).status, 204);
    let (offset, length) = (CHUNK_BYTES.to_string(), source.length().to_string());
    let headers = chunk_headers(&offset, &length);
    let path = format!("/v1/filepond?patch={id}");
    let framing = Framing::Length(CHUNK_BYTES);
    let mut patch = edge.start("PATCH", &path, &headers, framing);
    patch.send(&source.bytes(CHUNK_BYTES..CHUNK_BYTES + 500 * KIB));
    wait::until("parts of it are stored", || {
        (edge.sandbox.requests("UploadPart") > 12).then_some(())
    });
    drop(patch);
    // FilePond queries the offset for a retry and after a reload.
    let head = edge.request("HEAD", &path, &[], &Body::None).unwrap();
    assert_eq!((head.status, head.offset()), (200, CHUNK_BYTES));
    for offset in [CHUNK_BYTES, 2 * CHUNK_BYTES, 3 * CHUNK_BYTES] {
        let stored = chunk(&edge, &id, &source, offset);
        assert_eq!(stored.status, 204, "{offset}: {}", stored.text());
    }
    assert_eq!(edge.sandbox.only_object().crc64, source.crc64());
    // The response to the last chunk was lost.
    assert_eq!(chunk(&edge, &id, &source, 3 * CHUNK_BYTES).status, 204);
    let head = edge.request("HEAD", &path, &[], &Body::None).unwrap();
    assert_eq!(head.offset(), source.length());
    assert_eq!(edge.sandbox.media().len(), 1);
}

#[test]
fn chunks_with_a_gap_or_of_another_file_are_rejected() {
    let edge = Setup::new().start();
    let source = Source::new(4, 2 * CHUNK_BYTES);
    let id = create(&edge, source.length(), "{}");
    let gap = chunk(&edge, &id, &source, CHUNK_BYTES);
    assert_eq!((gap.status, gap.code().as_str()), (409, "offset-mismatch"));
    assert_eq!(gap.offset(), 0);
    let other = chunk(&edge, &id, &Source::new(5, CHUNK_BYTES), 0);
    assert_eq!((other.status, other.code().as_str()), (400, "length-inconsistent"));
    let unknown = chunk(&edge, "0123abcd", &source, 0);
    assert_eq!((unknown.status, unknown.code().as_str()), (404, "upload-not-found"));
    assert!(edge.sandbox.media().is_empty());
}

#[test]
fn a_reverted_file_is_deleted_in_every_state() {
    let edge = Setup::new().start();
    let source = Source::new(6, 2 * CHUNK_BYTES);
    for chunks in 0..3 {
        let id = create(&edge, source.length(), "{}");
        for index in 0..chunks {
            assert_eq!(chunk(&edge, &id, &source, index * CHUNK_BYTES).status, 204);
        }
        let revert = |body: &[u8]| {
            edge.request("DELETE", "/v1/filepond", &[], &Body::Bytes(body)).expect("a response")
        };
        assert_eq!(revert(b"0123abcd").status, 404, "{chunks}");
        assert_eq!(revert(id.as_bytes()).status, 204, "{chunks}");
        assert_eq!(edge.sandbox.uploads().len(), 0, "{chunks}");
        assert_eq!(chunk(&edge, &id, &source, 0).status, 404, "{chunks}");
    }
    assert_eq!(edge.sandbox.objects().len(), 1, "what is stored is VOD's");
}

#[test]
fn a_file_in_one_form_is_stored_and_can_be_reverted() {
    let edge = Setup::new().start();
    let source = Source::new(7, MIB + 3);
    let mut form = metadata_part("{\"title\":\"Small\"}");
    form.extend_from_slice(
        b"--b\r\nContent-Disposition: form-data; name=\"filepond\"; filename=\"a.mp4\"\r\n\
          Content-Type: video/mp4\r\n\r\n",
    );
    form.extend_from_slice(&source.bytes(source.all()));
    form.extend_from_slice(b"\r\n--b--\r\n");
    let stored = edge.request("POST", "/v1/filepond", &[FORM], &Body::Bytes(&form)).unwrap();
    assert_eq!(stored.status, 201, "{}", stored.text());
    assert_eq!(edge.sandbox.only_object().crc64, source.crc64());
    let media = edge.sandbox.media();
    assert_eq!(media[0]["parameters"]["Title"], "Small");
    assert_eq!(stored.header("media-id"), media[0]["id"].as_str());
    let id = stored.text();
    let status = edge.request("GET", &format!("/v1/files/{id}"), &[], &Body::None).unwrap().json();
    assert_eq!(status["media_id"], media[0]["id"]);
    let revert = edge.request("DELETE", "/v1/filepond", &[], &Body::Bytes(id.as_bytes())).unwrap();
    assert_eq!(revert.status, 204);
}

#[test]
fn a_credential_in_the_metadata_is_used_for_all_chunks() {
    let setup = Setup::new().without_ram_key().sealed();
    let mut edge = setup.start();
    edge.forbid_secret(SEAL_KEY);
    let credential = create_upload_video(&edge.sandbox, "filepond");
    for secret in credential.secrets() {
        edge.forbid_secret(&secret);
    }
    let source = Source::new(8, CHUNK_BYTES + 1);
    let metadata = serde_json::json!({
        "upload_address": credential.address,
        "upload_auth": credential.auth,
        "media_id": credential.media_id,
    });
    let id = create(&edge, source.length(), &metadata.to_string());
    for offset in [0, CHUNK_BYTES] {
        let stored = chunk(&edge, &id, &source, offset);
        assert_eq!(stored.status, 204, "{}", stored.text());
        assert_eq!(stored.header("media-id"), Some(credential.media_id.as_str()));
    }
    assert_eq!(edge.sandbox.only_object().key, credential.object());
}

#[test]
fn concurrent_first_chunks_create_one_upload() {
    let edge = Setup::new().variable("part_size_bytes", "102400").start();
    let source = Source::new(9, CHUNK_BYTES + 250 * KIB);
    for round in 0..24 {
        // VOD responds before and after the other requests arrive.
        edge.sandbox.clear_faults();
        if round % 3 > 0 {
            slow_down_vod(&edge, [30, 400][round % 2]);
        }
        let id = create(&edge, source.length(), "{}");
        let responses = send_concurrently([2, 4][round % 2], || chunk(&edge, &id, &source, 0));
        for response in responses.iter().filter(|response| response.status != 204) {
            let codes = ["taken-over", "offset-mismatch"];
            assert!(codes.contains(&response.code().as_str()), "{}", described(&responses));
        }
        for offset in [0, CHUNK_BYTES] {
            assert_eq!(chunk(&edge, &id, &source, offset).status, 204, "{offset}");
        }
        let media = edge.sandbox.media();
        assert_eq!(media.len(), round + 1, "one for each file: {}", described(&responses));
        let status = state(&edge, &id).json();
        assert_eq!(status["state"], "completed");
        for response in &responses {
            assert_eq!(
                reported_media_id(response),
                status["media_id"],
                "{}",
                described(&responses)
            );
        }
        let objects = edge.sandbox.objects();
        assert_eq!(objects.len(), round + 1);
        let object = objects.iter().find(|object| status["object"] == object.key.as_str()).unwrap();
        assert_eq!(object.crc64, source.crc64());
        let kept = format!("u.{id}.filepond.");
        let mut records = key_value::records(&edge.host_dir());
        records.retain(|(key, _)| key.starts_with(&kept));
        assert!(records.is_empty(), "lock registers remain: {records:?}");
    }
}

#[test]
fn a_first_chunk_interrupted_while_vod_is_slow_can_be_repeated() {
    let edge = Setup::new().start();
    let source = Source::new(10, CHUNK_BYTES + 1);
    slow_down_vod(&edge, 1_500);
    let id = create(&edge, source.length(), "{}");
    send_and_leave(&edge, &id, &source);
    for offset in [0, CHUNK_BYTES] {
        let stored = again_while_busy(|| chunk(&edge, &id, &source, offset));
        assert_eq!(stored.status, 204, "{}", stored.text());
    }
    assert_eq!(edge.sandbox.media().len(), 1);
    assert_eq!(edge.sandbox.only_object().crc64, source.crc64());
}

#[test]
fn the_lock_of_a_killed_worker_expires() {
    let setup = Setup::new().variable("request_timeout_ms", "1500");
    let mut edge = setup.variable("retry_elapsed_max_ms", "3000").start();
    let source = Source::new(11, CHUNK_BYTES);
    slow_down_vod(&edge, 1_000);
    let id = create(&edge, source.length(), "{}");
    send_and_leave(&edge, &id, &source);
    edge.kill_host();
    edge.sandbox.clear_faults();
    edge.start_host();
    let early = chunk(&edge, &id, &source, 0);
    assert_eq!((early.status, early.code().as_str()), (503, "busy"));
    let stored = again_while_busy(|| chunk(&edge, &id, &source, 0));
    assert_eq!(stored.status, 204, "{}", stored.text());
    assert_eq!(edge.sandbox.only_object().crc64, source.crc64());
}

#[test]
fn a_first_chunk_rejected_by_vod_can_be_repeated_immediately() {
    let edge = Setup::new().with_fast_retries().start();
    let source = Source::new(12, CHUNK_BYTES);
    let operation = "CreateUploadVideo";
    let code = "InvalidParameter";
    edge.sandbox.fault(&json!({
        "operation": operation, "times": 3, "kind": "status", "status": 400, "code": code,
    }));
    let id = create(&edge, source.length(), "{}");
    for _ in 0..3 {
        let rejected = chunk(&edge, &id, &source, 0);
        assert_eq!((rejected.status, rejected.code().as_str()), (502, "vod-rejected"));
    }
    assert_eq!(chunk(&edge, &id, &source, 0).status, 204);
    assert_eq!(edge.sandbox.only_object().crc64, source.crc64());
}

#[test]
fn a_file_reverted_while_its_upload_is_created_stays_deleted() {
    let edge = Setup::new().start();
    let source = Source::new(13, CHUNK_BYTES);
    slow_down_vod(&edge, 600);
    let id = create(&edge, source.length(), "{}");
    let path = format!("/v1/filepond/{id}");
    let response = thread::scope(|scope| {
        let sent = scope.spawn(|| chunk(&edge, &id, &source, 0));
        wait_for_vod(&edge);
        assert_eq!(edge.request("DELETE", &path, &[], &Body::None).unwrap().status, 204);
        sent.join().unwrap()
    });
    assert_eq!(response.status, 404, "{}", response.text());
    assert_eq!(chunk(&edge, &id, &source, 0).status, 404);
    assert!(edge.sandbox.objects().is_empty());
    assert!(edge.sandbox.uploads().is_empty());
}

#[test]
fn a_deleted_or_lost_upload_is_not_created_again() {
    let edge = Setup::new().variable("part_size_bytes", "102400").start();
    let source = Source::new(14, 2 * CHUNK_BYTES);
    let gone = |id: &str, status: u16| {
        let media = edge.sandbox.media().len();
        let path = format!("/v1/filepond/{id}");
        assert_eq!(edge.request("HEAD", &path, &[], &Body::None).unwrap().status, status);
        for offset in [0, CHUNK_BYTES] {
            let late = chunk(&edge, id, &source, offset);
            assert_eq!(late.status, status, "{offset}: {}", late.text());
        }
        assert_eq!(edge.sandbox.media().len(), media);
    };
    let delete = |id: &str| {
        let path = format!("/v1/files/{id}");
        assert_eq!(edge.request("DELETE", &path, &[VERSION], &Body::None).unwrap().status, 204);
    };

    let open = create(&edge, source.length(), "{}");
    assert_eq!(chunk(&edge, &open, &source, 0).status, 204);
    delete(&open);
    gone(&open, 410);

    let stored = create(&edge, source.length(), "{}");
    for offset in [0, CHUNK_BYTES] {
        assert_eq!(chunk(&edge, &stored, &source, offset).status, 204);
    }
    delete(&stored);
    gone(&stored, 404);

    let lost = create(&edge, source.length(), "{}");
    assert_eq!(chunk(&edge, &lost, &source, 0).status, 204);
    edge.sandbox.delete_uploads();
    assert_eq!(chunk(&edge, &lost, &source, CHUNK_BYTES).status, 410);
    gone(&lost, 410);
}

/// POST: creates an ID.
fn create(edge: &Edge, length: u64, metadata: &str) -> String {
    let mut form = metadata_part(metadata);
    form.extend_from_slice(b"--b--\r\n");
    let length = length.to_string();
    let headers = [FORM, ("upload-length", length.as_str())];
    let created = edge.request("POST", "/v1/filepond", &headers, &Body::Bytes(&form)).unwrap();
    assert_eq!(created.status, 201, "{}", created.text());
    assert_eq!(created.header("content-type"), Some("text/plain; charset=utf-8"));
    created.text()
}

/// PATCH: the chunk at `offset`.
fn chunk(edge: &Edge, id: &str, source: &Source, offset: u64) -> Response {
    let end = source.length().min(offset + CHUNK_BYTES);
    let (create, length) = (offset.to_string(), source.length().to_string());
    let path = format!("/v1/filepond?patch={id}");
    let body = Body::Range(source, offset..end);
    edge.request("PATCH", &path, &chunk_headers(&create, &length), &body).expect("a response")
}

fn chunk_headers<'a>(offset: &'a str, length: &'a str) -> [(&'a str, &'a str); 4] {
    let name = ("upload-name", "测试 1.mp4");
    [CHUNK_TYPE, ("upload-offset", offset), ("upload-length", length), name]
}

fn metadata_part(metadata: &str) -> Vec<u8> {
    let head = "--b\r\nContent-Disposition: form-data; name=\"filepond\"\r\n\r\n";
    format!("{head}{metadata}\r\n").into_bytes()
}

/// `GET /v1/files/{id}`.
fn state(edge: &Edge, id: &str) -> Response {
    edge.request("GET", &format!("/v1/files/{id}"), &[], &Body::None).expect("a response")
}

/// Sends `count` requests concurrently.
fn send_concurrently(count: usize, send: impl Fn() -> Response + Sync) -> Vec<Response> {
    thread::scope(|scope| {
        let sent: Vec<_> = (0..count).map(|_| scope.spawn(&send)).collect();
        sent.into_iter().map(|request| request.join().expect("a response")).collect()
    })
}

/// Sends the first chunk, and disconnects once VOD has received a call.
fn send_and_leave(edge: &Edge, id: &str, source: &Source) {
    let length = source.length().to_string();
    let path = format!("/v1/filepond?patch={id}");
    let framing = Framing::Length(CHUNK_BYTES);
    let headers = chunk_headers("0", &length);
    let mut patch = edge.start("PATCH", &path, &headers, framing);
    patch.send(&source.bytes(0..10 * KIB));
    wait_for_vod(edge);
}

/// Waits until VOD has received a call for a media ID.
fn wait_for_vod(edge: &Edge) {
    wait::until("VOD is asked", || (edge.sandbox.fault_hits() > 0).then_some(()));
}

/// Retries while the worker reports that another request is active.
fn again_while_busy(send: impl Fn() -> Response) -> Response {
    wait::until("no other request is active", || {
        let response = send();
        let beaten = ["busy", "taken-over"].contains(&response.code().as_str());
        (!beaten).then_some(response)
    })
}

fn slow_down_vod(edge: &Edge, delay_ms: u64) {
    let operation = "CreateUploadVideo";
    edge.sandbox.fault(
        &json!({ "operation": operation, "times": 0, "kind": "delay", "delay_ms": delay_ms }),
    );
}

/// The media ID in a header, or in problem details.
fn reported_media_id(response: &Response) -> String {
    match response.header("media-id") {
        Some(media_id) => media_id.to_owned(),
        None => response.json()["media_id"].as_str().unwrap_or_default().to_owned(),
    }
}

fn described(responses: &[Response]) -> String {
    let all = responses.iter().map(|response| format!("{} {}", response.status, response.text()));
    all.collect::<Vec<_>>().join("; ")
}
