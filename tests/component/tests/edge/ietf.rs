//! The IETF's resumable uploads, for each draft.

use std::time::{Duration, Instant};

use serde_json::Value;
use vod_uploader_component_tests::body::Body;
use vod_uploader_component_tests::checksum::digest_field;
use vod_uploader_component_tests::edge::{Edge, Setup};
use vod_uploader_component_tests::ietf;
use vod_uploader_component_tests::source::{MIB, Source, sha256};
use vod_uploader_component_tests::tus::Upload;
use vod_uploader_component_tests::wait;
use vod_uploader_wire::ietf::{DRAFTS, Draft, NEWEST};
use vod_uploader_wire::{Exchange, Framing, Response};

#[test]
fn every_draft_creates_appends_and_completes() {
    let edge = Setup::new().start();
    for (seed, draft) in (600..).zip(DRAFTS) {
        let source = Source::new(seed, 3 * MIB + 9);
        let (first, second) = (MIB + 1, 2 * MIB + 50);
        let created = ietf::create(draft, &edge, false, &[], &Body::Range(&source, 0..first));
        assert_eq!((created.status, created.offset()), (201, first), "{draft:?}");
        assert_draft_headers(draft, &created, Some(false));
        let upload = Upload::from_response(&created);
        let head = ietf::head(draft, &edge, &upload);
        assert_eq!((head.status, head.offset()), (204, first));
        assert_eq!(head.header("upload-length"), None);
        assert_eq!(head.header("cache-control"), Some("no-store"));
        assert_draft_headers(draft, &head, Some(false));
        let body = Body::Range(&source, first..second);
        let appended = ietf::append(draft, &edge, &upload, (first, false), &[], &body).unwrap();
        assert_eq!((appended.status, appended.offset()), (appended_status(draft), second));
        assert_draft_headers(draft, &appended, Some(false));
        let body = Body::Range(&source, second..source.length());
        let ended = ietf::append(draft, &edge, &upload, (second, true), &[], &body).unwrap();
        assert_eq!((ended.status, ended.offset()), (201, source.length()), "{}", ended.text());
        assert_draft_headers(draft, &ended, Some(true));
        assert_eq!(ended.json()["crc64"], source.crc64());
        let head = ietf::head(draft, &edge, &upload);
        assert_eq!((head.status, head.offset()), (204, source.length()));
        assert_eq!(head.header("upload-length"), Some(source.length().to_string().as_str()));
        assert_draft_headers(draft, &head, Some(true));
        upload.assert_complete(&edge, &source);
        // The client did not receive the response. Until interop 8, that is an error.
        let again =
            ietf::append(draft, &edge, &upload, (source.length(), true), &[], &Body::Bytes(b""));
        let again = again.unwrap();
        if draft.0 < 9 {
            assert_eq!((again.status, kind(&again)), (400, "completed-upload".to_owned()));
        } else {
            assert_eq!((again.status, &again.json()["crc64"]), (201, &ended.json()["crc64"]));
        }
        assert_eq!(ietf::delete(draft, &edge, &upload).status, 204);
        assert_eq!(ietf::head(draft, &edge, &upload).status, 404);
    }
}

#[test]
fn a_file_in_one_request_is_stored_by_post_and_put() {
    let edge = Setup::new().start();
    let mut seed = 610;
    for draft in [DRAFTS[0], NEWEST] {
        for (method, path) in [
            ("POST", "/v1/files"),
            ("POST", "/v1/uploads/clip.mp4"),
            ("PUT", "/v1/uploads/clip.mp4"),
        ] {
            for (length, chunked) in [(70_000, false), (2 * MIB + 1, false), (2 * MIB + 1, true)] {
                seed += 1;
                let source = Source::new(seed, length);
                let creation = draft
                    .creation(method, path, true)
                    .header("content-disposition", "inline; filename=\"clip.mp4\"");
                let body = match chunked {
                    true => Body::Chunked(&source, source.all()),
                    false => Body::Range(&source, source.all()),
                };
                let created = body.send(&edge.client(), creation).unwrap();
                assert_eq!((created.status, created.offset()), (201, length), "{method} {path}");
                assert_draft_headers(draft, &created, Some(true));
                Upload::from_response(&created).assert_complete(&edge, &source);
            }
        }
    }
}

