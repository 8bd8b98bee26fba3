//! Every type that contains a secret is created with a known one, which must not occur in any
//! printed or stored output.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a failed assumption fails the test"
)]

use std::fmt::Debug;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, Method, StatusCode};
use serde_json::{Value, json};
use vod_uploader::credential::{SealKey, UploadAuth, UploadCredential};
use vod_uploader::http::RequestHead;
use vod_uploader::oss::action::{HeadObject, InitiateMultipartUpload, UploadPart};
use vod_uploader::oss::{
    Action, Bucket, BucketOptions, HttpResponse, MultipartUploadId, SignatureVersion, Signer,
};
use vod_uploader::units::{ByteCount, PartNumber, UnixMillis};
use vod_uploader::vod::{
    Action as _, CreateUploadVideo, RefreshUploadVideo, RpcSigner, VodEndpoint,
};

const SECRET: &str = "planted-access-key-secret";
const TOKEN: &str = "planted-security-token";
const NOW: UnixMillis = UnixMillis(1_700_000_000_000);

#[test]
fn credentials_do_not_print_their_secrets() {
    let credential = credential();
    assert_hidden(&credential);
    assert_hidden(&credential.auth);
    assert_hidden(&credential.auth.credential);
    assert_hidden(&credential.auth.credential.access_key_secret);
    assert_hidden_text(&credential.auth.credential.access_key_secret.to_string());
}

#[test]
fn signed_requests_do_not_print_their_signatures() {
    let credential = credential();
    for signature_version in [SignatureVersion::V4, SignatureVersion::V1] {
        let options = BucketOptions { signature_version, ..BucketOptions::default() };
        let bucket = Bucket::new("oss-cn-shanghai.aliyuncs.com", "outin-1", options).unwrap();
        let signer = Signer { bucket: &bucket, credential: &credential.auth.credential, now: NOW };
        assert_hidden(&signer);

        let action = InitiateMultipartUpload { key: "a", content_type: None };
        let request = signer.sign(action.request(&bucket));
        let authorization = request.header("authorization").unwrap().to_owned();
        assert_shows_nothing_of(&request, &authorization);

        let upload_id = MultipartUploadId("A".into());
        let number = PartNumber::FIRST;
        let part =
            UploadPart { key: "a", upload_id: &upload_id, number, len: ByteCount(1), crc64: None };
        let request = signer.presign(part.request(&bucket), Duration::from_secs(60)).unwrap();
        let query: Vec<(String, String)> = request.url.query_pairs().into_owned().collect();
        let (_, signature) =
            query.iter().find(|(name, _)| name.ends_with("ignature")).expect("it is signed");
        let encoded = request.url.query().unwrap();
        let encoded = encoded.split(['=', '&']).find(|piece| piece.starts_with(&signature[..8]));
        assert_shows_nothing_of(&request, signature);
        assert_shows_nothing_of(&request, encoded.unwrap());
        assert!(format!("{request:?}").contains("uploadId=A"), "{request:?}");
    }
}

#[test]
fn client_requests_do_not_print_their_credentials() {
    let metadata = format!("upload_auth {}", STANDARD.encode(SECRET));
    let head = RequestHead::new(
        Method::POST,
        "/v1/files",
        [
            ("Authorization", SECRET),
            ("Upload-Address", SECRET),
            ("Upload-Auth", SECRET),
            ("Upload-Media-Token", TOKEN),
            ("Upload-Metadata", &*metadata),
        ],
    );
    assert_hidden(&head);
    assert_shows_nothing_of(&head, &STANDARD.encode(SECRET));
}

#[test]
fn vod_calls_do_not_print_their_form() {
    let key = credential().auth.credential;
    let endpoint = VodEndpoint::for_region("cn-shanghai").unwrap();
    let signer = RpcSigner { endpoint: &endpoint, key: &key, nonce: "nonce", now: NOW };
    assert_hidden(&signer);
    let create = CreateUploadVideo { title: "t", file_name: "a.mp4", ..Default::default() };
    let refresh = RefreshUploadVideo { video_id: "v" };
    for request in [signer.sign(&create), signer.sign(&refresh)] {
        assert_shows_nothing_of(&request, "Signature=");
    }
}

#[test]
fn upload_grants_and_their_responses_do_not_print_the_auth() {
    let body = json!({"RequestId": "R", "VideoId": "v", "UploadAddress": address(),
        "UploadAuth": auth(json!({}))});
    let response = response(200, &body.to_string());
    assert_hidden(&response);
    assert_shows_nothing_of(&response, &auth(json!({})));
    let grant = CreateUploadVideo::default().parse(&response, NOW).unwrap();
    assert_hidden(&grant);
}

