//! Signing as documented, separate from the code under test.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use jiff::{SignedDuration, Timestamp};
use sha1::Sha1;
use sha2::{Digest, Sha256};

use super::{Call, TestServer};

/// How a request is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SignedBy {
    None,
    V1Header,
    V1Query,
    V4Header,
    V4Query,
}

/// A key pair, with a token if it is temporary.
#[derive(Debug, Clone)]
pub(crate) struct Keys {
    pub(crate) id: String,
    pub(crate) secret: String,
    pub(crate) token: Option<String>,
}

impl Keys {
    pub(crate) fn owner() -> Self {
        Self { id: "sandbox-key".into(), secret: "sandbox-secret".into(), token: None }
    }

    /// A temporary credential for everything.
    pub(crate) async fn temporary(server: &TestServer) -> Self {
        let issued = server.control("POST", "sts", "").await;
        Self {
            id: issued.element("AccessKeyId").unwrap(),
            secret: issued.element("AccessKeySecret").unwrap(),
            token: issued.element("SecurityToken"),
        }
    }
}

/// Signs the request by its scheme.
pub(crate) fn sign(call: &mut Call) {
    match call.signed_by {
        SignedBy::None => {}
        SignedBy::V1Header => v1_header(call),
        SignedBy::V1Query => v1_query(call),
        SignedBy::V4Header => v4_header(call),
        SignedBy::V4Query => v4_query(call),
    }
}

/// RFC 3986 percent-encoding.
pub(crate) fn encode(text: &str) -> String {
    let stored = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let encoded = text.bytes().map(|byte| match byte {
        byte if stored(byte) => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    });
    encoded.collect()
}

/// The RPC signature of a VOD call.
pub(crate) fn rpc_query(method: &str, secret: &str, parameters: &[(&str, &str)]) -> String {
    let mut pairs: Vec<_> = parameters
        .iter()
        .map(|(name, value)| format!("{}={}", encode(name), encode(value)))
        .collect();
    pairs.sort();
    let query = pairs.join("&");
    let text = format!("{method}&%2F&{}", encode(&query));
    let signature = STANDARD.encode(hmac_sha1(&format!("{secret}&"), &text));
    format!("{query}&Signature={}", encode(&signature))
}

/// The time of the client's clock.
pub(crate) fn clock(call: &Call) -> Timestamp {
    Timestamp::now() + SignedDuration::from_secs(call.clock_secs)
}

fn v1_header(call: &mut Call) {
    if let Some(token) = call.keys.token.clone() {
        set_header(call, "x-oss-security-token", &token);
    }
    let date = clock(call).strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    if !call.headers.iter().any(|(name, _)| name == "date") {
        set_header(call, "date", &date);
    }
    let date = header(call, "date");
    let signature = v1_signature(call, &date);
    let authorization = format!("OSS {}:{signature}", call.keys.id);
    add_authorization(call, authorization);
}

fn v1_query(call: &mut Call) {
    let expires = (clock(call).as_second() + 60).to_string();
    if let Some(token) = call.keys.token.clone() {
        call.query.push(("security-token".to_owned(), token));
    }
    let signature = v1_signature(call, &expires);
    let id = call.keys.id.clone();
    for (name, value) in [("OSSAccessKeyId", id), ("Expires", expires), ("Signature", signature)] {
        call.query.push((name.to_owned(), value));
    }
}

fn v1_signature(call: &Call, date: &str) -> String {
    let mut signed: Vec<_> =
        call.headers.iter().filter(|(name, _)| name.starts_with("x-oss-")).collect();
    signed.sort();
    let headers: String = signed.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
    let sub_resources = ["uploads", "uploadId", "partNumber", "security-token"];
    let mut query: Vec<_> = call
        .query
        .iter()
        .filter(|(name, _)| sub_resources.contains(&name.as_str()))
        .map(|(name, value)| match value.as_str() {
            "" => name.clone(),
            value => format!("{name}={value}"),
        })
        .collect();
    query.sort();
    let question = if query.is_empty() { "" } else { "?" };
    let text = format!(
        "{}\n{}\n{}\n{date}\n{headers}/{}/{}{question}{}",
        call.method,
        header(call, "content-md5"),
        header(call, "content-type"),
        call.bucket,
        call.key,
        query.join("&"),
    );
    STANDARD.encode(hmac_sha1(&call.keys.secret, &text))
}

