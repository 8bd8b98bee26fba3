//! Parsing and responses of the control paths.

use http::StatusCode;
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::http::{Response, json as json_response};

pub(super) fn done() -> Response {
    json_response(StatusCode::OK, &json!({ "ok": true }))
}

pub(super) fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    serde_json::from_slice(body).map_err(|error| error.to_string())
}

/// The response to a change; `found` is false if there is no `what`.
pub(super) fn changed(found: std::io::Result<bool>, what: &str) -> Response {
    match found {
        Ok(true) => done(),
        Ok(false) => {
            json_response(StatusCode::NOT_FOUND, &json!({ "error": format!("no {what}") }))
        }
        Err(error) => failed(&error),
    }
}

pub(super) fn failed(error: &std::io::Error) -> Response {
    json_response(StatusCode::INTERNAL_SERVER_ERROR, &json!({ "error": error.to_string() }))
}

pub(super) fn bad_request(why: &str) -> Response {
    json_response(StatusCode::BAD_REQUEST, &json!({ "error": why }))
}
