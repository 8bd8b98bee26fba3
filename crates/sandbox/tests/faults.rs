//! Every kind of fault, as a raw client sees it, and the stored result.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failed assumption fails the test")]

mod common;

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use common::{BUCKET, Call, Keys, TestServer, pattern};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A sandbox with an open upload and a fault on UploadPart.
async fn server_with(kind: &str) -> (TestServer, String) {
    let server = TestServer::new().await;
    let id = server.initiate("k").await;
    server.fault(&format!(r#"{{"operation":"UploadPart",{kind}}}"#)).await;
    (server, id)
}

async fn parts_stored(server: &TestServer) -> usize {
    let uploads = server.control("GET", "uploads", "").await.json();
    uploads[0]["parts"].as_array().unwrap().len()
}

fn part(server: &TestServer, id: &str) -> Call {
    server.part("k", id, 1, &pattern(200_000))
}

async fn is_reset(call: Call) {
    let error = call.send().await.unwrap_err();
    // The first call of the client after the RST fails.
    assert!(
        [ErrorKind::ConnectionReset, ErrorKind::BrokenPipe].contains(&error.kind()),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_reset_before_or_after_the_body_stores_nothing_and_the_next_request_works() {
    for kind in ["reset-before-body", "reset-mid-body", "reset-after-body"] {
        let (server, id) = server_with(&format!(r#""kind":"{kind}""#)).await;
        is_reset(part(&server, &id)).await;
        assert_eq!(parts_stored(&server).await, 0, "{kind}");
        let count = server.count("UploadPart").await;
        assert_eq!(count["errors"], 1, "{kind}");
        let bytes = count["bytes"].as_u64().unwrap();
        match kind {
            "reset-before-body" => assert_eq!(bytes, 0),
            "reset-mid-body" => assert!((100_000..200_000).contains(&bytes), "{bytes}"),
            _ => assert_eq!(bytes, 200_000),
        }
        part(&server, &id).expect_success().await;
        assert_eq!(parts_stored(&server).await, 1);
    }
}

#[tokio::test]
async fn a_reset_mid_body_does_not_wait_for_the_remaining_body() {
    let (server, id) = server_with(r#""kind":"reset-mid-body""#).await;
    let mut stream = TcpStream::connect(server.sandbox.address()).await.unwrap();
    let head = part(&server, &id).head();
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&pattern(100_000)).await.unwrap();
    let error = stream.read_u8().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
}

#[tokio::test]
async fn a_reset_after_the_commit_leaves_the_part_stored() {
    let (server, id) = server_with(r#""kind":"commit-then-reset""#).await;
    is_reset(part(&server, &id)).await;
    assert_eq!(parts_stored(&server).await, 1);
}

#[tokio::test]
async fn a_complete_that_is_committed_and_reset_leaves_the_object() {
    let server = TestServer::new().await;
    let id = server.initiate("k").await;
    let etag = server.upload_part("k", &id, 1, b"x").await;
    server.fault(r#"{"operation":"CompleteMultipartUpload","kind":"commit-then-reset"}"#).await;
    is_reset(server.complete("k", &id, &[(1, &etag)])).await;
    server.complete("k", &id, &[(1, &etag)]).expect_error(404, "NoSuchUpload").await;
    assert_eq!(server.stored("k").await, b"x");
}

#[tokio::test]
async fn a_hanging_request_is_read_and_gets_no_response() {
    let (server, id) = server_with(r#""kind":"hang","hang_ms":50"#).await;
    let started = Instant::now();
    is_reset(part(&server, &id)).await;
    assert!(started.elapsed() >= Duration::from_millis(50));
    assert_eq!(parts_stored(&server).await, 0);

    let (server, id) = server_with(r#""kind":"hang""#).await;
    let mut stream = TcpStream::connect(server.sandbox.address()).await.unwrap();
    stream.write_all(part(&server, &id).head().as_bytes()).await.unwrap();
    stream.write_all(&pattern(200_000)).await.unwrap();
    let waited = tokio::time::timeout(Duration::from_millis(50), stream.read_u8()).await;
    assert!(waited.is_err(), "there is a response");
}

#[tokio::test]
async fn a_delayed_request_is_served() {
    let (server, id) = server_with(r#""kind":"delay","delay_ms":50"#).await;
    let started = Instant::now();
    part(&server, &id).expect_success().await;
    assert!(started.elapsed() >= Duration::from_millis(50));
}

#[tokio::test]
async fn a_status_has_an_xml_body_an_html_body_or_none() {
    let (server, id) = server_with(r#""kind":"status","status":503,"code":"SlowDown""#).await;
    part(&server, &id).expect_error(503, "SlowDown").await;
    let (server, id) = server_with(r#""kind":"status","status":502,"html":true"#).await;
    let response = part(&server, &id).send().await.unwrap();
    assert_eq!((response.status, response.headers["content-type"].as_str()), (502, "text/html"));
    let (server, id) = server_with(r#""kind":"status","status":500,"empty":true"#).await;
    let response = part(&server, &id).send().await.unwrap();
    assert_eq!((response.status, response.body.len()), (500, 0));
    assert_eq!(parts_stored(&server).await, 0);
}

#[tokio::test]
async fn a_truncated_response_is_shorter_than_its_length_and_the_request_takes_effect() {
    let server = TestServer::new().await;
    server.fault(r#"{"operation":"InitiateMultipartUpload","kind":"truncated-reply"}"#).await;
    let response = server.request("POST", "k").query("uploads", "").send().await.unwrap();
    assert_eq!(response.status, 200);
    assert!(!response.is_complete() && !response.body.is_empty(), "{response:?}");
    assert_eq!(parts_stored(&server).await, 0);
    let (server, id) = server_with(r#""kind":"truncated-reply""#).await;
    let response = part(&server, &id).send().await.unwrap();
    assert!(!response.is_complete(), "{response:?}");
    assert_eq!(parts_stored(&server).await, 1);
}

#[tokio::test]
async fn an_injected_error_looks_like_a_real_one() {
    for (kind, status, code) in [
        ("expired-token", 403, "SecurityTokenExpired"),
        ("skewed", 403, "RequestTimeTooSkewed"),
        ("access-denied", 403, "AccessDenied"),
        ("no-such-upload", 404, "NoSuchUpload"),
    ] {
        let (server, id) = server_with(&format!(r#""kind":"{kind}""#)).await;
        let response = part(&server, &id).expect_error(status, code).await;
        if kind == "skewed" {
            let time = response.element("ServerTime").unwrap().parse::<jiff::Timestamp>().unwrap();
            let off = time.duration_since(jiff::Timestamp::now()).abs();
            assert!(off < jiff::SignedDuration::from_secs(5), "{off}");
        }
        part(&server, &id).expect_success().await;
    }
}

#[tokio::test]
async fn a_wrong_crc_does_not_affect_the_stored_bytes() {
    let (server, id) = server_with(r#""kind":"wrong-crc""#).await;
    let wrong = part(&server, &id).expect_success().await;
    let right = part(&server, &id).expect_success().await;
    let crc = |response: &common::Response| response.headers["x-oss-hash-crc64ecma"].clone();
    assert_ne!(crc(&wrong), crc(&right));
    assert_eq!(wrong.headers["etag"], right.headers["etag"]);
}

#[tokio::test]
async fn a_corrupted_body_is_stored_with_its_own_crc() {
    let (server, id) = server_with(r#""kind":"corrupt-body""#).await;
    let corrupted = part(&server, &id).expect_success().await;
    let etag = corrupted.headers["etag"].clone();
    server.complete("k", &id, &[(1, &etag)]).expect_success().await;
    let stored = server.stored("k").await;
    assert_eq!(stored[0], !pattern(1)[0]);
    assert_eq!(stored[1..], pattern(200_000)[1..]);
    let crc = crc_fast::checksum(crc_fast::CrcAlgorithm::Crc64Xz, &stored).to_string();
    assert_eq!(corrupted.headers["x-oss-hash-crc64ecma"], crc);
}

#[tokio::test]
async fn a_fault_hits_the_given_part_and_occurrence() {
    let server = TestServer::new().await;
    let id = server.initiate("k").await;
    server.fault(r#"{"operation":"UploadPart","part":2,"nth":2,"kind":"no-such-upload"}"#).await;
    for (number, status) in [(1, 200), (2, 200), (1, 200), (2, 404), (2, 200)] {
        let response = server.part("k", &id, number, b"x").send().await.unwrap();
        assert_eq!(response.status, status, "part {number}");
    }
    let report = server.control("GET", "faults", "").await.json();
    assert_eq!((&report[0]["matched"], &report[0]["hits"]), (&3.into(), &1.into()));
    server.fault(r#"{"operation":"*","times":0,"kind":"access-denied"}"#).await;
    server.request("GET", "k").expect_error(403, "AccessDenied").await;
    server.control("DELETE", "faults", "").await;
    server.request("GET", "k").expect_error(404, "NoSuchKey").await;
}

#[tokio::test]
async fn a_fault_on_a_vod_call_has_the_format_of_vod() {
    let server = TestServer::new().await;
    for (kind, status, code) in [
        (r#""kind":"expired-token""#, 403, "InvalidSecurityToken.Expired"),
        (r#""kind":"skewed""#, 400, "InvalidTimeStamp.Expired"),
        (r#""kind":"access-denied""#, 403, "Forbidden.RAM"),
        (r#""kind":"status","status":503,"code":"Throttling""#, 503, "Throttling"),
    ] {
        server.fault(&format!(r#"{{"operation":"CreateUploadVideo",{kind}}}"#)).await;
        let mut call = server.request("GET", "").signed(common::SignedBy::None);
        call.path = Some("/".into());
        call.query("Action", "CreateUploadVideo").expect_error(status, code).await;
    }
}

#[tokio::test]
async fn operations_can_be_denied_to_temporary_keys_only() {
    let server = TestServer::new().await;
    let keys = Keys::temporary(&server).await;
    let id = server.initiate("k").await;
    server.control("POST", "policy", r#"{"deny":["ListParts","HeadObject"]}"#).await;
    let list = || server.request("GET", "k").query("uploadId", &id);
    list().keys(&keys).expect_error(403, "AccessDenied").await;
    list().expect_success().await;
    assert_eq!(server.request("HEAD", "k").keys(&keys).send().await.unwrap().status, 403);
    server.part("k", &id, 1, b"x").keys(&keys).expect_success().await;
    assert_eq!(server.control("GET", "config", "").await.json()["buckets"][0], BUCKET);
}
