//! Every kind of fault, as a raw client sees it, and what it leaves behind.

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
    // Whichever of the client's calls comes first after the RST sees it.
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
        part(&server, &id).accepted().await;
        assert_eq!(parts_stored(&server).await, 1);
    }
}

#[tokio::test]
async fn a_reset_mid_body_does_not_wait_for_the_rest() {
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
    server.complete("k", &id, &[(1, &etag)]).refused(404, "NoSuchUpload").await;
    assert_eq!(server.stored("k").await, b"x");
}

#[tokio::test]
async fn a_hanging_request_is_read_and_never_answered() {
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
    assert!(waited.is_err(), "it answered");
}

#[tokio::test]
async fn a_delayed_request_is_served() {
    let (server, id) = server_with(r#""kind":"delay","delay_ms":50"#).await;
    let started = Instant::now();
    part(&server, &id).accepted().await;
    assert!(started.elapsed() >= Duration::from_millis(50));
}

#[tokio::test]
async fn a_status_comes_as_xml_as_a_page_or_bare() {
    let (server, id) = server_with(r#""kind":"status","status":503,"code":"SlowDown""#).await;
    part(&server, &id).refused(503, "SlowDown").await;
    let (server, id) = server_with(r#""kind":"status","status":502,"html":true"#).await;
    let answer = part(&server, &id).send().await.unwrap();
    assert_eq!((answer.status, answer.headers["content-type"].as_str()), (502, "text/html"));
    let (server, id) = server_with(r#""kind":"status","status":500,"empty":true"#).await;
    let answer = part(&server, &id).send().await.unwrap();
    assert_eq!((answer.status, answer.body.len()), (500, 0));
    assert_eq!(parts_stored(&server).await, 0);
}

#[tokio::test]
async fn a_truncated_reply_ends_before_its_length_and_the_request_took_effect() {
    let server = TestServer::new().await;
    server.fault(r#"{"operation":"InitiateMultipartUpload","kind":"truncated-reply"}"#).await;
    let answer = server.request("POST", "k").query("uploads", "").send().await.unwrap();
    assert_eq!(answer.status, 200);
    assert!(!answer.is_whole() && !answer.body.is_empty(), "{answer:?}");
    assert_eq!(parts_stored(&server).await, 0);
    let (server, id) = server_with(r#""kind":"truncated-reply""#).await;
    let answer = part(&server, &id).send().await.unwrap();
    assert!(!answer.is_whole(), "{answer:?}");
    assert_eq!(parts_stored(&server).await, 1);
}

#[tokio::test]
async fn an_undeserved_refusal_looks_like_a_deserved_one() {
    for (kind, status, code) in [
        ("expired-token", 403, "SecurityTokenExpired"),
        ("skewed", 403, "RequestTimeTooSkewed"),
        ("access-denied", 403, "AccessDenied"),
        ("no-such-upload", 404, "NoSuchUpload"),
    ] {
        let (server, id) = server_with(&format!(r#""kind":"{kind}""#)).await;
        let answer = part(&server, &id).refused(status, code).await;
        if kind == "skewed" {
            let time = answer.element("ServerTime").unwrap().parse::<jiff::Timestamp>().unwrap();
            let off = time.duration_since(jiff::Timestamp::now()).abs();
            assert!(off < jiff::SignedDuration::from_secs(5), "{off}");
        }
        part(&server, &id).accepted().await;
    }
}

#[tokio::test]
async fn a_wrong_crc_comes_with_the_right_bytes() {
    let (server, id) = server_with(r#""kind":"wrong-crc""#).await;
    let wrong = part(&server, &id).accepted().await;
    let right = part(&server, &id).accepted().await;
    let crc = |answer: &common::Answer| answer.headers["x-oss-hash-crc64ecma"].clone();
    assert_ne!(crc(&wrong), crc(&right));
    assert_eq!(wrong.headers["etag"], right.headers["etag"]);
}

#[tokio::test]
async fn a_corrupted_body_is_stored_wrong_and_confirmed_truly() {
    let (server, id) = server_with(r#""kind":"corrupt-body""#).await;
    let corrupted = part(&server, &id).accepted().await;
    let etag = corrupted.headers["etag"].clone();
    server.complete("k", &id, &[(1, &etag)]).accepted().await;
    let stored = server.stored("k").await;
    assert_eq!(stored[0], !pattern(1)[0]);
    assert_eq!(stored[1..], pattern(200_000)[1..]);
    let crc = crc_fast::checksum(crc_fast::CrcAlgorithm::Crc64Xz, &stored).to_string();
    assert_eq!(corrupted.headers["x-oss-hash-crc64ecma"], crc);
}

#[tokio::test]
async fn a_fault_hits_the_part_and_the_time_it_names() {
    let server = TestServer::new().await;
    let id = server.initiate("k").await;
    server.fault(r#"{"operation":"UploadPart","part":2,"nth":2,"kind":"no-such-upload"}"#).await;
    for (number, status) in [(1, 200), (2, 200), (1, 200), (2, 404), (2, 200)] {
        let answer = server.part("k", &id, number, b"x").send().await.unwrap();
        assert_eq!(answer.status, status, "part {number}");
    }
    let report = server.control("GET", "faults", "").await.json();
    assert_eq!((&report[0]["matched"], &report[0]["hits"]), (&3.into(), &1.into()));
    server.fault(r#"{"operation":"*","times":0,"kind":"access-denied"}"#).await;
    server.request("GET", "k").refused(403, "AccessDenied").await;
    server.control("DELETE", "faults", "").await;
    server.request("GET", "k").refused(404, "NoSuchKey").await;
}

#[tokio::test]
async fn a_fault_on_a_vod_call_speaks_as_vod_does() {
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
        call.query("Action", "CreateUploadVideo").refused(status, code).await;
    }
}

#[tokio::test]
async fn operations_can_be_denied_to_temporary_keys_only() {
    let server = TestServer::new().await;
    let keys = Keys::temporary(&server).await;
    let id = server.initiate("k").await;
    server.control("POST", "policy", r#"{"deny":["ListParts","HeadObject"]}"#).await;
    let list = || server.request("GET", "k").query("uploadId", &id);
    list().keys(&keys).refused(403, "AccessDenied").await;
    list().accepted().await;
    assert_eq!(server.request("HEAD", "k").keys(&keys).send().await.unwrap().status, 403);
    server.part("k", &id, 1, b"x").keys(&keys).accepted().await;
    assert_eq!(server.control("GET", "config", "").await.json()["buckets"][0], BUCKET);
}
