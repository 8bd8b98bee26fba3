//! Invalid values: each is rejected with its code, and nothing is created in VOD, OSS or the
//! key-value store.

use vod_uploader_component_tests::body::Body;
use vod_uploader_component_tests::checksum::tus_checksum;
use vod_uploader_component_tests::edge::{Edge, Setup};
use vod_uploader_component_tests::ietf;
use vod_uploader_component_tests::key_value;
use vod_uploader_component_tests::source::{MIB, Source};
use vod_uploader_component_tests::tus::{self, CHUNK_TYPE, Upload, VERSION};
use vod_uploader_component_tests::wait;
use vod_uploader_wire::ietf::NEWEST;
use vod_uploader_wire::{Framing, Headers, Response};

use crate::problems::assert_problem;

const LENGTH: (&str, &str) = ("upload-length", "200000");
const NOT_COUNTS: [&str; 10] =
    ["-1", "+1", "", "1.0", "0x10", "1e3", "1 2", "one", "99999999999999999999", "１"];

#[test]
fn an_invalid_tus_creation_is_rejected_with_the_code_of_its_field() {
    let edge = Setup::new().variable("default_extension", "").start();
    let metadata = tus::metadata(&[("filename", "a.mp4")]);
    let named = ("upload-metadata", metadata.as_str());
    let refuses = |headers: Headers<'_>, code: &str| {
        let headers = [&[VERSION], headers].concat();
        let rejected = edge.request("POST", "/v1/files", &headers, &Body::None).unwrap();
        assert_rejected(&rejected, 400, code, &format!("{headers:?}"));
    };
    for length in NOT_COUNTS {
        refuses(&[("upload-length", length), named], "upload-length-invalid");
    }
    refuses(&[named], "upload-length-invalid");
    refuses(&[("upload-length", "5"), ("upload-length", "6"), named], "upload-length-invalid");
    refuses(&[LENGTH, ("upload-defer-length", "1"), named], "upload-length-invalid");
    for deferred in ["0", "2", "true", "", "1 1"] {
        refuses(&[("upload-defer-length", deferred), named], "upload-defer-length-invalid");
    }
    let long = format!("filename YS5tcDQ=,x {}", "A".repeat(9_000));
    for metadata in [
        "",
        ",",
        "filename",
        "filename *",
        "filename YS5tcDQ",
        "type dmlkZW8=",
        "filename YS5tcDQ=,filename YS5tcDQ=",
        "filename YS5tcDQ=,",
        "fil\u{e9}name YS5tcDQ=",
        "filename YS5tcDQ= x",
        &long,
    ] {
        let headers = [LENGTH, ("upload-metadata", metadata)];
        let headers = [&[VERSION], &headers[..]].concat();
        let rejected = edge.request("POST", "/v1/files", &headers, &Body::None).unwrap();
        // Base64 without padding is accepted, and so are empty and repeated pairs.
        if metadata.starts_with("filename YS5tcDQ") && !metadata.contains('x') {
            assert_eq!(rejected.status, 201, "{metadata}");
            continue;
        }
        assert_rejected(&rejected, 400, METADATA, metadata);
    }
    refuses(&[LENGTH], METADATA);
    for (checksum, body) in wrong_checksums().iter().map(|checksum| (checksum, b"12345")) {
        let headers = [VERSION, CHUNK_TYPE, LENGTH, named, ("upload-checksum", checksum.as_str())];
        let rejected = edge.request("POST", "/v1/files", &headers, &Body::Bytes(body)).unwrap();
        assert_rejected(&rejected, 400, "upload-checksum-invalid", checksum);
    }
    let headers = [VERSION, CHUNK_TYPE, ("upload-length", "4"), named];
    let longer = edge.request("POST", "/v1/files", &headers, &Body::Bytes(b"12345")).unwrap();
    assert_rejected(&longer, 400, "length-mismatch", "a body longer than the file");
    let headers = [VERSION, ("content-type", "text/plain"), LENGTH, named];
    let typed = edge.request("POST", "/v1/files", &headers, &Body::Bytes(b"12345")).unwrap();
    assert_rejected(&typed, 415, "media-type-unsupported", "a body of another type");
    let long = "x".repeat(129);
    for media_id in ["a\u{e9}b", &long] {
        let headers = [VERSION, LENGTH, named, ("upload-media-id", media_id)];
        let rejected = edge.request("POST", "/v1/files", &headers, &Body::None).unwrap();
        assert_rejected(&rejected, 400, "upload-media-id-invalid", media_id);
    }
    assert_nothing_created(&edge, 3);
}

