//! The credential for an upload.

use std::rc::Rc;

use vod_uploader::credential::{UploadAddress, UploadCredential};
use vod_uploader::oss::action::HeadObject;
use vod_uploader::upload::{Target, UploadId, UploadKind, UploadRecord};
use vod_uploader::{Error, ErrorClass, ErrorKind, Result};

use super::limits::concatenation_unavailable;
use super::records::read;
use crate::credential_source::CredentialSource;
use crate::instance::Instance;
use crate::request::Caller;
use crate::retrying_client::RetryingClient;

/// The source of an upload's credential.
pub(crate) fn credential_source(
    instance: &Rc<Instance>,
    id: &UploadId,
    record: &UploadRecord,
) -> CredentialSource {
    let media_id = record.credential_from_vod.then(|| record.media_id.clone());
    CredentialSource::new(instance, id, media_id)
}

/// The credential for a request to an existing upload: the client's, or the stored one.
pub(crate) async fn credential(
    instance: &Rc<Instance>,
    caller: &Caller,
    id: &UploadId,
    record: &UploadRecord,
) -> Result<Option<UploadCredential>> {
    match client_credential(instance, caller, record).await? {
        None => stored_credential(instance, id, record).await,
        found => Ok(found),
    }
}

/// The credential that a client sends with a request to an existing upload.
pub(super) async fn client_credential(
    instance: &Instance,
    caller: &Caller,
    record: &UploadRecord,
) -> Result<Option<UploadCredential>> {
    let credential = caller.credential()?.filter(|_| record.kind == UploadKind::Regular);
    if let Some(credential) = &credential {
        check_credential(instance, record, credential).await?;
    }
    Ok(credential)
}

/// The credential for an existing upload without a request of its client.
pub(super) async fn stored_credential(
    instance: &Rc<Instance>,
    id: &UploadId,
    record: &UploadRecord,
) -> Result<Option<UploadCredential>> {
    let sealed = read(instance, id.credential_key()).await?;
    open_credential(instance, id, record, sealed)
}

/// The same, from the stored record.
pub(super) fn open_credential(
    instance: &Rc<Instance>,
    id: &UploadId,
    record: &UploadRecord,
    sealed: Option<Vec<u8>>,
) -> Result<Option<UploadCredential>> {
    match record.kind {
        UploadKind::Regular => credential_source(instance, id, record).open(sealed),
        UploadKind::Partial | UploadKind::Final { .. } => {
            worker_credential(instance, &record.target).map(Some)
        }
    }
}

/// The worker's own access key, as a credential for the object of `target`.
///
/// # Errors
/// Returns [`ErrorKind::ConcatenationUnavailable`] if it has none.
pub(super) fn worker_credential(instance: &Instance, target: &Target) -> Result<UploadCredential> {
    let Some(key) = &instance.config.ram_key else { return Err(concatenation_unavailable()) };
    Ok(UploadCredential::from_access_key(
        address(target),
        key.access_key_id.clone(),
        key.access_key_secret.clone(),
        key.security_token.clone(),
        target.region.clone(),
    ))
}

/// Checks that a client's credential can be used for this upload.
pub(super) async fn check_credential(
    instance: &Instance,
    record: &UploadRecord,
    credential: &UploadCredential,
) -> Result<()> {
    let is_same = credential.address.object == record.target.object
        && credential.address.bucket == record.target.bucket;
    if !is_same {
        let message = "the credential is for another object than this upload's";
        return Err(Error::new(ErrorKind::CredentialForOtherObject, message));
    }
    check_not_expired(instance, credential).await
}

/// Checks that a client's credential has not expired. If it seems to have, the store decides: the
/// clock of the worker may be wrong.
///
/// # Errors
/// Returns [`ErrorKind::CredentialExpired`] if it has, and the errors of an invalid address.
pub(super) async fn check_not_expired(
    instance: &Instance,
    credential: &UploadCredential,
) -> Result<()> {
    if credential.is_usable_at(instance.now()) {
        return Ok(());
    }
    let config = &instance.config;
    let target = Target::new(credential, &config.region, config.cname, config.signature_version);
    let (bucket, head) = (target.bucket()?, HeadObject { key: &target.object });
    let client = RetryingClient::new(instance);
    match client.call_oss(&bucket, &credential.auth.credential, &head).await {
        Err(error) if error.class() == ErrorClass::Unauthenticated => Err(error),
        // The first request that sends bytes reports any other error.
        _ => Ok(()),
    }
}

/// The address of the object of `target`.
pub(super) fn address(target: &Target) -> UploadAddress {
    UploadAddress {
        endpoint: target.endpoint.clone(),
        bucket: target.bucket.clone(),
        object: target.object.clone(),
    }
}
