//! One file per call of the OSS API.

mod abort_multipart_upload;
mod complete_multipart_upload;
mod delete_object;
mod get_object;
mod head_object;
mod initiate_multipart_upload;
mod list_parts;
mod put_object;
mod stored_object;
mod upload_part;
mod upload_part_copy;

use super::{Bucket, HttpResponse, MultipartUploadId, UnsignedRequest};
use crate::error::Error;
use crate::units::PartNumber;

pub use abort_multipart_upload::{AbortMultipartUpload, AbortedUpload};
pub use complete_multipart_upload::CompleteMultipartUpload;
pub use delete_object::DeleteObject;
pub use get_object::GetObject;
pub use head_object::{HeadObject, ObjectHead};
pub use initiate_multipart_upload::InitiateMultipartUpload;
pub use list_parts::{ListParts, ListedPart, PartPage};
pub use put_object::PutObject;
pub use stored_object::StoredObject;
pub use upload_part::{UploadPart, UploadedPart};
pub use upload_part_copy::{CopyRange, UploadPartCopy};

pub(crate) use get_object::missing_object;

/// One call of the OSS API: its request and the parser of its response.
pub trait Action {
    /// The result of a successful call.
    type Output;

    /// The name of the call in the OSS API, for messages and metrics.
    const NAME: &'static str;

    /// The request, before it is signed.
    fn request(&self, bucket: &Bucket) -> UnsignedRequest;

    /// Parses the response to the request.
    ///
    /// # Errors
    /// Returns the error of an error response, or
    /// [`StoreReplyInvalid`](crate::ErrorKind::StoreReplyInvalid) if a successful response is
    /// incomplete. Messages do not contain the name of the call, which the caller adds.
    fn parse(&self, response: &HttpResponse) -> Result<Self::Output, Error>;
}

/// A query; a pair without a value is a bare name.
fn query<const N: usize>(pairs: [(&str, Option<&str>); N]) -> Vec<(String, Option<String>)> {
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value.map(str::to_owned))).collect()
}

/// The query of a request for a part.
fn part_query(number: PartNumber, id: &MultipartUploadId) -> Vec<(String, Option<String>)> {
    query([("partNumber", Some(&number.to_string())), ("uploadId", Some(id.as_str()))])
}

/// The header with `content_type`, if known.
fn content_type_header(content_type: Option<&str>) -> Vec<(String, String)> {
    content_type
        .into_iter()
        .map(|content_type| ("content-type".to_owned(), content_type.to_owned()))
        .collect()
}

/// Fixtures for the tests of the calls.
#[cfg(test)]
mod fixtures {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "a failed assumption fails the test")]

    use http::StatusCode;

    use crate::oss::{Bucket, BucketOptions, HttpResponse, UnsignedRequest};

    pub(super) fn bucket() -> Bucket {
        Bucket::new("oss-cn-shanghai.aliyuncs.com", "outin-1", BucketOptions::default())
            .unwrap_or_else(|error| panic!("{error}"))
    }

    pub(super) fn response(status: u16, headers: &[(&str, &str)], body: &str) -> HttpResponse {
        let status = StatusCode::from_u16(status).unwrap();
        HttpResponse::new(status, headers.iter().copied(), body.as_bytes().to_vec())
    }

    /// The method, path and query of a request.
    pub(super) fn path_and_query(request: &UnsignedRequest) -> String {
        let query: Vec<_> =
            request.query.iter().map(|(name, value)| (name.as_str(), value.as_deref())).collect();
        let url = bucket().object_url(&request.key, &query);
        let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
        format!("{} {}{query}", request.method, url.path())
    }
}
