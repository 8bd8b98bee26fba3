//! CORS: web pages of other origins.

use vod_uploader_component_tests::body::Body;
use vod_uploader_component_tests::edge::{Edge, Setup};
use vod_uploader_component_tests::source::{MIB, Source};
use vod_uploader_component_tests::tus::{self, CHUNK_TYPE, Upload, VERSION};
use vod_uploader_wire::{Framing, Response};

const PAGE: &str = "https://a.example";
const PATHS: [&str; 5] =
    ["/v1/files", "/v1/files/a1", "/v1/uploads", "/v1/uploads/clip.mp4", "/v1/filepond"];

#[test]
fn a_preflight_allows_only_configured_origins() {
    let lists = [
        ("https://a.example, https://b.example:8443", true),
        ("*", true),
        ("https://b.example", false),
        ("", false),
    ];
    for (list, allowed) in lists {
        let edge = Setup::new().variable("cors_origins", list).start();
        for path in PATHS {
            let headers = [
                ("origin", PAGE),
                ("access-control-request-method", "PATCH"),
                ("access-control-request-headers", "tus-resumable,upload-offset,content-type"),
            ];
            let preflight = edge.request("OPTIONS", path, &headers, &Body::None).unwrap();
            assert_eq!(preflight.status, 204, "{list} {path}");
            let origin = preflight.header("access-control-allow-origin");
            assert_eq!(origin, allowed.then_some(PAGE), "{list} {path}");
            let names = ["access-control-allow-methods", "access-control-allow-headers"];
            if !allowed {
                assert!(names.iter().all(|name| preflight.header(name).is_none()));
                continue;
            }
            let [methods, request_headers] = names.map(|name| preflight.header(name).unwrap());
            for method in ["DELETE", "GET", "HEAD", "PATCH", "POST", "PUT"] {
                assert!(methods.contains(method), "{methods}");
            }
            for name in ["Tus-Resumable", "Upload-Offset", "Upload-Complete", "Content-Type"] {
                assert!(request_headers.contains(name), "{name}");
            }
            assert_eq!(preflight.header("access-control-max-age"), Some("86400"));
            assert_eq!(preflight.header("vary"), Some("Origin"));
        }
        assert!(edge.sandbox.operations().is_empty());
    }
}

#[test]
fn every_response_is_readable_for_an_allowed_origin() {
    let edge = Setup::new().variable("cors_origins", PAGE).start();
    let source = Source::new(730, 2 * MIB);
    let metadata = tus::metadata(&[("filename", "clip.mp4")]);
    let creation = [
        ("origin", PAGE),
        VERSION,
        ("upload-length", "2097152"),
        ("upload-metadata", metadata.as_str()),
    ];
    let created = edge.request("POST", "/v1/files", &creation, &Body::None).unwrap();
    assert_readable(&created, &["location", "media-id", "upload-expires", "tus-resumable"]);
    let upload = Upload::from_response(&created);
    let first = Body::Range(&source, 0..MIB);
    let chunk = [("origin", PAGE), VERSION, CHUNK_TYPE, ("upload-offset", "0")];
    let stored = edge.request("PATCH", &upload.path, &chunk, &first).unwrap();
    assert_readable(&stored, &["upload-offset", "upload-expires"]);
    let misplaced = edge.request("PATCH", &upload.path, &chunk, &first).unwrap();
    assert_eq!(misplaced.status, 409);
    assert_readable(&misplaced, &["upload-offset"]);
    let tus = [("origin", PAGE), VERSION];
    let head = edge.request("HEAD", &upload.path, &tus, &Body::None).unwrap();
    assert_readable(&head, &["upload-offset", "upload-length", "upload-metadata"]);
    let page = [("origin", PAGE)];
    let head = edge.request("HEAD", &upload.path, &page, &Body::None).unwrap();
    assert_readable(&head, &["upload-complete", "upload-limit", "upload-draft-interop-version"]);
    for (method, path, status) in [
        ("GET", upload.path.as_str(), 200),
        ("POST", "/v1/files", 412),
        ("PUT", "/v1/files", 405),
        ("GET", "/v1/nothing", 404),
        ("DELETE", &upload.path, 204),
        ("HEAD", &upload.path, 410),
        ("OPTIONS", "/v1/files", 204),
    ] {
        let response = edge.request(method, path, &page, &Body::None).unwrap();
        assert_eq!(response.status, status, "{method} {path}");
        assert_readable(&response, &[]);
    }
    let put = edge.request("PUT", "/v1/uploads/clip.mp4", &page, &first).unwrap();
    assert_eq!(put.status, 201, "{}", put.text());
    assert_readable(&put, &[]);
    let upload = Upload::create(&edge, 5);
    let path = format!("{}/events", upload.path);
    let events = edge.start("GET", &path, &page, Framing::None);
    assert_eq!(upload.delete(&edge).status, 204);
    assert_readable(&events.response().unwrap(), &[]);
}

#[test]
fn no_response_is_readable_for_other_origins() {
    let edge = Setup::new().variable("cors_origins", PAGE).start();
    for origin in ["https://b.example", "http://a.example", "https://a.example:444", "null"] {
        let response =
            edge.request("GET", "/v1/files/a1", &[("origin", origin)], &Body::None).unwrap();
        assert_eq!(response.status, 404);
        assert_eq!(response.header("access-control-allow-origin"), None, "{origin}");
        // Caches must not reuse the response for an allowed origin.
        assert_eq!(response.header("vary"), Some("Origin"));
    }
}

#[test]
fn an_invalid_list_of_origins_is_logged_with_its_variable() {
    for list in ["a.example", "https://a.example/path", "https://a.*.example"] {
        let edge = Setup::new().variable("cors_origins", list).start();
        assert_misconfigured(&edge, "cors_origins");
    }
}

fn assert_misconfigured(edge: &Edge, variable: &str) {
    let page = [("origin", PAGE)];
    let response = edge.request("GET", "/v1/files/a1", &page, &Body::None).unwrap();
    assert_eq!((response.status, response.code().as_str()), (503, "misconfigured"));
    assert!(edge.log().contains(variable), "{}", edge.log());
    // Other clients are not affected.
    assert_eq!(edge.put(&[], &Body::Bytes(b"12345")).status, 201);
}

/// Asserts that the page can read the response and its headers `names`.
fn assert_readable(response: &Response, names: &[&str]) {
    assert_eq!(response.header("access-control-allow-origin"), Some(PAGE), "{}", response.status);
    assert_eq!(response.header("vary"), Some("Origin"));
    let exposed = response.header("access-control-expose-headers").unwrap().to_lowercase();
    let exposed: Vec<_> = exposed.split(", ").collect();
    for name in names {
        assert!(response.header(name).is_some(), "{name} is not there");
        assert!(exposed.contains(name), "{name} is not exposed");
    }
    // All other headers of the worker are exposed too.
    let own = |name: &&str| {
        ["upload-", "tus-", "media-", "repr-", "location", "retry-after", "accept-patch"]
            .iter()
            .any(|begin| name.starts_with(begin))
    };
    for name in response.headers.iter().map(|(name, _)| name.as_str()).filter(own) {
        assert!(exposed.contains(&name), "{name} is not exposed");
    }
}
