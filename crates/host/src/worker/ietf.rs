//! The calls of clients of the IETF's resumable uploads.

use vod_uploader::http::ietf::{self, Append, Creation, InteropVersion, Limits, Progress, Refusal};
use vod_uploader::http::{self, ContentChecks, Head, UploadStatus, WholeDigest};
use vod_uploader::units::{ByteCount, UnixMillis};
use vod_uploader::upload::{Claim, Purpose, Receive, Role, UploadKey};
use vod_uploader::{Error, ErrorKind, Result, Retry};

use super::create::{Created, NewUpload};
use super::receive::{Incoming, Received};
use super::{Turn, Worker};
use crate::byte_stream::NoBytes;
use crate::request_body::RequestBody;
use crate::source::Source;
use crate::{clock, records};

impl Worker {
    /// `POST /v1/files`, and `PUT` and `POST /v1/uploads/{file_name}`, of a client that says
    /// whether the content is the whole file.
    pub(crate) async fn ietf_create(
        &self,
        head: &Head,
        version: InteropVersion,
        file_name: Option<&str>,
        body: RequestBody,
    ) -> Result<http::Response> {
        let creation = Creation::parse(head, version, self.upload_max())?;
        let hint = match file_name {
            Some(segment) => creation.file_name.with_path_segment(segment)?,
            None => creation.file_name,
        };
        let file_name = self.file_name(&hint)?;
        let checks = ContentChecks::of_digest_fields(head, creation.complete);
        let atomic = !checks.is_empty();
        let whole = WholeDigest::of_creation(head);
        let checks = checks.with_whole(whole.clone());
        let length = creation.length;
        let limit = length.unwrap_or(self.upload_max());
        let mut source =
            Source::new(body.compared_with(checks), creation.content_length, Some(limit));
        // Before anything is created for a file that turns out to have no bytes.
        if creation.complete && !source.has_bytes().await {
            return Err(Error::new(ErrorKind::FileEmpty, "the file has no bytes"));
        }
        let new = NewUpload {
            file_name,
            length,
            content_type: creation.content_type,
            metadata: creation.metadata,
            role: Role::Whole,
        };
        let created = self.new_upload(head, new).await?;
        let outcome = self
            .take_turn(Turn {
                key: &created.key,
                record: &created.record,
                claim: Claim::Created,
                purpose: Purpose::Receive(Receive {
                    offset: ByteCount::ZERO,
                    request_len: creation.content_length,
                    end_completes: creation.complete,
                    length: None,
                    atomic,
                    stays_open: !creation.complete,
                }),
                credential: Some(created.credential.clone()),
                source: Some(source),
            })
            .await?;
        let mut received = self.received(&created.key, outcome).await.within(limit, length);
        if creation.complete && matches!(received, Received::Stored { .. }) {
            // Its client has gone without an address, and could not go on.
            let message = "the request broke off before its end";
            let error = Error::new(ErrorKind::LengthMismatch, message);
            received = Received::Refused { error, durable: None };
        }
        self.keep_digest(&created.key, whole.as_ref(), &received).await?;
        let answer = self.first_answer(version, &created, received, whole.as_ref()).await;
        Ok(self.with_token(answer, &created.record))
    }

    /// The answer to a creation: its Location says where the client goes on, whatever became of
    /// the bytes.
    async fn first_answer(
        &self,
        version: InteropVersion,
        created: &Created,
        received: Received,
        whole: Option<&WholeDigest>,
    ) -> http::Response {
        let Created { key, record, .. } = created;
        let limits = self.ietf_limits(self.expires_at(clock::now()));
        let (error, durable) = match received {
            Received::Completed(object) => {
                return with_digest(ietf::completed(version, Some(key), record, &object), whole);
            }
            Received::Stored { durable, .. } => {
                return ietf::created(version, key, &record.media_id, durable, &limits);
            }
            Received::Refused { error, durable } => (error, durable),
        };
        let progress = durable.map(|offset| Progress { offset, ..Progress::new(record.length()) });
        let refusal = Refusal {
            error: &error,
            progress,
            provided_offset: None,
            media_id: Some(&record.media_id),
            limits: &limits,
        };
        let refused = ietf::refused(version, &refusal);
        let goes_on = matches!(error.kind().retry(), Retry::Later | Retry::WithNewCredential);
        if goes_on && durable.is_some() {
            return refused.with_header("location", format!("/v1/files/{}", key.as_str()));
        }
        // Nobody is told this upload's address: its parts would stay until it expires.
        let _ = self.abort(key, record, Some(created.credential.clone())).await;
        refused
    }

