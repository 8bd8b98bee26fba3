//! Authentication, and the errors of rejected requests.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failed assumption fails the test")]

mod common;

use common::{Keys, SignedBy, TestServer};

const SIGNED: [SignedBy; 4] =
    [SignedBy::V1Header, SignedBy::V1Query, SignedBy::V4Header, SignedBy::V4Query];

#[tokio::test]
async fn every_scheme_authenticates_the_owner_and_temporary_keys() {
    let server = TestServer::new().await;
    let temporary = Keys::temporary(&server).await;
    for scheme in SIGNED {
        for keys in [&Keys::owner(), &temporary] {
            let call = server.request("PUT", "dir 1/é+&.bin").header("content-type", "text/plain");
            let call = call.header("x-oss-meta-a", "b").body("content").signed(scheme).keys(keys);
            call.expect_success().await;
        }
    }
}

#[tokio::test]
async fn the_error_for_a_wrong_secret_contains_the_string_to_sign() {
    let server = TestServer::new().await;
    for scheme in SIGNED {
        let keys = Keys { secret: "wrong".into(), ..Keys::owner() };
        let call = server.request("PUT", "k").signed(scheme).keys(&keys);
        let response = call.expect_error(403, "SignatureDoesNotMatch").await;
        assert!(response.element("StringToSign").unwrap().starts_with(match scheme {
            SignedBy::V4Header | SignedBy::V4Query => "OSS4-HMAC-SHA256&#xA;",
            _ => "PUT&#xA;",
        }));
        assert!(!response.element("SignatureProvided").unwrap().is_empty());
    }
}

#[tokio::test]
async fn a_change_of_signed_data_invalidates_the_signature() {
    let server = TestServer::new().await;
    for scheme in SIGNED {
        let call = server.request("PUT", "k").query("partNumber", "1").query("uploadId", "u");
        let call = call.header("x-oss-meta-a", "b").signed(scheme);
        for (signed, sent) in [
            ("PUT ", "POST "),
            ("/k", "/other"),
            ("partNumber=1", "partNumber=2"),
            ("x-oss-meta-a: b", "x-oss-meta-a: c"),
            ("x-oss-meta-a: b", "x-oss-meta-a: b\r\nx-oss-meta-z: b"),
            ("x-oss-meta-a: b", "x-oss-meta-a: b\r\ncontent-type: text/html"),
        ] {
            let head = call.head().replacen(signed, sent, 1);
            let response = exchange(&server, &head).await;
            assert!(response.contains("SignatureDoesNotMatch"), "{scheme:?} {sent}: {response}");
        }
    }
}

#[tokio::test]
async fn an_unknown_key_and_a_temporary_key_without_its_token_are_rejected() {
    let server = TestServer::new().await;
    let unknown = Keys { id: "unknown".into(), ..Keys::owner() };
    let bare = Keys { token: None, ..Keys::temporary(&server).await };
    for scheme in SIGNED {
        for keys in [&unknown, &bare] {
            let call = server.request("GET", "k").signed(scheme).keys(keys);
            call.expect_error(403, "InvalidAccessKeyId").await;
        }
    }
}

