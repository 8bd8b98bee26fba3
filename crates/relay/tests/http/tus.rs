//! tus 1.0.0.

use crate::support::{Headers, Reply, SentBody, Worker};

const TUS: (&str, &str) = ("tus-resumable", "1.0.0");
const CHUNK: (&str, &str) = ("content-type", "application/offset+octet-stream");

fn create(worker: &Worker, headers: Headers<'_>) -> Reply {
    worker.send("POST", "/v1/files", &[&[TUS], headers].concat(), b"")
}

#[test]
fn a_checksum_in_a_trailer_is_unsupported_or_differs() {
    let worker = Worker::new(&[]);
    let created = create(&worker, &[("upload-length", "5")]);
    let headers = [TUS, CHUNK, ("upload-offset", "0"), ("trailer", "upload-checksum")];
    let patch = |trailer: Option<&str>| {
        let body = SentBody::new(b"12345");
        let body = match trailer {
            Some(value) => body.with_trailer("upload-checksum", value),
            None => body,
        };
        worker.send_body("PATCH", created.location(), &headers, body)
    };
    for (trailer, status, code) in [
        (Some("xxh3 AAAA"), 400, "upload-checksum-invalid"),
        (Some("sha1"), 400, "upload-checksum-invalid"),
        (None, 400, "upload-checksum-invalid"),
        (Some("crc32 AAAAAA=="), 460, "digest-mismatch"),
    ] {
        let reply = patch(trailer);
        reply.assert_problem(status, code);
        assert_eq!(reply.header("upload-offset"), Some("0"), "{trailer:?}");
        assert!(worker.services.objects.borrow().is_empty());
    }
    // The CRC-32 of `12345`.
    let reply = patch(Some("crc32 y/U6HA=="));
    assert_eq!((reply.status, worker.only_object()), (204, b"12345".to_vec()));
}

#[test]
fn an_unsupported_checksum_in_the_trailer_of_a_creation_is_a_400() {
    let worker = Worker::new(&[]);
    let headers = [TUS, CHUNK, ("upload-length", "5"), ("trailer", "upload-checksum")];
    let body = SentBody::new(b"12345").with_trailer("upload-checksum", "xxh3 AAAA");
    let reply = worker.send_body("POST", "/v1/files", &headers, body);
    reply.assert_problem(400, "upload-checksum-invalid");
    assert!(reply.header("location").is_some());
}

#[test]
fn a_final_upload_may_name_a_partial_upload_twice() {
    let worker = Worker::new(&[("temporary_bucket", "temporary")]);
    let headers = [TUS, CHUNK, ("upload-concat", "partial"), ("upload-length", "102400")];
    let partial = worker.send("POST", "/v1/files", &headers, &[7; 102_400]);
    assert_eq!(partial.header("upload-offset"), Some("102400"), "{}", partial.text());
    let url = partial.location();
    let concat = format!("final;{url} https://edge.example/prefix{url}");
    let created = create(&worker, &[("upload-concat", &concat)]);
    assert_eq!(created.header("upload-offset"), Some("204800"), "{}", created.text());
    let head = worker.send("HEAD", created.location(), &[TUS], b"");
    assert_eq!(head.header("upload-concat"), Some(concat.as_str()));
    let objects = worker.services.objects.borrow();
    assert!(objects.values().any(|object| *object == [7; 204_800]), "{:?}", objects.keys());
}

