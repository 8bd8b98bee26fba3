//! Published, generated and captured signatures, each verified as a request.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a failed assumption fails the test"
)]

use std::collections::HashMap;

use jiff::Timestamp;
use serde_json::Value;

use super::claim::{Claim, Scheme, Scope};
use super::hmac::hmac_sha256;
use super::{v1, v4};
use crate::clock::{parse_basic_iso, parse_http_date};
use crate::encoding::{hex_lower, percent_encode, percent_encode_path};
use crate::http::RequestHead;
use crate::oss::Target;

#[test]
fn every_v1_header_vector_is_signed_as_published() {
    let mut checked = 0;
    for vector in of_kinds(&["v1-header", "wire-v1-header"]) {
        let (head, target) = vector.request(&[]);
        let authorization = vector.expected("authorization");
        let date = head.header("x-oss-date").or_else(|| head.header("date")).unwrap();
        let Some(now) = parse_http_date(&date) else {
            // One published example has a date that a server rejects.
            let string_to_sign = v1::string_to_sign(&head, &target, &date);
            let signature = Scheme::V1.signature(&vector.secret(), &string_to_sign);
            assert!(authorization.ends_with(&signature), "{}", vector.name());
            continue;
        };
        let credentials = authorization.strip_prefix("OSS ").unwrap();
        let claim = v1::header_claim(&head, &target, credentials, now).unwrap();
        vector.check(&claim);
        checked += 1;
    }
    assert_eq!(checked, 25);
}

#[test]
fn every_v1_query_vector_is_signed_as_published() {
    let vectors = of_kinds(&["v1-query"]);
    assert_eq!(vectors.len(), 6);
    for vector in vectors {
        let expires = vector.input("expires").to_string();
        let signature = vector.expected("signature");
        let mut added = vec![
            ("OSSAccessKeyId", vector.text("access_key_id")),
            ("Expires", expires.clone()),
            ("Signature", signature),
        ];
        if let Some(token) = vector.input("security_token").as_str() {
            added.push(("security-token", token.to_owned()));
        }
        let (head, target) = vector.request(&added);
        let now = Timestamp::from_second(expires.parse().unwrap()).unwrap();
        vector.check(&v1::query_claim(&head, &target, now).unwrap());
    }
}

#[test]
fn every_v4_header_vector_is_signed_as_published() {
    let vectors = of_kinds(&["v4-header", "wire-v4-header"]);
    assert_eq!(vectors.len(), 15);
    for vector in vectors {
        let (head, target) = vector.request(&[]);
        let now = parse_basic_iso(&head.header("x-oss-date").unwrap()).unwrap();
        let fields = vector.authorization_fields();
        let claim = v4::header_claim(&head, &target, &fields, now).unwrap();
        vector.check(&claim);
        let derived = vector.0.pointer("/derived/signing_key_hex");
        if let (Some(key), Scheme::V4(scope)) = (derived, &claim.scheme) {
            assert_eq!(hex_lower(&scope.signing_key(&vector.secret())), key.as_str().unwrap());
        }
    }
}

#[test]
fn every_v4_query_vector_is_signed_as_published() {
    let vectors = of_kinds(&["v4-query"]);
    assert_eq!(vectors.len(), 7);
    for vector in vectors {
        let pairs = vector.0.pointer("/derived/signed_query_pairs").cloned();
        let mut added: Vec<_> = pairs
            .as_ref()
            .map(pairs_of)
            .unwrap_or_default()
            .into_iter()
            .filter(|(name, _)| name.starts_with("x-oss-"))
            .collect();
        added.push(("x-oss-signature".to_owned(), vector.expected("signature")));
        let borrowed: Vec<_> =
            added.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
        let (head, target) = vector.request(&borrowed);
        let now = parse_basic_iso(head.query_value("x-oss-date").unwrap()).unwrap();
        vector.check(&v4::query_claim(&head, &target, now).unwrap());
    }
}

#[test]
fn the_documented_key_and_signature_are_reproduced_separately() {
    for vector in of_kinds(&["v4-kat"]) {
        if let Some(key) = vector.input("signing_key_hex").as_str() {
            let key: Vec<_> = (0..key.len())
                .step_by(2)
                .map(|at| u8::from_str_radix(&key[at..at + 2], 16).unwrap())
                .collect();
            let signature = hex_lower(&hmac_sha256(&key, &vector.text("string_to_sign")));
            assert_eq!(signature, vector.expected("signature"));
        } else {
            let scope = Scope {
                date: vector.text("date"),
                region: vector.text("region"),
                product: vector.text("product"),
            };
            let key = hex_lower(&scope.signing_key(&vector.secret()));
            assert_eq!(key, vector.expected("signing_key_hex"));
        }
    }
}

