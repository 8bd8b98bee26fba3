//! tus concatenation: partial uploads are objects of their own in temporary storage, and are joined
//! on the store (UploadPartCopy) into the object of the media. Their bytes come by here once; only
//! what is too small for a part of the store is read back.
//!
//! VOD's credential is for one object alone and can read no other: the worker's own access key
//! signs everything here, and has to be allowed to.

use vod_uploader::credential::{UploadAddress, UploadCredential};
use vod_uploader::http::tus::{self, Creation};
use vod_uploader::http::{self, Head, Metadata, UploadStatus};
use vod_uploader::oss::SignatureVersion;
use vod_uploader::oss::action::DeleteObject;
use vod_uploader::units::{ByteCount, UnixMillis};
use vod_uploader::upload::{
    Claim, JoinSource, Outcome, Phase, Purpose, Role, Target, UploadKey, UploadRecord,
};
use vod_uploader::{Error, ErrorKind, Result};

use super::create::{Created, NewUpload};
use super::{Turn, Worker};
use crate::config::TemporaryStorage;
use crate::join_stream::JoinStream;
use crate::retrying_client::RetryingClient;
use crate::source::Source;
use crate::{clock, random, records};

impl Worker {
    /// A new partial upload. It gets no media: it is no file.
    pub(super) async fn new_partial(
        &self,
        length: Option<ByteCount>,
        metadata: &Metadata,
    ) -> Result<Created> {
        let storage = self.temporary()?;
        let size_max = self.size_max(&Role::Partial);
        if length.is_some_and(|length| length > size_max) {
            let message = format!("a partial upload has {size_max} at most");
            return Err(Error::new(ErrorKind::FileTooLarge, message));
        }
        let key = UploadKey::from_random(random::bits128());
        let target = self.temporary_target(format!("{}{}", storage.prefix, key.as_str()))?;
        let credential = self.own_credential(&target)?;
        let record = UploadRecord {
            created_at_ms: clock::now().0,
            file_name: String::new(),
            length_bytes: length.map(ByteCount::bytes),
            media_id: String::new(),
            target,
            content_type: None,
            client_metadata: metadata.without_credentials(),
            minted: false,
            role: Role::Partial,
        };
        records::create(&self.kv, &key, &record).await?;
        Ok(Created { key, record, credential })
    }

    /// `POST /v1/files` with `Upload-Concat: final`. Partial uploads that are not whole yet are
    /// waited for: whoever brings the last byte joins them.
    pub(super) async fn create_final(
        &self,
        head: &Head,
        creation: &Creation,
        partials: &[String],
    ) -> Result<http::Response> {
        self.temporary()?;
        refuse_credentials(head, &creation.metadata)?;
        let mut total = Some(ByteCount::ZERO);
        for partial in partials.iter().filter_map(|address| tus::partial_at(address)) {
            let status = self.partial_status(&partial).await?;
            total = total.zip(status.length()).map(|(total, length)| total + length);
        }
        if total.is_some_and(|total| total > self.upload_max()) {
            return Err(self.too_large());
        }
        let new = NewUpload {
            file_name: self.file_name(&creation.file_name)?,
            length: total,
            content_type: creation.content_type.clone(),
            metadata: creation.metadata.clone(),
            role: Role::Final { partials: partials.to_vec() },
        };
        let created = self.new_upload(head, new).await?;
        for partial in partials.iter().filter_map(|address| tus::partial_at(address)) {
            self.kv.set(&partial.joined_into(), created.key.as_str().as_bytes()).await?;
        }
        let joined = match self.join_if_ready(&created.key, &created.record, partials).await {
            // The upload is there: whoever asks for it next joins it.
            Err(error) if error.kind().retry().is_later() => false,
            joined => joined?,
        };
        let offset = total.filter(|_| joined);
        let expires_at = self.expires_at(clock::now()).filter(|_| !joined);
        let record = &created.record;
        let answer = tus::resource_created(&created.key, &record.media_id, offset, expires_at);
        Ok(self.with_token(answer, record))
    }

