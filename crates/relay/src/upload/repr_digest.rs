//! The digest of a file whose client has declared or requested it, across requests.

use std::rc::Rc;

use vod_uploader::http::ReprDigestState;
use vod_uploader::units::ByteCount;
use vod_uploader::upload::UploadId;
use vod_uploader::{Error, ErrorKind, Result};

use super::abort::abort;
use super::append::Appended;
use super::complete::complete;
use super::credential::credential;
use super::load_upload_record;
use crate::instance::Instance;
use crate::request::Caller;

/// Completes an upload whose last request contained all bytes of its digest, or aborts it if the
/// digest differs ("Integrity Digests": it SHOULD be considered failed). `None` if the digest
/// cannot be verified yet.
pub(crate) async fn verify(
    instance: &Rc<Instance>,
    caller: &Caller,
    id: &UploadId,
    digest: &ReprDigestState,
    durable: ByteCount,
) -> Result<Option<Appended>> {
    let Some(matches) = digest.matches_at(durable) else { return Ok(None) };
    let record = load_upload_record(instance, id).await?;
    if !matches {
        let credential = credential(instance, caller, id, &record).await?;
        abort(instance, id, &record, credential).await?;
        let message = "the file does not match its Repr-Digest: the upload was aborted";
        let error = Error::new(ErrorKind::UploadAborted, message);
        return Ok(Some(Appended::Rejected { error, durable: None }));
    }
    complete(instance, caller, id, &record, durable).await.map(Some)
}

/// The digest of the entire file, if its client has requested it and the bytes from `offset` on
/// continue it.
pub(crate) async fn load(
    instance: &Instance,
    id: &UploadId,
    offset: ByteCount,
) -> Result<Option<ReprDigestState>> {
    match instance.kv().get(&id.digest_key()).await? {
        Some(stored) => ReprDigestState::load(&stored, offset),
        None => Ok(None),
    }
}

/// Stores the digest for the next request, if it is that of exactly the acknowledged bytes.
pub(crate) async fn store(
    instance: &Instance,
    id: &UploadId,
    digest: Option<&ReprDigestState>,
    appended: &Appended,
) -> Result<()> {
    if let (Some(digest), Appended::Stored { durable, .. }) = (digest, appended)
        && digest.bytes() == *durable
    {
        instance.kv().set(&id.digest_key(), &digest.to_bytes()).await?;
    }
    Ok(())
}
