//! Which call of the store a request is.

use std::collections::HashMap;

use vod_uploader::oss::{Method, Request};

/// A call of the store.
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
    /// The call that a request is.
    pub fn of(request: &Request) -> Self {
        let query = query(request);
        match request.method {
            Method::Post if query.contains_key("uploads") => Self::Initiate,
            Method::Post => Self::Complete,
            Method::Put if request.header("x-oss-copy-source").is_some() => Self::UploadPartCopy,
            Method::Put if query.contains_key("partNumber") => Self::UploadPart,
            Method::Put => Self::PutObject,
            Method::Get if query.contains_key("uploadId") => Self::ListParts,
            Method::Get => Self::GetObject,
            Method::Head => Self::Head,
            Method::Delete if query.contains_key("uploadId") => Self::Abort,
            Method::Delete => Self::DeleteObject,
        }
    }
}

/// The query's names and values.
pub(crate) fn query(request: &Request) -> HashMap<String, String> {
    request.url.query_pairs().into_owned().collect()
}