    /// How the upload stands after its partial uploads are joined, where that is due. Somebody who
    /// is joining them is left alone for as long as one of the store's answers may take.
    pub(super) async fn joined_status(
        &self,
        key: &UploadKey,
        status: UploadStatus,
    ) -> Result<UploadStatus> {
        let Role::Final { partials } = &status.record.role else { return Ok(status) };
        if status.is_completed() {
            // Whoever joined them may have been cut off before it cleared them away.
            self.after_completion(key, &status.record).await;
            return Ok(status);
        }
        let written_at = UnixMillis(status.checkpoint.written_at_ms);
        let is_joined = status.checkpoint.writing
            && clock::now().since(written_at) < self.config.request_timeout;
        if status.checkpoint.phase == Phase::Receiving
            && !is_joined
            && self.join_if_ready(key, &status.record, partials).await?
        {
            return self.present_status(key).await;
        }
        Ok(status)
    }

    /// Joins the partial uploads into `record`'s object where all are whole. Returns whether that
    /// is done.
    ///
    /// # Errors
    /// Where a partial upload is gone, or the store does not join them.
    pub(super) async fn join_if_ready(
        &self,
        key: &UploadKey,
        record: &UploadRecord,
        partials: &[String],
    ) -> Result<bool> {
        let mut sources = Vec::new();
        for partial in partials.iter().filter_map(|address| tus::partial_at(address)) {
            let status = match self.partial_status(&partial).await {
                // Deleted, or made part of another upload.
                Err(error) if error.kind() == ErrorKind::RequestInvalid => {
                    let message = "a partial upload is gone: the file has to be sent again";
                    return Err(Error::new(ErrorKind::UploadLost, message));
                }
                status => status?,
            };
            let Phase::Completed(object) = &status.checkpoint.phase else { return Ok(false) };
            sources.push(JoinSource {
                bucket: status.record.target.bucket,
                object: status.record.target.object,
                len: ByteCount(object.size_bytes),
                crc64: vod_uploader::crc64::Crc64(object.crc64),
            });
        }
        let total = sources.iter().fold(ByteCount::ZERO, |total, source| total + source.len);
        if total > self.upload_max() {
            return Err(self.too_large());
        }
        let credential = self.own_credential(&record.target)?;
        let key_pair = credential.auth.credential.clone();
        let storage = self.temporary_target(String::new())?;
        let config = std::rc::Rc::clone(&self.config);
        let stream = JoinStream::new(config, storage, key_pair, sources.clone());
        let trouble = stream.trouble();
        let outcome = self
            .take_turn(Turn {
                key,
                record,
                claim: Claim::TakeOver,
                purpose: Purpose::Join { sources },
                credential: Some(credential),
                source: Some(Source::new(stream, None, None)),
            })
            .await?;
        match outcome {
            Outcome::Completed(_) => {
                self.after_completion(key, record).await;
                Ok(true)
            }
            Outcome::Failed { error, .. } if error.kind() == ErrorKind::TakenOver => Ok(false),
            Outcome::Failed { error, .. }
            | Outcome::Lost(error)
            | Outcome::Suspended { refused: Some(error), .. } => {
                Err(trouble.take().unwrap_or(error))
            }
            Outcome::Suspended { refused: None, .. } | Outcome::Aborted => Ok(false),
        }
    }

    /// What an upload's end brings with it: a partial one may be the last that another waits for,
    /// and what a final one was made of is not needed any more. Nothing that fails here undoes the
    /// upload: whoever asks for the final one next joins it, and what has expired is swept.
    pub(super) async fn after_completion(&self, key: &UploadKey, record: &UploadRecord) {
        match &record.role {
            Role::Whole => {}
            Role::Partial => {
                let _ = Box::pin(self.join_successor(key)).await;
            }
            Role::Final { partials } => {
                for partial in partials.iter().filter_map(|address| tus::partial_at(address)) {
                    let _ = self.forget_partial(&partial).await;
                }
            }
        }
    }