#[test]
fn a_file_created_by_name_is_continued_at_its_location() {
    let edge = Setup::new().start();
    for (seed, method) in (640..).zip(["POST", "PUT"]) {
        let source = Source::new(seed, 2 * MIB);
        let creation = NEWEST.creation(method, "/v1/uploads/a%20b.mp4", false).body(b"");
        let created = edge.client().send(&creation).unwrap();
        assert_eq!(created.offset(), 0, "{}", created.text());
        let upload = Upload::from_response(&created);
        assert_eq!(upload.status(&edge)["file_name"], "a b.mp4");
        let body = Body::Chunked(&source, 0..MIB + 9);
        let appended = ietf::append(NEWEST, &edge, &upload, (0, false), &[], &body).unwrap();
        assert_eq!((appended.status, appended.offset()), (204, MIB + 9));
        let body = Body::Chunked(&source, MIB + 9..source.length());
        let ended = ietf::append(NEWEST, &edge, &upload, (MIB + 9, true), &[], &body).unwrap();
        assert_eq!((ended.status, ended.offset()), (201, source.length()));
        upload.assert_complete(&edge, &source);
    }
}

#[test]
fn an_empty_request_completes_an_upload() {
    let edge = Setup::new().start();
    for (seed, length) in [(650, 3), (651, 150_000), (652, 2 * MIB)] {
        let source = Source::new(seed, length);
        let upload = ietf::create_empty(NEWEST, &edge);
        let body = Body::Range(&source, source.all());
        let appended = ietf::append(NEWEST, &edge, &upload, (0, false), &[], &body).unwrap();
        assert_eq!((appended.status, appended.offset()), (204, length), "{}", appended.text());
        assert_eq!(upload.state(&edge), "receiving");
        let empty = Body::Bytes(b"");
        let ended = ietf::append(NEWEST, &edge, &upload, (length, true), &[], &empty).unwrap();
        assert_eq!((ended.status, ended.offset()), (201, length), "{}", ended.text());
        upload.assert_complete(&edge, &source);
    }
}

#[test]
fn an_upload_of_declared_length_stays_open_until_upload_complete() {
    let edge = Setup::new().start();
    let source = Source::new(655, MIB + 7);
    let length = source.length().to_string();
    let declared = [("upload-length", length.as_str())];
    let body = Body::Range(&source, source.all());
    let created = ietf::create(NEWEST, &edge, false, &declared, &body);
    assert_eq!((created.status, created.offset()), (201, source.length()), "{}", created.text());
    assert_draft_headers(NEWEST, &created, Some(false));
    let upload = Upload::from_response(&created);
    let head = ietf::head(NEWEST, &edge, &upload);
    assert_draft_headers(NEWEST, &head, Some(false));
    let at = (source.length(), true);
    let ended = ietf::append(NEWEST, &edge, &upload, at, &[], &Body::Bytes(b"")).unwrap();
    assert_eq!((ended.status, ended.offset()), (201, source.length()), "{}", ended.text());
    upload.assert_complete(&edge, &source);
}

#[test]
fn a_wrong_offset_returns_the_expected_one_in_the_drafts_problem_type() {
    let edge = Setup::new().start();
    let source = Source::new(660, 2 * MIB);
    for draft in DRAFTS {
        let upload = ietf::create_empty(draft, &edge);
        let body = Body::Range(&source, 0..300_000);
        let appended = ietf::append(draft, &edge, &upload, (0, false), &[], &body).unwrap();
        assert_eq!(appended.offset(), 300_000, "{}", appended.text());
        for wrong in [0, 299_999, 300_001, 999_999_999_999_999] {
            let rejected = ietf::append(draft, &edge, &upload, (wrong, false), &[], &body).unwrap();
            assert_eq!((rejected.status, rejected.offset()), (409, 300_000), "{draft:?}");
            assert_eq!(kind(&rejected), "mismatching-upload-offset");
            let problem = rejected.json();
            assert_eq!(problem["expected-offset"], 300_000);
            assert_eq!(problem["provided-offset"], wrong);
            assert_draft_headers(draft, &rejected, Some(false));
        }
    }
}

