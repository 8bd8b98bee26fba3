//! Objects: put, get, list, delete, and how buckets and keys are addressed.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failed assumption fails the test")]

mod common;

use common::{SignedBy, TestServer, pattern};

#[tokio::test]
async fn an_object_is_returned_completely_or_in_ranges_with_its_headers() {
    let server = TestServer::new().await;
    let content = pattern(1_000_000);
    let put = server.request("PUT", "dir/a b.bin").body(&content);
    let put = put.header("content-type", "video/mp4").header("x-oss-meta-author", "me");
    put.expect_success().await;
    let complete = server.request("GET", "dir/a b.bin").expect_success().await;
    assert_eq!(complete.body, content);
    assert_eq!(complete.headers["content-type"], "video/mp4");
    assert_eq!(complete.headers["x-oss-meta-author"], "me");
    assert_eq!(complete.headers["x-oss-object-type"], "Normal");
    let range = server.request("GET", "dir/a b.bin").header("range", "bytes=262143-262145");
    let range = range.expect_success().await;
    assert_eq!((range.status, range.body.as_slice()), (206, &content[262_143..262_146]));
    assert_eq!(range.headers["content-range"], "bytes 262143-262145/1000000");
    let beyond = server.request("GET", "dir/a b.bin").header("range", "bytes=1000000-");
    beyond.expect_error(416, "InvalidRange").await;
}

#[tokio::test]
async fn deleting_an_object_is_idempotent() {
    let server = TestServer::new().await;
    server.request("PUT", "k").body("x").expect_success().await;
    for _again in 0..2 {
        assert_eq!(server.request("DELETE", "k").expect_success().await.status, 204);
    }
    server.request("GET", "k").expect_error(404, "NoSuchKey").await;
    assert_eq!(server.request("HEAD", "k").send().await.unwrap().status, 404);
}

#[tokio::test]
async fn an_object_may_be_put_in_chunks() {
    let server = TestServer::new().await;
    let mut put = server.request("PUT", "k").body("3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
    put.content_length = false;
    put.header("transfer-encoding", "chunked").expect_success().await;
    assert_eq!(server.stored("k").await, b"abcde");
}

#[tokio::test]
async fn a_key_has_at_most_1023_bytes_and_does_not_start_with_a_slash() {
    let server = TestServer::new().await;
    for key in ["/k", "\\k", &"é".repeat(512)] {
        server.request("PUT", key).expect_error(400, "InvalidObjectName").await;
    }
    server.request("PUT", &"k".repeat(1023)).body("x").expect_success().await;
}

#[tokio::test]
async fn an_unknown_bucket_and_an_unsupported_operation_are_rejected() {
    let server = TestServer::new().await;
    let mut elsewhere = server.request("PUT", "k");
    elsewhere.bucket = "elsewhere".into();
    elsewhere.expect_error(404, "NoSuchBucket").await;
    server.request("PUT", "k").query("acl", "").expect_error(400, "NotImplemented").await;
    server.request("POST", "k").expect_error(400, "NotImplemented").await;
}

#[tokio::test]
async fn a_bucket_is_addressed_by_host_or_by_a_bound_domain() {
    let server = TestServer::with(|config| {
        config.cname_hosts.insert("media.example.com".into(), "sandbox-bucket".into());
    })
    .await;
    for scheme in [SignedBy::V1Header, SignedBy::V4Header, SignedBy::V1Query, SignedBy::V4Query] {
        for host in [
            "sandbox-bucket.localhost",
            "sandbox-bucket.127.0.0.1",
            "sandbox-bucket.oss-cn-shanghai.aliyuncs.com",
            "media.example.com",
        ] {
            let mut put = server.request("PUT", "dir/k").signed(scheme).body(host);
            put.path = Some("/dir/k".into());
            put.header("host", host).expect_success().await;
            assert_eq!(server.stored("dir/k").await, host.as_bytes());
        }
    }
    let path_style = server.request("PUT", "k").header("host", "oss-cn-shanghai.aliyuncs.com");
    path_style.expect_error(403, "SecondLevelDomainForbidden").await;
    let unbound = server.request("PUT", "k").header("host", "unbound.example.com");
    unbound.expect_error(403, "NonStandardHostForbidden").await;
}

#[tokio::test]
async fn objects_are_listed_by_marker_and_by_token() {
    let server = TestServer::new().await;
    for key in ["a", "b c", "d/1", "d/2", "e%20"] {
        server.request("PUT", key).body("x").expect_success().await;
    }
    let first = server.request("GET", "").query("max-keys", "2").expect_success().await;
    assert_eq!(first.element("NextMarker").as_deref(), Some("b c"));
    let next = server.request("GET", "").query("marker", "b c").query("delimiter", "/");
    let next = next.expect_success().await;
    assert!(next.text().contains("<CommonPrefixes><Prefix>d/</Prefix></CommonPrefixes>"));
    assert_eq!(next.text().matches("<Contents>").count(), 1);
    let mut token: Option<String> = None;
    let mut keys = Vec::new();
    for _page in 0..5 {
        let mut list = server.request("GET", "").query("list-type", "2").query("max-keys", "1");
        if let Some(token) = &token {
            list = list.query("continuation-token", token);
        }
        let page = list.expect_success().await;
        keys.push(page.element("Key").unwrap());
        token = page.element("NextContinuationToken");
    }
    assert_eq!(keys, ["a", "b c", "d/1", "d/2", "e%20"]);
    assert_eq!(token, None);
}

#[tokio::test]
async fn an_invalid_path_returns_an_html_page() {
    let server = TestServer::new().await;
    let mut call = server.request("GET", "k");
    call.path = Some("/sandbox-bucket/100%".into());
    let response = call.send().await.unwrap();
    assert_eq!((response.status, response.headers["content-type"].as_str()), (400, "text/html"));
}
