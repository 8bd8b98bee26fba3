//! VOD calls: who may make them, what they return, and what that is good for.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failed assumption fails the test")]

mod common;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use common::{Answer, Keys, SignedBy, Stage};
use serde_json::Value;

/// A call by GET, with the parameters every call has unless `changed` replaces them.
async fn call(stage: &Stage, keys: &Keys, changed: &[(&str, &str)]) -> Answer {
    send(stage, "GET", keys, changed).await
}

async fn send(stage: &Stage, method: &str, keys: &Keys, changed: &[(&str, &str)]) -> Answer {
    let timestamp = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let nonce = format!("{}", fastrand::u128(..));
    let mut parameters = vec![
        ("AccessKeyId", keys.id.as_str()),
        ("Version", "2017-03-21"),
        ("Format", "JSON"),
        ("SignatureMethod", "HMAC-SHA1"),
        ("SignatureVersion", "1.0"),
        ("SignatureNonce", &nonce),
        ("Timestamp", &timestamp),
    ];
    if let Some(token) = &keys.token {
        parameters.push(("SecurityToken", token));
    }
    for (name, value) in changed {
        parameters.retain(|(found, _)| found != name);
        parameters.push((name, value));
    }
    let query = common::sign::rpc_query(method, &keys.secret, &parameters);
    let mut call = stage.request(method, "").signed(SignedBy::Nobody);
    if method == "GET" {
        call.path = Some(format!("/?{query}"));
    } else {
        call.path = Some("/".into());
        call = call.header("content-type", "application/x-www-form-urlencoded").body(query);
    }
    call.send().await.unwrap()
}

fn refused(answer: &Answer, status: u16, code: &str) {
    assert_eq!((answer.status, answer.json()["Code"].as_str()), (status, Some(code)));
}

fn decoded(answer: &Answer, field: &str) -> Value {
    let text = STANDARD.decode(answer.element(field).unwrap()).unwrap();
    serde_json::from_slice(&text).unwrap()
}

fn upload_keys(answer: &Answer) -> Keys {
    let auth = decoded(answer, "UploadAuth");
    let field = |name: &str| auth[name].as_str().unwrap().to_owned();
    Keys {
        id: field("AccessKeyId"),
        secret: field("AccessKeySecret"),
        token: Some(field("SecurityToken")),
    }
}

const VIDEO: [(&str, &str); 3] =
    [("Action", "CreateUploadVideo"), ("Title", "片名 (1)*~"), ("FileName", "a b.MP4")];

#[tokio::test]
async fn a_video_credential_writes_its_own_object_and_nothing_else() {
    let stage = Stage::new().await;
    for method in ["GET", "POST"] {
        let created = send(&stage, method, &Keys::owner(), &VIDEO).await;
        assert_eq!(created.status, 200, "{}", created.text());
        let id = created.element("VideoId").unwrap();
        let address = decoded(&created, "UploadAddress");
        let key = address["FileName"].as_str().unwrap();
        assert_eq!(address["Endpoint"], stage.sandbox.origin());
        assert_eq!(address["Bucket"], common::BUCKET);
        assert!(key.starts_with("sv/") && key.ends_with(&format!("-{id}/{id}.mp4")), "{key}");
        let auth = decoded(&created, "UploadAuth");
        assert_eq!((&auth["Expiration"], &auth["Region"]), (&"3600".into(), &"cn-shanghai".into()));
        assert!(auth["AccessKeyId"].as_str().unwrap().starts_with("STS."));

        let keys = upload_keys(&created);
        stage.request("PUT", key).keys(&keys).body("film").accepted().await;
        assert_eq!(stage.stored(key).await, b"film");
        stage.request("HEAD", key).keys(&keys).accepted().await;
        stage.request("PUT", "other").keys(&keys).refused(403, "AccessDenied").await;
        stage.request("GET", key).keys(&keys).refused(403, "AccessDenied").await;
        stage.request("DELETE", key).keys(&keys).refused(403, "AccessDenied").await;
        refused(&call(&stage, &keys, &VIDEO).await, 403, "Forbidden.RAM");
    }
}

