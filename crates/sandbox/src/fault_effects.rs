//! What a fault does at each point of a request's life.

use std::time::Duration;

use http::{Method, StatusCode};

use crate::fault::FaultKind;
use crate::http::{Reply, RequestHead, empty, full, json};
use crate::oss::{OssError, error_xml};
use crate::state::SandboxState;
use crate::vod::{VodError, error_json};

/// Done before the request is served, most of it instead.
#[derive(Debug)]
pub(crate) enum RequestEffect {
    /// RST before the body is read.
    ResetAtOnce,
    /// RST after half of the body.
    ResetMidBody,
    /// RST after the whole body.
    ResetAfterBody,
    /// No reply; RST after the time, if any.
    Hang(Option<Duration>),
    /// Wait, then serve.
    Delay(Duration),
    /// Flip a byte of the body, then serve.
    Corrupt,
    /// An error reply.
    Refuse(Refusal),
}

/// Done after the request has taken effect.
#[derive(Debug, Clone, Copy)]
pub(crate) enum ResponseEffect {
    /// RST instead of the reply.
    Reset,
    /// Half of the reply.
    Truncate,
    /// The reply with another CRC.
    WrongCrc,
}

/// An error reply that the request did not deserve.
#[derive(Debug)]
pub(crate) enum Refusal {
    ExpiredToken,
    Skewed,
    AccessDenied,
    NoSuchUpload,
    Status { status: StatusCode, code: Option<String>, form: ErrorForm },
}

/// What the body of an error reply looks like.
#[derive(Debug, Clone, Copy)]
pub(crate) enum ErrorForm {
    /// As the service writes its errors.
    Native,
    /// A page as of a proxy.
    Html,
    /// None.
    Empty,
}

/// Sorts a fault by when it acts.
pub(crate) fn split_effects(kind: FaultKind) -> (Option<RequestEffect>, Option<ResponseEffect>) {
    let before = match kind {
        FaultKind::CommitThenReset => return (None, Some(ResponseEffect::Reset)),
        FaultKind::TruncatedReply => return (None, Some(ResponseEffect::Truncate)),
        FaultKind::WrongCrc => return (None, Some(ResponseEffect::WrongCrc)),
        FaultKind::ResetBeforeBody => RequestEffect::ResetAtOnce,
        FaultKind::ResetMidBody => RequestEffect::ResetMidBody,
        FaultKind::ResetAfterBody => RequestEffect::ResetAfterBody,
        FaultKind::Hang { hang_ms } => RequestEffect::Hang(hang_ms.map(Duration::from_millis)),
        FaultKind::Delay { delay_ms } => RequestEffect::Delay(Duration::from_millis(delay_ms)),
        FaultKind::CorruptBody => RequestEffect::Corrupt,
        FaultKind::ExpiredToken => RequestEffect::Refuse(Refusal::ExpiredToken),
        FaultKind::Skewed => RequestEffect::Refuse(Refusal::Skewed),
        FaultKind::AccessDenied => RequestEffect::Refuse(Refusal::AccessDenied),
        FaultKind::NoSuchUpload => RequestEffect::Refuse(Refusal::NoSuchUpload),
        FaultKind::Status { status, code, html, empty } => RequestEffect::Refuse(Refusal::Status {
            // Fault::from_json refuses other numbers.
            status: StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            code,
            form: match (html, empty) {
                (true, _) => ErrorForm::Html,
                (false, true) => ErrorForm::Empty,
                (false, false) => ErrorForm::Native,
            },
        }),
    };
    (Some(before), None)
}

impl Refusal {
    /// The reply, in the words of VOD or of OSS.
    pub(crate) fn reply(
        &self,
        state: &SandboxState,
        head: &RequestHead,
        vod: bool,
        request_id: &str,
    ) -> Reply {
        let host = &head.host;
        if let Self::Status { status, code, form } = self {
            let code = code.as_deref().unwrap_or("InternalError");
            return status_reply(*status, code, *form, head, vod, request_id);
        }
        if vod {
            self.vod_error().reply(host, request_id)
        } else {
            self.oss_error(state, head).reply(&head.method, host, request_id)
        }
    }

    fn oss_error(&self, state: &SandboxState, head: &RequestHead) -> OssError {
        let now = state.clock.now();
        match self {
            Self::ExpiredToken => OssError::token_expired(),
            // The request may carry any date or none; the fault claims one an hour late.
            Self::Skewed => OssError::skewed(now - jiff::SignedDuration::from_hours(1), now),
            Self::NoSuchUpload => {
                OssError::no_such_upload(head.query_value("uploadId").unwrap_or_default())
            }
            Self::AccessDenied | Self::Status { .. } => {
                OssError::access_denied("A planted fault denies access.")
            }
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

fn status_reply(
    status: StatusCode,
    code: &str,
    form: ErrorForm,
    head: &RequestHead,
    vod: bool,
    request_id: &str,
) -> Reply {
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

const INJECTED_ERROR: &str = "A planted fault.";
