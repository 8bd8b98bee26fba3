//! Refused requests: their bodies are not read, and their responses have the headers of the
//! protocol.

use crate::support::{Headers, SentBody, Worker};

const EXPECT: (&str, &str) = ("expect", "100-continue");
const TUS: (&str, &str) = ("tus-resumable", "1.0.0");
const CHUNK: (&str, &str) = ("content-type", "application/offset+octet-stream");

#[test]
fn a_request_that_the_head_decides_is_refused_without_reading_its_body() {
    let long = "x".repeat(129);
    let form = ("content-type", "multipart/form-data; boundary=b");
    let credential = [("upload-address", "e30="), ("upload-auth", "e30=")];
    let form_headers = [form, credential[0], credential[1]];
    let cases: [(&str, &str, Headers<'_>, u16); 17] = [
        ("PUT", "/v1/uploads/a.mp4", &[("content-length", "2000")], 413),
        ("PUT", "/v1/uploads/a.mp4", &[("content-encoding", "gzip")], 415),
        ("PUT", "/v1/uploads/a.mp4", &[("content-range", "bytes 0-4/5")], 400),
        ("PUT", "/v1/uploads/a.mp4", &[("upload-auth", "e30=")], 400),
        ("PUT", "/v1/uploads/a.mp4", &[("upload-media-id", &long)], 400),
        ("PUT", "/v1/uploads/a.mp4", &[("upload-media-id", "media1")], 403),
        ("PUT", "/v1/uploads/%00.mp4", &[], 400),
        ("PUT", "/v1/uploads/a.mp4", &[("upload-complete", "?1"), ("upload-auth", "e30=")], 400),
        ("POST", "/v1/uploads", &[("content-type", "text/plain")], 415),
        ("POST", "/v1/uploads", &form_headers, 400),
        ("POST", "/v1/files", &[("upload-complete", "?1"), ("upload-length", "2000")], 413),
        ("POST", "/v1/files", &[TUS, CHUNK, ("upload-length", "2000")], 413),
        ("POST", "/v1/files", &[], 412),
        ("POST", "/v1/files/a1", &[], 405),
        ("POST", "/v1/nothing", &[], 404),
        ("POST", "/v1/filepond", &[("upload-auth", "e30=")], 400),
        ("PATCH", "/v1/files/a1", &[TUS, CHUNK, ("upload-offset", "0")], 404),
    ];
    for (method, path, headers, status) in cases {
        let worker = Worker::new(&[("upload_max_bytes", "1000")]);
        let headers = [&[EXPECT], headers].concat();
        let reply = worker.send_body(method, path, &headers, SentBody::new(b"12345"));
        assert_eq!(reply.status, status, "{method} {path} {headers:?}: {}", reply.text());
        assert!(!reply.has_read_body, "{method} {path} {headers:?}");
        worker.assert_untouched();
    }
}

#[test]
fn a_worker_without_an_access_key_requests_a_credential_before_it_reads_the_body() {
    let worker = Worker::new(&[("vod_access_key_id", ""), ("vod_access_key_secret", "")]);
    for headers in [&[EXPECT][..], &[EXPECT, ("upload-complete", "?1")]] {
        let reply = worker.send_body("PUT", "/v1/uploads/a.mp4", headers, SentBody::new(b"1"));
        reply.assert_problem(401, "credential-required");
        assert!(!reply.has_read_body);
    }
}

#[test]
fn a_body_that_is_already_being_sent_is_drained() {
    let worker = Worker::new(&[]);
    let reply = worker.send("POST", "/v1/files", &[], b"12345");
    assert_eq!(reply.status, 412);
    assert!(reply.has_read_body, "a host resets a connection with unread bytes");
}

#[test]
fn every_response_has_the_headers_of_its_protocol() {
    let worker = Worker::new(&[("upload_max_bytes", "1000")]);
    for (method, path, status) in [
        ("HEAD", "/v1/files/a1", 404),
        ("PATCH", "/v1/files/a1", 415),
        ("POST", "/v1/files/not/there", 404),
        ("PUT", "/v1/files", 405),
        ("POST", "/v1/files/a1", 405),
        ("GET", "/v1/files/a1", 404),
        ("POST", "/v1/files", 400),
    ] {
        let tus = worker.send(method, path, &[TUS], b"");
        let expected = if method == "PATCH" { 404 } else { status };
        assert_eq!((tus.status, tus.header("tus-resumable")), (expected, Some("1.0.0")), "{path}");
        let version = ("upload-draft-interop-version", "6");
        let ietf = worker.send(method, path, &[version], b"");
        assert_eq!(ietf.status, status, "{method} {path}");
        assert_eq!(ietf.header("upload-draft-interop-version"), Some("6"), "{method} {path}");
        assert_eq!(ietf.header("upload-complete"), Some("?0"), "{method} {path}");
        assert_eq!(ietf.header("allow").is_some(), status == 405, "{method} {path}");
        let plain = worker.send("GET", "/v1/nothing", &[], b"");
        assert_eq!((plain.status, plain.header("tus-resumable")), (404, None));
    }
}

#[test]
fn a_file_that_is_too_large_is_refused_with_the_limit() {
    let worker = Worker::new(&[("upload_max_bytes", "1000")]);
    let length = ("upload-length", "1001");
    let ietf = worker.send("POST", "/v1/files", &[("upload-complete", "?0"), length], b"");
    assert_eq!(ietf.status, 413);
    assert_eq!(ietf.header("upload-limit"), Some("max-size=1000, max-age=604800"));
    let created = worker.send("POST", "/v1/files", &[("upload-complete", "?0")], b"");
    let append = [
        ("upload-complete", "?0"),
        ("upload-offset", "0"),
        ("content-type", "application/partial-upload"),
    ];
    let appended = worker.send("PATCH", created.location(), &append, &[0; 1001]);
    assert_eq!((appended.status, appended.header("upload-complete")), (413, Some("?1")));
    assert_eq!(appended.header("upload-limit"), Some("max-size=1000, max-age=604800"));
    let tus = worker.send("POST", "/v1/files", &[TUS, length], b"");
    assert_eq!((tus.status, tus.header("tus-max-size")), (413, Some("1000")));
}

#[test]
fn an_empty_method_override_is_none() {
    let worker = Worker::new(&[]);
    let headers = [("x-http-method-override", "")];
    let reply = worker.send("PUT", "/v1/uploads/a.mp4", &headers, b"12345");
    assert_eq!(reply.status, 201, "{}", reply.text());
}
