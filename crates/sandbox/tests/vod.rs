//! VOD calls: authentication, results, and the issued credentials.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failed assumption fails the test")]

mod common;

use common::rpc::{call, decoded, expect_error, send, upload_keys};
use common::{Keys, TestServer};
use serde_json::json;

const VIDEO: [(&str, &str); 3] =
    [("Action", "CreateUploadVideo"), ("Title", "片名 (1)*~"), ("FileName", "a b.MP4")];

#[tokio::test]
async fn a_video_credential_permits_only_writing_its_object() {
    let server = TestServer::new().await;
    for method in ["GET", "POST"] {
        let created = send(&server, method, &Keys::owner(), &VIDEO).await;
        assert_eq!(created.status, 200, "{}", created.text());
        let id = created.element("VideoId").unwrap();
        let address = decoded(&created, "UploadAddress");
        let key = address["FileName"].as_str().unwrap();
        assert_eq!(address["Endpoint"], server.sandbox.origin());
        assert_eq!(address["Bucket"], common::BUCKET);
        assert!(key.starts_with("sv/") && key.ends_with(&format!("-{id}/{id}.mp4")), "{key}");
        let auth = decoded(&created, "UploadAuth");
        assert_eq!((&auth["Expiration"], &auth["Region"]), (&"3600".into(), &"cn-shanghai".into()));
        assert!(auth["AccessKeyId"].as_str().unwrap().starts_with("STS."));

        let keys = upload_keys(&created);
        server.request("PUT", key).keys(&keys).body("film").expect_success().await;
        assert_eq!(server.stored(key).await, b"film");
        server.request("HEAD", key).keys(&keys).expect_success().await;
        server.request("PUT", "other").keys(&keys).expect_error(403, "AccessDenied").await;
        server.request("GET", key).keys(&keys).expect_error(403, "AccessDenied").await;
        server.request("DELETE", key).keys(&keys).expect_error(403, "AccessDenied").await;
        expect_error(&call(&server, &keys, &VIDEO).await, 403, "Forbidden.RAM");
    }
}

