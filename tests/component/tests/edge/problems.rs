//! Rejected requests: each receives its status and code, and affects no other request.

use vod_uploader_component_tests::body::Body;
use vod_uploader_component_tests::edge::Setup;
use vod_uploader_component_tests::source::{MIB, Source};
use vod_uploader_component_tests::tus::{self, CHUNK_TYPE, Upload, VERSION};
use vod_uploader_wire::Response;

/// A request and the expected response.
struct Case<'a> {
    what: &'a str,
    method: &'a str,
    path: &'a str,
    headers: Vec<(&'a str, &'a str)>,
    body: Body<'a>,
    status: u16,
    code: &'a str,
}

#[test]
fn every_invalid_request_is_rejected_with_its_status_and_code() {
    let edge = Setup::new().start();
    let source = Source::new(8, 300_000);
    let upload = Upload::create(&edge, 200_000);
    let stored = upload.patch(&edge, &source, 0..150_000).unwrap();
    assert_eq!((stored.status, stored.offset()), (204, 150_000));
    let named = tus::metadata(&[("filename", "a.mp4")]);
    let named = ("upload-metadata", named.as_str());
    let length = ("upload-length", "5");
    let at = ("upload-offset", "150000");
    let path = upload.path.as_str();
    let body = || Body::Range(&source, 150_000..200_000);
    let case = |what, method, path, headers: &[_], body, status, code| Case {
        what,
        method,
        path,
        headers: headers.to_vec(),
        body,
        status,
        code,
    };
    let create = |what, headers: &[_], status, code| {
        case(what, "POST", "/v1/files", headers, Body::None, status, code)
    };
    let patch = |what, headers: &[_], body, status, code| {
        case(what, "PATCH", path, headers, body, status, code)
    };
    let unknown = "/v1/files/00000000000000000000000000000000";
    let cases = [
        create("no version", &[length, named], 412, "protocol-version-unsupported"),
        create(
            "another version",
            &[OLD_VERSION, length, named],
            412,
            "protocol-version-unsupported",
        ),
        case("HEAD of another version", "HEAD", path, &[OLD_VERSION], Body::None, 412, ""),
        case(
            "DELETE of another version",
            "DELETE",
            path,
            &[OLD_VERSION],
            Body::None,
            412,
            "protocol-version-unsupported",
        ),
        create("too large", &[VERSION, ("upload-length", "99999999999999"), named], 413, LARGE),
        patch("another content type", &[VERSION, at], body(), 415, "media-type-unsupported"),
        patch("another offset", &[VERSION, CHUNK_TYPE, ("upload-offset", "7")], body(), 409, AT),
        patch(
            "more bytes than remain",
            &[VERSION, CHUNK_TYPE, at],
            Body::Range(&source, 150_000..200_001),
            400,
            LENGTH,
        ),
        case("HEAD of nothing", "HEAD", unknown, &[VERSION], Body::None, 404, ""),
        case("GET of nothing", "GET", unknown, &[], Body::None, 404, NONE),
        case("DELETE of nothing", "DELETE", unknown, &[VERSION], Body::None, 404, NONE),
        case(
            "PATCH of nothing",
            "PATCH",
            unknown,
            &[VERSION, CHUNK_TYPE, ("upload-offset", "0")],
            body(),
            404,
            NONE,
        ),
        case("no id", "GET", "/v1/files/a%20b", &[], Body::None, 404, NONE),
        case("an unknown path", "GET", "/v2/files", &[], Body::None, 404, NONE),
        case("the root", "GET", "/", &[], Body::None, 404, NONE),
        case("an invalid name", "PUT", "/v1/uploads/%zz", &[], body(), 400, "file-name-invalid"),
    ];
    edge.sandbox.reset_requests();
    for Case { what, method, path, headers, body, status, code } in &cases {
        let response = edge.request(method, path, headers, body).expect(what);
        assert_eq!(response.status, *status, "{what}: {}", response.text());
        assert_eq!(response.code(), *code, "{what}: {}", response.text());
        if *status == 412 {
            assert_eq!(response.header("tus-version"), Some("1.0.0"), "{what}");
        }
        if !code.is_empty() {
            assert_problem(what, &response);
        }
    }
    assert!(edge.sandbox.operations().is_empty(), "{:?}", edge.sandbox.operations());
    edge.assert_serving();
    assert_eq!(upload.offset(&edge), 150_000);
    let stored = upload.patch(&edge, &source, 150_000..200_000).unwrap();
    assert_eq!((stored.status, stored.offset()), (204, 200_000));
}

