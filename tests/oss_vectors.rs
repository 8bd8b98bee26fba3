//! The published and captured signatures in `vectors/oss-signatures.json`, one step at a time. A
//! failure reports the first step that differs.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a failed assumption fails the test"
)]

use std::time::Duration;

use http::Method;
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use vod_uploader::crc64::{Crc64, Crc64Digest, combine};
use vod_uploader::credential::{AccessKey, Secret};
use vod_uploader::oss::action::{InitiateMultipartUpload, UploadPart};
use vod_uploader::oss::sign::{
    CanonicalParts, CredentialScope, V1Parts, additional_headers, canonical_headers,
    canonical_query, canonical_request, canonical_uri, signature, signing_key, string_to_sign,
    v1_authorization, v1_post_signature, v1_signature, v1_string_to_sign, v4_authorization,
    v4_post_signature,
};
use vod_uploader::oss::{
    Action, Body, Bucket, BucketOptions, MultipartUploadId, Request, SignatureVersion, Signer,
    UnsignedRequest,
};
use vod_uploader::units::{ByteCount, PartNumber, UnixMillis};

#[test]
fn every_v1_signature_in_a_header_is_reproduced() {
    let vectors = [vectors_of("v1-header"), vectors_of("wire-v1-header")].concat();
    assert_eq!(vectors.len(), 26);
    for vector in vectors {
        let headers = vector.headers();
        let date = find(&headers, "x-oss-date").or_else(|| find(&headers, "date")).unwrap();
        let signature = vector.check_v1(&headers, date, &vector.query());
        let authorization = v1_authorization(&vector.text("access_key_id"), &signature);
        vector.check("authorization", &authorization);
    }
}

#[test]
fn every_v1_signature_in_a_url_is_reproduced() {
    let vectors = vectors_of("v1-query");
    assert_eq!(vectors.len(), 6);
    for vector in vectors {
        let expires = vector.inputs["expires"].as_u64().unwrap().to_string();
        let mut query = vector.query();
        if let Some(token) = vector.inputs["security_token"].as_str() {
            query.push(("security-token".into(), Some(token.into())));
        }
        let signature = vector.check_v1(&vector.headers(), &expires, &query);
        vector.check("signature", &signature);
    }
}

#[test]
fn every_v4_signature_in_a_header_is_reproduced() {
    let vectors = [vectors_of("v4-header"), vectors_of("wire-v4-header")].concat();
    assert_eq!(vectors.len(), 15);
    for vector in vectors {
        let mut headers = vector.headers();
        let token = vector.inputs["security_token"].as_str();
        if let (Some(token), None) = (token, find(&headers, "x-oss-security-token")) {
            headers.push(("x-oss-security-token".into(), token.into()));
        }
        let timestamp = find(&headers, "x-oss-date").unwrap().to_owned();
        vector.check_v4(&headers, &vector.query(), &timestamp);
    }
}

#[test]
fn every_v4_signature_in_a_url_is_reproduced() {
    let vectors = vectors_of("v4-query");
    assert_eq!(vectors.len(), 7);
    for vector in vectors {
        // Captured URLs list the signature's own parameters; published vectors derive them.
        let signed_pairs = &vector.derived["signed_query_pairs"];
        let query = if signed_pairs.is_array() { pairs(signed_pairs) } else { vector.query() };
        let timestamp = query.iter().find(|(name, _)| name == "x-oss-date").unwrap();
        let timestamp = timestamp.1.clone().unwrap();
        vector.check_v4(&vector.headers(), &query, &timestamp);
    }
}

#[test]
fn every_known_v4_key_and_signature_is_reproduced() {
    let vectors = vectors_of("v4-kat");
    assert_eq!(vectors.len(), 2);
    for vector in vectors {
        if vector.expected["signature"].is_string() {
            let key = unhex(&vector.text("signing_key_hex"));
            vector.check("signature", &signature(&key, &vector.text("string_to_sign")));
        } else {
            let key = vector.signing_key(&vector.text("date"));
            vector.check("signing_key_hex", &key);
        }
    }
}

