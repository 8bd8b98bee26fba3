//! Calls of the services and their results.

use std::fmt;
use std::rc::Rc;

use vod_uploader::oss::{HttpResponse, Request};

use super::oss::{Operation, query};

/// A call of a service.
#[derive(Clone, Debug)]
pub(crate) enum ServiceCall {
    KvGet {
        key: String,
    },
    KvSet {
        key: String,
        value: Vec<u8>,
    },
    KvDelete {
        key: String,
    },
    /// A request to OSS or VOD. The body is that of a part or an object.
    Send {
        request: Box<Request>,
        body: Option<Rc<Vec<u8>>>,
    },
}

/// The result of a call.
#[derive(Debug)]
pub(crate) enum ServiceResult {
    /// The value of a key, if one was read.
    Kv(Result<Option<Vec<u8>>, String>),
    Http(Result<HttpResponse, String>),
}

impl ServiceCall {
    /// The operation of OSS that is requested.
    pub(crate) fn operation(&self) -> Option<Operation> {
        match self {
            Self::Send { request, .. } if request.url.path() != "/" => Some(Operation::of(request)),
            _ => None,
        }
    }

    /// The upload ID and the part number, if the call sends the bytes of a part.
    pub(crate) fn part(&self) -> Option<(String, String)> {
        let Self::Send { request, body: Some(_) } = self else { return None };
        if self.operation() != Some(Operation::UploadPart) {
            return None;
        }
        let query = query(request);
        Some((query["uploadId"].clone(), query["partNumber"].clone()))
    }

    /// The result of a call that fails.
    pub(crate) fn failure(&self) -> ServiceResult {
        match self {
            Self::KvGet { .. } | Self::KvSet { .. } | Self::KvDelete { .. } => {
                ServiceResult::Kv(Err("the store failed".into()))
            }
            Self::Send { .. } => ServiceResult::Http(Err("connection reset".into())),
        }
    }
}

impl ServiceResult {
    /// Returns `true` if the call has not failed.
    pub(crate) const fn is_ok(&self) -> bool {
        matches!(self, Self::Kv(Ok(_)) | Self::Http(Ok(_)))
    }
}

/// The line of a trace, without credentials.
impl fmt::Display for ServiceCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::KvGet { key } => write!(f, "get {key}"),
            Self::KvSet { key, value } => write!(f, "set {key} ({} bytes)", value.len()),
            Self::KvDelete { key } => write!(f, "delete {key}"),
            Self::Send { request, .. } => match self.operation() {
                None => f.write_str("VOD"),
                Some(operation) => {
                    let query = query(request);
                    let part = query.get("partNumber").map_or("", String::as_str);
                    write!(f, "OSS {operation:?} {part} {}", request.url.path())
                }
            },
        }
    }
}

/// The line of a trace.
impl fmt::Display for ServiceResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kv(Ok(None)) => f.write_str("none"),
            Self::Kv(Ok(Some(value))) => write!(f, "{} bytes", value.len()),
            Self::Http(Ok(response)) => write!(f, "{}", response.status),
            Self::Kv(Err(error)) | Self::Http(Err(error)) => f.write_str(error),
        }
    }
}