#[test]
fn an_unsupported_method_is_rejected_with_the_supported_ones() {
    let edge = Setup::new().start();
    let id = "/v1/files/00000000000000000000000000000000";
    let cases = [
        ("GET", "/v1/uploads/a.mp4", "OPTIONS, POST, PUT"),
        ("PUT", "/v1/uploads", "OPTIONS, POST"),
        ("PUT", "/v1/files", "OPTIONS, POST"),
        ("POST", id, "DELETE, GET, HEAD, OPTIONS, PATCH"),
        ("POST", "/healthz", "GET, HEAD"),
        ("GET", "/v1/files/00000000000000000000000000000000/pause", "OPTIONS, POST"),
        ("POST", "/v1/files/00000000000000000000000000000000/events", "GET, OPTIONS"),
        ("PUT", "/v1/filepond", "DELETE, HEAD, OPTIONS, PATCH, POST"),
    ];
    for (method, path, allow) in cases {
        let rejected = edge.request(method, path, &[VERSION], &Body::None).unwrap();
        assert_eq!(
            (rejected.status, rejected.header("allow")),
            (405, Some(allow)),
            "{method} {path}"
        );
    }
    edge.assert_serving();
}

#[test]
fn a_request_of_undeclared_length_that_is_too_long_completes_no_upload() {
    let edge = Setup::new().start();
    let source = Source::new(9, 4 * MIB);
    for declared in [10, 150_000, 2 * MIB, 4 * MIB - 1] {
        let upload = Upload::create(&edge, declared);
        let body = Body::Chunked(&source, source.all());
        let rejected = upload.patch_with(&edge, &[], 0, &body).unwrap();
        assert_eq!((rejected.status, rejected.code().as_str()), (400, "length-mismatch"));
        assert_eq!(upload.state(&edge), "receiving", "{declared}");
        assert!(upload.offset(&edge) <= declared);
    }
    assert!(edge.sandbox.objects().is_empty());
    assert_eq!(edge.sandbox.requests("CompleteMultipartUpload"), 0);
    edge.assert_serving();
}

#[test]
fn a_file_above_the_size_limit_is_rejected_before_and_during_the_transfer() {
    let edge = Setup::new().variable("upload_max_bytes", "2097152").start();
    let source = Source::new(10, 3 * MIB);
    let declared = edge.put(&[], &Body::Range(&source, source.all()));
    assert_eq!((declared.status, declared.code().as_str()), (413, "file-too-large"));
    assert!(edge.sandbox.operations().is_empty());
    let undeclared = edge.put(&[], &Body::Chunked(&source, source.all()));
    assert_eq!((undeclared.status, undeclared.code().as_str()), (413, "file-too-large"));
    assert!(edge.sandbox.objects().is_empty());
    assert!(edge.sandbox.uploads().is_empty());
    let exact = edge.put(&[], &Body::Chunked(&source, 0..2 * MIB));
    assert_eq!(exact.status, 201, "{}", exact.text());
}

#[test]
fn options_lists_the_supported_protocols_and_limits() {
    let always = "creation,creation-with-upload,creation-defer-length";
    let more = "checksum,checksum-trailer,termination";
    let joined = "concatenation,concatenation-unfinished";
    for (setup, extensions) in [
        (Setup::new(), format!("{always},expiration,{more}")),
        (Setup::new().variable("expire_after_s", "0"), format!("{always},{more}")),
        (Setup::new().temporary_storage(), format!("{always},expiration,{more},{joined}")),
    ] {
        let edge = setup.start();
        for path in ["/v1/files", "/v1/files/00000000000000000000000000000000", "/v1/uploads/a"] {
            let options = edge.request("OPTIONS", path, &[], &Body::None).unwrap();
            assert_eq!(options.status, 204);
            assert_eq!(options.header("tus-version"), Some("1.0.0"));
            assert_eq!(options.header("tus-extension"), Some(extensions.as_str()));
            assert_eq!(options.header("tus-checksum-algorithm"), Some("sha1,md5,crc32,sha256"));
            let size_max: u64 = options.header("tus-max-size").unwrap().parse().unwrap();
            assert!(size_max > MIB);
            assert_eq!(options.header("accept-patch"), Some("application/partial-upload"));
            let limits = options.header("upload-limit").unwrap();
            assert!(limits.contains(&format!("max-size={}", size_max.min(999_999_999_999_999))));
        }
    }
}

pub(crate) fn assert_problem(what: &str, response: &Response) {
    let problem = response.json();
    assert_eq!(problem["status"], response.status, "{what}");
    for field in ["type", "title", "detail", "action"] {
        assert!(problem[field].as_str().is_some_and(|text| !text.is_empty()), "{what}: {field}");
    }
    assert!(problem["retryable"].is_boolean(), "{what}");
}

const OLD_VERSION: (&str, &str) = ("tus-resumable", "0.2.2");
const LARGE: &str = "file-too-large";
const LENGTH: &str = "length-mismatch";
const AT: &str = "offset-mismatch";
const NONE: &str = "upload-not-found";
