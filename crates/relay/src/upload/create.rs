//! Creates an upload: the media ID, the credential, the records.

use std::rc::Rc;

use vod_uploader::credential::UploadCredential;
use vod_uploader::http::{self, FileName, Metadata, NameHint};
use vod_uploader::units::ByteCount;
use vod_uploader::upload::{Target, UploadId, UploadKind, UploadRecord};
use vod_uploader::vod::UploadGrant;
use vod_uploader::{Error, ErrorKind, Result};

use super::continue_media::{ContinuedMedia, check_owned, continue_media};
use super::credential::{check_not_expired, credential_source};
use super::expiry_index::{self, IndexSlot};
use super::{media_record, records};
use crate::credential_source::{create_video, credential_required, refresh_video};
use crate::instance::Instance;
use crate::request::Caller;

/// The properties of a new upload.
pub(crate) struct NewUpload {
    pub(crate) file_name: FileName,
    pub(crate) length: Option<ByteCount>,
    pub(crate) content_type: Option<String>,
    pub(crate) metadata: Metadata,
    pub(crate) kind: UploadKind,
}

/// A new upload whose records are stored.
pub(crate) struct CreatedUpload {
    pub(crate) id: UploadId,
    pub(crate) record: UploadRecord,
    pub(crate) credential: UploadCredential,
    /// Its slot in the index, unless uploads do not expire.
    pub(super) slot: Option<IndexSlot>,
}

/// Checks what is known before the body of a request is read: whether its client may create an
/// upload.
///
/// # Errors
/// Returns the errors of the credential, [`ErrorKind::MediaNotOwned`], and
/// [`ErrorKind::CredentialRequired`] if neither the client nor the worker has a credential.
pub(crate) async fn check_caller(instance: &Instance, caller: &Caller) -> Result<()> {
    match (caller.credential()?, caller.media()?) {
        (Some(credential), _) => check_not_expired(instance, &credential).await,
        (None, Some(claim)) => media_record::verify(instance, &claim).await,
        (None, None) if instance.config.ram_key.is_none() => Err(credential_required()),
        (None, None) => Ok(()),
    }
}

/// Creates an upload under a new ID.
pub(crate) async fn create(
    instance: &Rc<Instance>,
    caller: &Caller,
    new: NewUpload,
) -> Result<CreatedUpload> {
    let credential = caller.credential()?;
    let media = caller.media()?.map(ContinuedMedia::Claimed);
    let id = UploadId::from_random(instance.ports.random.bits128());
    create_with_id(instance, id, credential, media, new).await
}

/// Creates an upload under an ID that its client already has, with the client's credential if there
/// is one.
pub(crate) async fn create_with_id(
    instance: &Rc<Instance>,
    id: UploadId,
    client_credential: Option<UploadCredential>,
    media: Option<ContinuedMedia>,
    new: NewUpload,
) -> Result<CreatedUpload> {
    match (client_credential, media) {
        // The credential authorizes the upload; the media ID is only reported.
        (Some(credential), media) => {
            check_not_expired(instance, &credential).await?;
            let media_id = media.map_or_else(String::new, |media| media.media_id().to_owned());
            let authorized = Authorized { media_id, credential, by_vod: false };
            store(instance, id, authorized, new).await
        }
        (None, Some(media)) => {
            // Each of two concurrent requests would see no upload of the other, and the object of
            // the one that completes first would be overwritten.
            check_owned(instance, &media).await?;
            let lock = media_record::lock(instance, media.media_id());
            let guard = lock.acquire(instance.config.request_timeout).await?;
            let created = async {
                continue_media(instance, &media).await?;
                let grant = refresh_video(instance, media.media_id()).await?;
                store(instance, id, Authorized::by_vod(grant), new).await
            };
            let created = guard.run_and_release(created).await;
            if created.as_ref().is_err_and(|error| error.kind() == ErrorKind::MediaNotOwned) {
                lock.clear().await?;
            }
            created
        }
        (None, None) => {
            let grant = create_media(instance, &new).await?;
            create_granted(instance, id, grant, new).await
        }
    }
}

/// Has VOD create the media asset of a new upload.
pub(crate) async fn create_media(instance: &Instance, new: &NewUpload) -> Result<UploadGrant> {
    let title = new.metadata.text(&["title"]).filter(|title| !title.is_empty());
    let title = title.map(http::shortened_title);
    create_video(instance, &new.file_name, title.as_deref(), new.length).await
}

/// Creates an upload with the result of [`create_media`].
pub(crate) async fn create_granted(
    instance: &Rc<Instance>,
    id: UploadId,
    grant: UploadGrant,
    new: NewUpload,
) -> Result<CreatedUpload> {
    store(instance, id, Authorized::by_vod(grant), new).await
}

/// The media asset of a new upload, and the credential that authorizes it.
struct Authorized {
    media_id: String,
    credential: UploadCredential,
    /// Whether the worker requested the credential with its own key.
    by_vod: bool,
}

impl Authorized {
    fn by_vod(grant: UploadGrant) -> Self {
        Self { media_id: grant.media_id, credential: grant.credential, by_vod: true }
    }
}

/// Stores the records of a new upload.
async fn store(
    instance: &Rc<Instance>,
    id: UploadId,
    authorized: Authorized,
    new: NewUpload,
) -> Result<CreatedUpload> {
    let Authorized { media_id, credential, by_vod } = authorized;
    if by_vod && !http::is_media_id(&media_id) {
        return Err(Error::new(ErrorKind::VodRejected, "VOD returned no valid media ID"));
    }
    let config = &instance.config;
    let (region, cname) = (&config.region, config.cname);
    let record = UploadRecord {
        created_at_ms: instance.now().0,
        file_name: new.file_name.as_str().to_owned(),
        length_bytes: new.length.map(ByteCount::bytes),
        media_id,
        target: Target::new(&credential, region, cname, config.signature_version),
        content_type: new.content_type,
        client_metadata: new.metadata.without_credentials(),
        credential_from_vod: by_vod,
        kind: new.kind,
    };
    // Rejects an invalid target before anything is stored: an endpoint without a region, for
    // example.
    record.target.bucket()?;
    let media_id = media_record::is_kept(instance, &record).then_some(&record.media_id[..]);
    let slot = expiry_index::enter_new(instance, &id, media_id).await?;
    let stored = async {
        records::create(instance, &id, &record).await?;
        media_record::record(instance, &id, &record).await?;
        credential_source(instance, &id, &record).store(&credential).await
    }
    .await;
    // Also after a failure, which may leave some of the records.
    let slot = expiry_index::enter_again_if_late(instance, &id, media_id, slot).await?;
    stored?;
    Ok(CreatedUpload { id, record, credential, slot })
}

/// The name of the file that `hint` describes.
pub(crate) fn file_name(instance: &Instance, hint: &NameHint) -> Result<FileName> {
    hint.resolve(instance.config.default_extension.as_deref())
}