#[tokio::test]
async fn a_refresh_gives_a_new_credential_for_the_same_object() {
    let stage = Stage::new().await;
    let created = call(&stage, &Keys::owner(), &VIDEO).await;
    let id = created.element("VideoId").unwrap();
    stage.control("POST", "token-life", r#"{"secs": 60}"#).await;
    let refresh = [("Action", "RefreshUploadVideo"), ("VideoId", &id)];
    let refreshed = call(&stage, &Keys::owner(), &refresh).await;
    assert_eq!(refreshed.element("VideoId"), Some(id.clone()));
    assert_eq!(decoded(&refreshed, "UploadAddress"), decoded(&created, "UploadAddress"));
    assert_eq!(decoded(&refreshed, "UploadAuth")["Expiration"], "60");
    let key = decoded(&created, "UploadAddress")["FileName"].as_str().unwrap().to_owned();
    for keys in [upload_keys(&created), upload_keys(&refreshed)] {
        stage.request("PUT", &key).keys(&keys).accepted().await;
    }
    let unknown = [("Action", "RefreshUploadVideo"), ("VideoId", "nothing")];
    let answer = call(&stage, &Keys::owner(), &unknown).await;
    refused(&answer, 404, "InvalidVideo.NotFound");
    for field in ["RequestId", "HostId", "Message", "Recommend"] {
        assert!(answer.json()[field].is_string(), "{field}");
    }
}

#[tokio::test]
async fn images_and_attached_media_are_created_and_cannot_be_refreshed() {
    let stage = Stage::new().await;
    let image = [("Action", "CreateUploadImage"), ("ImageType", "cover"), ("ImageExt", "jpg")];
    let image = call(&stage, &Keys::owner(), &image).await;
    let id = image.element("ImageId").unwrap();
    let key = decoded(&image, "UploadAddress")["FileName"].as_str().unwrap().to_owned();
    assert!(key.starts_with("image/cover/") && key.ends_with(".jpg"), "{key}");
    stage.request("PUT", &key).keys(&upload_keys(&image)).accepted().await;
    let refresh = [("Action", "RefreshUploadVideo"), ("VideoId", &id)];
    refused(&call(&stage, &Keys::owner(), &refresh).await, 404, "InvalidVideo.NotFound");
    let attached = |business: &'static str, extension: &'static str| {
        [
            ("Action", "CreateUploadAttachedMedia"),
            ("BusinessType", business),
            ("MediaExt", extension),
        ]
    };
    let made = call(&stage, &Keys::owner(), &attached("subtitle", "srt")).await;
    assert!(made.element("MediaId").is_some() && made.element("FileURL").is_some());
    for (business, extension) in [("subtitle", "mp4"), ("film", "srt")] {
        let answer = call(&stage, &Keys::owner(), &attached(business, extension)).await;
        refused(&answer, 400, "InvalidParameter");
    }
}

#[tokio::test]
async fn a_call_is_refused_for_what_is_wrong_with_it() {
    let stage = Stage::new().await;
    let owner = Keys::owner();
    let mut cases: Vec<(&str, &str, u16, &str)> = vec![
        ("Action", "Nothing", 404, "InvalidAction.NotFound"),
        ("Timestamp", "", 400, "MissingTimestamp"),
        ("Timestamp", "2020-01-01T00:00:00Z", 400, "InvalidTimeStamp.Expired"),
        ("Timestamp", "yesterday", 400, "InvalidTimeStamp.Format"),
        ("Version", "2018-01-01", 400, "InvalidParameter"),
        ("SignatureNonce", "", 400, "MissingSignatureNonce"),
        ("AccessKeyId", "nobody", 404, "InvalidAccessKeyId.NotFound"),
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
        let answer = call(&stage, &owner, &parameters).await;
        assert_eq!(answer.json()["Code"], code, "{name}={value}");
        assert_eq!(answer.status, status, "{name}={value}");
    }
    let wrong = Keys { secret: "wrong".into(), ..owner };
    let answer = call(&stage, &wrong, &VIDEO).await;
    refused(&answer, 400, "SignatureDoesNotMatch");
    let message = answer.element("Message").unwrap();
    assert!(message.contains("server string to sign is:GET&%2F&AccessKeyId"), "{message}");
}

#[tokio::test]
async fn a_nonce_is_good_for_one_call() {
    let stage = Stage::new().await;
    let parameters = [&VIDEO[..], &[("SignatureNonce", "once")]].concat();
    assert_eq!(call(&stage, &Keys::owner(), &parameters).await.status, 200);
    refused(&call(&stage, &Keys::owner(), &parameters).await, 400, "SignatureNonceUsed");
}

#[tokio::test]
async fn a_temporary_key_of_the_account_may_call_until_it_expires() {
    let stage = Stage::new().await;
    let keys = Keys::temporary(&stage).await;
    assert_eq!(call(&stage, &keys, &VIDEO).await.status, 200);
    let bare = Keys { token: None, ..keys };
    refused(&call(&stage, &bare, &VIDEO).await, 400, "MissingSecurityToken");
    stage.control("POST", "token-life", r#"{"secs": 0}"#).await;
    let expired = Keys::temporary(&stage).await;
    refused(&call(&stage, &expired, &VIDEO).await, 403, "InvalidSecurityToken.Expired");
}
