//! VOD errors: code, status and JSON body.

use http::StatusCode;
use serde_json::{Value, json};

use crate::http::{Response, json as json_response};

/// An error response of VOD.
#[derive(Debug, Clone)]
pub(crate) struct VodError {
    status: StatusCode,
    code: String,
    message: String,
}

impl VodError {
    pub(crate) fn new(status: StatusCode, code: &str, message: impl Into<String>) -> Self {
        Self { status, code: code.to_owned(), message: message.into() }
    }

    /// 400: a required parameter is absent or empty.
    pub(crate) fn missing(parameter: &str) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            &format!("Missing{parameter}"),
            format!("{parameter} is mandatory for this action."),
        )
    }

    /// 400: a parameter has an invalid value.
    pub(crate) fn invalid(parameter: &str, why: &str) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "InvalidParameter",
            format!("The specified parameter {parameter} is not valid: {why}."),
        )
    }

    /// 403: the token has expired.
    pub(crate) fn token_expired() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "InvalidSecurityToken.Expired",
            "Specified SecurityToken is expired.",
        )
    }

    /// The response with its JSON body.
    pub(crate) fn response(&self, host: &str, request_id: &str) -> Response {
        json_response(self.status, &error_json(&self.code, &self.message, host, request_id))
    }
}

impl From<std::io::Error> for VodError {
    fn from(error: std::io::Error) -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "InternalError",
            format!("the sandbox cannot use its data directory: {error}"),
        )
    }
}

/// The body of an error with any code.
pub(crate) fn error_json(code: &str, message: &str, host: &str, request_id: &str) -> Value {
    json!({
        "RequestId": request_id,
        "HostId": host,
        "Code": code,
        "Message": message,
        "Recommend": format!("https://error-center.aliyun.com/status/search?Keyword={code}&source=PopGw"),
    })
}