    /// `PATCH /v1/files/{id}`.
    pub(crate) async fn ietf_append(
        &self,
        head: &Head,
        version: InteropVersion,
        key: &UploadKey,
        body: RequestBody,
    ) -> Result<http::Response> {
        let append = Append::parse(head, version)?;
        let checks = ContentChecks::of_digest_fields(head, false);
        let checked = !checks.is_empty();
        let whole = self.kept_digest(key, append.offset).await?;
        if let Some(whole) = &whole {
            whole.expect(head);
        }
        // What ends in a digest that has to be right is completed after it has been compared.
        let compared = append.complete && whole.as_ref().is_some_and(WholeDigest::is_expected);
        let incoming = Incoming {
            offset: append.offset,
            length: append.content_length,
            file_length: append.length,
            end_completes: append.complete && !compared,
            stays_open: !append.complete || compared,
            atomic: checked,
            body: body.compared_with(checks.with_whole(whole.clone())),
        };
        let (status, mut received) = self.receive(head, key, incoming).await?;
        if let (true, Some(whole), Received::Stored { durable, .. }) = (compared, &whole, &received)
        {
            received = self.compare_whole(head, key, whole, *durable).await?.unwrap_or(received);
        }
        self.keep_digest(key, whole.as_ref(), &received).await?;
        let record = &status.record;
        let was_completed = status.is_completed();
        let limits = self.ietf_limits(self.expires_at(clock::now()));
        Ok(match received {
            Received::Completed(_) if was_completed => {
                let message = "the upload is complete and takes no more bytes";
                let error = Error::new(ErrorKind::UploadEnded, message);
                self.refused(version, &status, &append, &error, Some(status.durable()))
            }
            Received::Completed(object) => {
                with_digest(ietf::completed(version, None, record, &object), whole.as_ref())
            }
            Received::Stored { durable, .. } => {
                ietf::appended(version, durable, &record.media_id, &limits)
            }
            Received::Refused { error, durable } => {
                // A checked request that breaks off is one of another length, too, and harmless.
                let overrun = error.kind() == ErrorKind::LengthMismatch
                    && status.length().is_some_and(|length| {
                        append.exceeds(length) || append.content_length.is_none() && !checked
                    });
                if overrun {
                    // "the upload resource MUST be invalidated": what was sent is not one file.
                    let credential = self.credential(head, key, record).await?;
                    let _ = self.abort(key, record, credential).await;
                }
                self.refused(version, &status, &append, &error, durable.filter(|_| !overrun))
            }
        })
    }

    /// Completes an upload whose last request has brought all that its digest is of, or gives it up
    /// where that is another ("Integrity Digests": it SHOULD be considered failed). `None` where it
    /// cannot be compared yet.
    async fn compare_whole(
        &self,
        head: &Head,
        key: &UploadKey,
        whole: &WholeDigest,
        durable: ByteCount,
    ) -> Result<Option<Received>> {
        let Some(agrees) = whole.agrees_at(durable) else { return Ok(None) };
        let record = records::upload_record(&self.kv, key).await?;
        let credential = self.credential(head, key, &record).await?;
        if !agrees {
            self.abort(key, &record, credential).await?;
            let message = "the file does not have the SHA-256 of its Repr-Digest and is given up";
            let error = Error::new(ErrorKind::UploadAborted, message);
            return Ok(Some(Received::Refused { error, durable: None }));
        }
        let outcome = self
            .take_turn(Turn {
                key,
                record: &record,
                claim: Claim::TakeOver,
                purpose: Purpose::Receive(Receive {
                    offset: durable,
                    request_len: Some(ByteCount::ZERO),
                    end_completes: true,
                    length: Some(durable),
                    ..Receive::default()
                }),
                credential,
                source: Some(Source::new(NoBytes, Some(ByteCount::ZERO), Some(ByteCount::ZERO))),
            })
            .await?;
        Ok(Some(self.received(key, outcome).await))
    }

    /// The digest of the whole file, where its client has asked for it and the bytes from `offset`
    /// on continue it.
    async fn kept_digest(&self, key: &UploadKey, offset: ByteCount) -> Result<Option<WholeDigest>> {
        match self.kv.get(&key.digest()).await? {
            Some(stored) => WholeDigest::kept(&stored, offset),
            None => Ok(None),
        }
    }

    async fn keep_digest(
        &self,
        key: &UploadKey,
        whole: Option<&WholeDigest>,
        received: &Received,
    ) -> Result<()> {
        match (whole, received) {
            (Some(whole), Received::Stored { durable, .. }) if whole.bytes() == *durable => {
                self.kv.set(&key.digest(), &whole.to_bytes()).await
            }
            _ => Ok(()),
        }
    }

    fn refused(
        &self,
        version: InteropVersion,
        status: &UploadStatus,
        append: &Append,
        error: &Error,
        durable: Option<ByteCount>,
    ) -> http::Response {
        let limits = self.ietf_limits(status.expires_at);
        let progress = durable.map(|offset| Progress { offset, ..Progress::of(status) });
        let misplaced = error.kind() == ErrorKind::OffsetMismatch;
        let refusal = Refusal {
            error,
            progress,
            provided_offset: misplaced.then_some(append.offset),
            media_id: Some(&status.record.media_id),
            limits: &limits,
        };
        ietf::refused(version, &refusal)
    }

    /// `HEAD /v1/files/{id}`.
    pub(crate) async fn ietf_offset(
        &self,
        head: &Head,
        version: InteropVersion,
        key: &UploadKey,
    ) -> Result<http::Response> {
        let status = self.offset_status(head, key).await?;
        let limits = self.ietf_limits(status.expires_at);
        Ok(ietf::offset(version, &status, &limits))
    }

    /// What is announced of the uploads that are taken. An upload takes any number of requests of
    /// any size.
    pub(crate) fn ietf_limits(&self, expires_at: Option<UnixMillis>) -> Limits {
        let left = expires_at.map(|end| end.since(clock::now()));
        Limits {
            size_max: self.upload_max(),
            append_size_max: None,
            append_size_min: None,
            max_age_s: left.or(self.config.expire_after).map(|left| left.as_secs()),
        }
    }
}

/// The answer to a request that completed the file, with its digest where its client has asked for it and it is known.
fn with_digest(answer: http::Response, whole: Option<&WholeDigest>) -> http::Response {
    match whole.and_then(|whole| whole.field_value_at(whole.bytes())) {
        Some(digest) => answer.with_header("repr-digest", digest),
        None => answer,
    }
}
