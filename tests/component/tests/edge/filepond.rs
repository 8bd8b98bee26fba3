//! FilePond's own uploader: the requests that it sends, as its distribution has them.

use vod_uploader_component_tests::edge::{Edge, Setup};
use vod_uploader_component_tests::http::{Body, Framing, Response};
use vod_uploader_component_tests::source::{KIB, MIB, Source};
use vod_uploader_component_tests::vod::create_upload_video;
use vod_uploader_component_tests::wait;

const FORM: (&str, &str) = ("content-type", "multipart/form-data; boundary=b");
const CHUNK_TYPE: (&str, &str) = ("content-type", "application/offset+octet-stream");

/// A chunk: FilePond's default is 5,000,000 bytes.
const CHUNK_BYTES: u64 = 1_000_000;

const SEAL_KEY: &str = "c2VhbC1rZXktb2YtMzItYnl0ZXMtZm9yLXRlc3RzISE=";

#[test]
fn a_file_in_chunks_is_stored_and_its_id_tells_its_media_id() {
    let edge = Setup::new().start();
    let source = Source::new(1, 2 * CHUNK_BYTES + 345);
    let id = begin(&edge, source.length(), "{\"title\":\"Holiday\"}");
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
fn a_file_of_whole_chunks_ends_with_an_empty_one() {
    let edge = Setup::new().start();
    let source = Source::new(2, 2 * CHUNK_BYTES);
    let id = begin(&edge, source.length(), "{}");
    for offset in [0, CHUNK_BYTES, 2 * CHUNK_BYTES] {
        assert_eq!(chunk(&edge, &id, &source, offset).status, 204, "{offset}");
    }
    assert_eq!(edge.sandbox.only_object().crc64, source.crc64());
}

#[test]
fn a_client_that_went_away_within_a_chunk_goes_on_with_that_chunk() {
    let edge = Setup::new().variable("part_size_bytes", "102400").start();
    let source = Source::new(3, 3 * CHUNK_BYTES + 7);
    let id = begin(&edge, source.length(), "{}");
    assert_eq!(chunk(&edge, &id, &source, 0).status, 204);
    let (offset, length) = (CHUNK_BYTES.to_string(), source.length().to_string());
    let headers = chunk_headers(&offset, &length);
    let path = format!("/v1/filepond?patch={id}");
    let framing = Framing::Length(CHUNK_BYTES);
    let mut patch = edge.client().begin("PATCH", &path, &headers, framing).unwrap();
    patch.send(&source.bytes(CHUNK_BYTES..CHUNK_BYTES + 500 * KIB));
    wait::until("parts of it are stored", || {
        (edge.sandbox.requests("UploadPart") > 12).then_some(())
    });
    drop(patch);
    // What its own retry does, and what it does after a reload.
    let head = edge.request("HEAD", &path, &[], &Body::None).unwrap();
    assert_eq!((head.status, head.offset()), (200, CHUNK_BYTES));
    for offset in [CHUNK_BYTES, 2 * CHUNK_BYTES, 3 * CHUNK_BYTES] {
        let stored = chunk(&edge, &id, &source, offset);
        assert_eq!(stored.status, 204, "{offset}: {}", stored.text());
    }
    assert_eq!(edge.sandbox.only_object().crc64, source.crc64());
    // The answer to the last chunk was lost.
    assert_eq!(chunk(&edge, &id, &source, 3 * CHUNK_BYTES).status, 204);
    let head = edge.request("HEAD", &path, &[], &Body::None).unwrap();
    assert_eq!(head.offset(), source.length());
    assert_eq!(edge.sandbox.media().len(), 1);
}

#[test]
fn chunks_that_leave_a_gap_or_are_of_another_file_are_refused() {
    let edge = Setup::new().start();
    let source = Source::new(4, 2 * CHUNK_BYTES);
    let id = begin(&edge, source.length(), "{}");
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
fn a_reverted_file_is_forgotten_before_its_name_and_in_its_middle_and_at_its_end() {
    let edge = Setup::new().start();
    let source = Source::new(6, 2 * CHUNK_BYTES);
    for chunks in 0..3 {
        let id = begin(&edge, source.length(), "{}");
        for index in 0..chunks {
            assert_eq!(chunk(&edge, &id, &source, index * CHUNK_BYTES).status, 204);
        }
        let revert = |body: &[u8]| {
            edge.request("DELETE", "/v1/filepond", &[], &Body::Bytes(body)).expect("an answer")
        };
        assert_eq!(revert(b"0123abcd").status, 404, "{chunks}");
        assert_eq!(revert(id.as_bytes()).status, 204, "{chunks}");
        assert_eq!(edge.sandbox.uploads().len(), 0, "{chunks}");
        assert_eq!(chunk(&edge, &id, &source, 0).status, 404, "{chunks}");
    }
    assert_eq!(edge.sandbox.objects().len(), 1, "what is stored is VOD's");
}

#[test]
fn a_file_that_is_not_cut_comes_in_one_form_and_can_be_reverted_too() {
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
fn a_credential_in_the_metadata_lasts_from_the_post_to_the_end() {
    let setup = Setup::new().without_ram_key().variable("seal_key", SEAL_KEY);
    let mut edge = setup.start();
    edge.plant_secret(SEAL_KEY);
    let credential = create_upload_video(&edge.sandbox, "filepond");
    for secret in credential.secrets() {
        edge.plant_secret(&secret);
    }
    let source = Source::new(8, CHUNK_BYTES + 1);
    let metadata = serde_json::json!({
        "upload_address": credential.address,
        "upload_auth": credential.auth,
        "media_id": credential.media_id,
    });
    let id = begin(&edge, source.length(), &metadata.to_string());
    for offset in [0, CHUNK_BYTES] {
        let stored = chunk(&edge, &id, &source, offset);
        assert_eq!(stored.status, 204, "{}", stored.text());
        assert_eq!(stored.header("media-id"), Some(credential.media_id.as_str()));
    }
    assert_eq!(edge.sandbox.only_object().key, credential.object());
}

/// POST: asks for an id.
fn begin(edge: &Edge, length: u64, metadata: &str) -> String {
    let mut form = metadata_part(metadata);
    form.extend_from_slice(b"--b--\r\n");
    let length = length.to_string();
    let headers = [FORM, ("upload-length", length.as_str())];
    let begun = edge.request("POST", "/v1/filepond", &headers, &Body::Bytes(&form)).unwrap();
    assert_eq!(begun.status, 201, "{}", begun.text());
    assert_eq!(begun.header("content-type"), Some("text/plain; charset=utf-8"));
    begun.text()
}

/// PATCH: the chunk that begins at `offset`.
fn chunk(edge: &Edge, id: &str, source: &Source, offset: u64) -> Response {
    let end = source.length().min(offset + CHUNK_BYTES);
    let (begin, length) = (offset.to_string(), source.length().to_string());
    let path = format!("/v1/filepond?patch={id}");
    let body = Body::Range(source, offset..end);
    edge.request("PATCH", &path, &chunk_headers(&begin, &length), &body).expect("an answer")
}

fn chunk_headers<'a>(offset: &'a str, length: &'a str) -> [(&'a str, &'a str); 4] {
    let name = ("upload-name", "测试 1.mp4");
    [CHUNK_TYPE, ("upload-offset", offset), ("upload-length", length), name]
}

fn metadata_part(metadata: &str) -> Vec<u8> {
    let head = "--b\r\nContent-Disposition: form-data; name=\"filepond\"\r\n\r\n";
    format!("{head}{metadata}\r\n").into_bytes()
}