#[tokio::test]
async fn a_refresh_returns_a_new_credential_for_the_same_object() {
    let server = TestServer::new().await;
    let created = call(&server, &Keys::owner(), &VIDEO).await;
    let id = created.element("VideoId").unwrap();
    server.control("POST", "token-life", r#"{"secs": 60}"#).await;
    let refresh = [("Action", "RefreshUploadVideo"), ("VideoId", &id)];
    let refreshed = call(&server, &Keys::owner(), &refresh).await;
    assert_eq!(refreshed.element("VideoId"), Some(id.clone()));
    assert_eq!(decoded(&refreshed, "UploadAddress"), decoded(&created, "UploadAddress"));
    assert_eq!(decoded(&refreshed, "UploadAuth")["Expiration"], "60");
    let key = decoded(&created, "UploadAddress")["FileName"].as_str().unwrap().to_owned();
    for keys in [upload_keys(&created), upload_keys(&refreshed)] {
        server.request("PUT", &key).keys(&keys).expect_success().await;
    }
    let unknown = [("Action", "RefreshUploadVideo"), ("VideoId", "nothing")];
    let response = call(&server, &Keys::owner(), &unknown).await;
    expect_error(&response, 404, "InvalidVideo.NotFound");
    for field in ["RequestId", "HostId", "Message", "Recommend"] {
        assert!(response.json()[field].is_string(), "{field}");
    }
}

#[tokio::test]
async fn images_and_attached_media_are_created_and_cannot_be_refreshed() {
    let server = TestServer::new().await;
    let image = [("Action", "CreateUploadImage"), ("ImageType", "cover"), ("ImageExt", "jpg")];
    let image = call(&server, &Keys::owner(), &image).await;
    let id = image.element("ImageId").unwrap();
    let key = decoded(&image, "UploadAddress")["FileName"].as_str().unwrap().to_owned();
    assert!(key.starts_with("image/cover/") && key.ends_with(".jpg"), "{key}");
    server.request("PUT", &key).keys(&upload_keys(&image)).expect_success().await;
    let refresh = [("Action", "RefreshUploadVideo"), ("VideoId", &id)];
    expect_error(&call(&server, &Keys::owner(), &refresh).await, 404, "InvalidVideo.NotFound");
    let attached = |business: &'static str, extension: &'static str| {
        [
            ("Action", "CreateUploadAttachedMedia"),
            ("BusinessType", business),
            ("MediaExt", extension),
        ]
    };
    let made = call(&server, &Keys::owner(), &attached("subtitle", "srt")).await;
    assert!(made.element("MediaId").is_some() && made.element("FileURL").is_some());
    for (business, extension) in [("subtitle", "mp4"), ("film", "srt")] {
        let response = call(&server, &Keys::owner(), &attached(business, extension)).await;
        expect_error(&response, 400, "InvalidParameter");
    }
}

#[tokio::test]
async fn an_invalid_parameter_has_its_error_code() {
    let server = TestServer::new().await;
    let owner = Keys::owner();
    let mut cases: Vec<(&str, &str, u16, &str)> = vec![
        ("Action", "Nothing", 404, "InvalidAction.NotFound"),
        ("Timestamp", "", 400, "MissingTimestamp"),
        ("Timestamp", "2020-01-01T00:00:00Z", 400, "InvalidTimeStamp.Expired"),
        ("Timestamp", "yesterday", 400, "InvalidTimeStamp.Format"),
        ("Version", "2018-01-01", 400, "InvalidParameter"),
        ("SignatureNonce", "", 400, "MissingSignatureNonce"),
        ("AccessKeyId", "unknown", 404, "InvalidAccessKeyId.NotFound"),
        ("SecurityToken", "forged", 400, "InvalidSecurityToken.MismatchWithAccessKey"),
        ("Title", "", 400, "MissingTitle"),
        ("FileName", "", 400, "MissingFileName"),
        ("FileName", "film", 400, "InvalidParameter"),
    ];
    let long = "t".repeat(129);
    cases.push(("Title", &long, 400, "InvalidParameter"));
    for (name, value, status, code) in cases {
        let mut parameters = VIDEO.to_vec();
        parameters.retain(|(found, _)| *found != name);
        parameters.push((name, value));
        let response = call(&server, &owner, &parameters).await;
        assert_eq!(response.json()["Code"], code, "{name}={value}");
        assert_eq!(response.status, status, "{name}={value}");
    }
    let wrong = Keys { secret: "wrong".into(), ..owner };
    let response = call(&server, &wrong, &VIDEO).await;
    expect_error(&response, 400, "SignatureDoesNotMatch");
    let message = response.element("Message").unwrap();
    assert!(message.contains("server string to sign is:GET&%2F&AccessKeyId"), "{message}");
}

#[tokio::test]
async fn a_nonce_is_valid_for_one_call() {
    let server = TestServer::new().await;
    let parameters = [&VIDEO[..], &[("SignatureNonce", "once")]].concat();
    assert_eq!(call(&server, &Keys::owner(), &parameters).await.status, 200);
    expect_error(&call(&server, &Keys::owner(), &parameters).await, 400, "SignatureNonceUsed");
}

#[tokio::test]
async fn a_temporary_key_of_the_account_may_call_until_it_expires() {
    let server = TestServer::new().await;
    let keys = Keys::temporary(&server).await;
    assert_eq!(call(&server, &keys, &VIDEO).await.status, 200);
    let bare = Keys { token: None, ..keys };
    expect_error(&call(&server, &bare, &VIDEO).await, 400, "MissingSecurityToken");
    server.control("POST", "token-life", r#"{"secs": 0}"#).await;
    let expired = Keys::temporary(&server).await;
    expect_error(&call(&server, &expired, &VIDEO).await, 403, "InvalidSecurityToken.Expired");
}

#[tokio::test]
async fn an_sts_token_can_have_a_separate_lifetime() {
    let server = TestServer::new().await;
    let issued = server.control("POST", "sts", r#"{"secs": 0}"#).await;
    let field = |name: &str| issued.element(name).unwrap();
    let keys = Keys {
        id: field("AccessKeyId"),
        secret: field("AccessKeySecret"),
        token: Some(field("SecurityToken")),
    };
    expect_error(&call(&server, &keys, &VIDEO).await, 403, "InvalidSecurityToken.Expired");
    server.request("PUT", "k").keys(&keys).expect_error(403, "SecurityTokenExpired").await;
    // The lifetime of other credentials does not change.
    let created = call(&server, &Keys::temporary(&server).await, &VIDEO).await;
    assert_eq!(decoded(&created, "UploadAuth")["Expiration"], "3600");
}

#[tokio::test]
async fn the_lifetime_of_a_credential_can_be_changed() {
    let server = TestServer::new().await;
    let sts = Keys::temporary(&server).await;
    let created = call(&server, &sts, &VIDEO).await;
    let upload = upload_keys(&created);
    let key = decoded(&created, "UploadAddress")["FileName"].as_str().unwrap().to_owned();
    let set_ttl = async |id: &str, secs: i64| {
        let body = json!({ "secs": secs }).to_string();
        server.control("POST", &format!("credentials/{id}"), &body).await;
    };
    set_ttl(&upload.id, 0).await;
    server.request("PUT", &key).keys(&upload).expect_error(403, "SecurityTokenExpired").await;
    assert_eq!(call(&server, &sts, &VIDEO).await.status, 200, "the other one has not expired");
    set_ttl(&sts.id, 0).await;
    expect_error(&call(&server, &sts, &VIDEO).await, 403, "InvalidSecurityToken.Expired");
    set_ttl(&upload.id, 60).await;
    server.request("PUT", &key).keys(&upload).expect_success().await;
}

#[tokio::test]
async fn a_deleted_video_cannot_be_refreshed_and_its_object_stays() {
    let server = TestServer::new().await;
    let created = call(&server, &Keys::owner(), &VIDEO).await;
    let id = created.element("VideoId").unwrap();
    let key = decoded(&created, "UploadAddress")["FileName"].as_str().unwrap().to_owned();
    server.request("PUT", &key).keys(&upload_keys(&created)).body("film").expect_success().await;
    server.control("DELETE", &format!("media/{id}"), "").await;
    let server = server.restart().await;
    let refresh = [("Action", "RefreshUploadVideo"), ("VideoId", &id)];
    expect_error(&call(&server, &Keys::owner(), &refresh).await, 404, "InvalidVideo.NotFound");
    assert_eq!(server.stored(&key).await, b"film");
    assert_eq!(server.control("GET", "media", "").await.json(), json!([]));
}

#[tokio::test]
async fn the_parameters_of_created_media_are_listed() {
    let server = TestServer::new().await;
    let made = call(&server, &Keys::owner(), &VIDEO).await;
    let listed = server.control("GET", "media", "").await.json();
    assert_eq!(listed[0]["id"], made.element("VideoId").unwrap());
    assert_eq!(listed[0]["kind"], "video");
    assert_eq!(listed[0]["parameters"], json!({"Title": "片名 (1)*~", "FileName": "a b.MP4"}));
}

#[tokio::test]
async fn the_limits_of_every_call_are_checked() {
    let server = TestServer::new().await;
    let (chars, bytes, tags) = ("标".repeat(129), "标".repeat(43), vec!["t"; 17].join(","));
    let long_tag = "标".repeat(11);
    let image = [("Action", "CreateUploadImage"), ("ImageType", "default")];
    let attached = [
        ("Action", "CreateUploadAttachedMedia"),
        ("BusinessType", "material"),
        ("MediaExt", "zip"),
    ];
    let of_video = [
        ("Tags", tags.as_str()),
        ("FileSize", "1k"),
        ("CateId", "films"),
        ("ReferenceId", "short"),
        ("ReferenceId", "no spaces"),
        ("EnableFirstFrameCover", "yes"),
        ("GenerateThumbnail", "1"),
        ("UserData", "\"quoted twice\""),
    ];
    let of_image =
        [("ImageType", "poster"), ("ImageExt", "bmp"), ("Title", &chars), ("Tags", &tags)];
    let of_attached = [
        ("Title", bytes.as_str()),
        ("Tags", &long_tag),
        ("CateIds", "1,2,3,4,5,6"),
        ("FileSize", "-1"),
        ("MediaExt", "srt"),
    ];
    for (good, wrong) in
        [(&VIDEO[..], &of_video[..]), (&image, &of_image), (&attached, &of_attached)]
    {
        for (name, value) in wrong {
            let mut parameters = good.to_vec();
            parameters.retain(|(found, _)| found != name);
            parameters.push((name, value));
            let response = call(&server, &Keys::owner(), &parameters).await;
            assert_eq!(response.json()["Code"], "InvalidParameter", "{name}={value}");
        }
    }
    let title = ("Title", bytes.as_str());
    let accepted = call(&server, &Keys::owner(), &[&image[..], &[title]].concat()).await;
    for url in ["ImageURL", "FileURL"] {
        assert!(accepted.element(url).unwrap().ends_with(".png"), "{}", accepted.text());
    }
    let accepted = call(&server, &Keys::owner(), &attached).await;
    for url in ["MediaURL", "FileURL"] {
        assert!(accepted.element(url).unwrap().ends_with(".zip"), "{}", accepted.text());
    }
}

#[tokio::test]
async fn the_response_to_a_skewed_call_contains_the_server_time() {
    let server = TestServer::new().await;
    server.control("POST", "clock", r#"{"offset_ms": 86400000}"#).await;
    let response = call(&server, &Keys::owner(), &VIDEO).await;
    expect_error(&response, 400, "InvalidTimeStamp.Expired");
    let server_time = jiff::fmt::rfc2822::parse(&response.headers["date"]).unwrap().timestamp();
    let ahead = server_time.duration_since(jiff::Timestamp::now()).as_secs();
    assert!((86_300..86_500).contains(&ahead), "{ahead}");
}