struct Vector(Value);

impl Vector {
    fn name(&self) -> &str {
        self.0["name"].as_str().unwrap()
    }

    fn input(&self, name: &str) -> &Value {
        &self.0["inputs"][name]
    }

    fn text(&self, name: &str) -> String {
        self.input(name).as_str().unwrap().to_owned()
    }

    fn secret(&self) -> String {
        self.text("access_key_secret")
    }

    fn expected(&self, name: &str) -> String {
        self.0["expected"][name].as_str().unwrap().to_owned()
    }

    /// The request as a server receives it: captured, presigned, or built in path style with
    /// `added` query parameters.
    fn request(&self, added: &[(&str, String)]) -> (RequestHead, Target) {
        let uri = match (self.input("raw_path").as_str(), self.input("url").as_str()) {
            (Some(raw_path), _) => raw_path.to_owned(),
            (None, Some(url)) => url.to_owned(),
            (None, None) => self.path_style(added),
        };
        let mut request = http::Request::builder().method(self.text("method").as_str()).uri(uri);
        for (name, value) in pairs_of(self.input("headers")) {
            if !name.eq_ignore_ascii_case("host") {
                request = request.header(name, value);
            }
        }
        if self.input("url").is_null() {
            request = request.header("host", "localhost");
        }
        let (parts, ()) = request.body(()).unwrap().into_parts();
        let head = RequestHead::decode(parts).unwrap();
        let target = Target::locate(&head, &HashMap::new()).unwrap();
        assert_eq!(target.bucket.as_deref(), self.input("bucket").as_str());
        assert_eq!(target.key.as_deref(), self.input("key").as_str());
        (head, target)
    }

    fn path_style(&self, added: &[(&str, String)]) -> String {
        let key = self.input("key").as_str().unwrap_or_default();
        let mut pairs = pairs_of(self.input("query"));
        pairs.extend(added.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
        let query: Vec<_> = pairs
            .into_iter()
            .map(|(name, value)| format!("{}={}", percent_encode(&name), percent_encode(&value)))
            .collect();
        format!("/{}/{}?{}", self.text("bucket"), percent_encode_path(key), query.join("&"))
    }

    fn authorization_fields(&self) -> String {
        if let Some(authorization) = self.0.pointer("/derived/authorization") {
            let authorization = authorization.as_str().unwrap();
            return authorization.split_once(' ').unwrap().1.to_owned();
        }
        let date = pairs_of(self.input("headers"))
            .into_iter()
            .find(|(name, _)| name.eq_ignore_ascii_case("x-oss-date"))
            .unwrap()
            .1;
        format!(
            "Credential={}/{}/{}/{}/aliyun_v4_request,Signature={}",
            self.text("access_key_id"),
            &date[..8],
            self.text("region"),
            self.text("product"),
            self.expected("signature")
        )
    }

    fn check(&self, claim: &Claim) {
        let name = self.name();
        for (stage, found) in [
            ("canonical_request", claim.canonical_request.as_deref()),
            ("string_to_sign", Some(claim.string_to_sign.as_str())),
        ] {
            let published = self.0.pointer(&format!("/derived/{stage}"));
            let published = published.or_else(|| self.0.pointer(&format!("/expected/{stage}")));
            if let Some(published) = published {
                assert_eq!(found, published.as_str(), "{name}: {stage}");
            }
        }
        assert_eq!(claim.access_key_id, self.text("access_key_id"), "{name}");
        assert_eq!(claim.expected_signature(&self.secret()), claim.signature, "{name}");
    }
}

fn of_kinds(kinds: &[&str]) -> Vec<Vector> {
    let text = include_str!("../../../../tests/vectors/oss-signatures.json");
    let all: Vec<Value> = serde_json::from_str(text).unwrap();
    all.into_iter()
        .filter(|vector| kinds.contains(&vector["kind"].as_str().unwrap()))
        .map(Vector)
        .collect()
}

fn pairs_of(pairs: &Value) -> Vec<(String, String)> {
    let pairs = pairs.as_array().unwrap().iter();
    pairs
        .map(|pair| {
            let text = |at: usize| pair[at].as_str().unwrap_or_default().to_owned();
            (text(0), text(1))
        })
        .collect()
}