#[tokio::test]
async fn forged_mismatched_and_expired_tokens_have_separate_errors() {
    let server = TestServer::new().await;
    let (one, other) = (Keys::temporary(&server).await, Keys::temporary(&server).await);
    let token = |token: &str| Keys { token: Some(token.to_owned()), ..one.clone() };
    server.control("POST", "token-life", r#"{"secs": 0}"#).await;
    let expired = Keys::temporary(&server).await;
    let owner = Keys { token: one.token.clone(), ..Keys::owner() };
    for scheme in SIGNED {
        let get = |keys: &Keys| server.request("GET", "k").signed(scheme).keys(keys);
        get(&token("forged")).expect_error(403, "InvalidSecurityToken").await;
        get(&owner).expect_error(403, "InvalidSecurityToken").await;
        let mismatched = token(other.token.as_deref().unwrap());
        get(&mismatched).expect_error(403, "AccessKeyIdAndSecurityTokenNotMatch").await;
        let response = get(&expired).expect_error(403, "SecurityTokenExpired").await;
        assert_eq!(response.element("EC").unwrap(), "0002-00000007");
    }
}

#[tokio::test]
async fn a_token_expires_as_the_sandbox_clock_moves() {
    let server = TestServer::with(|config| config.token_ttl_secs = 600).await;
    let keys = Keys::temporary(&server).await;
    server.request("PUT", "k").keys(&keys).expect_success().await;
    server.control("POST", "clock", r#"{"offset_ms": 601000}"#).await;
    server.request("PUT", "k").keys(&keys).expect_error(403, "SecurityTokenExpired").await;
}

#[tokio::test]
async fn the_error_for_a_skewed_clock_contains_the_server_time() {
    let server = TestServer::new().await;
    for scheme in [SignedBy::V1Header, SignedBy::V4Header] {
        for minutes in [-16, 16] {
            let call = server.request("PUT", "k").signed(scheme).clock(minutes * 60);
            let response = call.expect_error(403, "RequestTimeTooSkewed").await;
            assert_eq!(response.element("MaxAllowedSkewMilliseconds").unwrap(), "900000");
            let time = |name| response.element(name).unwrap().parse::<jiff::Timestamp>().unwrap();
            let apart = time("RequestTime").duration_since(time("ServerTime"));
            assert!((apart.as_secs() - minutes * 60).abs() <= 2, "{apart}");
        }
        for minutes in [-14, 14] {
            server.request("PUT", "k").signed(scheme).clock(minutes * 60).expect_success().await;
        }
    }
}

#[tokio::test]
async fn a_missing_or_malformed_date_is_denied() {
    let server = TestServer::new().await;
    let v1 = server.request("PUT", "k").signed(SignedBy::V1Header);
    v1.header("date", "yesterday").expect_error(403, "AccessDenied").await;
    let v4 = server.request("PUT", "k");
    v4.header("x-oss-date", "2026-11-22T10:00:00Z").expect_error(403, "AccessDenied").await;
    let undated = server.request("PUT", "k").signed(SignedBy::None);
    undated.clone().header("authorization", "OSS a:b").expect_error(403, "AccessDenied").await;
    let v4 = "OSS4-HMAC-SHA256 Credential=a/20261122/r/oss/aliyun_v4_request,Signature=00";
    undated.header("authorization", v4).expect_error(403, "AccessDenied").await;
}

#[tokio::test]
async fn a_presigned_url_expires() {
    let server = TestServer::new().await;
    for scheme in [SignedBy::V1Query, SignedBy::V4Query] {
        server.request("PUT", "k").signed(scheme).clock(-50).expect_success().await;
        server
            .request("PUT", "k")
            .signed(scheme)
            .clock(-61)
            .expect_error(403, "AccessDenied")
            .await;
    }
    for ttl in ["0", "604801", "soon"] {
        let call = server.request("PUT", "k").signed(SignedBy::V4Query);
        call.query("x-oss-expires", ttl).expect_error(400, "InvalidArgument").await;
    }
}

#[tokio::test]
async fn a_contradictory_request_is_an_invalid_argument() {
    let server = TestServer::new().await;
    let keys = Keys::temporary(&server).await;
    let token = keys.token.clone().unwrap();
    for (scheme, parameter) in
        [(SignedBy::V1Header, "security-token"), (SignedBy::V4Header, "x-oss-security-token")]
    {
        let call = server.request("PUT", "k").signed(scheme).keys(&keys);
        call.query(parameter, &token).expect_error(400, "InvalidArgument").await;
    }
    for scheme in [SignedBy::V1Query, SignedBy::V4Query] {
        let call = server.request("PUT", "k").signed(scheme).keys(&keys);
        let twice = call.clone().header("x-oss-security-token", &token);
        twice.expect_error(400, "InvalidArgument").await;
        call.header("authorization", "OSS a:b").expect_error(400, "InvalidArgument").await;
    }
}

#[tokio::test]
async fn a_malformed_authorization_is_an_invalid_argument() {
    let server = TestServer::new().await;
    let mut elsewhere = server.request("PUT", "k");
    elsewhere.region = "cn-beijing".into();
    elsewhere.expect_error(400, "InvalidArgument").await;
    let hashed = server.request("PUT", "k").header("x-oss-content-sha256", "e3b0c442");
    hashed.expect_error(400, "InvalidArgument").await;
    let today = common::sign::clock(&server.request("PUT", "k")).strftime("%Y%m%d").to_string();
    let scope = format!("sandbox-key/{today}/cn-shanghai/oss/aliyun_v4_request");
    for authorization in [
        "Bearer x".to_owned(),
        "OSS sandbox-key".to_owned(),
        "OSS2 AccessKeyId:a,Signature:b".to_owned(),
        "OSS4-HMAC-SHA256 Credential=a/b/c".to_owned(),
        format!("OSS4-HMAC-SHA256 Credential={scope},AdditionalHeaders=,Signature=00"),
        format!("OSS4-HMAC-SHA256 Credential={scope},AdditionalHeaders=x-oss-date,Signature=00"),
        format!("OSS4-HMAC-SHA256 Credential={scope},AdditionalHeaders=host;abc,Signature=00"),
        format!("OSS4-HMAC-SHA256 Credential={scope},AdditionalHeaders=absent,Signature=00"),
        format!("OSS4-HMAC-SHA256 Credential={}", scope.replace(&today, "20200101")),
    ] {
        let call = server.request("PUT", "k").signed(SignedBy::V4Header);
        let response = call.header("authorization", &authorization).send().await.unwrap();
        assert_eq!(response.element("Code").as_deref(), Some("InvalidArgument"), "{authorization}");
    }
}

#[tokio::test]
async fn an_unsigned_request_is_denied() {
    let server = TestServer::new().await;
    server.request("PUT", "k").signed(SignedBy::None).expect_error(403, "AccessDenied").await;
}

#[tokio::test]
async fn the_error_of_a_head_request_is_in_a_header() {
    let server = TestServer::new().await;
    let keys = Keys { secret: "wrong".into(), ..Keys::owner() };
    let response = server.request("HEAD", "k").keys(&keys).send().await.unwrap();
    assert_eq!((response.status, response.body.len()), (403, 0));
    assert!(response.headers["x-oss-err"].starts_with("PD94bWw"));
}

/// Sends a head unchanged and returns the response.
async fn exchange(server: &TestServer, head: &str) -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let address = server.sandbox.address();
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).await.unwrap();
    response
}