fn v4_header(call: &mut Call) {
    let date = clock(call).strftime("%Y%m%dT%H%M%SZ").to_string();
    for (name, value) in
        [("x-oss-date", date.as_str()), ("x-oss-content-sha256", "UNSIGNED-PAYLOAD")]
    {
        if !call.headers.iter().any(|(found, _)| found == name) {
            set_header(call, name, value);
        }
    }
    if let Some(token) = call.keys.token.clone() {
        set_header(call, "x-oss-security-token", &token);
    }
    let (scope, signature) = v4_signature(call, &date);
    let authorization =
        format!("OSS4-HMAC-SHA256 Credential={}/{scope},Signature={signature}", call.keys.id);
    add_authorization(call, authorization);
}

fn v4_query(call: &mut Call) {
    let date = clock(call).strftime("%Y%m%dT%H%M%SZ").to_string();
    let credential =
        format!("{}/{}/{}/oss/aliyun_v4_request", call.keys.id, &date[..8], call.region);
    let mut added = vec![
        ("x-oss-signature-version", "OSS4-HMAC-SHA256".to_owned()),
        ("x-oss-credential", credential),
        ("x-oss-date", date.clone()),
    ];
    if !call.query.iter().any(|(name, _)| name == "x-oss-expires") {
        added.push(("x-oss-expires", "60".to_owned()));
    }
    if let Some(token) = call.keys.token.clone() {
        added.push(("x-oss-security-token", token));
    }
    for (name, value) in added {
        call.query.push((name.to_owned(), value));
    }
    let (_, signature) = v4_signature(call, &date);
    call.query.push(("x-oss-signature".to_owned(), signature));
}

fn v4_signature(call: &Call, date: &str) -> (String, String) {
    let mut query: Vec<_> =
        call.query.iter().map(|(name, value)| (encode(name), encode(value))).collect();
    query.sort();
    let query: Vec<_> = query
        .into_iter()
        .map(|(name, value)| match value.as_str() {
            "" => name,
            value => format!("{name}={value}"),
        })
        .collect();
    let mut signed: Vec<_> = call
        .headers
        .iter()
        .filter(|(name, _)| {
            name.starts_with("x-oss-") || ["content-type", "content-md5"].contains(&name.as_str())
        })
        .collect();
    signed.sort();
    let headers: String = signed.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
    let uri = encode(&format!("/{}/{}", call.bucket, call.key)).replace("%2F", "/");
    let canonical =
        format!("{}\n{uri}\n{}\n{headers}\n\nUNSIGNED-PAYLOAD", call.method, query.join("&"));
    let scope = format!("{}/{}/oss/aliyun_v4_request", &date[..8], call.region);
    let hash = hex(&Sha256::digest(canonical));
    let text = format!("OSS4-HMAC-SHA256\n{date}\n{scope}\n{hash}");
    let mut key = format!("aliyun_v4{}", call.keys.secret).into_bytes();
    for step in scope.split('/') {
        key = hmac_sha256(&key, step);
    }
    (scope, hex(&hmac_sha256(&key, &text)))
}

fn add_authorization(call: &mut Call, authorization: String) {
    if !call.headers.iter().any(|(name, _)| name == "authorization") {
        set_header(call, "authorization", &authorization);
    }
}

fn set_header(call: &mut Call, name: &str, value: &str) {
    call.headers.push((name.to_owned(), value.to_owned()));
}

fn header(call: &Call, name: &str) -> String {
    let found = call.headers.iter().find(|(found, _)| found == name);
    found.map(|(_, value)| value.clone()).unwrap_or_default()
}

fn hmac_sha1(key: &str, text: &str) -> Vec<u8> {
    let mac = Hmac::<Sha1>::new_from_slice(key.as_bytes()).unwrap();
    mac.chain_update(text).finalize().into_bytes().to_vec()
}

fn hmac_sha256(key: &[u8], text: &str) -> Vec<u8> {
    let mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.chain_update(text).finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
