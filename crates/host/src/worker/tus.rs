//! The calls of tus clients.

use vod_uploader::Result;
use vod_uploader::http::tus::{self, Chunk, Concat, Creation};
use vod_uploader::http::{self, Head, UploadStatus};
use vod_uploader::units::{ByteCount, UnixMillis};
use vod_uploader::upload::{Claim, Phase, Purpose, Receive, Role, UploadKey};
use vod_uploader::{Error, ErrorKind};

use super::concat::refuse_credentials;
use super::create::{Created, NewUpload};
use super::receive::{Incoming, Received};
use super::{Turn, Worker};
use crate::clock;
use crate::request_body::RequestBody;
use crate::source::Source;

impl Worker {
    /// `OPTIONS`: what is spoken.
    pub(crate) fn discovered(&self) -> http::Response {
        let limits = self.ietf_limits(None);
        let expires = self.config.expire_after.is_some();
        let concatenates = self.config.temporary.is_some() && self.config.ram_key.is_some();
        limits.announce(tus::discovered(self.upload_max(), expires, concatenates))
    }

    /// `POST /v1/files`.
    pub(crate) async fn tus_create(
        &self,
        head: &Head,
        body: RequestBody,
    ) -> Result<http::Response> {
        let creation = Creation::parse(head, self.upload_max())?;
        let created = match &creation.concat {
            Concat::Final(partials) => {
                return self.create_final(head, &creation, partials).await;
            }
            Concat::Partial => {
                refuse_credentials(head, &creation.metadata)?;
                self.new_partial(creation.length, &creation.metadata).await?
            }
            Concat::Whole => {
                let new = NewUpload {
                    file_name: self.file_name(&creation.file_name)?,
                    length: creation.length,
                    content_type: creation.content_type,
                    metadata: creation.metadata,
                    role: Role::Whole,
                };
                self.new_upload(head, new).await?
            }
        };
        let empty = creation.length == Some(ByteCount::ZERO);
        let brought = match creation.chunk {
            None if !empty => None,
            chunk => Some(self.take_first(&created, creation.length, chunk, body).await?),
        };
        let answer = first_answer(&created, brought, self.expires_at(clock::now()));
        Ok(self.with_token(answer, &created.record))
    }

    /// Takes the bytes that came with the creation.
    async fn take_first(
        &self,
        created: &Created,
        length: Option<ByteCount>,
        chunk: Option<Chunk>,
        body: RequestBody,
    ) -> Result<Received> {
        let request_len = match &chunk {
            Some(chunk) => chunk.length,
            None => Some(ByteCount::ZERO),
        };
        let limit = length.unwrap_or(self.size_max(&created.record.role));
        let checks = chunk.map(|chunk| chunk.checks).unwrap_or_default();
        let atomic = !checks.is_empty();
        let body = body.compared_with(checks);
        let outcome = self
            .take_turn(Turn {
                key: &created.key,
                record: &created.record,
                claim: Claim::Created,
                purpose: Purpose::Receive(Receive {
                    offset: ByteCount::ZERO,
                    request_len,
                    end_completes: false,
                    length: None,
                    atomic,
                    stays_open: false,
                }),
                credential: Some(created.credential.clone()),
                source: Some(Source::new(body, request_len, Some(limit))),
            })
            .await?;
        Ok(self.received(&created.key, outcome).await.within(limit, length))
    }

    /// `PATCH /v1/files/{id}`.
    pub(crate) async fn tus_append(
        &self,
        head: &Head,
        key: &UploadKey,
        body: RequestBody,
    ) -> Result<http::Response> {
        let chunk = Chunk::parse(head)?;
        let incoming = Incoming {
            offset: chunk.offset,
            length: chunk.length,
            file_length: chunk.file_length,
            end_completes: false,
            stays_open: false,
            atomic: !chunk.checks.is_empty(),
            body: body.compared_with(chunk.checks),
        };
        let (status, received) = self.receive(head, key, incoming).await?;
        let media_id = &status.record.media_id;
        Ok(match received {
            Received::Stored { durable, expires_at } => {
                tus::chunk_stored(durable, media_id, expires_at)
            }
            Received::Completed(object) => {
                tus::chunk_stored(ByteCount(object.size_bytes), media_id, None)
            }
            Received::Refused { error, durable } => tus::chunk_ended(&error, durable, media_id),
        })
    }

    /// `HEAD /v1/files/{id}`.
    pub(crate) async fn tus_offset(&self, head: &Head, key: &UploadKey) -> Result<http::Response> {
        let status = self.offset_status(head, key).await?;
        Ok(tus::offset(&status))
    }

    /// How the upload stands for a client that is about to continue it.
    ///
    /// # Errors
    /// Where it cannot be continued any more.
    pub(super) async fn offset_status(&self, head: &Head, key: &UploadKey) -> Result<UploadStatus> {
        let status = self.joined_status(key, self.stopped_status(head, key).await?).await?;
        match &status.checkpoint.phase {
            Phase::Aborted => Err(Error::new(ErrorKind::UploadAborted, "the upload was aborted")),
            Phase::Lost { code } => {
                let message = format!("the upload ended with {code}");
                Err(Error::new(ErrorKind::UploadLost, message))
            }
            _ if status.expired => {
                Err(Error::new(ErrorKind::UploadExpired, "nothing came for too long"))
            }
            _ => Ok(status),
        }
    }
}

/// The answer to a creation. It succeeded whatever became of the bytes: where the client can go on,
/// it is told from where.
fn first_answer(
    created: &Created,
    brought: Option<Received>,
    expires_at: Option<UnixMillis>,
) -> http::Response {
    let answer = |offset, expires_at| {
        tus::resource_created(&created.key, &created.record.media_id, offset, expires_at)
    };
    match brought {
        None => answer(None, expires_at),
        Some(Received::Stored { durable, expires_at }) => answer(Some(durable), expires_at),
        Some(Received::Completed(object)) => answer(Some(ByteCount(object.size_bytes)), None),
        Some(Received::Refused { error, durable: Some(durable) })
            if error.kind().retry() == vod_uploader::Retry::Later
                && error.kind() != ErrorKind::DigestMismatch =>
        {
            answer(Some(durable), expires_at)
        }
        Some(Received::Refused { error, durable }) => {
            let location = format!("/v1/files/{}", created.key.as_str());
            tus::chunk_ended(&error, durable, &created.record.media_id)
                .with_header("location", location)
        }
    }
}
