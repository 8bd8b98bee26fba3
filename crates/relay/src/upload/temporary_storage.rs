//! The temporary storage of partial uploads.

use vod_uploader::Result;
use vod_uploader::oss::SignatureVersion;
use vod_uploader::oss::action::DeleteObject;
use vod_uploader::upload::{Target, UploadRecord};

use super::credential::worker_credential;
use super::limits::concatenation_unavailable;
use crate::config::TemporaryStorage;
use crate::instance::Instance;
use crate::retrying_client::RetryingClient;

/// The temporary storage.
///
/// # Errors
/// Returns [`concatenation_unavailable`] if none is configured, or the worker has no access key.
pub(super) fn temporary_storage(instance: &Instance) -> Result<&TemporaryStorage> {
    instance.config.usable_temporary().ok_or_else(concatenation_unavailable)
}

/// The target of an object in temporary storage.
///
/// # Errors
/// Returns the errors of [`temporary_storage`].
pub(super) fn temporary_target(instance: &Instance, object: String) -> Result<Target> {
    let storage = temporary_storage(instance)?;
    Ok(Target {
        endpoint: storage.endpoint.clone(),
        bucket: storage.bucket.clone(),
        object,
        region: Some(instance.config.region.clone()),
        cname: false,
        signature_v1: instance.config.signature_version == SignatureVersion::V1,
    })
}

/// Deletes the object of a partial upload.
pub(super) async fn delete_temporary(instance: &Instance, record: &UploadRecord) -> Result<()> {
    let credential = worker_credential(instance, &record.target)?;
    let action = DeleteObject { key: &record.target.object };
    let bucket = record.target.bucket()?;
    let client = RetryingClient::new(instance);
    client.call_oss(&bucket, &credential.auth.credential, &action).await
}
