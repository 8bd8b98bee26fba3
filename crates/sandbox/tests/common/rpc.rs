//! VOD calls.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::{Keys, Response, SignedBy, TestServer};

/// A call by GET, with the common parameters; `changed` replaces them.
pub(crate) async fn call(server: &TestServer, keys: &Keys, changed: &[(&str, &str)]) -> Response {
    send(server, "GET", keys, changed).await
}

pub(crate) async fn send(
    server: &TestServer,
    method: &str,
    keys: &Keys,
    changed: &[(&str, &str)],
) -> Response {
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
    let query = super::sign::rpc_query(method, &keys.secret, &parameters);
    let mut call = server.request(method, "").signed(SignedBy::None);
    if method == "GET" {
        call.path = Some(format!("/?{query}"));
    } else {
        call.path = Some("/".into());
        call = call.header("content-type", "application/x-www-form-urlencoded").body(query);
    }
    call.send().await.unwrap()
}

pub(crate) fn expect_error(response: &Response, status: u16, code: &str) {
    assert_eq!((response.status, response.json()["Code"].as_str()), (status, Some(code)));
}

pub(crate) fn decoded(response: &Response, field: &str) -> Value {
    let text = STANDARD.decode(response.element(field).unwrap()).unwrap();
    serde_json::from_slice(&text).unwrap()
}

pub(crate) fn upload_keys(response: &Response) -> Keys {
    let auth = decoded(response, "UploadAuth");
    let field = |name: &str| auth[name].as_str().unwrap().to_owned();
    Keys {
        id: field("AccessKeyId"),
        secret: field("AccessKeySecret"),
        token: Some(field("SecurityToken")),
    }
}
