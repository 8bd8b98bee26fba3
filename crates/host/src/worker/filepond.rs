//! `/v1/filepond`: files as FilePond's own uploader sends them, whole or in chunks.

mod begin;

use std::rc::Rc;

use vod_uploader::http::form::{Boundary, FormFields};
use vod_uploader::http::{
    self, FilePondCall, FilePondChunk, FilePondTransfer, Head, ISSUED_TOKEN_HEADER, MediaClaim,
    Metadata, REVERT_BYTES_MAX, UploadStatus, filepond_begun, filepond_offset, filepond_stored,
    meant_fields,
};
use vod_uploader::units::{ByteCount, UnixMillis};
use vod_uploader::upload::{Phase, UploadKey};
use vod_uploader::{Error, ErrorKind, Result};

use super::Worker;
use super::form::Unstored;
use super::receive::{Incoming, Received};
use crate::byte_stream::ByteStream;
use crate::credential_source::CredentialSource;
use crate::form_body::{FormBody, FormPart};
use crate::request_body::RequestBody;
use crate::{clock, random};

/// How much is read at a time of bytes that are there already.
const SKIP_BYTES: u64 = 64 << 10;

impl Worker {
    /// Every call of FilePond; `id` is what the path has after `/v1/filepond/`.
    pub(crate) async fn filepond(
        &self,
        head: &Head,
        id: &str,
        body: RequestBody,
    ) -> Result<http::Response> {
        match FilePondCall::parse(head, id, self.upload_max())? {
            FilePondCall::Begin { length } => self.filepond_begin(head, length, body).await,
            FilePondCall::Whole => self.filepond_whole(head, body).await,
            FilePondCall::Chunk(chunk) => self.filepond_chunk(head, &chunk, body).await,
            FilePondCall::Offset(key) => {
                let transfer = self.transfer(&key).await?;
                let status = existing(self.offset_status(head, &key).await)?;
                refuse_deleted(&transfer, status.as_ref())?;
                let durable = status.map_or(ByteCount::ZERO, |status| status.durable());
                Ok(filepond_offset(transfer.resume_offset(durable), &transfer))
            }
            FilePondCall::Revert(key) => {
                let key = match key {
                    Some(key) => key,
                    None => http::key_in_body(&body.read_whole(REVERT_BYTES_MAX).await?)?,
                };
                self.filepond_revert(head, &key).await
            }
        }
    }

    /// A file in chunks begins: without its name, of which VOD makes a media id.
    async fn filepond_begin(
        &self,
        head: &Head,
        length: ByteCount,
        body: RequestBody,
    ) -> Result<http::Response> {
        let metadata = self.metadata_in_form(head, body).await?;
        // The client learns of wrong values before it sends any bytes.
        let credential = http::client_credential(head, Some(&metadata), clock::now())?;
        if let (None, Some(claim)) = (&credential, MediaClaim::parse(head, &metadata)?) {
            self.verify_claim(&claim).await?;
        }
        let key = UploadKey::from_random(random::bits128());
        let transfer = FilePondTransfer::new(clock::now(), length, &metadata);
        self.keep_transfer(&key, &transfer).await?;
        if let Some(credential) = credential {
            self.transfer_credential(&key).keep(&self.kv, &credential).await?;
        }
        Ok(filepond_begun(&key, ""))
    }

    /// What the form says of its file; files in it are read past.
    async fn metadata_in_form(&self, head: &Head, body: RequestBody) -> Result<Metadata> {
        let mut fields = FormFields::default();
        let content_type = head.header("content-type");
        if content_type.is_none() {
            return Ok(fields.for_file());
        }
        let form = FormBody::new(body, &Boundary::of_content_type(content_type)?);
        while let Some(part) = form.next_part().await? {
            if let FormPart::Field(field) = part {
                self.take_meant(&mut fields, field)?;
            }
        }
        Ok(fields.for_file())
    }

    fn take_meant(&self, fields: &mut FormFields, field: http::form::Field) -> Result<()> {
        let mut meant = meant_fields(field).into_iter();
        meant.try_for_each(|field| fields.take(&field, &self.config.redirect_origins))
    }