#[test]
fn every_response_to_a_patch_has_the_expiry() {
    let worker = Worker::new(&[]);
    let created = create(&worker, &[("upload-length", "5")]);
    let path = created.location();
    let patch = |headers: Headers<'_>, bytes: &[u8]| {
        let headers = [&[TUS], headers].concat();
        let reply = worker.send("PATCH", path, &headers, bytes);
        (reply.status, reply.header("upload-expires").is_some())
    };
    assert_eq!(patch(&[CHUNK, ("upload-offset", "3")], b"45"), (409, true));
    assert_eq!(patch(&[CHUNK], b"45"), (400, true));
    assert_eq!(patch(&[("upload-offset", "0")], b"45"), (415, true));
    assert_eq!(patch(&[CHUNK, ("upload-offset", "0")], b"123456"), (400, true));
    let checksum = ("upload-checksum", "crc32 AAAAAA==");
    assert_eq!(patch(&[CHUNK, ("upload-offset", "0"), checksum], b"12345"), (460, true));
    assert_eq!(patch(&[CHUNK, ("upload-offset", "0")], b"12"), (204, true));
    assert_eq!(patch(&[CHUNK, ("upload-offset", "2")], b"345"), (204, false));
    assert_eq!(patch(&[CHUNK, ("upload-offset", "5")], b"6"), (400, false), "it is complete");
}

#[test]
fn metadata_has_a_defined_result_for_everything_that_clients_write() {
    // "a.mov", "b.mov", "dir/a.mov", "C:\a.mov" and Latin-1 "é.mov" in base64.
    let (a, b, path, windows, latin) =
        ("YS5tb3Y=", "Yi5tb3Y=", "ZGlyL2EubW92", "QzpcYS5tb3Y=", "6S5tb3Y=");
    for (lines, name) in [
        (vec![format!("filename {a},")], "a.mov"),
        (vec![format!(",,filename {a}, ,x")], "a.mov"),
        (vec![format!("x {b}"), format!("filename {a}")], "a.mov"),
        (vec![format!("filename {a}"), format!("filename {a}")], "a.mov"),
        (vec![format!("filename {path}")], "a.mov"),
        (vec![format!("filename {windows}")], "a.mov"),
        (vec![format!("filename ,name {b}")], "b.mov"),
        (vec![format!("filename {latin}")], "_.mov"),
        (vec![String::new()], "upload.mp4"),
        (vec![",".to_owned()], "upload.mp4"),
        (vec![], "upload.mp4"),
    ] {
        let worker = Worker::new(&[]);
        let headers: Vec<_> = lines.iter().map(|line| ("upload-metadata", line.as_str())).collect();
        let created = create(&worker, &[&headers[..], &[("upload-length", "5")]].concat());
        assert_eq!(created.status, 201, "{lines:?}: {}", created.text());
        assert_eq!(worker.services.parameters("FileName"), [name], "{lines:?}");
    }
}

#[test]
fn metadata_with_two_values_of_a_key_is_refused() {
    let worker = Worker::new(&[]);
    for lines in [&["filename YQ==,filename Yg=="][..], &["filename YQ==", "filename Yg=="]] {
        let headers: Vec<_> = lines.iter().map(|line| ("upload-metadata", *line)).collect();
        let created = create(&worker, &[&headers[..], &[("upload-length", "5")]].concat());
        created.assert_problem(400, "upload-metadata-invalid");
    }
    worker.assert_untouched();
}

#[test]
fn metadata_is_returned_as_it_was_sent() {
    let worker = Worker::new(&[]);
    let sent = "filename 6S5tb3Y=,empty,upload_auth YQ==";
    let headers =
        [("upload-metadata", sent), ("upload-metadata", "b Yg=="), ("upload-length", "5")];
    let created = create(&worker, &headers);
    assert_eq!(created.status, 400, "half of a credential");
    let headers = [("upload-metadata", "filename 6S5tb3Y=,empty"), headers[1], headers[2]];
    let head = worker.send("HEAD", create(&worker, &headers).location(), &[TUS], b"");
    assert_eq!(head.header("upload-metadata"), Some("filename 6S5tb3Y=,empty,b Yg=="));
}

#[test]
fn a_partial_upload_requires_no_metadata() {
    let worker = Worker::new(&[("temporary_bucket", "temporary")]);
    let created = create(&worker, &[("upload-concat", "partial"), ("upload-length", "5")]);
    assert_eq!(created.status, 201, "{}", created.text());
    let head = worker.send("HEAD", created.location(), &[TUS], b"");
    assert_eq!((head.status, head.header("upload-metadata")), (200, None));
}
