//! The JSON object of a successful response, whose fields are read by name.

use std::fmt;

use serde_json::Value;

use super::error_response;
use crate::error::{Error, ErrorKind, Result, ServiceError};
use crate::oss::HttpResponse;

/// A successful response of VOD.
pub struct VodResponse {
    status: u16,
    fields: Value,
}

impl VodResponse {
    /// Parses a response.
    ///
    /// # Errors
    /// Returns the error of an error response, as [`Action::parse`](super::Action::parse) does.
    pub(super) fn parse(response: &HttpResponse) -> Result<Self> {
        if !response.is_success() {
            return Err(error_response::parse(response));
        }
        // A body that is not JSON lacks every field, and is reported as such.
        let fields = serde_json::from_slice(&response.body).unwrap_or_default();
        Ok(Self { status: response.status.as_u16(), fields })
    }

    /// The ID to quote to Alibaba Cloud support; empty if absent.
    pub(super) fn request_id(&self) -> &str {
        self.text("RequestId").unwrap_or_default()
    }

    /// A string field; `None` if it is absent or empty.
    pub(super) fn text(&self, field: &str) -> Option<&str> {
        text_of(&self.fields, field)
    }

    /// A string field that must be present and not empty.
    pub(super) fn required(&self, field: &str) -> Result<&str> {
        self.text(field).ok_or_else(|| self.lacks(field))
    }

    /// The elements of a list that must be present.
    pub(super) fn required_list(&self, field: &str) -> Result<&[Value]> {
        match self.fields.get(field) {
            Some(Value::Array(list)) => Ok(list),
            _ => Err(self.lacks(field)),
        }
    }

    /// A list of strings; empty if absent.
    ///
    /// VOD's samples write such a list as an array, as the JSON text of an array, and as an array
    /// of such a text
    /// (<https://www.alibabacloud.com/help/en/vod/developer-reference/api-vod-2017-03-21-geturluploadinfos>).
    pub(super) fn texts(&self, field: &str) -> Vec<String> {
        let mut texts = Vec::new();
        collect_texts(self.fields.get(field).unwrap_or(&Value::Null), &mut texts);
        texts
    }

    /// The error for a response without the required `field`.
    pub(super) fn lacks(&self, field: &str) -> Error {
        let store = ServiceError {
            status: self.status,
            request_id: self.request_id().to_owned(),
            ..ServiceError::default()
        };
        let message = format!("the response lacks {field}");
        Error::new(ErrorKind::VodRejected, message).with_service(store)
    }
}

/// Shows no fields: UploadAuth is one of them.
impl fmt::Debug for VodResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VodResponse")
            .field("status", &self.status)
            .field("request_id", &self.request_id())
            .finish_non_exhaustive()
    }
}

/// A string field of an object; `None` if it is absent or empty.
pub(super) fn text_of<'a>(object: &'a Value, field: &str) -> Option<&'a str> {
    object.get(field).and_then(Value::as_str).filter(|text| !text.is_empty())
}

/// An unsigned integer field of an object, which VOD writes as a string in some responses.
pub(super) fn number_of(object: &Value, field: &str) -> Option<u64> {
    match object.get(field)? {
        Value::Number(number) => number.as_u64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

fn collect_texts(value: &Value, texts: &mut Vec<String>) {
    match value {
        Value::Array(values) => values.iter().for_each(|value| collect_texts(value, texts)),
        Value::String(text) if text.trim_start().starts_with('[') => {
            match serde_json::from_str::<Vec<String>>(text) {
                Ok(inner) => texts.extend(inner),
                Err(_) => texts.push(text.clone()),
            }
        }
        Value::String(text) if !text.is_empty() => texts.push(text.clone()),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed assumption fails the test")]

    use http::{HeaderMap, StatusCode};
    use serde_json::json;

    use super::*;

    #[test]
    fn a_list_is_parsed_in_every_format_of_vod() {
        for list in [
            json!(["a", "b"]),
            json!("[\"a\", \"b\"]"),
            json!(["[\"a\", \"b\"]"]),
            json!(["a", "", "b", null]),
        ] {
            assert_eq!(response(&json!({"NonExists": list})).texts("NonExists"), ["a", "b"]);
        }
        for list in [json!(null), json!(""), json!({}), json!(7), json!([])] {
            assert!(response(&json!({"NonExists": list})).texts("NonExists").is_empty());
        }
        assert_eq!(response(&json!({"NonExists": "[odd"})).texts("NonExists"), ["[odd"]);
    }

    #[test]
    fn a_number_may_be_a_string() {
        let object = json!({"A": "24", "B": 24, "C": "many", "D": -1, "E": null});
        let numbers = ["A", "B", "C", "D", "E", "F"].map(|field| number_of(&object, field));
        assert_eq!(numbers, [Some(24), Some(24), None, None, None, None]);
    }

    #[test]
    fn a_missing_field_is_reported_with_the_request_id() {
        let response = response(&json!({"RequestId": "R", "Empty": "", "List": "none"}));
        for error in
            [response.required("Empty").unwrap_err(), response.required_list("List").unwrap_err()]
        {
            assert_eq!(error.kind(), ErrorKind::VodRejected);
            assert!(error.message().starts_with("the response lacks "), "{error}");
            assert_eq!(error.service().unwrap().request_id, "R");
        }
    }

    fn response(fields: &Value) -> VodResponse {
        let body = fields.to_string().into_bytes();
        VodResponse::parse(&HttpResponse {
            status: StatusCode::OK,
            headers: HeaderMap::new(),
            body,
        })
        .unwrap()
    }
}
