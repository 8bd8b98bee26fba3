//! OSS: one file per operation, with the errors and XML of the vendor.
//!
//! <https://www.alibabacloud.com/help/en/oss/developer-reference/list-of-operations-by-function>

mod abort_multipart_upload;
mod call;
mod complete_multipart_upload;
mod delete_object;
mod error;
mod get_object;
mod initiate_multipart_upload;
mod list_multipart_uploads;
mod list_objects;
mod list_parts;
mod listing;
mod operation;
mod put_object;
mod received;
mod target;
mod upload_part;
mod upload_part_copy;
mod xml;

pub(crate) use call::Failure;
pub(crate) use error::{Code, OssError, error_xml};
pub(crate) use operation::Operation;
pub(crate) use target::Target;

use call::Call;

use crate::http::{RequestBody, RequestHead, Response};
use crate::state::SandboxState;

/// Authenticates and performs one request.
pub(crate) async fn serve(
    state: &SandboxState,
    head: &RequestHead,
    target: &Target,
    operation: Operation,
    body: &mut RequestBody,
) -> Result<Response, Failure> {
    let identity = state.authenticator().authenticate(
        head,
        target,
        |key_id| state.store.credential(key_id),
        |token| state.store.credential_of_token(token),
    )?;
    if operation == Operation::Unsupported {
        return Err(OssError::new(
            Code::NotImplemented,
            "The sandbox does not support this operation.",
        )
        .into());
    }
    let bucket = target.bucket.as_deref().unwrap_or_default();
    if !state.has_bucket(bucket) {
        return Err(OssError::new(Code::NoSuchBucket, "The specified bucket does not exist.")
            .with("BucketName", bucket)
            .into());
    }
    let key = target.key.as_deref().unwrap_or_default();
    check_key(key)?;
    check_framing(head, operation)?;
    identity.authorize(operation, target, &state.denied_operations())?;
    let mut call = Call { state, head, bucket, key, body };
    match operation {
        Operation::PutObject => put_object::perform(&mut call).await,
        Operation::GetObject => get_object::get(&call),
        Operation::HeadObject => get_object::head(&call),
        Operation::DeleteObject => delete_object::perform(&call),
        Operation::InitiateMultipartUpload => initiate_multipart_upload::perform(&call),
        Operation::UploadPart => upload_part::perform(&mut call).await,
        Operation::UploadPartCopy => upload_part_copy::perform(&call).await,
        Operation::ListParts => list_parts::perform(&call),
        Operation::CompleteMultipartUpload => complete_multipart_upload::perform(&mut call).await,
        Operation::AbortMultipartUpload => abort_multipart_upload::perform(&call),
        Operation::ListMultipartUploads => list_multipart_uploads::perform(&call),
        Operation::ListObjects | Operation::Unsupported => list_objects::perform(&call),
    }
}

/// Checks that a request without content is not sent in chunks, which a client cannot intend.
fn check_framing(head: &RequestHead, operation: Operation) -> Result<(), OssError> {
    let has_content = matches!(
        operation,
        Operation::PutObject | Operation::UploadPart | Operation::CompleteMultipartUpload
    );
    if !has_content && head.header("transfer-encoding").is_some() {
        let message = "You must provide the Content-Length HTTP header.";
        return Err(OssError::new(Code::MissingContentLength, message));
    }
    Ok(())
}

/// Checks that a key has at most 1023 UTF-8 bytes and does not start with `/` or `\`. It is empty
/// at bucket level.
fn check_key(key: &str) -> Result<(), OssError> {
    if key.len() > MAX_KEY_BYTES || key.starts_with(['/', '\\']) {
        return Err(OssError::new(Code::InvalidObjectName, "The specified object is not valid."));
    }
    Ok(())
}

const MAX_KEY_BYTES: usize = 1023;
