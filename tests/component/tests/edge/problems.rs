//! Requests that cannot be served: each gets its status and its code, and harms nobody else.

use vod_uploader_component_tests::edge::{Edge, Setup};
use vod_uploader_component_tests::http::{Body, Response};
use vod_uploader_component_tests::source::{MIB, Source};
use vod_uploader_component_tests::tus::{CHUNK_TYPE, Upload, VERSION, encode_metadata};

/// What is sent, and what must come back.
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
fn every_bad_request_gets_its_status_and_its_code() {
    let edge = Setup::new().start();
    let source = Source::new(8, 300_000);
    let upload = Upload::create(&edge, 200_000);
    let stored = upload.patch(&edge, &source, 0..150_000).unwrap();
    assert_eq!((stored.status, stored.offset()), (204, 150_000));
    let named = encode_metadata(&[("filename", "a.mp4")]);
    let named = ("upload-metadata", named.as_str());
    let length = ("upload-length", "5");
    let at = ("upload-offset", "150000");
    let path = upload.path.as_str();
    let body = || Body::Range(&source, 150_000..200_000);
    let long = format!("{}.mp4", "x".repeat(4096));
    let long_path = format!("/v1/uploads/{long}");
    let metadata = |name: &str| encode_metadata(&[("filename", name)]);
    let (traversal, control) = (metadata("../a.mp4"), metadata("a\r\nb.mp4"));
    let (long, empty, bare) = (metadata(&long), metadata(""), metadata("plain"));
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
    let named_create = |what, metadata, code| {
        create(what, &[VERSION, length, ("upload-metadata", metadata)], 400, code)
    };
    let patch = |what, headers: &[_], body, status, code| {
        case(what, "PATCH", path, headers, body, status, code)
    };
    let put = |what, path, code| case(what, "PUT", path, &[], body(), 400, code);
    let invalid = "request-invalid";
    let unknown = "/v1/files/00000000000000000000000000000000";
    let cases = [
        create("no version", &[length, named], 412, "protocol-version-unsupported"),
        create(
            "another version",
            &[("tus-resumable", "0.2.2"), length, named],
            412,
            "protocol-version-unsupported",
        ),
        case("HEAD without version", "HEAD", path, &[], Body::None, 412, ""),
        case(
            "DELETE without version",
            "DELETE",
            path,
            &[],
            Body::None,
            412,
            "protocol-version-unsupported",
        ),
        create("no length", &[VERSION, named], 400, invalid),
        create("a negative length", &[VERSION, ("upload-length", "-1"), named], 400, invalid),
        create("a length above 64 bits", &[VERSION, ("upload-length", HUGE), named], 400, invalid),
        create("no metadata", &[VERSION, length], 400, invalid),
        create("a deferred length", &[VERSION, ("upload-defer-length", "1"), named], 400, invalid),
        create("too large", &[VERSION, ("upload-length", "99999999999999"), named], 413, LARGE),
        named_create("metadata that is not base64", "filename *", invalid),
        named_create("a key twice", "filename YS5tcDQ=,filename YS5tcDQ=", invalid),
        named_create("a name that is not UTF-8", "filename /w==", invalid),
        named_create("folders in the name", &traversal, invalid),
        named_create("control characters in the name", &control, invalid),
        named_create("a name of 4 KiB", &long, invalid),
        named_create("an empty name", &empty, invalid),
        named_create("a name without extension", &bare, invalid),
        patch("another content type", &[VERSION, at], body(), 415, "media-type-unsupported"),
        patch("no offset", &[VERSION, CHUNK_TYPE], body(), 400, invalid),
        patch("another offset", &[VERSION, CHUNK_TYPE, ("upload-offset", "7")], body(), 409, AT),
        patch(
            "an offset that is no number",
            &[VERSION, CHUNK_TYPE, ("upload-offset", "0x10")],
            body(),
            400,
            invalid,
        ),
        patch(
            "more bytes than are left",
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
        case("no id", "GET", "/v1/files/a%20b", &[], Body::None, 400, invalid),
        case("an unknown path", "GET", "/v2/files", &[], Body::None, 404, NONE),
        case("the root", "GET", "/", &[], Body::None, 404, NONE),
        put("no name", "/v1/uploads/", invalid),
        put("folders in the path's name", "/v1/uploads/..%2Fa.mp4", invalid),
        put("a folder and a name", "/v1/uploads/b/a.mp4", invalid),
        put("control characters in the path's name", "/v1/uploads/a%0Ab.mp4", invalid),
        put("a path's name of 4 KiB", &long_path, invalid),
        put("a path's name without extension", "/v1/uploads/plain", invalid),
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
            is_a_whole_problem(what, &response);
        }
    }
    assert!(edge.sandbox.operations().is_empty(), "{:?}", edge.sandbox.operations());
    serves_on(&edge);
    assert_eq!(upload.offset(&edge), 150_000);
    let stored = upload.patch(&edge, &source, 150_000..200_000).unwrap();
    assert_eq!((stored.status, stored.offset()), (204, 200_000));
}

