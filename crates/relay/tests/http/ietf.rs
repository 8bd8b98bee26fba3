//! The IETF draft for resumable uploads.

use crate::support::{Headers, Reply, Worker};

const COMPLETE: (&str, &str) = ("upload-complete", "?1");
const INCOMPLETE: (&str, &str) = ("upload-complete", "?0");
const PARTIAL: (&str, &str) = ("content-type", "application/partial-upload");

fn create(worker: &Worker, headers: Headers<'_>) -> Reply {
    worker.send("POST", "/v1/files", headers, b"")
}

fn append(worker: &Worker, path: &str, headers: Headers<'_>, bytes: &[u8]) -> Reply {
    worker.send("PATCH", path, &[&[PARTIAL], headers].concat(), bytes)
}

#[test]
fn every_version_until_10_is_supported() {
    for version in 3..=10 {
        let worker = Worker::new(&[]);
        let number = version.to_string();
        let version_header = ("upload-draft-interop-version", number.as_str());
        let incomplete = if version == 3 { ("upload-incomplete", "?1") } else { INCOMPLETE };
        let created = create(&worker, &[version_header, incomplete]);
        assert_eq!(created.status, 201, "{version}");
        assert_eq!(created.header("upload-draft-interop-version"), Some(number.as_str()));
        let complete = if version == 3 { ("upload-incomplete", "?0") } else { COMPLETE };
        let headers = [version_header, complete, ("upload-offset", "0")];
        let completed = append(&worker, created.location(), &headers, b"12345");
        assert_eq!(completed.status, 201, "{version}: {}", completed.text());
        assert_eq!(completed.header(complete.0), Some(complete.1));
        assert_eq!(worker.only_object(), b"12345");
    }
}

#[test]
fn an_unknown_later_version_is_that_of_the_newest_draft() {
    let worker = Worker::new(&[]);
    let created = create(&worker, &[("upload-draft-interop-version", "11"), INCOMPLETE]);
    assert_eq!(created.header("upload-draft-interop-version"), Some("10"));
    assert_eq!(create(&worker, &[INCOMPLETE]).status, 201, "the version is optional");
}

#[test]
fn a_patch_without_a_valid_completeness_changes_nothing() {
    let worker = Worker::new(&[]);
    let created = create(&worker, &[INCOMPLETE]);
    let path = created.location();
    let at = ("upload-offset", "0");
    for headers in [
        &[at][..],
        &[at, ("upload-complete", "1")],
        &[at, ("upload-complete", "?2")],
        &[at, ("upload-complete", "true"), ("upload-draft-interop-version", "8")],
        &[at, COMPLETE, INCOMPLETE],
    ] {
        let reply = append(&worker, path, headers, b"12345");
        reply.assert_problem(400, "upload-complete-invalid");
        assert_eq!(reply.header("upload-complete"), Some("?0"), "{headers:?}");
    }
    for offset in ["-1", "5.0", "\"0\"", "1000000000000000"] {
        let reply = append(&worker, path, &[COMPLETE, ("upload-offset", offset)], b"12345");
        reply.assert_problem(400, "upload-offset-invalid");
        assert_eq!(reply.header("upload-complete"), Some("?0"));
    }
    let head = worker.send("HEAD", path, &[], b"");
    assert_eq!((head.status, head.header("upload-offset")), (204, Some("0")));
    // Parameters of a value are ignored.
    let stored = append(&worker, path, &[("upload-complete", "?1;x"), at], b"12345");
    assert_eq!(stored.status, 201, "{}", stored.text());
}

#[test]
fn a_creation_with_an_invalid_completeness_is_a_plain_request() {
    for headers in [
        &[("upload-complete", "yes")][..],
        &[("upload-complete", "1"), ("upload-draft-interop-version", "8")],
        &[("upload-draft-interop-version", "8")],
    ] {
        let worker = Worker::new(&[]);
        let reply = worker.send("PUT", "/v1/uploads/a.mp4", headers, b"12345");
        assert_eq!((reply.status, reply.header("location")), (201, None), "{headers:?}");
        assert_eq!(worker.only_object(), b"12345");
        // The path of resumable uploads has no plain requests.
        let reply = worker.send("POST", "/v1/files", headers, b"12345");
        reply.assert_problem(400, "upload-complete-invalid");
    }
}

#[test]
fn state_in_a_request_without_content_is_refused() {
    let worker = Worker::new(&[]);
    let created = create(&worker, &[INCOMPLETE]);
    let path = created.location();
    for (method, name) in [
        ("HEAD", "upload-offset"),
        ("HEAD", "upload-complete"),
        ("HEAD", "upload-length"),
        ("DELETE", "upload-offset"),
        ("DELETE", "upload-complete"),
    ] {
        let reply = worker.send(method, path, &[(name, "0")], b"");
        assert_eq!((reply.status, reply.header("upload-complete")), (400, Some("?0")), "{name}");
    }
    assert_eq!(worker.send("DELETE", path, &[], b"").status, 204);
}