    /// A form with one file.
    async fn filepond_whole(&self, head: &Head, body: RequestBody) -> Result<http::Response> {
        let boundary = Boundary::of_content_type(head.header("content-type"))?;
        let form = FormBody::new(body, &boundary);
        let mut fields = FormFields::default();
        let mut stored = None;
        while let Some(part) = form.next_part().await? {
            let part = match part {
                FormPart::Field(field) => {
                    self.take_meant(&mut fields, field)?;
                    continue;
                }
                FormPart::File(part) => part,
            };
            let metadata = fields.for_file();
            let Some(source) = self.chosen_file(&form, &part).await? else { continue };
            if stored.is_some() {
                return Err(Error::field_invalid("file", "in a form of FilePond once"));
            }
            match self.store_part(head, &part, metadata, source, true).await {
                Ok((created, _)) => stored = Some(created),
                Err(Unstored { error, media }) => {
                    let problem = http::problem(&error, Some(&media.media_id));
                    return Ok(match media.token {
                        Some(token) => problem.with_header(ISSUED_TOKEN_HEADER, token.expose()),
                        None => problem,
                    });
                }
            }
        }
        let created = stored.ok_or_else(http::form::no_file)?;
        Ok(filepond_begun(&created.key, &created.record.media_id))
    }

    /// A chunk; with the first one, the file gets its name and so its upload.
    async fn filepond_chunk(
        &self,
        head: &Head,
        chunk: &FilePondChunk,
        mut body: RequestBody,
    ) -> Result<http::Response> {
        let (transfer, mut status) = self.transfer_status(&chunk.key).await?;
        transfer.check(chunk)?;
        if status.is_none() && chunk.offset == ByteCount::ZERO {
            self.begin_upload(head, chunk).await?;
            (_, status) = self.transfer_status(&chunk.key).await?;
        }
        let durable = status.as_ref().map_or(ByteCount::ZERO, UploadStatus::durable);
        let known = match chunk.known_len(durable) {
            Ok(known) => known,
            Err(error) => {
                let offset = transfer.resume_offset(durable);
                let refused = http::problem(&error, None);
                return Ok(refused.with_header("upload-offset", offset.bytes().to_string()));
            }
        };
        if let Some(status) = &status
            && chunk.length == Some(known)
            && is_done_with(status, chunk)
        {
            return Ok(filepond_stored(durable, &status.record.media_id));
        }
        skip(&mut body, known).await?;
        let incoming = Incoming {
            offset: chunk.offset + known,
            length: chunk.length.map(|length| length - known),
            file_length: Some(chunk.file_length),
            end_completes: false,
            stays_open: false,
            atomic: false,
            body,
        };
        let (status, received) = self.receive(head, &chunk.key, incoming).await?;
        let media_id = &status.record.media_id;
        Ok(match received {
            Received::Stored { durable, .. } => {
                self.with_token(filepond_stored(durable, media_id), &status.record)
            }
            Received::Completed(object) => filepond_stored(ByteCount(object.size_bytes), media_id),
            Received::Refused { error, durable } => {
                let refused = http::problem(&error, Some(media_id));
                match durable {
                    Some(offset) => {
                        refused.with_header("upload-offset", offset.bytes().to_string())
                    }
                    None => refused,
                }
            }
        })
    }

    /// The file is not wanted any more. Of one that is stored, the records are forgotten; its
    /// object is VOD's.
    async fn filepond_revert(&self, head: &Head, key: &UploadKey) -> Result<http::Response> {
        let transfer = existing(self.transfer(key).await)?;
        let ended = existing(self.terminate(head, key).await)?;
        if transfer.is_none() && ended.is_none() {
            return Err(not_found());
        }
        self.forget_transfer(key).await?;
        Ok(http::Response::empty(204))
    }

    /// Forgets a file in chunks of which nothing has come for too long, and returns whether it did.
    /// Where it has an upload, that one's life counts.
    pub(super) async fn sweep_transfer(&self, key: &UploadKey) -> Result<bool> {
        let Some(life) = self.config.expire_after else { return Ok(false) };
        let transfer = self.transfer(key).await?;
        let resting = clock::now() >= UnixMillis(transfer.created_at_ms) + life;
        let unused = resting && self.kv.get(&key.upload()).await?.is_none();
        if unused {
            self.forget_transfer(key).await?;
        }
        Ok(unused)
    }

