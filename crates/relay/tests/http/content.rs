//! A header that changes what the content is, is honoured or refused.

use crate::support::{Headers, Worker};

/// Every request that stores content: method, path, headers and content.
const STORING: [(&str, &str, Headers<'static>); 7] = [
    ("PUT", "/v1/uploads/a.mp4", &[]),
    ("POST", "/v1/uploads/a.mp4", &[]),
    ("POST", "/v1/uploads", &[("content-type", "multipart/form-data; boundary=b")]),
    ("PUT", "/v1/uploads/a.mp4", &[("upload-complete", "?1")]),
    ("POST", "/v1/files", &[("upload-complete", "?1")]),
    (
        "POST",
        "/v1/files",
        &[
            ("tus-resumable", "1.0.0"),
            ("upload-length", "5"),
            ("content-type", "application/offset+octet-stream"),
        ],
    ),
    ("POST", "/v1/filepond", &[("content-type", "multipart/form-data; boundary=b")]),
];

fn refused(added: Headers<'_>, status: u16, code: &str) {
    for (method, path, headers) in STORING {
        let worker = Worker::new(&[]);
        let headers = [headers, added].concat();
        let reply = worker.send(method, path, &headers, CONTENT);
        assert_eq!((reply.status, reply.code().as_str()), (status, code), "{method} {headers:?}");
        assert_eq!(reply.header("accept-encoding"), (status == 415).then_some("identity"));
        worker.assert_untouched();
    }
}

#[test]
fn a_range_is_not_stored_as_a_file() {
    for range in ["bytes 0-4/10", "bytes 5-9/10", "bytes */10", "part 1/2", ""] {
        refused(&[("content-range", range)], 400, "content-range-invalid");
    }
}

#[test]
fn encoded_content_is_not_stored() {
    for encoding in ["gzip", "identity, br", "x-unknown", "aws-chunked", "GZIP"] {
        refused(&[("content-encoding", encoding)], 415, "content-encoding-unsupported");
    }
    let twice = [("content-encoding", "identity"), ("content-encoding", "deflate")];
    refused(&twice, 415, "content-encoding-unsupported");
}

#[test]
fn content_of_the_coding_identity_is_stored() {
    for encoding in ["identity", "Identity, identity", ""] {
        let worker = Worker::new(&[]);
        let headers = [("content-encoding", encoding)];
        let reply = worker.send("PUT", "/v1/uploads/a.mp4", &headers, b"12345");
        assert_eq!(reply.status, 201, "{encoding}");
        assert_eq!(worker.only_object(), b"12345");
    }
}

#[test]
fn a_chunk_that_is_a_range_or_encoded_is_refused() {
    let worker = Worker::new(&[]);
    let tus = ("tus-resumable", "1.0.0");
    let created = worker.send("POST", "/v1/files", &[tus, ("upload-length", "5")], b"");
    let chunk = [tus, ("content-type", "application/offset+octet-stream"), ("upload-offset", "0")];
    for (added, status) in
        [(("content-range", "bytes 0-4/5"), 400), (("content-encoding", "br"), 415)]
    {
        let headers = [&chunk[..], &[added]].concat();
        let reply = worker.send("PATCH", created.location(), &headers, b"12345");
        assert_eq!((reply.status, reply.header("tus-resumable")), (status, Some("1.0.0")));
    }
    let stored = worker.send("PATCH", created.location(), &chunk, b"12345");
    assert_eq!(stored.status, 204);
    assert_eq!(worker.only_object(), b"12345");
}

#[test]
fn an_offset_or_incompleteness_of_a_single_request_is_refused() {
    let form = ("content-type", "multipart/form-data; boundary=b");
    for (method, path, headers, field) in [
        ("PUT", "/v1/uploads/a.mp4", [("upload-offset", "5"), ("accept", "*/*")], "upload-offset"),
        ("POST", "/v1/uploads", [form, ("upload-offset", "x")], "upload-offset"),
        ("POST", "/v1/files", [("upload-complete", "?0"), ("upload-offset", "5")], "upload-offset"),
        ("POST", "/v1/uploads", [form, ("upload-complete", "?0")], "upload-complete"),
        ("POST", "/v1/filepond", [form, ("upload-incomplete", "?1")], "upload-incomplete"),
    ] {
        let worker = Worker::new(&[]);
        let reply = worker.send(method, path, &headers, CONTENT);
        reply.assert_problem(400, &format!("{field}-invalid"));
        worker.assert_untouched();
    }
}

#[test]
fn a_media_type_of_parts_is_not_stored_as_a_file() {
    for media_type in [
        "multipart/byteranges; boundary=b",
        "Multipart/Form-Data; boundary=b",
        "multipart/mixed",
        "application/partial-upload",
    ] {
        let worker = Worker::new(&[]);
        let headers = [("content-type", media_type)];
        let reply = worker.send("PUT", "/v1/uploads/a.mp4", &headers, CONTENT);
        reply.assert_problem(415, "media-type-unsupported");
        worker.assert_untouched();
    }
}

#[test]
fn a_part_of_a_form_that_is_a_range_or_encoded_is_refused() {
    for (line, status, code) in [
        ("Content-Encoding: gzip", 415, "content-encoding-unsupported"),
        ("Content-Range: bytes 0-4/10", 400, "content-range-invalid"),
        ("Content-Type: multipart/mixed; boundary=c", 415, "media-type-unsupported"),
    ] {
        for path in ["/v1/uploads", "/v1/filepond"] {
            let worker = Worker::new(&[]);
            let form = format!(
                "--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"a.mp4\"\r\n\
                 {line}\r\n\r\nbytes\r\n--b--\r\n"
            );
            let headers = [("content-type", "multipart/form-data; boundary=b")];
            let reply = worker.send("POST", path, &headers, form.as_bytes());
            reply.assert_problem(status, code);
            assert_eq!(
                reply.header("accept-encoding"),
                (code == "content-encoding-unsupported").then_some("identity")
            );
            worker.assert_untouched();
        }
    }
}

#[test]
fn bytes_behind_the_end_of_a_complete_upload_are_refused() {
    let tus = ("tus-resumable", "1.0.0");
    let chunk_type = ("content-type", "application/offset+octet-stream");
    for length in ["5", "0"] {
        let worker = Worker::new(&[]);
        let headers = [tus, chunk_type, ("upload-length", length)];
        let content = &b"12345"[..length.parse().unwrap()];
        let created = worker.send("POST", "/v1/files", &headers, content);
        assert_eq!(created.header("upload-offset"), Some(length), "{}", created.text());
        let chunk = [tus, chunk_type, ("upload-offset", length)];
        let path = created.location();
        let empty = worker.send_chunked("PATCH", path, &chunk, b"");
        assert_eq!((empty.status, empty.header("upload-offset")), (204, Some(length)));
        for reply in [
            worker.send("PATCH", path, &chunk, b"6"),
            worker.send_chunked("PATCH", path, &chunk, b"6"),
        ] {
            reply.assert_problem(400, "length-mismatch");
            assert_eq!(reply.header("upload-offset"), Some(length));
        }
    }
}

#[test]
fn bytes_behind_the_end_of_a_new_upload_are_refused() {
    let tus = ("tus-resumable", "1.0.0");
    let chunk_type = ("content-type", "application/offset+octet-stream");
    for headers in [&[tus, ("upload-length", "0")][..], &[tus, ("upload-length", "0"), chunk_type]]
    {
        let worker = Worker::new(&[]);
        let reply = worker.send_chunked("POST", "/v1/files", headers, b"6");
        reply.assert_problem(400, "length-mismatch");
        assert!(worker.services.objects.borrow().is_empty());
    }
}

const CONTENT: &[u8] = b"12345";
