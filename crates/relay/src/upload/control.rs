//! What the owner of an upload can change: pause, resume, a new credential.

use std::rc::Rc;

use vod_uploader::credential::{UploadAddress, UploadCredential};
use vod_uploader::http::UploadStatus;
use vod_uploader::upload::{UploadId, UploadKind};
use vod_uploader::{Error, ErrorKind, Result};
use zeroize::Zeroizing;

use super::credential::{check_credential, credential_source};
use super::reconcile::read_only_status;
use super::status::{current_status, ended_error};
use super::stop::status_after_stop;
use super::stop_signal::StopSignal;
use crate::body::RequestBody;
use crate::instance::Instance;
use crate::request::Caller;

/// Largest credential that is accepted, in bytes of JSON.
const CREDENTIAL_BYTES_MAX: usize = 32 << 10;

/// Stops the writer; no request can append until the upload is resumed.
///
/// # Errors
/// [`ErrorKind::UploadEnded`], [`ErrorKind::UploadIsFinal`].
pub(crate) async fn pause(
    instance: &Rc<Instance>,
    caller: &Caller,
    key: &UploadId,
) -> Result<UploadStatus> {
    let status = open_status(instance, key).await?;
    if matches!(status.record.kind, UploadKind::Final { .. }) {
        let message = "an upload that is made of others takes no bytes: pause the others";
        return Err(Error::new(ErrorKind::UploadIsFinal, message));
    }
    instance.kv().set(&key.pause_key(), &[]).await?;
    // Even if no writer is visible: one may have started after it checked for the pause.
    StopSignal::send(instance, key).await?;
    status_after_stop(instance, caller, key).await
}

/// Allows appends again.
///
/// # Errors
/// [`ErrorKind::UploadEnded`], [`ErrorKind::UploadExpired`].
pub(crate) async fn resume(
    instance: &Rc<Instance>,
    caller: &Caller,
    key: &UploadId,
) -> Result<UploadStatus> {
    let status = open_status(instance, key).await?;
    if let Some(error) = ended_error(&status) {
        return Err(error);
    }
    instance.kv().delete(&key.pause_key()).await?;
    read_only_status(instance, caller, key).await
}

/// Stores a new credential, from headers or as JSON. A request that is writing uses it when its own
/// credential expires.
///
/// # Errors
/// [`ErrorKind::UploadEnded`]; [`ErrorKind::FileStateWrong`] for partial and final uploads;
/// [`ErrorKind::Misconfigured`] without a seal key; those of reading the credential.
pub(crate) async fn replace_credential(
    instance: &Rc<Instance>,
    caller: &Caller,
    key: &UploadId,
    body: RequestBody,
) -> Result<()> {
    let record = open_status(instance, key).await?.record;
    if record.kind != UploadKind::Regular {
        let message = "partial and final uploads use the worker's own access key";
        return Err(Error::new(ErrorKind::FileStateWrong, message));
    }
    let credential = match caller.credential()? {
        Some(credential) => credential,
        None => {
            let body = Zeroizing::new(body.read_to_end(CREDENTIAL_BYTES_MAX).await?);
            let target = &record.target;
            let current = UploadAddress {
                endpoint: target.endpoint.clone(),
                bucket: target.bucket.clone(),
                object: target.object.clone(),
            };
            UploadCredential::from_json(&body, &current, instance.now())?
        }
    };
    if instance.config.seal_key.is_none() {
        let message = "seal_key is not set: a credential is not kept. Send it with each PATCH";
        return Err(Error::new(ErrorKind::Misconfigured, message));
    }
    check_credential(instance, &record, &credential)?;
    credential_source(instance, key, &record).store(&credential).await
}

async fn open_status(instance: &Rc<Instance>, key: &UploadId) -> Result<UploadStatus> {
    let status = current_status(instance, key).await?;
    if status.has_ended() {
        let message = format!("the upload is {}", status.state());
        return Err(Error::new(ErrorKind::UploadEnded, message));
    }
    Ok(status)
}
