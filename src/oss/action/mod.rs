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

use super::{Bucket, HttpResponse, UnsignedRequest};
use crate::error::Error;

pub use abort_multipart_upload::AbortMultipartUpload;
pub use complete_multipart_upload::CompleteMultipartUpload;
pub use delete_object::DeleteObject;
pub use get_object::GetObject;
pub use head_object::{HeadObject, ObjectHead};
pub use initiate_multipart_upload::InitiateMultipartUpload;
pub use list_parts::{ListParts, ListedPart, PartPage};
pub use put_object::PutObject;
pub use stored_object::StoredObject;
pub use upload_part::{UploadPart, UploadedPart};
pub use upload_part_copy::{CopiedPart, CopyRange, UploadPartCopy};

pub(crate) use get_object::missing_object;

/// One call: what is asked, and how the answer is read.
pub trait Action {
    /// What a successful call answers.
    type Output;

    /// The vendor's name of the call, for messages and metrics.
    const NAME: &'static str;

    /// The request, to be signed.
    fn request(&self, bucket: &Bucket) -> UnsignedRequest;

    /// Reads the response to the request.
    ///
    /// # Errors
    ///
    /// The errors do not name the call, which the caller knows together with its attempts.
    ///
    /// What [`error_response::parse`](super::error_response::parse) makes of a refusal, or
    /// [`StoreReplyInvalid`](crate::ErrorKind::StoreReplyInvalid) where a success lacks something.
    fn parse(&self, response: &HttpResponse) -> Result<Self::Output, Error>;
}

/// A query of names with values, and of bare names.
fn query<const N: usize>(pairs: [(&str, Option<&str>); N]) -> Vec<(String, Option<String>)> {
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value.map(str::to_owned))).collect()
}

/// The headers of a request whose object has `content_type`, where it is known.
fn content_type_header(content_type: Option<&str>) -> Vec<(String, String)> {
    content_type
        .into_iter()
        .map(|content_type| ("content-type".to_owned(), content_type.to_owned()))
        .collect()
}

/// What the tests of the single calls share.
#[cfg(test)]
mod fixtures {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "a failed assumption fails the test")]

    use http::StatusCode;

    use crate::oss::{Bucket, BucketOptions, HttpResponse, UnsignedRequest};

    /// A bucket whose requests none of these tests signs.
    pub(super) fn bucket() -> Bucket {
        Bucket::new("oss-cn-shanghai.aliyuncs.com", "outin-1", BucketOptions::default())
            .unwrap_or_else(|error| panic!("{error}"))
    }

    pub(super) fn response(status: u16, headers: &[(&str, &str)], body: &str) -> HttpResponse {
        let status = StatusCode::from_u16(status).unwrap();
        HttpResponse::new(status, headers.iter().copied(), body.as_bytes().to_vec())
    }

    /// The URL that the request goes to, from the object's slash on.
    pub(super) fn path_and_query(request: &UnsignedRequest) -> String {
        let query: Vec<_> =
            request.query.iter().map(|(name, value)| (name.as_str(), value.as_deref())).collect();
        let url = bucket().object_url(&request.key, &query);
        let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
        format!("{} {}{query}", request.method, url.path())
    }
}