    /// What is known of a file, and of its upload where it has one.
    ///
    /// # Errors
    /// Where no chunk can be taken any more.
    async fn transfer_status(
        &self,
        key: &UploadKey,
    ) -> Result<(FilePondTransfer, Option<UploadStatus>)> {
        let transfer = self.transfer(key).await?;
        let status = existing(self.present_status(key).await)?;
        refuse_deleted(&transfer, status.as_ref())?;
        if let Some(status) = &status {
            if !transfer.is_upload_made() {
                // Its maker has not come to it yet, or is gone.
                let made = self.transfer(key).await?.with_upload_made();
                self.keep_transfer(key, &made).await?;
            }
            refuse_ended(status)?;
        }
        Ok((transfer, status))
    }

    async fn transfer(&self, key: &UploadKey) -> Result<FilePondTransfer> {
        match self.kv.get(&FilePondTransfer::name(key)).await? {
            Some(bytes) => FilePondTransfer::decode(&bytes),
            None => Err(not_found()),
        }
    }

    async fn keep_transfer(&self, key: &UploadKey, transfer: &FilePondTransfer) -> Result<()> {
        self.kv.set(&FilePondTransfer::name(key), &transfer.encode()?).await
    }

    async fn forget_transfer(&self, key: &UploadKey) -> Result<()> {
        // First, so that nobody begins any more.
        self.kv.delete(&FilePondTransfer::name(key)).await?;
        self.kv.delete(&key.credential()).await?;
        self.beginning(key).forget().await
    }

    /// The credential that came with the POST, before there is an upload.
    fn transfer_credential(&self, key: &UploadKey) -> CredentialSource {
        CredentialSource::new(Rc::clone(&self.config), key.clone(), None)
    }
}

/// `None` for what there is not.
fn existing<T>(found: Result<T>) -> Result<Option<T>> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind() == ErrorKind::UploadNotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Fails where the upload that was made for the file is there no more: it was deleted, or nothing
/// came for too long.
fn refuse_deleted(transfer: &FilePondTransfer, status: Option<&UploadStatus>) -> Result<()> {
    if transfer.is_upload_made() && status.is_none() { Err(not_found()) } else { Ok(()) }
}

/// Fails where the upload takes nothing any more, and is not whole.
fn refuse_ended(status: &UploadStatus) -> Result<()> {
    let (kind, message) = match &status.checkpoint.phase {
        Phase::Aborted => (ErrorKind::UploadAborted, "the upload was aborted".to_owned()),
        Phase::Lost { code } => (ErrorKind::UploadLost, format!("the upload ended with {code}")),
        _ if status.expired => (ErrorKind::UploadExpired, "nothing came for too long".to_owned()),
        Phase::Receiving | Phase::Completing | Phase::Completed(_) => return Ok(()),
    };
    Err(Error::new(kind, message))
}

fn not_found() -> Error {
    Error::new(ErrorKind::UploadNotFound, "no upload has this id")
}

/// Whether a chunk that is all there leaves nothing to do: the last one may still have to complete
/// the upload.
fn is_done_with(status: &UploadStatus, chunk: &FilePondChunk) -> bool {
    status.is_completed() || status.durable() < chunk.file_length
}

/// Reads over `length` bytes.
async fn skip(body: &mut RequestBody, length: ByteCount) -> Result<()> {
    let mut left = length.bytes();
    while left > 0 {
        let room = usize::try_from(left.min(SKIP_BYTES)).unwrap_or_default();
        // A boxed slice has no room beyond its length: no byte of what comes after is read.
        let mut buffer = vec![0; room].into_boxed_slice().into_vec();
        buffer.clear();
        let (read, end) = body.read(buffer).await;
        left -= (read.len() as u64).min(left);
        if end.is_some() && left > 0 {
            let message = "the request broke off before its end";
            return Err(Error::new(ErrorKind::LengthMismatch, message));
        }
    }
    Ok(())
}