#[test]
fn a_method_that_a_path_does_not_have_is_refused_with_those_that_it_has() {
    let edge = Setup::new().start();
    let id = "/v1/files/00000000000000000000000000000000";
    let cases = [
        ("GET", "/v1/uploads/a.mp4", "PUT"),
        ("PUT", "/v1/files", "OPTIONS, POST"),
        ("POST", id, "DELETE, GET, HEAD, OPTIONS, PATCH"),
        ("POST", "/healthz", "GET, HEAD"),
    ];
    for (method, path, allow) in cases {
        let refused = edge.request(method, path, &[VERSION], &Body::None).unwrap();
        assert_eq!(
            (refused.status, refused.header("allow")),
            (405, Some(allow)),
            "{method} {path}"
        );
    }
    serves_on(&edge);
}

#[test]
fn a_request_of_undeclared_length_that_brings_too_much_completes_nothing() {
    let edge = Setup::new().start();
    let source = Source::new(9, 4 * MIB);
    for declared in [10, 150_000, 2 * MIB, 4 * MIB - 1] {
        let upload = Upload::create(&edge, declared);
        let body = Body::Chunked(&source, source.all());
        let refused = upload.patch_with(&edge, &[], 0, &body).unwrap();
        assert_eq!((refused.status, refused.code().as_str()), (400, "length-mismatch"));
        assert_eq!(upload.state(&edge), "receiving", "{declared}");
        assert!(upload.offset(&edge) <= declared);
    }
    assert!(edge.sandbox.objects().is_empty());
    assert_eq!(edge.sandbox.requests("CompleteMultipartUpload"), 0);
    serves_on(&edge);
}

#[test]
fn a_file_above_the_configured_size_is_refused_before_and_while_it_comes() {
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
fn the_worker_tells_what_it_speaks() {
    let edge = Setup::new().start();
    let options = edge.request("OPTIONS", "/v1/files", &[], &Body::None).unwrap();
    assert_eq!(options.status, 204);
    assert_eq!(options.header("tus-version"), Some("1.0.0"));
    assert_eq!(options.header("tus-extension"), Some("creation,termination"));
    assert!(options.header("tus-max-size").unwrap().parse::<u64>().unwrap() > MIB);
}

fn is_a_whole_problem(what: &str, response: &Response) {
    let problem = response.json();
    assert_eq!(problem["status"], response.status, "{what}");
    for field in ["type", "title", "detail", "action"] {
        assert!(problem[field].as_str().is_some_and(|text| !text.is_empty()), "{what}: {field}");
    }
    assert!(problem["retryable"].is_boolean(), "{what}");
}

/// The worker answers, in an instance that no request has ended.
fn serves_on(edge: &Edge) {
    let health = edge.request("GET", "/healthz", &[], &Body::None).unwrap();
    assert_eq!(health.status, 200);
    let stats = edge.stats();
    assert_eq!(stats.count("instances_started"), 1, "{stats:?}");
}

const HUGE: &str = "99999999999999999999";
const LARGE: &str = "file-too-large";
const LENGTH: &str = "length-mismatch";
const AT: &str = "offset-mismatch";
const NONE: &str = "upload-not-found";
