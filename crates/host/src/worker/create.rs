//! New uploads: the media id, the credential, the records.

use vod_uploader::credential::UploadCredential;
use vod_uploader::http::{self, Creation, FileName, Head, Metadata};
use vod_uploader::units::ByteCount;
use vod_uploader::upload::{UploadKey, UploadRecord};
use vod_uploader::{Error, ErrorKind, Result};

use super::Worker;
use crate::credential_source::{create_video, refresh_video};
use crate::{clock, random, records};

/// What a new upload is to be.
pub(super) struct NewUpload {
    pub(super) file_name: FileName,
    pub(super) length: Option<ByteCount>,
    pub(super) content_type: Option<String>,
    pub(super) metadata: Metadata,
}

/// A new upload with its records.
pub(super) struct Created {
    pub(super) key: UploadKey,
    pub(super) record: UploadRecord,
    pub(super) credential: UploadCredential,
}

impl Worker {
    /// `POST /v1/files`.
    pub(crate) async fn create(&self, head: &Head) -> Result<http::Response> {
        let creation = Creation::parse(head, self.upload_max())?;
        let new = NewUpload {
            file_name: creation.file_name,
            length: Some(creation.length),
            content_type: creation.content_type,
            metadata: creation.metadata,
        };
        let created = self.new_upload(head, new).await?;
        Ok(http::resource_created(&created.key, &created.record.media_id))
    }

    /// Gets the credential and stores the records.
    pub(super) async fn new_upload(&self, head: &Head, new: NewUpload) -> Result<Created> {
        let brought = http::client_credential(head, Some(&new.metadata), clock::now())?;
        // It may be that of an earlier upload which this one continues.
        let media_id = http::client_media_id(head, &new.metadata)?;
        let minted = brought.is_none();
        let (media_id, credential) = match (brought, media_id) {
            (Some(credential), media_id) => (media_id.unwrap_or_default(), credential),
            (None, Some(media_id)) => {
                let minted = refresh_video(&self.config, &media_id).await?;
                (minted.media_id, minted.credential)
            }
            (None, None) => {
                let minted = create_video(&self.config, &new.file_name, new.length).await?;
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
        };
        // Before anything is stored: a credential for an endpoint without a region, say.
        record.target.bucket()?;
        let key = UploadKey::from_random(random::bits128());
        records::create(&self.kv, &key, &record).await?;
        self.credential_source(&key, &record).keep(&self.kv, &credential).await?;
        Ok(Created { key, record, credential })
    }
}