#[test]
fn an_empty_representation_is_complete_at_once() {
    for (method, path) in [("POST", "/v1/files"), ("PUT", "/v1/uploads/a.mp4")] {
        for length in [&[][..], &[("upload-length", "0")], &[("content-length", "0")]] {
            let worker = Worker::new(&[]);
            let reply = worker.send(method, path, &[&[COMPLETE], length].concat(), b"");
            assert_eq!(reply.status, 201, "{}", reply.text());
            assert_eq!(reply.header("upload-complete"), Some("?1"));
            assert_eq!(worker.only_object(), b"");
        }
    }
}

#[test]
fn an_empty_request_declares_that_the_upload_is_complete() {
    for (declared, bytes) in
        [(&[][..], &b""[..]), (&[("upload-length", "0")], b""), (&[], b"12345")]
    {
        let worker = Worker::new(&[]);
        let headers = [&[INCOMPLETE], declared].concat();
        let created = worker.send("POST", "/v1/files", &headers, bytes);
        assert_eq!((created.status, created.header("upload-complete")), (201, Some("?0")));
        let path = created.location();
        let offset = bytes.len().to_string();
        let at = ("upload-offset", offset.as_str());
        let nothing = append(&worker, path, &[INCOMPLETE, at, ("content-length", "0")], b"");
        assert_eq!((nothing.status, nothing.header("upload-complete")), (204, Some("?0")));
        let end = [COMPLETE, at, ("content-length", "0")];
        let completed = append(&worker, path, &end, b"");
        assert_eq!((completed.status, completed.header("upload-complete")), (201, Some("?1")));
        assert_eq!(worker.only_object(), bytes);
        // The client did not receive the response.
        let repeated = append(&worker, path, &end, b"");
        assert_eq!((repeated.status, repeated.header("upload-complete")), (201, Some("?1")));
        let old = ("upload-draft-interop-version", "8");
        let repeated = append(&worker, path, &[&end[..], &[old]].concat(), b"");
        repeated.assert_problem(400, "upload-ended");
    }
}

#[test]
fn bytes_behind_the_end_do_not_end_a_complete_upload() {
    let worker = Worker::new(&[]);
    let created = worker.send("POST", "/v1/files", &[COMPLETE], b"12345");
    let path = created.location();
    let headers = [PARTIAL, INCOMPLETE, ("upload-offset", "5")];
    for reply in [
        worker.send("PATCH", path, &headers, b"6"),
        worker.send_chunked("PATCH", path, &headers, b"6"),
    ] {
        reply.assert_problem(400, "length-mismatch");
        assert_eq!(reply.header("upload-complete"), Some("?0"));
    }
    let head = worker.send("HEAD", path, &[], b"");
    assert_eq!((head.status, head.header("upload-complete")), (204, Some("?1")));
    assert_eq!(worker.only_object(), b"12345");
}

#[test]
fn the_digest_of_a_patch_is_that_of_the_patch_from_interop_9_on() {
    // Of `12345`, and of no content.
    let other = "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:";
    let expected = "sha-256=:WZRHGrsBESr8wYFZ9sx0tPURuZgG2lmzyvWpwXPKz8U=:";
    for (version, status) in [("8", 410), ("9", 201), ("10", 201)] {
        let worker = Worker::new(&[]);
        let version = ("upload-draft-interop-version", version);
        let want = ("want-repr-digest", "sha-256=1");
        let created = create(&worker, &[version, INCOMPLETE, want]);
        let headers = [version, COMPLETE, ("upload-offset", "0"), ("repr-digest", other)];
        let reply = append(&worker, created.location(), &headers, b"12345");
        assert_eq!(reply.status, status, "{version:?}: {}", reply.text());
        assert_eq!(reply.header("repr-digest"), (status == 201).then_some(expected));
    }
}

#[test]
fn every_conflict_tells_the_client_to_resume() {
    let worker = Worker::new(&[]);
    let created = create(&worker, &[INCOMPLETE]);
    let path = created.location();
    let misplaced = append(&worker, path, &[COMPLETE, ("upload-offset", "9")], b"1");
    assert_eq!((misplaced.status, misplaced.header("upload-complete")), (409, Some("?0")));
    assert_eq!(misplaced.header("upload-offset"), Some("0"));
    worker.send("POST", &format!("{path}/pause"), &[], b"");
    let paused = append(&worker, path, &[COMPLETE, ("upload-offset", "0")], b"1");
    assert_eq!((paused.status, paused.header("upload-complete")), (409, Some("?0")));
}

#[test]
fn an_incomplete_request_is_not_acknowledged_by_a_success() {
    for complete in [COMPLETE, INCOMPLETE] {
        let worker = Worker::new(&[]);
        let created = create(&worker, &[INCOMPLETE]);
        let headers = [PARTIAL, complete, ("upload-offset", "0")];
        let body = crate::support::SentBody::interrupted(b"123");
        let reply = worker.send_body("PATCH", created.location(), &headers, body);
        reply.assert_problem(409, "taken-over");
        assert_eq!(reply.header("upload-complete"), Some("?0"));
        assert_eq!(reply.header("upload-offset"), Some("3"));
    }
}