#[test]
fn an_invalid_tus_patch_is_rejected_with_the_code_of_its_field() {
    let edge = Setup::new().start();
    let source = Source::new(750, 200_000);
    let upload = Upload::create(&edge, source.length());
    assert_eq!(upload.patch(&edge, &source, 0..150_000).unwrap().offset(), 150_000);
    edge.sandbox.reset_requests();
    let at = ("upload-offset", "150000");
    let refuses = |headers: Headers<'_>, status: u16, code: &str| {
        let headers = [&[VERSION], headers].concat();
        let body = Body::Range(&source, 150_000..200_000);
        let rejected = edge.request("PATCH", &upload.path, &headers, &body).unwrap();
        assert_rejected(&rejected, status, code, &format!("{headers:?}"));
        assert_eq!(rejected.header("tus-resumable"), Some("1.0.0"));
    };
    for offset in NOT_COUNTS {
        refuses(&[CHUNK_TYPE, ("upload-offset", offset)], 400, "upload-offset-invalid");
    }
    refuses(&[CHUNK_TYPE], 400, "upload-offset-invalid");
    refuses(&[CHUNK_TYPE, at, ("upload-offset", "7")], 400, "upload-offset-invalid");
    for length in NOT_COUNTS {
        refuses(&[CHUNK_TYPE, at, ("upload-length", length)], 400, "upload-length-invalid");
    }
    refuses(&[CHUNK_TYPE, at, ("upload-length", "200001")], 400, "length-inconsistent");
    for checksum in wrong_checksums() {
        let checksum = ("upload-checksum", checksum.as_str());
        refuses(&[CHUNK_TYPE, at, checksum], 400, "upload-checksum-invalid");
    }
    for named in ["", "text/plain", "application/octet-stream", "application/partial-upload"] {
        refuses(&[("content-type", named), at], 415, "media-type-unsupported");
    }
    refuses(&[at], 415, "media-type-unsupported");
    for offset in ["0", "149999", "150001", "200000", "18446744073709551615"] {
        refuses(&[CHUNK_TYPE, ("upload-offset", offset)], 409, "offset-mismatch");
    }
    assert!(edge.sandbox.operations().is_empty(), "{:?}", edge.sandbox.operations());
    assert_eq!(upload.offset(&edge), 150_000);
    upload.finish(&edge, &source);
    assert_eq!(edge.sandbox.only_object().crc64, source.crc64());
    edge.assert_serving();
}

