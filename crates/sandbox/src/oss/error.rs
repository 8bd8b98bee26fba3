//! OSS errors: code, status and XML body.
//!
//! <https://www.alibabacloud.com/help/en/oss/support/http-status-code-and-error-code>

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{Method, StatusCode};
use jiff::Timestamp;

use super::xml::Element;
use crate::clock::oss_time;
use crate::http::{Response, empty, full, with_header};

/// An error response of OSS.
#[derive(Debug, Clone)]
pub(crate) struct OssError {
    code: Code,
    message: String,
    details: Vec<(&'static str, String)>,
}

impl OssError {
    /// An error with the status of this code in OSS.
    pub(crate) fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), details: Vec::new() }
    }

    /// Adds an element of this code.
    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.details.push((name, value.into()));
        self
    }

    /// 403: the difference between the date of the request and the time of the server is too large.
    pub(crate) fn skewed(request_time: Timestamp, server_time: Timestamp) -> Self {
        Self::new(
            Code::RequestTimeTooSkewed,
            "The difference between the request time and the current time is too large.",
        )
        .with("MaxAllowedSkewMilliseconds", "900000")
        .with("RequestTime", oss_time(request_time))
        .with("ServerTime", oss_time(server_time))
    }

    /// 403: the security token has expired.
    pub(crate) fn token_expired() -> Self {
        Self::new(Code::SecurityTokenExpired, "The security token you provided has expired.")
    }

    /// 403: the credential's policy does not allow the operation.
    pub(crate) fn access_denied(message: impl Into<String>) -> Self {
        Self::new(Code::AccessDenied, message)
    }

    /// 404: the upload ID is unknown, completed or aborted.
    pub(crate) fn no_such_upload(upload_id: &str) -> Self {
        Self::new(
            Code::NoSuchUpload,
            "The specified upload does not exist. The upload ID may be invalid, \
             or the upload may have been aborted or completed.",
        )
        .with("UploadId", upload_id)
    }

    /// 400: a header or parameter has an invalid value.
    pub(crate) fn invalid_argument(message: impl Into<String>) -> Self {
        Self::new(Code::InvalidArgument, message)
    }

    /// 500: the sandbox failed, usually to access its data directory.
    pub(crate) fn internal(error: &std::io::Error) -> Self {
        Self::new(
            Code::InternalError,
            format!("the sandbox cannot use its data directory: {error}"),
        )
    }

    /// The response: XML, or for HEAD the same XML as base64 in `x-oss-err`.
    pub(crate) fn response(&self, method: &Method, host: &str, request_id: &str) -> Response {
        let code = self.code.name();
        let status = self.code.status();
        let body =
            error_xml(code, &self.message, host, request_id, self.code.detail(), &self.details);
        let response = if method == Method::HEAD {
            with_header(empty(status), "x-oss-err", &STANDARD.encode(&body))
        } else {
            full(status, "application/xml", body)
        };
        match self.code.detail() {
            Some(detail) => with_header(response, "x-oss-ec", detail),
            None => response,
        }
    }
}

/// The XML of an error with any code.
pub(crate) fn error_xml(
    code: &str,
    message: &str,
    host: &str,
    request_id: &str,
    detail: Option<&str>,
    details: &[(&'static str, String)],
) -> String {
    let mut error = Element::new("Error")
        .text("Code", code)
        .text("Message", message)
        .text("RequestId", request_id)
        .text("HostId", host);
    for (name, value) in details {
        error = error.text(name, value);
    }
    if let Some(detail) = detail {
        error = error.text("EC", detail);
    }
    error.document()
}

macro_rules! codes {
    ($($name:ident $status:literal $($detail:literal)?,)*) => {
        /// The error codes of the sandbox.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Code { $($name,)* }

        impl Code {
            /// The code as in the `Code` element.
            pub(crate) fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name),)* }
            }

            fn status(self) -> StatusCode {
                let status: u16 = match self { $(Self::$name => $status,)* };
                StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
            }

            /// The detailed code in the `EC` element, if the vendor documents one.
            fn detail(self) -> Option<&'static str> {
                match self { $(Self::$name => None$(.or(Some($detail)))?,)* }
            }
        }
    };
}

codes! {
    AccessDenied 403,
    AccessKeyIdAndSecurityTokenNotMatch 403 "0002-00000008",
    EntityTooLarge 400,
    EntityTooSmall 400,
    FileAlreadyExists 409,
    IncompleteBody 400,
    InternalError 500,
    InvalidAccessKeyId 403,
    InvalidArgument 400,
    InvalidCRC64 400,
    InvalidDigest 400,
    InvalidObjectName 400,
    InvalidPart 400,
    InvalidPartOrder 400,
    InvalidRange 416,
    InvalidSecurityToken 403 "0002-00000006",
    MalformedXML 400,
    MissingContentLength 411,
    NonStandardHostForbidden 403,
    NoSuchBucket 404,
    NoSuchKey 404,
    NoSuchUpload 404,
    NotImplemented 400,
    RequestTimeTooSkewed 403,
    SecondLevelDomainForbidden 403,
    SecurityTokenExpired 403 "0002-00000007",
    SignatureDoesNotMatch 403,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_error_has_its_status_and_detailed_code() {
        let response = OssError::token_expired().response(&Method::PUT, "h", "R");
        assert_eq!(response.status(), StatusCode::FORBIDDEN);
        assert_eq!(response.headers()["x-oss-ec"], "0002-00000007");
    }

    #[test]
    fn an_error_of_a_head_request_is_in_a_header() {
        let response = OssError::new(Code::NoSuchKey, "gone").response(&Method::HEAD, "h", "R");
        let xml = STANDARD.decode(response.headers()["x-oss-err"].as_bytes());
        let xml = String::from_utf8(xml.unwrap_or_default()).unwrap_or_default();
        assert!(xml.contains("<Code>NoSuchKey</Code>"), "{xml}");
        assert_eq!(response.status(), StatusCode::NOT_FOUND);
    }
}
