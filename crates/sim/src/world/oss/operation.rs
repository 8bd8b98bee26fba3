//! The operations of OSS.

use std::collections::HashMap;

use http::Method;
use vod_uploader::oss::Request;

/// An operation of OSS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operation {
    /// InitiateMultipartUpload
    Initiate,
    /// UploadPart
    UploadPart,
    /// UploadPartCopy
    UploadPartCopy,
    /// ListParts
    ListParts,
    /// CompleteMultipartUpload
    Complete,
    /// PutObject
    PutObject,
    /// HeadObject
    Head,
    /// AbortMultipartUpload
    Abort,
    /// GetObject
    GetObject,
    /// DeleteObject
    DeleteObject,
}

impl Operation {
    /// The operation that is requested.
    #[must_use]
    pub fn of(request: &Request) -> Self {
        let query = query(request);
        match request.method {
            Method::POST if query.contains_key("uploads") => Self::Initiate,
            Method::POST => Self::Complete,
            Method::PUT if request.header("x-oss-copy-source").is_some() => Self::UploadPartCopy,
            Method::PUT if query.contains_key("partNumber") => Self::UploadPart,
            Method::PUT => Self::PutObject,
            Method::GET if query.contains_key("uploadId") => Self::ListParts,
            Method::GET => Self::GetObject,
            Method::HEAD => Self::Head,
            Method::DELETE if query.contains_key("uploadId") => Self::Abort,
            _ => Self::DeleteObject,
        }
    }
}

/// The names and values of the query.
pub(crate) fn query(request: &Request) -> HashMap<String, String> {
    request.url.query_pairs().into_owned().collect()
}
