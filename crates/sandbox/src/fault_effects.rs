//! The effects of faults before and after a request is served.

use std::time::Duration;

use http::{Method, StatusCode};

use crate::fault::FaultKind;
use crate::http::{RequestHead, Response, empty, full, json};
use crate::oss::{OssError, error_xml};
use crate::state::SandboxState;
use crate::vod::{VodError, error_json};

/// An effect before the request is served, or instead of it.
#[derive(Debug)]
pub(crate) enum RequestEffect {
    /// RST before the body is read.
    ResetBeforeBody,
    /// RST after half of the body.
    ResetMidBody,
    /// RST after the entire body.
    ResetAfterBody,
    /// No response; RST after the time, if present.
    Hang(Option<Duration>),
    /// A delay.
    Delay(Duration),
    /// An inverted byte in the body.
    Corrupt,
    /// An error response.
    Reject(InjectedError),
}

/// An effect after the request was served.
#[derive(Debug, Clone, Copy)]
pub(crate) enum ResponseEffect {
    /// RST instead of the response.
    Reset,
    /// Half of the response.
    Truncate,
    /// The response with a wrong CRC.
    WrongCrc,
}

/// An injected error response.
#[derive(Debug)]
pub(crate) enum InjectedError {
    ExpiredToken,
    Skewed,
    AccessDenied,
    NoSuchUpload,
    Status { status: StatusCode, code: Option<String>, form: ErrorForm },
}

/// The format of the body of an error response.
#[derive(Debug, Clone, Copy)]
pub(crate) enum ErrorForm {
    /// The format of the service.
    Native,
    /// An HTML page, as of a proxy.
    Html,
    /// No body.
    Empty,
}

/// Maps a fault to its effect before or after the request is served.
pub(crate) fn split_effects(kind: FaultKind) -> (Option<RequestEffect>, Option<ResponseEffect>) {
    let before = match kind {
        FaultKind::CommitThenReset => return (None, Some(ResponseEffect::Reset)),
        FaultKind::TruncatedReply => return (None, Some(ResponseEffect::Truncate)),
        FaultKind::WrongCrc => return (None, Some(ResponseEffect::WrongCrc)),
        FaultKind::ResetBeforeBody => RequestEffect::ResetBeforeBody,
        FaultKind::ResetMidBody => RequestEffect::ResetMidBody,
        FaultKind::ResetAfterBody => RequestEffect::ResetAfterBody,
        FaultKind::Hang { hang_ms } => RequestEffect::Hang(hang_ms.map(Duration::from_millis)),
        FaultKind::Delay { delay_ms } => RequestEffect::Delay(Duration::from_millis(delay_ms)),
        FaultKind::CorruptBody => RequestEffect::Corrupt,
        FaultKind::ExpiredToken => RequestEffect::Reject(InjectedError::ExpiredToken),
        FaultKind::Skewed => RequestEffect::Reject(InjectedError::Skewed),
        FaultKind::AccessDenied => RequestEffect::Reject(InjectedError::AccessDenied),
        FaultKind::NoSuchUpload => RequestEffect::Reject(InjectedError::NoSuchUpload),
        FaultKind::Status { status, code, html, empty } => {
            RequestEffect::Reject(InjectedError::Status {
                // Fault::from_json rejects other numbers.
                status: StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
                code,
                form: match (html, empty) {
                    (true, _) => ErrorForm::Html,
                    (false, true) => ErrorForm::Empty,
                    (false, false) => ErrorForm::Native,
                },
            })
        }
    };
    (Some(before), None)
}

impl InjectedError {
    /// The response, in the format of VOD or of OSS.
    pub(crate) fn response(
        &self,
        state: &SandboxState,
        head: &RequestHead,
        vod: bool,
        request_id: &str,
    ) -> Response {
        let host = &head.host;
        if let Self::Status { status, code, form } = self {
            let code = code.as_deref().unwrap_or("InternalError");
            return status_response(*status, code, *form, head, vod, request_id);
        }
        if vod {
            self.vod_error().response(host, request_id)
        } else {
            self.oss_error(state, head).response(&head.method, host, request_id)
        }
    }

    fn oss_error(&self, state: &SandboxState, head: &RequestHead) -> OssError {
        let now = state.clock.now();
        match self {
            Self::ExpiredToken => OssError::token_expired(),
            // The response reports a request date of an hour ago, whatever the request has.
            Self::Skewed => OssError::skewed(now - jiff::SignedDuration::from_hours(1), now),
            Self::NoSuchUpload => {
                OssError::no_such_upload(head.query_value("uploadId").unwrap_or_default())
            }
            Self::AccessDenied | Self::Status { .. } => OssError::access_denied(INJECTED_ERROR),
        }
    }

    fn vod_error(&self) -> VodError {
        let (status, code) = match self {
            Self::ExpiredToken => return VodError::token_expired(),
            Self::Skewed => (StatusCode::BAD_REQUEST, "InvalidTimeStamp.Expired"),
            Self::NoSuchUpload => (StatusCode::NOT_FOUND, "InvalidVideo.NotFound"),
            Self::AccessDenied | Self::Status { .. } => (StatusCode::FORBIDDEN, "Forbidden.RAM"),
        };
        VodError::new(status, code, INJECTED_ERROR)
    }
}

fn status_response(
    status: StatusCode,
    code: &str,
    form: ErrorForm,
    head: &RequestHead,
    vod: bool,
    request_id: &str,
) -> Response {
    match form {
        ErrorForm::Empty => empty(status),
        ErrorForm::Html => full(
            status,
            "text/html",
            format!("<html><head><title>{status}</title></head></html>\n"),
        ),
        ErrorForm::Native if vod => {
            json(status, &error_json(code, INJECTED_ERROR, &head.host, request_id))
        }
        ErrorForm::Native if head.method == Method::HEAD => empty(status),
        ErrorForm::Native => full(
            status,
            "application/xml",
            error_xml(code, INJECTED_ERROR, &head.host, request_id, None, &[]),
        ),
    }
}

const INJECTED_ERROR: &str = "An injected fault.";
