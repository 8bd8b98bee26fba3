//! Replaces the credential of an upload.

use std::rc::Rc;

use vod_uploader::credential::UploadCredential;
use vod_uploader::upload::{UploadId, UploadKind};
use vod_uploader::{Error, ErrorKind, Result};
use zeroize::Zeroizing;

use super::credential::{address, check_credential, credential_source};
use super::status::open_status;
use crate::body::RequestBody;
use crate::instance::Instance;
use crate::request::Caller;

/// Stores a new credential, from headers or as JSON. A request that is writing uses it when its own
/// credential expires.
///
/// # Errors
/// Returns [`ErrorKind::ClientCredentialsOff`]; [`ErrorKind::UploadEnded`];
/// [`ErrorKind::FileStateWrong`] for partial and final uploads;
/// [`ErrorKind::CredentialNotStorable`] without a seal key; and the errors of reading the
/// credential.
pub(crate) async fn replace_credential(
    instance: &Rc<Instance>,
    caller: &Caller,
    id: &UploadId,
    body: RequestBody,
) -> Result<()> {
    let record = open_status(instance, id).await?.record;
    if record.kind != UploadKind::Regular {
        let message = "partial and final uploads use the worker's own access key";
        return Err(Error::new(ErrorKind::FileStateWrong, message));
    }
    instance.config.credential_policy.check_accepted()?;
    let credential = match caller.credential()? {
        Some(credential) => credential,
        None => {
            let body = Zeroizing::new(body.read_to_end(CREDENTIAL_BYTES_MAX).await?);
            UploadCredential::from_json(&body, &address(&record.target), instance.now())?
        }
    };
    if instance.config.seal_key.is_none() {
        let message = "the worker has no seal_key, so it cannot store the credential";
        return Err(Error::new(ErrorKind::CredentialNotStorable, message));
    }
    check_credential(instance, &record, &credential).await?;
    credential_source(instance, id, &record).store(&credential).await
}

/// Largest credential that is accepted, in bytes of JSON.
const CREDENTIAL_BYTES_MAX: usize = 32 << 10;