#[test]
fn errors_of_credentials_do_not_contain_their_values() {
    let mut texts = vec![
        SECRET.to_owned(),
        format!("{{\"AccessKeySecret\":\"{SECRET}\""),
        STANDARD.encode(format!("{{\"AccessKeySecret\":\"{SECRET}\"")),
        STANDARD.encode(format!("\"{SECRET}\"")),
    ];
    for changes in [
        json!({"AccessKeyId": null}),
        json!({"AccessKeyId": [SECRET]}),
        json!({"AccessKeySecret": {"a": SECRET}}),
        json!({"AccessKeyId": format!("{SECRET}\n")}),
        json!({"SecurityToken": format!("{TOKEN} ")}),
        json!({"Expiration": TOKEN, "ExpireUTCTime": null}),
        json!({"ExpireUTCTime": TOKEN}),
        json!({"Region": [TOKEN]}),
    ] {
        texts.push(auth(changes));
    }
    for text in &texts {
        let error = UploadAuth::parse(text, NOW).unwrap_err();
        assert_hidden(&error);
        assert_hidden_text(&error.to_string());
        assert_shows_nothing_of(&error, text);
        let error = UploadCredential::parse(text, &address(), NOW).unwrap_err();
        assert_hidden(&error);
    }
}

#[test]
fn errors_of_stored_records_do_not_contain_their_values() {
    let plain = credential().to_bytes();
    let error = UploadCredential::from_bytes(&plain[..plain.len() - 1]).unwrap_err();
    assert_hidden(&error);
    let error = SealKey::parse(SECRET).unwrap_err();
    assert_hidden(&error);
}

#[test]
fn errors_of_oss_do_not_contain_secrets() {
    let body = format!(
        "<Error><Code>SignatureDoesNotMatch</Code><Message>No.</Message>\
         <SignatureProvided>{SECRET}</SignatureProvided><StringToSign>{TOKEN}</StringToSign>\
         <OSSAccessKeyId>{SECRET}</OSSAccessKeyId></Error>"
    );
    for body in [body, format!("<html>{SECRET}</html>"), format!("{SECRET} {TOKEN}")] {
        let error = HeadObject { key: "a" }.parse(&response(403, &body)).unwrap_err();
        assert_hidden(&error);
        assert_hidden_text(&error.to_string());
        assert_hidden(&error.service());
    }
}

#[test]
fn errors_of_vod_do_not_contain_secrets() {
    let message = format!("No match. server string to sign is:POST&%2F&SecurityToken%3D{TOKEN}");
    let rejection = json!({"Code": "SignatureDoesNotMatch", "Message": message, "RequestId": "R"});
    let rejected = response(400, &rejection.to_string());
    let error = RefreshUploadVideo { video_id: "v" }.parse(&rejected, NOW).unwrap_err();
    assert_hidden(&error);
    assert_hidden(&error.service());
}

#[test]
fn sealed_records_contain_no_plaintext_and_open_to_the_credential() {
    let credential = credential();
    let plain = credential.to_bytes();
    // Otherwise the search below would prove nothing.
    assert!(contains(&plain, SECRET) && contains(&plain, TOKEN));
    let key = SealKey::parse(&STANDARD.encode([7; 32])).unwrap();
    let sealed = key.seal([1; 24], b"record", &plain);
    for text in [SECRET, TOKEN, "STS.id", "outin-1"] {
        assert!(!contains(&sealed, text), "{text}");
    }
    let opened = key.open(b"record", &sealed).unwrap();
    assert_eq!(UploadCredential::from_bytes(&opened), Ok(credential));
    assert_hidden(&key);
    assert_shows_nothing_of(&key, &STANDARD.encode([7; 32]));
}

fn assert_hidden(value: &impl Debug) {
    assert_hidden_text(&format!("{value:?}"));
    assert_hidden_text(&format!("{value:#?}"));
}

fn assert_hidden_text(text: &str) {
    for secret in [SECRET, TOKEN, &STANDARD.encode(SECRET), &STANDARD.encode(TOKEN)] {
        assert!(!text.contains(secret), "{secret} is shown: {text}");
    }
}

fn assert_shows_nothing_of(value: &impl Debug, text: &str) {
    assert_hidden(value);
    assert!(!format!("{value:?}").contains(text), "{text} is shown: {value:?}");
}

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

fn credential() -> UploadCredential {
    UploadCredential::parse(&address(), &auth(json!({})), NOW).unwrap()
}

fn address() -> String {
    let fields = json!({"Endpoint": "https://oss-cn-shanghai.aliyuncs.com", "Bucket": "outin-1",
        "FileName": "sv/a.mp4"});
    STANDARD.encode(fields.to_string())
}

fn auth(changes: Value) -> String {
    let mut fields = json!({"AccessKeyId": "STS.id", "AccessKeySecret": SECRET,
        "SecurityToken": TOKEN, "Expiration": "3000"});
    for (field, value) in changes.as_object().unwrap() {
        fields[field] = value.clone();
    }
    STANDARD.encode(fields.to_string())
}

fn response(status: u16, body: &str) -> HttpResponse {
    let status = StatusCode::from_u16(status).unwrap();
    HttpResponse { status, headers: HeaderMap::new(), body: body.as_bytes().to_vec() }
}
