//! The temporary storage of partial uploads, and the worker's own access key as a credential for
//! it.

use vod_uploader::credential::{UploadAddress, UploadCredential};
use vod_uploader::oss::SignatureVersion;
use vod_uploader::oss::action::DeleteObject;
use vod_uploader::upload::{Target, UploadRecord};
use vod_uploader::{Error, ErrorKind, Result};

use crate::config::TemporaryStorage;
use crate::instance::Instance;
use crate::retrying_client::RetryingClient;

/// Deletes the object of a partial upload.
pub(super) async fn delete_temporary(instance: &Instance, record: &UploadRecord) -> Result<()> {
    let credential = worker_credential(instance, &record.target)?;
    let action = DeleteObject { key: &record.target.object };
    let bucket = record.target.bucket()?;
    let client = RetryingClient::new(instance);
    client.call_oss(&bucket, &credential.auth.credential, &action).await
}

/// The worker's own access key, as a credential for the object of `target`.
///
/// # Errors
/// [`ErrorKind::ConcatenationUnavailable`] if it has none.
pub(super) fn worker_credential(instance: &Instance, target: &Target) -> Result<UploadCredential> {
    let Some(key) = &instance.config.ram_key else { return Err(unavailable()) };
    let address = UploadAddress {
        endpoint: target.endpoint.clone(),
        bucket: target.bucket.clone(),
        object: target.object.clone(),
    };
    Ok(UploadCredential::from_access_key(
        address,
        key.access_key_id.clone(),
        key.access_key_secret.clone(),
        key.security_token.clone(),
        target.region.clone(),
    ))
}

/// The target of an object in temporary storage.
///
/// # Errors
/// [`ErrorKind::ConcatenationUnavailable`].
pub(super) fn temporary_target(instance: &Instance, object: String) -> Result<Target> {
    let storage = temporary(instance)?;
    Ok(Target {
        endpoint: storage.endpoint.clone(),
        bucket: storage.bucket.clone(),
        object,
        region: Some(instance.config.region.clone()),
        cname: false,
        signature_v1: instance.config.signature_version == SignatureVersion::V1,
    })
}

/// The temporary storage.
///
/// # Errors
/// [`ErrorKind::ConcatenationUnavailable`] if none is configured, or the worker has no access key.
pub(super) fn temporary(instance: &Instance) -> Result<&TemporaryStorage> {
    instance.config.usable_temporary().ok_or_else(unavailable)
}

fn unavailable() -> Error {
    let message = "uploads are joined with the worker's own access key in temporary storage, and \
                   it has no vod_access_key_id or no temporary_bucket";
    Error::new(ErrorKind::ConcatenationUnavailable, message)
}
