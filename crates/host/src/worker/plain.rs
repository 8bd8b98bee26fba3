//! `PUT` and `POST /v1/uploads/{file-name}`: a whole file in one request.

use vod_uploader::http::{self, Head, Metadata, PlainFile};
use vod_uploader::units::ByteCount;
use vod_uploader::upload::{Claim, FinishedObject, Outcome, Purpose, Receive, Role};
use vod_uploader::{Error, ErrorKind, Result};

use super::create::{Created, NewUpload};
use super::{Turn, Worker};
use crate::byte_stream::ByteStream;
use crate::records;
use crate::request_body::RequestBody;
use crate::source::Source;

/// A file whose upload has no address: all of it comes in one request, or nothing is kept.
pub(super) struct WholeFile<B> {
    pub(super) new: NewUpload,
    /// Bytes of the file, where that is declared.
    pub(super) source: Source<B>,
    /// True where the client is told the upload's id: its records stay, once it is stored.
    pub(super) addressed: bool,
}

impl Worker {
    /// `PUT` and `POST /v1/uploads/{file-name}`.
    pub(crate) async fn plain_file(
        &self,
        head: &Head,
        file_name: &str,
        body: RequestBody,
    ) -> Result<http::Response> {
        let file = PlainFile::parse(head, file_name)?;
        if file.length.is_some_and(|length| length > self.upload_max()) {
            return Err(self.too_large());
        }
        let body_max = file.length.unwrap_or(self.upload_max());
        let new = NewUpload {
            file_name: self.file_name(&file.file_name)?,
            length: file.length,
            content_type: file.content_type,
            metadata: Metadata::default(),
            role: Role::Whole,
        };
        let source = Source::new(body, file.length, Some(body_max));
        match self.whole_file(head, WholeFile { new, source, addressed: false }).await? {
            (created, Ok(object)) => Ok(http::created(&created.record, &object)),
            (created, Err(error)) => {
                let problem = http::problem(&error, Some(&created.record.media_id));
                Ok(self.with_token(problem, &created.record))
            }
        }
    }

    /// Uploads a file from its first byte to its last. What cannot be finished is given up.
    ///
    /// # Errors
    /// Where nothing was created.
    pub(super) async fn whole_file<B: ByteStream + 'static>(
        &self,
        head: &Head,
        file: WholeFile<B>,
    ) -> Result<(Created, Result<FinishedObject>)> {
        let WholeFile { new, mut source, addressed } = file;
        let length = new.length;
        if !source.has_bytes().await {
            return Err(Error::new(ErrorKind::FileEmpty, "the file has no bytes"));
        }
        let created = self.new_upload(head, new).await?;
        let outcome = self
            .take_turn(Turn {
                key: &created.key,
                record: &created.record,
                claim: Claim::Created,
                purpose: Purpose::Receive(Receive {
                    offset: ByteCount::ZERO,
                    request_len: length,
                    end_completes: true,
                    length: None,
                    atomic: false,
                    stays_open: false,
                }),
                credential: Some(created.credential.clone()),
                source: Some(source),
            })
            .await?;
        let error = match outcome {
            Outcome::Completed(object) => {
                // Where nobody knows this upload's address, nobody could delete its records. Where
                // that fails they cost room and nothing else.
                if !addressed {
                    let _ = self.forget_completed(&created.key, &created.record).await;
                }
                return Ok((created, Ok(object)));
            }
            // A body of undeclared length can only be longer than the limit.
            Outcome::Suspended { refused: Some(error), .. }
                if length.is_none() && error.kind() == ErrorKind::LengthMismatch =>
            {
                self.too_large()
            }
            Outcome::Suspended { refused, .. } => refused.unwrap_or_else(|| {
                Error::new(ErrorKind::LengthMismatch, "the request broke off before its end")
            }),
            Outcome::Failed { error, .. } | Outcome::Lost(error) => error,
            Outcome::Aborted => Error::new(ErrorKind::UploadAborted, "the upload was aborted"),
        };
        // Nobody knows this upload's address: its parts would stay until it expires. Where the
        // abort fails, too, whoever sweeps takes them, or the bucket's lifecycle rule.
        let credential = Some(created.credential.clone());
        if is_settled(&self.abort(&created.key, &created.record, credential).await) {
            let _ = records::forget(&self.kv, &created.key).await;
        }
        Ok((created, Err(error)))
    }
}

/// True where nothing is gained by trying again to abort: the records are not needed any more.
pub(super) fn is_settled(aborted: &Result<Outcome>) -> bool {
    !aborted.as_ref().is_err_and(|error| error.kind().retry().is_later())
}