#[test]
fn every_signature_of_a_form_is_reproduced() {
    for vector in vectors_of("post-v1") {
        let signature = v1_post_signature(&vector.secret(), &vector.text("policy_base64"));
        vector.check("Signature", &signature);
    }
    for vector in vectors_of("post-v4") {
        let (timestamp, region) = (vector.text("x_oss_date"), vector.text("region"));
        let scope = CredentialScope { date: &timestamp[..8], region: &region, product: "oss" };
        let policy = vector.text("policy_base64");
        let signature = v4_post_signature(&vector.secret(), &scope, &policy);
        vector.check("x-oss-signature", &signature);
    }
    assert_eq!(vectors_of("post-v1").len() + vectors_of("post-v4").len(), 2);
}

#[test]
fn every_checksum_is_reproduced() {
    let vectors = vectors_of("crc64");
    assert_eq!(vectors.len(), 5);
    for vector in vectors {
        let inputs = &vector.inputs;
        let crc = if let Some(data) = inputs["data"].as_str() {
            Crc64::compute(data.as_bytes())
        } else if let Some(length) = inputs["len2"].as_u64() {
            let (first, second) = (vector.text("crc1"), vector.text("crc2"));
            combine(first.parse().unwrap(), second.parse().unwrap(), length)
        } else {
            vector.crc_of_parts()
        };
        vector.check("crc", &crc.to_string());
    }
}

/// The published request with a security token, signed by [`Signer`].
#[test]
fn the_signer_sends_and_signs_the_security_token() {
    let vector = vector("gov2-v4-put-token");
    let added_by_the_signer = ["x-oss-content-sha256", "x-oss-date", "x-oss-security-token"];
    let mut headers = vector.headers();
    headers.retain(|(name, _)| !added_by_the_signer.contains(&name.as_str()));
    let unsigned = UnsignedRequest {
        method: vector.method(),
        key: vector.text("key"),
        query: vector.query(),
        headers,
        body: Body::Empty,
    };
    let bucket = Bucket::new(
        "oss-cn-hangzhou.aliyuncs.com",
        &vector.text("bucket"),
        BucketOptions::default(),
    )
    .unwrap();
    let now = UnixMillis(vector.inputs["unix_time"].as_u64().unwrap() * 1_000);
    let credential = credential(vector.inputs["security_token"].as_str());
    let request = Signer { bucket: &bucket, credential: &credential, now }.sign(unsigned);
    assert_eq!(request.header("x-oss-security-token"), Some("token"));
    vector.check_signed(&request);
}

/// Requests captured from official clients, reproduced by [`Signer`].
#[test]
fn the_signer_reproduces_the_requests_of_official_clients() {
    let key = "dir 1/é&<测试>+a.bin";
    let upload = |name: &str| {
        let query = vector(name).query();
        MultipartUploadId(
            query.into_iter().find(|(name, _)| name == "uploadId").unwrap().1.unwrap(),
        )
    };
    let content_type = Some("application/octet-stream");

    let initiate = InitiateMultipartUpload { key, content_type };
    let request = sign(SignatureVersion::V4, None, "2026-11-22T09:58:39Z", &initiate);
    vector("wire-v4_23-init").check_signed(&request);
    let request = sign(SignatureVersion::V1, None, "2026-11-22T09:58:35Z", &initiate);
    vector("wire-basic617-init").check_signed(&request);
    let request = sign(SignatureVersion::V1, Some("tok/en+1=="), "2026-11-22T09:58:43Z", &initiate);
    vector("wire-sts_23-init").check_signed(&request);

    let name = "presign-alibabacloud-oss-v2-1-4-1-presign-uploadpart-v4-sts";
    let (upload_id, number) = (upload(name), PartNumber::new(3).unwrap());
    let part = UploadPart { key, upload_id: &upload_id, number, len: ByteCount(1), crc64: None };
    let presigned = |version, now, expires| {
        let (bucket, credential) = (bucket(version), credential(Some("tok/en+1==")));
        let signer = Signer { bucket: &bucket, credential: &credential, now: instant(now) };
        signer.presign(part.request(&bucket), Duration::from_secs(expires)).unwrap()
    };
    let request = presigned(SignatureVersion::V4, "2026-11-22T10:17:02Z", 3599);
    assert_eq!(query_of(&request, "x-oss-signature"), vector(name).expected["signature"]);

    let name = "presign-alibabacloud-oss-v2-1-4-1-presign-uploadpart-v1-sts";
    let expires = vector(name).inputs["expires"].as_u64().unwrap();
    let now = instant("2026-11-22T10:17:02Z").secs();
    let request = presigned(SignatureVersion::V1, "2026-11-22T10:17:02Z", expires - now);
    assert_eq!(query_of(&request, "Signature"), vector(name).expected["signature"]);
    assert_eq!(query_of(&request, "Expires"), expires.to_string());
}

