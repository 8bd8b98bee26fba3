//! Refused requests on the wire: no `100 Continue`, and a response that arrives.

use vod_uploader_component_tests::body::Body;
use vod_uploader_component_tests::edge::{Edge, Setup};
use vod_uploader_component_tests::source::{MIB, Source};
use vod_uploader_component_tests::tus::{CHUNK_TYPE, VERSION};
use vod_uploader_wire::{Framing, Headers};

/// Requests that their heads decide, with the status of their responses.
const REFUSED: [(&str, &str, Headers<'static>, u16); 8] = [
    ("PUT", "/v1/uploads/a.mp4", &[("content-range", "bytes 0-4/10")], 400),
    ("PUT", "/v1/uploads/a.mp4", &[("content-encoding", "gzip")], 415),
    ("PUT", "/v1/uploads/a.mp4", &[], 413),
    ("PUT", "/v1/uploads/a.mp4", &[("upload-complete", "?1")], 413),
    ("POST", "/v1/files", &[VERSION, CHUNK_TYPE, ("upload-length", "9999999")], 413),
    ("POST", "/v1/files", &[], 412),
    ("PATCH", "/v1/files/a1", &[VERSION, CHUNK_TYPE, ("upload-offset", "0")], 404),
    ("PUT", "/v1/nothing", &[], 404),
];

fn worker() -> Edge {
    Setup::new().variable("upload_max_bytes", "1048576").start()
}

#[test]
fn a_client_that_waits_for_100_continue_gets_the_final_response() {
    let edge = worker();
    for (method, path, headers, status) in REFUSED {
        let headers = [headers, &[("expect", "100-continue")]].concat();
        let exchange = edge.start(method, path, &headers, Framing::Length(2 * MIB));
        let response = exchange.response().expect("a response");
        assert_eq!(response.status, status, "{method} {path} {headers:?}: {}", response.text());
        assert!(response.interim.is_empty(), "{method} {path} {headers:?}");
    }
    edge.assert_serving();
}

#[test]
fn a_client_that_sends_its_body_at_once_gets_the_response() {
    let edge = worker();
    let source = Source::new(910, 2 * MIB);
    for (method, path, headers, status) in REFUSED {
        let body = Body::Range(&source, source.all());
        let response = edge.request(method, path, headers, &body).expect("a response");
        assert_eq!(response.status, status, "{method} {path} {headers:?}");
    }
    assert!(edge.sandbox.operations().is_empty());
    edge.assert_serving();
}

#[test]
fn an_accepted_client_gets_100_continue() {
    let edge = worker();
    let headers = [("expect", "100-continue")];
    let mut put = edge.start("PUT", "/v1/uploads/a.mp4", &headers, Framing::Length(5));
    put.await_continue(std::time::Duration::from_secs(20));
    put.send(b"12345");
    let response = put.finish().expect("a response");
    assert_eq!(response.status, 201, "{}", response.text());
    assert_eq!(response.interim.first().map(|head| head.status), Some(100));
}

#[test]
fn only_requests_for_allowed_hosts_reach_the_worker() {
    let edge = Setup::new().variable("allowed_hosts", "127.0.0.1, localhost").start();
    assert_eq!(edge.put(&[], &Body::Bytes(b"12345")).status, 201);
    let edge = Setup::new().variable("allowed_hosts", "edge.example").start();
    let refused = edge.put(&[], &Body::Bytes(b"12345"));
    assert_eq!((refused.status, &*refused.code()), (403, "host-not-allowed"));
}

#[test]
fn the_worker_serves_a_route_below_a_path() {
    let edge = Setup::new().route("/up/load/...").variable("base_path", "/up/load").start();
    let headers = [VERSION, ("upload-length", "5")];
    let created = edge.request("POST", "/up/load/v1/files", &headers, &Body::None).unwrap();
    let location = created.header("location").expect("a location");
    assert!(location.starts_with("/up/load/v1/files/"), "{location}");
    let chunk = [VERSION, CHUNK_TYPE, ("upload-offset", "0")];
    let stored = edge.request("PATCH", location, &chunk, &Body::Bytes(b"12345")).unwrap();
    assert_eq!((stored.status, stored.offset()), (204, 5));
    let outside = edge.request("POST", "/v1/files", &headers, &Body::None).unwrap();
    assert_eq!(outside.status, 404);
}
