//! An upload's state, its pauses, its credential, and its end.

use vod_uploader::credential::UploadAddress;
use vod_uploader::credential::UploadCredential;
use vod_uploader::http::ietf::{self, InteropVersion};
use vod_uploader::http::{self, Head, UploadStatus};
use vod_uploader::units::UnixMillis;
use vod_uploader::upload::{Claim, Outcome, Phase, Purpose, Role, UploadKey, UploadRecord};
use vod_uploader::{Error, ErrorKind, Result};
use zeroize::Zeroizing;

use super::{NO_SOURCE, Turn, Worker};
use crate::request_body::RequestBody;
use crate::stop_sign::StopSign;
use crate::{clock, records};

/// Largest credential that is taken, in bytes of JSON.
const CREDENTIAL_BYTES_MAX: usize = 32 << 10;

/// How often one request tries to end an upload that others take over.
const ABORTS_MAX: u32 = 4;

impl Worker {
    /// `GET /v1/files/{id}`. One who only looks takes nothing over from a writer that may still wait
    /// for its Complete; where the end cannot be found out now, the state says so.
    pub(crate) async fn status(&self, head: &Head, key: &UploadKey) -> Result<http::Response> {
        Ok(self.described(&self.watched_status(head, key).await?))
    }

    /// The state, with what a client of the IETF's draft reads of it in the head.
    fn described(&self, status: &UploadStatus) -> http::Response {
        let limits = self.ietf_limits(status.expires_at);
        ietf::described(InteropVersion::NEWEST, status.response(), status, &limits)
    }

    pub(super) async fn watched_status(
        &self,
        head: &Head,
        key: &UploadKey,
    ) -> Result<UploadStatus> {
        let mut status = self.present_status(key).await?;
        let written_at = UnixMillis(status.checkpoint.written_at_ms);
        let completing = status.checkpoint.phase == Phase::Completing;
        if completing && clock::now().since(written_at) > self.complete_timeout() {
            status = self.settled_status(head, key).await.unwrap_or(status);
        }
        self.joined_status(key, status).await
    }

    /// `POST /v1/files/{id}/pause`: whoever writes stops, and nobody writes until it is resumed.
    pub(crate) async fn pause(&self, head: &Head, key: &UploadKey) -> Result<http::Response> {
        let status = self.present_status(key).await?;
        if status.has_ended() {
            return Err(ended(&status));
        }
        if matches!(status.record.role, Role::Final { .. }) {
            let message = "an upload that is made of others takes no bytes: pause the others";
            return Err(Error::new(ErrorKind::UploadIsFinal, message));
        }
        self.kv.set(&key.pause(), &[]).await?;
        // Also where no writer is seen: one may have begun after it looked for the pause.
        StopSign::raise(&self.kv, key).await?;
        let status = self.stopped_status(head, key).await?;
        Ok(self.described(&status))
    }

    /// `POST /v1/files/{id}/resume`: it takes bytes again.
    pub(crate) async fn resume(&self, head: &Head, key: &UploadKey) -> Result<http::Response> {
        let status = self.present_status(key).await?;
        if status.has_ended() {
            return Err(ended(&status));
        }
        if status.expired {
            return Err(Error::new(ErrorKind::UploadExpired, "nothing came for too long"));
        }
        self.kv.delete(&key.pause()).await?;
        self.status(head, key).await
    }

