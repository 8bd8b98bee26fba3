//! The RPC signature, version 1.0, of every VOD request.
//!
//! <https://www.alibabacloud.com/help/en/sdk/product-overview/rpc-mechanism>

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method};
use zeroize::Zeroizing;

use super::{Action, VodEndpoint};
use crate::credential::AccessKey;
use crate::credential::Secret;
use crate::oss::sign::hmac_sha1;
use crate::oss::{Body, Request};
use crate::percent::encode_component;
use crate::timestamp;
use crate::units::UnixMillis;

/// Signs one request.
#[derive(Clone, Copy, Debug)]
pub struct RpcSigner<'a> {
    /// The service that the request is for.
    pub endpoint: &'a VodEndpoint,
    /// The access key.
    pub key: &'a AccessKey,
    /// A string that is unique for every request: VOD rejects a repeated one.
    pub nonce: &'a str,
    /// The current time of VOD's clock.
    pub now: UnixMillis,
}

impl RpcSigner<'_> {
    /// The signed POST request of `action`, with its parameters as a form.
    #[must_use]
    pub fn sign<A: Action>(&self, action: &A) -> Request {
        let mut parameters = action.parameters();
        parameters.extend([
            ("Action", A::NAME.to_owned()),
            ("Version", API_VERSION.to_owned()),
            ("Format", "JSON".to_owned()),
            ("AccessKeyId", self.key.access_key_id.clone()),
            ("SignatureMethod", "HMAC-SHA1".to_owned()),
            ("SignatureVersion", "1.0".to_owned()),
            ("SignatureNonce", self.nonce.to_owned()),
            ("Timestamp", timestamp::iso8601_extended(self.now)),
        ]);
        if let Some(token) = &self.key.security_token {
            parameters.push(("SecurityToken", token.expose().to_owned()));
        }
        let canonical = canonical_query(&parameters);
        let string_to_sign = string_to_sign(&Method::POST, &canonical);
        let signature = signature(&self.key.access_key_secret, &string_to_sign);
        let form = format!("{canonical}&Signature={}", encode_component(&signature));
        Request {
            method: Method::POST,
            url: self.endpoint.url().clone(),
            headers: HeaderMap::from_iter([
                (CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded")),
                (ACCEPT, HeaderValue::from_static("application/json")),
                (CONTENT_LENGTH, HeaderValue::from(form.len())),
            ]),
            body: Body::Bytes(form.into_bytes()),
        }
    }
}

/// Step 1: all parameters percent-encoded, sorted by name, joined with `&`.
fn canonical_query(parameters: &[(&str, String)]) -> String {
    let mut sorted: Vec<_> =
        parameters.iter().map(|(name, value)| (*name, value.as_str())).collect();
    sorted.sort_unstable();
    let pairs: Vec<String> = sorted
        .into_iter()
        .map(|(name, value)| format!("{}={}", encode_component(name), encode_component(value)))
        .collect();
    pairs.join("&")
}

/// Step 2: the method, the encoded path `/` and the canonical query, encoded once more.
fn string_to_sign(method: &Method, canonical_query: &str) -> String {
    format!("{method}&%2F&{}", encode_component(canonical_query))
}

/// Step 3: the signature in Base64, not yet percent-encoded.
fn signature(secret: &Secret, string_to_sign: &str) -> String {
    let key = Zeroizing::new(format!("{}&", secret.expose()));
    STANDARD.encode(hmac_sha1(key.as_bytes(), string_to_sign.as_bytes()))
}

const API_VERSION: &str = "2017-03-21";

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        reason = "a failed assumption fails the test"
    )]

    use super::*;
    use crate::vod::CreateUploadVideo;

    const NONCE: &str = "3ee8c1b8-83d3-44af-a94f-4e0ad82fd6cf";

    #[test]
    fn the_published_vector_is_reproduced() {
        let parameters = parameters(&[
            ("Action", "DescribeRegions"),
            ("Format", "XML"),
            ("Timestamp", "2016-02-23T12:46:24Z"),
            ("Version", "2014-05-26"),
        ]);
        assert_eq!(
            signature(&secret(), &string_to_sign(&Method::GET, &canonical_query(&parameters))),
            "OLeaidS1JvxuMvnyHOwuJ+uX5qY="
        );
    }

    #[test]
    fn values_that_need_encoding_are_signed_for_get_and_post() {
        let parameters = parameters(&[
            ("Action", "CreateUploadVideo"),
            ("FileName", "测试 (1)*.mp4"),
            ("Format", "JSON"),
            ("SecurityToken", "tok+/="),
            ("Timestamp", "2023-12-25T00:00:00Z"),
            ("Title", "it's ~ok!"),
            ("Version", "2017-03-21"),
        ]);
        let canonical = canonical_query(&parameters);
        for (method, expected) in [
            (&Method::GET, "CNyAM4ZwVcA3zJ1a7EPwhzPG52c="),
            (&Method::POST, "0EGEOlrpyFWPN58az9W2zSWAak0="),
        ] {
            assert_eq!(signature(&secret(), &string_to_sign(method, &canonical)), expected);
        }
    }

    #[test]
    fn a_signed_request_contains_the_signed_form() {
        let key = AccessKey {
            access_key_id: "testid".into(),
            access_key_secret: secret(),
            security_token: Some(Secret::new("tok+/=")),
        };
        let endpoint = VodEndpoint::for_region("cn-shanghai").unwrap();
        let action = CreateUploadVideo {
            title: "it's ~ok!",
            file_name: "测试 (1)*.mp4",
            ..CreateUploadVideo::default()
        };
        // 2023-12-25T00:00:00Z
        let now = UnixMillis(1_703_462_400_000);
        let signer = RpcSigner { endpoint: &endpoint, key: &key, nonce: NONCE, now };
        let request = signer.sign(&action);
        let Body::Bytes(form) = &request.body else { panic!("{request:?}") };
        assert_eq!(request.header("content-length"), Some(form.len().to_string().as_str()));
        assert_eq!(request.url.as_str(), "https://vod.cn-shanghai.aliyuncs.com/");
        let form = String::from_utf8(form.clone()).unwrap();
        assert!(form.starts_with("AccessKeyId=testid&Action=CreateUploadVideo&FileName=%E6%B5%8B"));
        assert!(form.ends_with("&Signature=0EGEOlrpyFWPN58az9W2zSWAak0%3D"), "{form}");
    }

    fn parameters(own: &[(&'static str, &str)]) -> Vec<(&'static str, String)> {
        let common = [
            ("AccessKeyId", "testid"),
            ("SignatureMethod", "HMAC-SHA1"),
            ("SignatureNonce", NONCE),
            ("SignatureVersion", "1.0"),
        ];
        own.iter().chain(&common).map(|(name, value)| (*name, (*value).to_owned())).collect()
    }

    fn secret() -> Secret {
        Secret::new("testsecret")
    }
}
