//! Calls of VOD.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::{Answer, Keys, SignedBy, TestServer};

/// A call by GET, with the parameters every call has unless `changed` replaces them.
pub(crate) async fn call(server: &TestServer, keys: &Keys, changed: &[(&str, &str)]) -> Answer {
    send(server, "GET", keys, changed).await
}

pub(crate) async fn send(
    server: &TestServer,
    method: &str,
    keys: &Keys,
    changed: &[(&str, &str)],
) -> Answer {
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

pub(crate) fn refused(answer: &Answer, status: u16, code: &str) {
    assert_eq!((answer.status, answer.json()["Code"].as_str()), (status, Some(code)));
}

pub(crate) fn decoded(answer: &Answer, field: &str) -> Value {
    let text = STANDARD.decode(answer.element(field).unwrap()).unwrap();
    serde_json::from_slice(&text).unwrap()
}

pub(crate) fn upload_keys(answer: &Answer) -> Keys {
    let auth = decoded(answer, "UploadAuth");
    let field = |name: &str| auth[name].as_str().unwrap().to_owned();
    Keys {
        id: field("AccessKeyId"),
        secret: field("AccessKeySecret"),
        token: Some(field("SecurityToken")),
    }
}