#[test]
fn an_invalid_ietf_request_is_rejected_with_the_code_of_its_field() {
    let edge = Setup::new().variable("default_extension", "").start();
    let source = Source::new(751, 200_000);
    let body = Body::Range(&source, source.all());
    let named = ("content-disposition", "inline; filename=\"a.mp4\"");
    let version = ("upload-draft-interop-version", "8");
    let creates = |headers: Headers<'_>, status: u16, code: &str| {
        let rejected = edge.request("POST", "/v1/files", headers, &body).unwrap();
        assert_rejected(&rejected, status, code, &format!("{headers:?}"));
        let answered = if headers.contains(&version) { "8" } else { "10" };
        assert_eq!(rejected.header("upload-draft-interop-version"), Some(answered));
    };
    for complete in ["", "1", "true", "?2", "?1, ?1", "\"?1\""] {
        let complete = ("upload-complete", complete);
        creates(&[version, complete, named], 400, "upload-complete-invalid");
    }
    creates(&[version, named], 400, "upload-complete-invalid");
    let complete = ("upload-complete", "?1");
    creates(&[complete], 400, "content-disposition-invalid");
    creates(&[complete, ("content-disposition", "inline")], 400, "content-disposition-invalid");
    creates(&[complete, named, ("upload-length", "5")], 400, "length-inconsistent");
    creates(
        &[("upload-complete", "?0"), named, ("upload-length", "5")],
        400,
        "length-inconsistent",
    );
    creates(&[("upload-complete", "?0"), named, ("upload-metadata", "a *")], 400, METADATA);
    assert_nothing_created(&edge, 0);

    let upload = ietf::create_empty(NEWEST, &edge);
    edge.sandbox.reset_requests();
    let typed = ("content-type", "application/partial-upload");
    let (complete, at) = (("upload-complete", "?0"), ("upload-offset", "0"));
    let appends = |headers: Headers<'_>, status: u16, code: &str| {
        let headers = [&[version], headers].concat();
        let rejected = edge.request("PATCH", &upload.path, &headers, &body).unwrap();
        assert_rejected(&rejected, status, code, &format!("{headers:?}"));
    };
    for offset in ["-1", "", "1.5", "x", "?1", "1000000000000000", "\"0\""] {
        appends(&[typed, complete, ("upload-offset", offset)], 400, "upload-offset-invalid");
    }
    appends(&[typed, complete], 400, "upload-offset-invalid");
    appends(&[typed, at], 400, "upload-complete-invalid");
    appends(&[typed, at, ("upload-complete", "yes")], 400, "upload-complete-invalid");
    for typed in [&[][..], &[("content-type", "application/offset+octet-stream")]] {
        appends(&[typed, &[complete, at]].concat(), 415, "media-type-unsupported");
    }
    assert!(edge.sandbox.operations().is_empty(), "{:?}", edge.sandbox.operations());
    assert_eq!(ietf::head(NEWEST, &edge, &upload).offset(), 0);
    edge.assert_serving();
}

