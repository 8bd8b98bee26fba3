//! New uploads: the media id, the credential, the records.

use vod_uploader::credential::UploadCredential;
use vod_uploader::http::{self, FileName, Head, MediaClaim, Metadata};
use vod_uploader::units::ByteCount;
use vod_uploader::upload::{Role, UploadKey, UploadRecord};
use vod_uploader::{Error, ErrorKind, Result};

use super::Worker;
use super::media::Continued;
use crate::credential_source::{create_video, refresh_video};
use crate::{clock, random, records};

/// What a new upload is to be.
pub(super) struct NewUpload {
    pub(super) file_name: FileName,
    pub(super) length: Option<ByteCount>,
    pub(super) content_type: Option<String>,
    pub(super) metadata: Metadata,
    pub(super) role: Role,
}

/// A new upload with its records.
pub(super) struct Created {
    pub(super) key: UploadKey,
    pub(super) record: UploadRecord,
    pub(super) credential: UploadCredential,
}

impl Worker {
    /// Gets the credential and stores the records.
    pub(super) async fn new_upload(&self, head: &Head, new: NewUpload) -> Result<Created> {
        let brought = http::client_credential(head, Some(&new.metadata), clock::now())?;
        let media = MediaClaim::parse(head, &new.metadata)?.map(Continued::Claimed);
        self.new_upload_at(UploadKey::from_random(random::bits128()), brought, media, new).await
    }

    /// The same under an id that its client knows already, with the credential that it brought.
    pub(super) async fn new_upload_at(
        &self,
        key: UploadKey,
        brought: Option<UploadCredential>,
        media: Option<Continued>,
        new: NewUpload,
    ) -> Result<Created> {
        let minted = brought.is_none();
        let (media_id, credential) = match (brought, media) {
            // The credential authorizes the upload; the media id only names what it is for.
            (Some(credential), media) => {
                (media.map_or_else(String::new, |media| media.media_id().to_owned()), credential)
            }
            (None, Some(media)) => {
                self.continue_media(&media).await?;
                let minted = refresh_video(&self.config, media.media_id()).await?;
                (minted.media_id, minted.credential)
            }
            (None, None) => {
                let title = new.metadata.text(&["title"]).filter(|title| !title.is_empty());
                let minted = create_video(&self.config, &new.file_name, title, new.length).await?;
                (minted.media_id, minted.credential)
            }
        };
        if minted && !http::is_media_id(&media_id) {
            return Err(Error::new(ErrorKind::VodRejected, "VOD answered with no usable media id"));
        }
        if !credential.is_usable_at(clock::now()) {
            let message = "the credential that came with the upload has expired";
            return Err(Error::new(ErrorKind::CredentialExpired, message));
        }
        let record = UploadRecord {
            created_at_ms: clock::now().0,
            file_name: new.file_name.as_str().to_owned(),
            length_bytes: new.length.map(ByteCount::bytes),
            media_id,
            target: self.target(&credential),
            content_type: new.content_type,
            client_metadata: new.metadata.without_credentials(),
            minted,
            role: new.role,
        };
        // Before anything is stored: a credential for an endpoint without a region, say.
        record.target.bucket()?;
        records::create(&self.kv, &key, &record).await?;
        self.record_media(&key, &record).await?;
        self.credential_source(&key, &record).keep(&self.kv, &credential).await?;
        Ok(Created { key, record, credential })
    }
}
