//! The credential for an upload.

use std::rc::Rc;

use vod_uploader::credential::UploadCredential;
use vod_uploader::upload::{UploadId, UploadKind, UploadRecord};
use vod_uploader::{Error, ErrorKind, Result};

use super::temporary::worker_credential;
use crate::credential_source::CredentialSource;
use crate::instance::Instance;
use crate::request::Caller;

/// Where the credential of an upload comes from.
pub(crate) fn credential_source(
    instance: &Rc<Instance>,
    key: &UploadId,
    record: &UploadRecord,
) -> CredentialSource {
    let media_id = record.credential_from_vod.then(|| record.media_id.clone());
    CredentialSource::new(instance, key, media_id)
}

/// The credential for a request to an existing upload: the client's, or the stored one.
pub(crate) async fn credential(
    instance: &Rc<Instance>,
    caller: &Caller,
    key: &UploadId,
    record: &UploadRecord,
) -> Result<Option<UploadCredential>> {
    match caller.credential()? {
        Some(credential) if record.kind == UploadKind::Regular => {
            check_credential(instance, record, &credential)?;
            Ok(Some(credential))
        }
        _ => stored_credential(instance, key, record).await,
    }
}

/// The credential for an existing upload without a request of its client.
pub(super) async fn stored_credential(
    instance: &Rc<Instance>,
    key: &UploadId,
    record: &UploadRecord,
) -> Result<Option<UploadCredential>> {
    match record.kind {
        UploadKind::Regular => credential_source(instance, key, record).load().await,
        UploadKind::Partial | UploadKind::Final { .. } => {
            worker_credential(instance, &record.target).map(Some)
        }
    }
}

/// Checks that a client's credential can be used for this upload.
pub(super) fn check_credential(
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
    if !credential.is_usable_at(instance.now()) {
        let message = "the credential that came with the request has expired";
        return Err(Error::new(ErrorKind::CredentialExpired, message));
    }
    Ok(())
}