/// One entry of the file.
#[derive(Clone)]
struct Vector {
    name: String,
    kind: String,
    inputs: Value,
    expected: Value,
    derived: Value,
}

impl Vector {
    /// Compares the result of the step `stage`, which the vector must contain.
    fn check(&self, stage: &str, actual: &str) {
        let mut compared = false;
        for results in [&self.expected, &self.derived] {
            if let Some(expected) = results[stage].as_str() {
                // Both separators are valid; the official SDKs omit the space.
                let expected = expected.replace(", AdditionalHeaders", ",AdditionalHeaders");
                let expected = expected.replace(", Signature", ",Signature");
                assert_eq!(actual, expected, "{}: {stage}", self.name);
                compared = true;
            }
        }
        assert!(compared, "{}: the vector does not contain {stage}", self.name);
    }

    /// Compares the `authorization` of a finished request, which contains the signature.
    fn check_signed(&self, request: &Request) {
        let authorization = request.header("authorization").unwrap();
        if self.expected["authorization"].is_string() {
            self.check("authorization", authorization);
        } else {
            self.check("signature", authorization.rsplit_once("Signature=").unwrap().1);
        }
    }

    fn check_v1(
        &self,
        headers: &[(String, String)],
        date: &str,
        query: &[(String, Option<String>)],
    ) -> String {
        let extra = &self.inputs["extra_sub_resources"];
        let extra: Vec<&str> =
            extra.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let string_to_sign = v1_string_to_sign(&V1Parts {
            method: &self.method(),
            headers,
            date,
            bucket: self.inputs["bucket"].as_str(),
            key: self.inputs["key"].as_str(),
            query,
            extra_sub_resources: &extra,
        });
        self.check("string_to_sign", &string_to_sign);
        v1_signature(&self.secret(), &string_to_sign)
    }

    fn check_v4(
        &self,
        headers: &[(String, String)],
        query: &[(String, Option<String>)],
        timestamp: &str,
    ) {
        let requested = &self.inputs["additional_headers"];
        let requested: Vec<&str> =
            requested.as_array().unwrap().iter().filter_map(Value::as_str).collect();
        let additional = additional_headers(&requested, headers);
        let canonical = canonical_request(CanonicalParts {
            method: &self.method(),
            uri: &canonical_uri(self.inputs["bucket"].as_str(), self.inputs["key"].as_str()),
            query: &canonical_query(query),
            headers: &canonical_headers(headers, &additional),
            additional: &additional,
        });
        self.check("canonical_request", &canonical);
        let (region, product) = (self.text("region"), self.text("product"));
        let scope = CredentialScope { date: &timestamp[..8], region: &region, product: &product };
        let string_to_sign = string_to_sign(timestamp, &scope, &canonical);
        self.check("string_to_sign", &string_to_sign);
        if self.derived["signing_key_hex"].is_string() {
            self.check("signing_key_hex", &self.signing_key(scope.date));
        }
        let signature = signature(&signing_key(&self.secret(), &scope), &string_to_sign);
        self.check("signature", &signature);
        if self.derived["authorization"].is_string() {
            let id = self.text("access_key_id");
            let authorization = v4_authorization(&id, &scope, &additional, &signature);
            self.check("authorization", &authorization);
        }
    }

    fn signing_key(&self, date: &str) -> String {
        let (region, product) = (self.text("region"), self.text("product"));
        let scope = CredentialScope { date, region: &region, product: &product };
        hex(&*signing_key(&self.secret(), &scope))
    }