#[test]
fn inconsistent_lengths_are_rejected() {
    let edge = Setup::new().start();
    let source = Source::new(665, 2 * MIB);
    let body = Body::Range(&source, 0..100);
    for (complete, length) in [(true, "101"), (true, "99"), (false, "99")] {
        let rejected = ietf::create(NEWEST, &edge, complete, &[("upload-length", length)], &body);
        assert_eq!(
            (rejected.status, kind(&rejected)),
            (400, "inconsistent-upload-length".to_owned())
        );
    }
    assert!(edge.sandbox.operations().is_empty(), "nothing was created");
    // Another length and an early end are rejected; a valid request succeeds afterwards.
    let declared = [("upload-length", "300000")];
    let created = ietf::create(NEWEST, &edge, false, &declared, &Body::Range(&source, 0..150_000));
    let upload = Upload::from_response(&created);
    for (complete, end, length) in
        [(false, 200_000, "300001"), (true, 200_000, "200000"), (true, 200_000, "300000")]
    {
        let body = Body::Range(&source, 150_000..end);
        let more = [("upload-length", length)];
        let rejected =
            ietf::append(NEWEST, &edge, &upload, (150_000, complete), &more, &body).unwrap();
        assert_eq!(
            (rejected.status, kind(&rejected)),
            (400, "inconsistent-upload-length".to_owned())
        );
    }
    let body = Body::Range(&source, 150_000..300_000);
    let ended = ietf::append(NEWEST, &edge, &upload, (150_000, true), &[], &body).unwrap();
    assert_eq!((ended.status, ended.offset()), (201, 300_000), "{}", ended.text());
    let status = upload.status(&edge);
    let object = edge.sandbox.object_bytes(status["object"].as_str().unwrap());
    assert_eq!(sha256(&object), sha256(&source.bytes(0..300_000)));
}

#[test]
fn an_upload_that_receives_more_than_its_length_is_aborted() {
    let edge = Setup::new().start();
    let source = Source::new(668, 2 * MIB);
    for chunked in [false, true] {
        let declared = [("upload-length", "300000")];
        let created =
            ietf::create(NEWEST, &edge, false, &declared, &Body::Range(&source, 0..150_000));
        let upload = Upload::from_response(&created);
        let body = match chunked {
            true => Body::Chunked(&source, 150_000..2 * MIB),
            false => Body::Range(&source, 150_000..2 * MIB),
        };
        let rejected = ietf::append(NEWEST, &edge, &upload, (150_000, false), &[], &body).unwrap();
        assert_eq!(
            (rejected.status, kind(&rejected)),
            (400, "inconsistent-upload-length".to_owned())
        );
        assert_eq!(ietf::head(NEWEST, &edge, &upload).status, 410);
    }
    assert!(edge.sandbox.uploads().is_empty());
    assert!(edge.sandbox.objects().is_empty());
}

#[test]
fn content_is_stored_only_if_its_digest_matches() {
    let edge = Setup::new().start();
    for (seed, algorithm) in (670..).zip(["sha-256", "sha-512"]) {
        let source = Source::new(seed, 3 * MIB);
        let upload = ietf::create_empty(NEWEST, &edge);
        let mut offset = 0;
        for end in [MIB + 50_000, 2 * MIB, source.length()] {
            let bytes = source.bytes(offset..end);
            let right = digest_field(algorithm, &bytes);
            let wrong = digest_field(algorithm, &bytes[1..]);
            let complete = end == source.length();
            for digest in
                [wrong.clone(), format!("{right}, sha-256=:AAAA:"), format!("{wrong}, future=1")]
            {
                let more = [("content-digest", digest.as_str())];
                let body = Body::Bytes(&bytes);
                let rejected =
                    ietf::append(NEWEST, &edge, &upload, (offset, complete), &more, &body).unwrap();
                assert_eq!((rejected.status, rejected.code().as_str()), (400, "digest-mismatch"));
                assert_eq!(rejected.offset(), offset);
                assert_eq!(ietf::head(NEWEST, &edge, &upload).offset(), offset);
            }
            // Unknown algorithms are ignored.
            let digest = format!("md5=:AAAA:, {right}, future=1");
            let more = [("content-digest", digest.as_str())];
            let stored = ietf::append(
                NEWEST,
                &edge,
                &upload,
                (offset, complete),
                &more,
                &Body::Bytes(&bytes),
            );
            let stored = stored.unwrap();
            assert_eq!(stored.offset(), end, "{}", stored.text());
            offset = end;
        }
        upload.assert_complete(&edge, &source);
    }
}

