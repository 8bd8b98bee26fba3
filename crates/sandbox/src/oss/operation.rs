//! The OSS operation that a request is for.

use http::Method;

use super::target::Target;
use crate::http::RequestHead;

macro_rules! operations {
    ($($name:ident),* $(,)?) => {
        /// An OSS operation, named as by the vendor.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Operation {
            $($name,)*
            /// An operation that the sandbox does not support.
            Unsupported,
        }

        impl Operation {
            /// Every supported operation.
            pub(crate) const ALL: &[Self] = &[$(Self::$name),*];

            /// The vendor's name, which faults, counters and denied operations use.
            pub(crate) fn name(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name),)*
                    Self::Unsupported => "Unsupported",
                }
            }
        }
    };
}

operations! {
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
}

impl Operation {
    /// Determines the operation from method, target, query and headers.
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

    /// Returns true if the policy of an `UploadAuth` permits it: writing one object, and
    /// HeadObject.
    pub(crate) fn is_upload(self) -> bool {
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

/// Sub-resources of unsupported operations. Treating one of them as the plain operation would
/// overwrite or return the wrong object.
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
    fn method_and_query_determine_the_operation() {
        assert_eq!(identify("POST", "/b/k?uploads="), Operation::InitiateMultipartUpload);
        assert_eq!(identify("PUT", "/b/k?partNumber=1&uploadId=u"), Operation::UploadPart);
        assert_eq!(identify("PUT", "/b/k"), Operation::PutObject);
        assert_eq!(identify("DELETE", "/b/k?uploadId=u"), Operation::AbortMultipartUpload);
        assert_eq!(identify("GET", "/b/?uploads"), Operation::ListMultipartUploads);
        assert_eq!(identify("GET", "/b"), Operation::ListObjects);
    }

    #[test]
    fn an_unsupported_sub_resource_is_not_treated_as_the_plain_operation() {
        assert_eq!(identify("PUT", "/b/k?acl"), Operation::Unsupported);
        assert_eq!(identify("POST", "/b/k?append&position=0"), Operation::Unsupported);
        assert_eq!(identify("PUT", "/b"), Operation::Unsupported);
        assert_eq!(identify("GET", "/"), Operation::Unsupported);
    }
}
