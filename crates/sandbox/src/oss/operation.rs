//! Which OSS operation a request asks for.

use http::Method;

use super::target::Target;
use crate::http::RequestHead;

/// An OSS operation, named as the vendor names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    PutObject,
    GetObject,
    HeadObject,
    DeleteObject,
    InitiateMultipartUpload,
    UploadPart,
    UploadPartCopy,
    ListParts,
    CompleteMultipartUpload,
    AbortMultipartUpload,
    ListMultipartUploads,
    ListObjects,
    /// What the sandbox does not do.
    Unsupported,
}

impl Operation {
    /// Every operation that the sandbox does.
    pub(crate) const ALL: [Self; 12] = [
        Self::PutObject,
        Self::GetObject,
        Self::HeadObject,
        Self::DeleteObject,
        Self::InitiateMultipartUpload,
        Self::UploadPart,
        Self::UploadPartCopy,
        Self::ListParts,
        Self::CompleteMultipartUpload,
        Self::AbortMultipartUpload,
        Self::ListMultipartUploads,
        Self::ListObjects,
    ];

    /// Tells the operation from verb, target, query and headers.
    pub(crate) fn identify(head: &RequestHead, target: &Target) -> Self {
        if head.query.iter().any(|(name, _)| OTHER_SUB_RESOURCES.contains(&name.as_str())) {
            return Self::Unsupported;
        }
        let upload_id = head.has_query("uploadId");
        let uploads = head.has_query("uploads");
        let copy = head.header("x-oss-copy-source").is_some();
        let in_upload = upload_id || head.has_query("partNumber");
        match (&head.method, &target.bucket, &target.key) {
            (&Method::PUT, Some(_), Some(_)) if in_upload && copy => Self::UploadPartCopy,
            (&Method::PUT, Some(_), Some(_)) if in_upload => Self::UploadPart,
            (&Method::PUT, Some(_), Some(_)) if !copy => Self::PutObject,
            (&Method::POST, Some(_), Some(_)) if uploads => Self::InitiateMultipartUpload,
            (&Method::POST, Some(_), Some(_)) if upload_id => Self::CompleteMultipartUpload,
            (&Method::GET, Some(_), Some(_)) if upload_id => Self::ListParts,
            (&Method::GET, Some(_), Some(_)) => Self::GetObject,
            (&Method::HEAD, Some(_), Some(_)) => Self::HeadObject,
            (&Method::DELETE, Some(_), Some(_)) if upload_id => Self::AbortMultipartUpload,
            (&Method::DELETE, Some(_), Some(_)) => Self::DeleteObject,
            (&Method::GET, Some(_), None) if uploads => Self::ListMultipartUploads,
            (&Method::GET, Some(_), None) => Self::ListObjects,
            _ => Self::Unsupported,
        }
    }

    /// The vendor's name, by which faults, counters and denied operations refer to it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::PutObject => "PutObject",
            Self::GetObject => "GetObject",
            Self::HeadObject => "HeadObject",
            Self::DeleteObject => "DeleteObject",
            Self::InitiateMultipartUpload => "InitiateMultipartUpload",
            Self::UploadPart => "UploadPart",
            Self::UploadPartCopy => "UploadPartCopy",
            Self::ListParts => "ListParts",
            Self::CompleteMultipartUpload => "CompleteMultipartUpload",
            Self::AbortMultipartUpload => "AbortMultipartUpload",
            Self::ListMultipartUploads => "ListMultipartUploads",
            Self::ListObjects => "ListObjects",
            Self::Unsupported => "Unsupported",
        }
    }

    /// Whether the policy of an `UploadAuth` covers it: writing one object, and looking at it.
    pub(crate) fn uploads(self) -> bool {
        match self {
            Self::PutObject
            | Self::HeadObject
            | Self::InitiateMultipartUpload
            | Self::UploadPart
            | Self::ListParts
            | Self::CompleteMultipartUpload
            | Self::AbortMultipartUpload => true,
            // A part copy reads another object.
            Self::UploadPartCopy
            | Self::GetObject
            | Self::DeleteObject
            | Self::ListMultipartUploads
            | Self::ListObjects
            | Self::Unsupported => false,
        }
    }
}

/// Sub-resources of operations that the sandbox does not do. Taking one of them for the plain
/// operation would overwrite or return the wrong thing.
const OTHER_SUB_RESOURCES: [&str; 14] = [
    "acl",
    "append",
    "bucketInfo",
    "callback",
    "cors",
    "delete",
    "lifecycle",
    "location",
    "policy",
    "restore",
    "symlink",
    "tagging",
    "versionId",
    "x-oss-process",
];

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed assumption fails the test")]

    use std::collections::HashMap;

    use super::*;

    fn identify(method: &str, path: &str) -> Operation {
        let (parts, ()) = http::Request::builder()
            .method(method)
            .uri(path)
            .header("host", "localhost")
            .body(())
            .unwrap()
            .into_parts();
        let head = RequestHead::decode(parts).unwrap();
        let target = Target::locate(&head, &HashMap::new()).unwrap();
        Operation::identify(&head, &target)
    }

    #[test]
    fn verb_and_query_tell_the_operation() {
        assert_eq!(identify("POST", "/b/k?uploads="), Operation::InitiateMultipartUpload);
        assert_eq!(identify("PUT", "/b/k?partNumber=1&uploadId=u"), Operation::UploadPart);
        assert_eq!(identify("PUT", "/b/k"), Operation::PutObject);
        assert_eq!(identify("DELETE", "/b/k?uploadId=u"), Operation::AbortMultipartUpload);
        assert_eq!(identify("GET", "/b/?uploads"), Operation::ListMultipartUploads);
        assert_eq!(identify("GET", "/b"), Operation::ListObjects);
    }

    #[test]
    fn an_operation_of_another_sub_resource_is_never_taken_for_the_plain_one() {
        assert_eq!(identify("PUT", "/b/k?acl"), Operation::Unsupported);
        assert_eq!(identify("POST", "/b/k?append&position=0"), Operation::Unsupported);
        assert_eq!(identify("PUT", "/b"), Operation::Unsupported);
        assert_eq!(identify("GET", "/"), Operation::Unsupported);
    }
}