#[test]
fn a_file_in_one_request_is_stored_only_if_its_digests_match() {
    let edge = Setup::new().start();
    for (seed, length) in [(680, 50_000), (681, 2 * MIB + 3)] {
        let source = Source::new(seed, length);
        let bytes = source.bytes(source.all());
        let right = digest_field("sha-256", &bytes);
        let wrong = digest_field("sha-256", &bytes[1..]);
        let before = edge.sandbox.objects().len();
        for name in ["content-digest", "repr-digest"] {
            let rejected =
                ietf::create(NEWEST, &edge, true, &[(name, &wrong)], &Body::Bytes(&bytes));
            assert_eq!((rejected.status, rejected.code().as_str()), (400, "digest-mismatch"));
            assert_eq!(edge.sandbox.objects().len(), before);
        }
        let more = [("content-digest", right.as_str()), ("repr-digest", right.as_str())];
        let created = ietf::create(NEWEST, &edge, true, &more, &Body::Bytes(&bytes));
        assert_eq!((created.status, created.offset()), (201, length), "{}", created.text());
        let upload = Upload::from_response(&created);
        let status = upload.status(&edge);
        let object = edge.sandbox.object_bytes(status["object"].as_str().unwrap());
        assert_eq!(sha256(&object), source.sha256());
    }
}

#[test]
fn a_disconnected_client_resumes_at_the_last_byte() {
    let edge = Setup::new().start();
    let source = Source::new(690, 4 * MIB);
    for framing in [Framing::Length(source.length()), Framing::Chunked] {
        let upload = ietf::create_empty(NEWEST, &edge);
        let sent = 2 * MIB + 123_457;
        let patch = start_stalled(&edge, &upload, &source, framing, sent);
        drop(patch);
        wait::until("what was sent is acknowledged", || {
            (upload.bytes_durable(&edge) == sent).then_some(())
        });
        let head = ietf::head(NEWEST, &edge, &upload);
        assert_eq!(head.offset(), sent);
        let body = Body::Range(&source, sent..source.length());
        let ended = ietf::append(NEWEST, &edge, &upload, (sent, true), &[], &body).unwrap();
        assert_eq!((ended.status, ended.offset()), (201, source.length()), "{}", ended.text());
        upload.assert_complete(&edge, &source);
    }
}

#[test]
fn requests_for_a_stalled_upload_are_served_within_200_ms() {
    let edge = Setup::new().start();
    let source = Source::new(700, 4 * MIB);
    let sent = MIB + 123_457;
    for ask in ["HEAD", "PATCH", "DELETE"] {
        let mut latencies: Vec<Duration> = (0..9)
            .map(|_| {
                let upload = ietf::create_empty(NEWEST, &edge);
                let old =
                    start_stalled(&edge, &upload, &source, Framing::Length(source.length()), sent);
                let asked = Instant::now();
                let latency = match ask {
                    "HEAD" => {
                        let head = ietf::head(NEWEST, &edge, &upload);
                        assert_eq!((head.status, head.offset()), (204, sent));
                        asked.elapsed()
                    }
                    "PATCH" => {
                        let body = Body::Range(&source, MIB..MIB + 200_000);
                        let next = ietf::append(NEWEST, &edge, &upload, (MIB, false), &[], &body);
                        let latency = asked.elapsed();
                        assert_takeover_result(&edge, &upload, &next.unwrap(), sent);
                        latency
                    }
                    _ => {
                        assert_eq!(ietf::delete(NEWEST, &edge, &upload).status, 204);
                        asked.elapsed()
                    }
                };
                let ended = old.response().expect("a response to the stalled request");
                assert!(!ended.is_success(), "{ask}: {}", ended.status);
                if ask == "DELETE" {
                    assert_eq!(ietf::head(NEWEST, &edge, &upload).status, 410);
                } else {
                    assert_eq!(ietf::delete(NEWEST, &edge, &upload).status, 204);
                }
                latency
            })
            .collect();
        latencies.sort_unstable();
        assert!(latencies[4] < Duration::from_millis(200), "{ask}: {latencies:?}");
    }
    wait::until("no multipart upload remains", || edge.sandbox.uploads().is_empty().then_some(()));
    assert!(edge.sandbox.objects().is_empty());
}

