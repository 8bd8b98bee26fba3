//! `PUT /v1/uploads/{file-name}`: a whole file in one request.

use vod_uploader::http::{self, Head, Metadata, PlainPut};
use vod_uploader::units::ByteCount;
use vod_uploader::upload::{Claim, Outcome, Purpose};
use vod_uploader::{Error, ErrorKind, Result};

use super::create::{Created, NewUpload};
use super::{Turn, Worker};
use crate::records;
use crate::request_body::RequestBody;
use crate::source::Source;

impl Worker {
    /// `PUT /v1/uploads/{file-name}`.
    pub(crate) async fn plain_put(
        &self,
        head: &Head,
        file_name: &str,
        body: RequestBody,
    ) -> Result<http::Response> {
        let put = PlainPut::parse(head, file_name)?;
        if put.length.is_some_and(|length| length > self.upload_max()) {
            return Err(self.too_large());
        }
        let body_max = put.length.unwrap_or(self.upload_max());
        let mut source = Source::new(body, put.length, Some(body_max));
        if !source.has_bytes().await {
            return Err(Error::new(ErrorKind::FileEmpty, "the file has no bytes"));
        }
        let new = NewUpload {
            file_name: put.file_name,
            length: put.length,
            content_type: put.content_type,
            metadata: Metadata::default(),
        };
        let Created { key, record, credential } = self.new_upload(head, new).await?;
        let outcome = self
            .take_turn(Turn {
                key: &key,
                record: &record,
                claim: Claim::Created,
                purpose: Purpose::Receive {
                    offset: ByteCount::ZERO,
                    request_len: put.length,
                    end_completes: true,
                },
                credential: Some(credential.clone()),
                source: Some(source),
            })
            .await?;
        let error = match outcome {
            Outcome::Completed(object) => {
                // Nobody knows this upload's address, so nobody could delete its records. Where
                // that fails they cost room and nothing else.
                let _ = records::forget(&self.kv, &key).await;
                return Ok(http::created(&record, &object));
            }
            // A body of undeclared length can only be longer than the limit.
            Outcome::Suspended { refused: Some(error), .. }
                if put.length.is_none() && error.kind() == ErrorKind::LengthMismatch =>
            {
                self.too_large()
            }
            Outcome::Suspended { refused, .. } => refused.unwrap_or_else(|| {
                Error::new(ErrorKind::LengthMismatch, "the request broke off before its end")
            }),
            Outcome::Failed { error, .. } | Outcome::Lost(error) => error,
            Outcome::Aborted => Error::new(ErrorKind::UploadAborted, "the upload was aborted"),
        };
        // Nobody knows this upload's address: its parts would stay on the store for ever. Where
        // the abort fails, too, the bucket's lifecycle rule takes them.
        let _ = self
            .take_turn(Turn {
                key: &key,
                record: &record,
                claim: Claim::TakeOver,
                purpose: Purpose::Abort,
                credential: Some(credential),
                source: None,
            })
            .await;
        let _ = records::forget(&self.kv, &key).await;
        Ok(http::problem(&error, Some(&record.media_id)))
    }

    fn too_large(&self) -> Error {
        let message = format!("{} are taken at most", self.upload_max());
        Error::new(ErrorKind::FileTooLarge, message)
    }
}
