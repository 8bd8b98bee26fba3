//! Which S3 operation a request asks for.

use crate::bench::request::Head;

/// An S3 operation, named as the vendor names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    CreateMultipartUpload,
    UploadPart,
    ListParts,
    CompleteMultipartUpload,
    PutObject,
    GetObject,
    HeadObject,
    DeleteObject,
    /// What this store does not do.
    Unsupported,
}

impl Operation {
    /// Tells the operation from the method and the query.
    pub(super) fn identify(head: &Head) -> Self {
        let in_upload = head.parameter("uploadId").is_some();
        match head.method.as_str() {
            "POST" if head.parameter("uploads").is_some() => Self::CreateMultipartUpload,
            "POST" if in_upload => Self::CompleteMultipartUpload,
            "PUT" if in_upload => Self::UploadPart,
            "PUT" => Self::PutObject,
            "GET" if in_upload => Self::ListParts,
            "GET" => Self::GetObject,
            "HEAD" => Self::HeadObject,
            "DELETE" if !in_upload => Self::DeleteObject,
            _ => Self::Unsupported,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed assumption fails the test")]

    use super::*;

    #[test]
    fn method_and_query_tell_the_operation() {
        let identify = |line: &str| {
            Operation::identify(&Head::parse(&format!("{line} HTTP/1.1\r\n\r\n")).unwrap())
        };
        assert_eq!(identify("POST /b/k?uploads="), Operation::CreateMultipartUpload);
        assert_eq!(identify("PUT /b/k?partNumber=1&uploadId=u"), Operation::UploadPart);
        assert_eq!(identify("GET /b/k?uploadId=u&max-parts=9"), Operation::ListParts);
        assert_eq!(identify("POST /b/k?uploadId=u"), Operation::CompleteMultipartUpload);
        assert_eq!(identify("PUT /b/k.part?x-id=PutObject"), Operation::PutObject);
        assert_eq!(identify("DELETE /b/k?uploadId=u"), Operation::Unsupported);
        assert_eq!(identify("POST /b?delete"), Operation::Unsupported);
    }
}