    /// Resumes one digest over all parts, and combines the checksums of the parts.
    fn crc_of_parts(&self) -> Crc64 {
        let data: Vec<u8> = (0..512_005_u32).map(|index| (index * 31) as u8).collect();
        let lengths = self.inputs["split"].as_array().unwrap();
        let part_crcs = self.inputs["part_crcs"].as_array().unwrap();
        let mut rest = data.as_slice();
        let mut digest = Crc64Digest::new();
        let mut combined = Crc64::EMPTY;
        for (length, part_crc) in lengths.iter().zip(part_crcs) {
            let (part, tail) = rest.split_at(length.as_u64().unwrap() as usize);
            rest = tail;
            let crc = Crc64::compute(part);
            assert_eq!(crc.to_string(), part_crc.as_str().unwrap(), "{}", self.name);
            digest = Crc64Digest::from_parts(digest.value());
            digest.update(part);
            combined = combine(combined, crc, part.len() as u64);
        }
        assert_eq!(rest, b"");
        assert_eq!(digest.value(), combined, "{}", self.name);
        combined
    }

    fn text(&self, field: &str) -> String {
        self.inputs[field].as_str().unwrap_or_else(|| panic!("{}: {field}", self.name)).to_owned()
    }

    fn secret(&self) -> Secret {
        Secret::new(self.text("access_key_secret"))
    }

    fn method(&self) -> Method {
        self.text("method").parse().unwrap()
    }

    fn query(&self) -> Vec<(String, Option<String>)> {
        pairs(&self.inputs["query"])
    }

    fn headers(&self) -> Vec<(String, String)> {
        let headers = pairs(&self.inputs["headers"]);
        headers.into_iter().map(|(name, value)| (name, value.unwrap())).collect()
    }
}

fn sign(
    version: SignatureVersion,
    token: Option<&str>,
    now: &str,
    action: &impl Action,
) -> Request {
    let (bucket, credential) = (bucket(version), credential(token));
    let signer = Signer { bucket: &bucket, credential: &credential, now: instant(now) };
    signer.sign(action.request(&bucket))
}

fn bucket(signature_version: SignatureVersion) -> Bucket {
    let options = BucketOptions { signature_version, ..BucketOptions::default() };
    Bucket::new("oss-cn-hangzhou.aliyuncs.com", "mybucket", options).unwrap()
}

fn credential(token: Option<&str>) -> AccessKey {
    AccessKey {
        access_key_id: "ak".into(),
        access_key_secret: Secret::new("sk"),
        security_token: token.map(Secret::new),
    }
}

fn instant(text: &str) -> UnixMillis {
    let instant = OffsetDateTime::parse(text, &Rfc3339).unwrap();
    UnixMillis(u64::try_from(instant.unix_timestamp()).unwrap() * 1_000)
}

fn query_of(request: &Request, name: &str) -> String {
    let mut pairs = request.url.query_pairs();
    pairs.find(|(own, _)| own == name).unwrap().1.into_owned()
}

fn vector(name: &str) -> Vector {
    all_vectors().into_iter().find(|vector| vector.name == name).unwrap()
}

fn vectors_of(kind: &str) -> Vec<Vector> {
    all_vectors().into_iter().filter(|vector| vector.kind == kind).collect()
}

fn all_vectors() -> Vec<Vector> {
    let all: Vec<Value> =
        serde_json::from_str(include_str!("vectors/oss-signatures.json")).unwrap();
    all.into_iter()
        .map(|vector| Vector {
            name: vector["name"].as_str().unwrap().to_owned(),
            kind: vector["kind"].as_str().unwrap().to_owned(),
            inputs: vector["inputs"].clone(),
            expected: vector["expected"].clone(),
            derived: vector["derived"].clone(),
        })
        .collect()
}

fn pairs(list: &Value) -> Vec<(String, Option<String>)> {
    let list = list.as_array().into_iter().flatten();
    list.map(|pair| (pair[0].as_str().unwrap().into(), pair[1].as_str().map(Into::into))).collect()
}

fn find<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers.iter().find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> [u8; 32] {
    let byte = |index: usize| u8::from_str_radix(&text[2 * index..2 * index + 2], 16).unwrap();
    std::array::from_fn(byte)
}
