//! Parsing and responses of the control paths.

use http::StatusCode;
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::http::{Reply, json as json_reply};

pub(super) fn done() -> Reply {
    json_reply(StatusCode::OK, &json!({ "ok": true }))
}

pub(super) fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    serde_json::from_slice(body).map_err(|error| error.to_string())
}

/// The reply to a change of what may not be there.
pub(super) fn changed(found: std::io::Result<bool>, what: &str) -> Reply {
    match found {
        Ok(true) => done(),
        Ok(false) => {
            json_reply(StatusCode::NOT_FOUND, &json!({ "error": format!("there is no {what}") }))
        }
        Err(error) => failed(&error),
    }
}

pub(super) fn failed(error: &std::io::Error) -> Reply {
    json_reply(StatusCode::INTERNAL_SERVER_ERROR, &json!({ "error": error.to_string() }))
}

pub(super) fn bad_request(why: &str) -> Reply {
    json_reply(StatusCode::BAD_REQUEST, &json!({ "error": why }))
}