    /// `POST /v1/files/{id}/credential`: a new one, in headers or as JSON. A request that relays at
    /// this moment takes it when its own ends.
    pub(crate) async fn new_credential(
        &self,
        head: &Head,
        key: &UploadKey,
        body: RequestBody,
    ) -> Result<http::Response> {
        let status = self.present_status(key).await?;
        if status.has_ended() {
            return Err(ended(&status));
        }
        let record = status.record;
        if record.role != Role::Whole {
            let message = "partial and final uploads use the worker's own access key";
            return Err(Error::new(ErrorKind::FileStateWrong, message));
        }
        let credential = match http::client_credential(head, None, clock::now())? {
            Some(credential) => credential,
            None => {
                let body = Zeroizing::new(body.read_whole(CREDENTIAL_BYTES_MAX).await?);
                let target = &record.target;
                let present = UploadAddress {
                    endpoint: target.endpoint.clone(),
                    bucket: target.bucket.clone(),
                    object: target.object.clone(),
                };
                UploadCredential::from_json(&body, &present, clock::now())?
            }
        };
        if self.config.seal_key.is_none() {
            let message = "seal_key is not set: a credential is not kept. Send it with each PATCH";
            return Err(Error::new(ErrorKind::Misconfigured, message));
        }
        check_credential(&record, &credential)?;
        self.credential_source(key, &record).keep(&self.kv, &credential).await?;
        Ok(http::Response::empty(204))
    }

    /// `DELETE /v1/files/{id}`: drops the parts of an open upload; of one that has ended, the
    /// records alone, since the object is VOD's.
    pub(crate) async fn terminate(&self, head: &Head, key: &UploadKey) -> Result<()> {
        let status = self.present_status(key).await?;
        if status.checkpoint.writing {
            StopSign::raise(&self.kv, key).await?;
        }
        let status = self.settled_status(head, key).await?;
        let record = status.record;
        if matches!(status.checkpoint.phase, Phase::Receiving | Phase::Lost { .. }) {
            let credential = self.credential(head, key, &record).await?;
            for _ in 0..ABORTS_MAX {
                match self.abort(key, &record, credential.clone()).await {
                    // A request that began at the same moment won: no client asks twice.
                    Err(error) if error.kind() == ErrorKind::TakenOver => {
                        StopSign::raise(&self.kv, key).await?;
                    }
                    // That request has completed it meanwhile.
                    Ok(Outcome::Completed(_)) => return self.forget_completed(key, &record).await,
                    ended => return ended.map(drop),
                }
            }
            let message = "the upload changes hands too fast to be ended";
            return Err(Error::new(ErrorKind::Busy, message));
        }
        if status.checkpoint.phase == Phase::Aborted {
            records::forget(&self.kv, key).await?;
            return Err(Error::new(ErrorKind::UploadAborted, "the upload was aborted before"));
        }
        self.forget_completed(key, &record).await
    }

    /// Deletes the records of a complete upload. Its object belongs to VOD, except that of a partial
    /// upload. The media is closed first: otherwise a client that still has its token could
    /// overwrite the object.
    pub(super) async fn forget_completed(
        &self,
        key: &UploadKey,
        record: &UploadRecord,
    ) -> Result<()> {
        if record.role == Role::Partial {
            self.delete_temporary(record).await?;
        }
        self.close_media(record).await?;
        records::forget(&self.kv, key).await
    }

    /// Ends an open upload and drops its parts, unless it turns out to be completed.
    pub(super) async fn abort(
        &self,
        key: &UploadKey,
        record: &UploadRecord,
        credential: Option<UploadCredential>,
    ) -> Result<Outcome> {
        let (claim, purpose) = (Claim::TakeOver, Purpose::Abort);
        let turn = Turn { key, record, claim, purpose, credential, source: NO_SOURCE };
        match self.take_turn(turn).await? {
            Outcome::Failed { error, .. } => Err(error),
            outcome => Ok(outcome),
        }
    }
}

/// Fails for a credential that a client has brought and that cannot be used for this upload.
pub(super) fn check_credential(record: &UploadRecord, brought: &UploadCredential) -> Result<()> {
    let same = brought.address.object == record.target.object
        && brought.address.bucket == record.target.bucket;
    if !same {
        let message = "the credential is for another object than this upload's";
        return Err(Error::new(ErrorKind::CredentialForOtherObject, message));
    }
    if !brought.is_usable_at(clock::now()) {
        let message = "the credential that came with the request has expired";
        return Err(Error::new(ErrorKind::CredentialExpired, message));
    }
    Ok(())
}

fn ended(status: &UploadStatus) -> Error {
    let message = format!("the upload is {}", status.state());
    Error::new(ErrorKind::UploadEnded, message)
}