    async fn join_successor(&self, partial: &UploadKey) -> Result<()> {
        let Some(id) = self.kv.get(&partial.joined_into()).await? else { return Ok(()) };
        let key = String::from_utf8(id).ok().and_then(|id| UploadKey::new(&id));
        let Some(key) = key else { return Ok(()) };
        let record = records::upload_record(&self.kv, &key).await?;
        if let Role::Final { partials } = &record.role {
            self.join_if_ready(&key, &record, partials).await?;
        }
        Ok(())
    }

    /// The object first: as long as it is there, the record says where.
    pub(super) async fn forget_partial(&self, key: &UploadKey) -> Result<()> {
        let record = records::upload_record(&self.kv, key).await?;
        self.delete_temporary(&record).await?;
        records::forget(&self.kv, key).await
    }

    /// Deletes the object of a partial upload.
    pub(super) async fn delete_temporary(&self, record: &UploadRecord) -> Result<()> {
        let credential = self.own_credential(&record.target)?;
        let action = DeleteObject { key: &record.target.object };
        let bucket = record.target.bucket()?;
        let client = RetryingClient::from_config(&self.config);
        client.call_oss(&bucket, &credential.auth.credential, &action).await
    }

    async fn partial_status(&self, key: &UploadKey) -> Result<UploadStatus> {
        let status = match self.present_status(key).await {
            Err(error) if error.kind() == ErrorKind::UploadNotFound => {
                let allowed = "final; and addresses of uploads that exist";
                return Err(Error::field_invalid("upload-concat", allowed));
            }
            status => status?,
        };
        if status.record.role != Role::Partial {
            let allowed = "final; and addresses of uploads that were created as partial";
            return Err(Error::field_invalid("upload-concat", allowed));
        }
        match &status.checkpoint.phase {
            Phase::Aborted | Phase::Lost { .. } => {
                let message = "a partial upload is gone: the file has to be sent again";
                Err(Error::new(ErrorKind::UploadLost, message))
            }
            _ => Ok(status),
        }
    }

    /// The worker's own access key, as a credential for the object at `target`.
    pub(super) fn own_credential(&self, target: &Target) -> Result<UploadCredential> {
        let Some(key) = &self.config.ram_key else { return Err(no_storage()) };
        let address = UploadAddress {
            endpoint: target.endpoint.clone(),
            bucket: target.bucket.clone(),
            object: target.object.clone(),
        };
        Ok(UploadCredential::of_access_key(
            address,
            key.access_key_id.clone(),
            key.access_key_secret.clone(),
            key.security_token.clone(),
            target.region.clone(),
        ))
    }

    fn temporary_target(&self, object: String) -> Result<Target> {
        let storage = self.temporary()?;
        Ok(Target {
            endpoint: storage.endpoint.clone(),
            bucket: storage.bucket.clone(),
            object,
            region: Some(self.config.region.clone()),
            cname: false,
            signature_v1: self.config.signature_version == SignatureVersion::V1,
        })
    }

    fn temporary(&self) -> Result<&TemporaryStorage> {
        let storage = self.config.temporary.as_ref().filter(|_| self.config.ram_key.is_some());
        storage.ok_or_else(no_storage)
    }
}

/// A client's credential is for one object of its own, and cannot join what is in others.
pub(super) fn refuse_credentials(head: &Head, metadata: &Metadata) -> Result<()> {
    if http::client_credential(head, Some(metadata), clock::now())?.is_none() {
        return Ok(());
    }
    let message =
        "the credential that came with the request is for one object: it cannot join others";
    Err(Error::new(ErrorKind::ConcatenationUnavailable, message))
}

fn no_storage() -> Error {
    let message = "uploads are joined with the worker's own access key in temporary storage, and \
                   it has no vod_access_key_id or no temporary_bucket";
    Error::new(ErrorKind::ConcatenationUnavailable, message)
}