#[test]
fn requests_without_a_protocol_are_served_by_the_newest_draft() {
    let edge = Setup::new().start();
    let upload = Upload::create(&edge, 5);
    let head = edge.request("HEAD", &upload.path, &[], &Body::None).unwrap();
    assert_eq!((head.status, head.offset()), (204, 0));
    assert_draft_headers(NEWEST, &head, Some(false));
    let deleted = edge.request("DELETE", &upload.path, &[], &Body::None).unwrap();
    assert_eq!(deleted.status, 204);
    assert_eq!(edge.request("HEAD", &upload.path, &[], &Body::None).unwrap().status, 410);
    // The second deletion reports the abort and deletes the records.
    let again = edge.request("DELETE", &upload.path, &[], &Body::None).unwrap();
    assert_eq!((again.status, again.code().as_str()), (410, "upload-aborted"));
    let again = edge.request("DELETE", &upload.path, &[], &Body::None).unwrap();
    assert_eq!((again.status, again.code().as_str()), (404, "upload-not-found"));
}

/// A PATCH that has sent `sent` bytes, whose complete parts are acknowledged, and stalls.
fn start_stalled(
    edge: &Edge,
    upload: &Upload,
    source: &Source,
    framing: Framing,
    sent: u64,
) -> Exchange {
    let request = NEWEST.patch(&upload.path, 0, true).framing(framing);
    let mut patch = edge.client().start(&request).unwrap();
    assert!(patch.send(&source.bytes(0..sent)));
    wait::until("complete parts are acknowledged", || {
        (upload.bytes_durable(edge) == sent / MIB * MIB).then_some(())
    });
    patch
}

/// Asserts that the takeover at the end of the last part succeeded, or was rejected with the final
/// offset of the stalled request.
fn assert_takeover_result(edge: &Edge, upload: &Upload, response: &Response, sent: u64) {
    if response.is_success() {
        assert_eq!(response.offset(), MIB + 200_000);
    } else {
        assert_eq!((response.status, response.offset()), (409, sent), "{}", response.text());
    }
    assert_eq!(ietf::head(NEWEST, edge, upload).offset(), response.offset());
}

/// Asserts that the response has the headers of `draft`, with this completeness.
fn assert_draft_headers(draft: Draft, response: &Response, complete: Option<bool>) {
    let version = draft.0.to_string();
    assert_eq!(response.header("upload-draft-interop-version"), Some(version.as_str()));
    let (name, yes) = draft.completeness(true);
    let declared = response.header(name).map(|value| value == yes);
    assert_eq!(declared, complete, "{draft:?}: {}", response.text());
    let limits = response.header("upload-limit").unwrap_or_default();
    match draft.0 {
        6 if !limits.is_empty() => assert!(limits.contains("expires="), "{limits}"),
        7.. if !limits.is_empty() => assert!(limits.contains("max-age="), "{limits}"),
        _ => assert_eq!(limits, ""),
    }
    let other = if draft.0 == 3 { "upload-complete" } else { "upload-incomplete" };
    assert_eq!(response.header(other), None);
    assert_eq!(response.header("tus-resumable"), None);
}

/// The status of an append that leaves the upload incomplete.
fn appended_status(draft: Draft) -> u16 {
    if draft.0 < 6 { 201 } else { 204 }
}

/// The name of a problem's type.
fn kind(response: &Response) -> String {
    let problem: Value = response.json();
    let kind = problem["type"].as_str().unwrap_or_default();
    kind.trim_start_matches("https://iana.org/assignments/http-problem-types#").to_owned()
}