#[test]
fn a_harmful_file_name_is_rejected_by_every_protocol() {
    let edge = Setup::new().variable("default_extension", "").start();
    let body = Body::Bytes(b"12345");
    for name in [
        "../a.mp4",
        "..\\a.mp4",
        "a/b.mp4",
        "/etc/a.mp4",
        "a\0.mp4",
        "a\r\nX-Evil: 1.mp4",
        "a\u{7f}.mp4",
        "a\u{85}.mp4",
        "plain",
        "a.",
        "..",
    ] {
        let escaped: String = name.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let path = format!("/v1/uploads/{escaped}");
        let metadata = tus::metadata(&[("filename", name)]);
        let metadata = ("upload-metadata", metadata.as_str());
        let complete = ("upload-complete", "?1");
        let requests: [(&str, &str, Headers<'_>); 6] = [
            ("PUT", &path, &[]),
            ("POST", &path, &[]),
            ("PUT", &path, &[complete]),
            ("POST", &path, &[complete]),
            ("POST", "/v1/files", &[complete, metadata]),
            ("POST", "/v1/files", &[VERSION, CHUNK_TYPE, ("upload-length", "5"), metadata]),
        ];
        // The directories of a name in metadata are removed.
        let has_directories = name.ends_with(".mp4") && name.contains(['/', '\\']);
        let rejections = if has_directories { &requests[..4] } else { &requests[..] };
        for &(method, path, headers) in rejections {
            let rejected = edge.request(method, path, headers, &body).unwrap();
            assert_rejected(
                &rejected,
                400,
                "file-name-invalid",
                &format!("{method} {path} {name:?}"),
            );
        }
    }
    for path in [
        "/v1/uploads/%FF.mp4",
        "/v1/uploads/%zz.mp4",
        "/v1/uploads/a/b.mp4",
        "/v1/uploads/../x.mp4",
    ] {
        let rejected = edge.request("PUT", path, &[], &body).unwrap();
        assert_rejected(&rejected, 400, "file-name-invalid", path);
    }
    assert_nothing_created(&edge, 0);
}

#[test]
fn the_directories_of_a_content_disposition_are_removed() {
    let edge = Setup::new().start();
    let source = Source::new(752, 1_000);
    for disposition in [
        "inline; filename=\"../../etc/clip.mp4\"",
        "inline; filename=\"C:\\\\clip.mp4\"",
        "attachment; filename=x.mp4; filename*=UTF-8''%2e%2e%2fclip.mp4",
    ] {
        let headers = [("upload-complete", "?1"), ("content-disposition", disposition)];
        let body = Body::Range(&source, source.all());
        let created = edge.request("POST", "/v1/files", &headers, &body).unwrap();
        let upload = Upload::from_response(&created);
        assert_eq!(upload.status(&edge)["file_name"], "clip.mp4", "{disposition}");
    }
    assert!(edge.sandbox.objects().iter().all(|object| !object.key.contains("..")));
}

#[test]
fn a_body_shorter_than_declared_completes_no_file() {
    let edge = Setup::new().start();
    let source = Source::new(753, 400_000);
    // An interrupted PUT is aborted; an upload of the draft can be resumed.
    let complete = [("upload-complete", "?1")];
    for (sent, headers) in [(5, &[][..]), (300_000, &[]), (5, &complete)] {
        let framing = Framing::Length(source.length());
        let mut put = edge.start("PUT", "/v1/uploads/a.mp4", headers, framing);
        put.send(&source.bytes(0..sent));
        drop(put);
    }
    let upload = Upload::create(&edge, source.length());
    let mut patch = upload.start_patch(&edge.client(), 0, source.length()).unwrap();
    patch.send(&source.bytes(0..300_000));
    drop(patch);
    wait::until("what came is acknowledged", || {
        (upload.bytes_durable(&edge) == 300_000).then_some(())
    });
    assert_eq!(upload.state(&edge), "receiving");
    assert!(edge.sandbox.objects().is_empty());
    upload.finish(&edge, &source);
    assert_eq!(edge.sandbox.only_object().crc64, source.crc64());
    wait::until("no other upload remains", || edge.sandbox.uploads().is_empty().then_some(()));
}

#[test]
fn bytes_that_are_not_http_do_not_reach_the_worker() {
    let edge = Setup::new().start();
    let source = Source::new(754, MIB);
    for length in ["-1", "1, 2", "x", "99999999999999999999999"] {
        let headers = [("content-length", length)];
        let response = edge.request("PUT", "/v1/uploads/a.mp4", &headers, &Body::None);
        // The host responds with an error or closes the connection.
        assert!(response.is_ok_and(|response| response.status >= 400), "{length}");
    }
    assert_nothing_created(&edge, 0);
    let created = edge.put(&[], &Body::Range(&source, source.all()));
    assert_eq!(created.status, 201);
}

fn wrong_checksums() -> Vec<String> {
    let right = tus_checksum("sha1", b"12345");
    let mut wrong: Vec<_> =
        ["", "sha1", "sha1 *", "sha1 AAAA", "sha512 AAAA", "SHA-1 AAAA="].map(str::to_owned).into();
    wrong.extend([
        right.replace("sha1", "md5"),
        right.replace(' ', ""),
        format!("{right} {right}"),
    ]);
    wrong
}

/// Asserts that the response is a complete problem with this status and code, and with the allowed
/// values of an invalid field.
fn assert_rejected(response: &Response, status: u16, code: &str, what: &str) {
    assert_eq!((response.status, response.code().as_str()), (status, code), "{what}");
    assert_problem(what, response);
    let problem = response.json();
    if let Some(field) = code.strip_suffix("-invalid") {
        assert_eq!(problem["field"], field, "{what}");
        assert!(problem["allowed"].as_str().is_some_and(|text| !text.is_empty()), "{what}");
    }
}

/// Asserts that only `uploads` uploads exist in VOD, OSS and the key-value store.
fn assert_nothing_created(edge: &Edge, uploads: usize) {
    assert_eq!(edge.sandbox.media().len(), uploads);
    assert!(edge.sandbox.objects().is_empty());
    assert!(edge.sandbox.uploads().is_empty());
    let records = key_value::records(&edge.host_dir());
    let created = records.iter().filter(|(key, _)| key.ends_with(".upload")).count();
    assert_eq!(created, uploads, "{:?}", records.iter().map(|(key, _)| key).collect::<Vec<_>>());
    edge.assert_serving();
}

const METADATA: &str = "upload-metadata-invalid";
