//! More bytes of an upload: what every protocol's appending comes to.

use vod_uploader::credential::UploadCredential;
use vod_uploader::http::{self, Head, UploadStatus};
use vod_uploader::units::{ByteCount, PART_SIZE_MAX, UnixMillis};
use vod_uploader::upload::{
    CheckpointSearch, Claim, FinishedObject, Outcome, Phase, Purpose, Receive, Role, UploadKey,
    UploadRecord,
};
use vod_uploader::{Error, ErrorKind, Result};

use super::lifecycle::check_credential;
use super::{Turn, Worker};
use crate::request_body::RequestBody;
use crate::source::Source;
use crate::stop_sign::StopSign;
use crate::{clock, records};

/// The bytes of one request, as its protocol describes them.
pub(super) struct Incoming {
    /// Where they start.
    pub(super) offset: ByteCount,
    /// How many there are, where that is declared.
    pub(super) length: Option<ByteCount>,
    /// The length of the whole file, where this request declares it.
    pub(super) file_length: Option<ByteCount>,
    /// True where the file ends with the request.
    pub(super) end_completes: bool,
    /// True where the file is not whole after the request, whatever it brings.
    pub(super) stays_open: bool,
    /// True where nothing counts unless everything is as the client's checksum says.
    pub(super) atomic: bool,
    pub(super) body: RequestBody,
}

/// What came of them.
pub(super) enum Received {
    /// All of them are durable, up to this offset.
    Stored { durable: ByteCount, expires_at: Option<UnixMillis> },
    /// The object is whole.
    Completed(FinishedObject),
    /// Not all were taken. The offset is where the client goes on, where that is known.
    Refused { error: Error, durable: Option<ByteCount> },
}

impl Received {
    /// The same, where `length` is not known: a body that goes on behind `limit` is too large, and
    /// not of another length than it should be.
    pub(super) fn within(self, limit: ByteCount, length: Option<ByteCount>) -> Self {
        match self {
            Self::Refused { error, durable }
                if length.is_none() && error.kind() == ErrorKind::LengthMismatch =>
            {
                let message = format!("{limit} are taken at most");
                Self::Refused { error: Error::new(ErrorKind::FileTooLarge, message), durable }
            }
            received => received,
        }
    }
}

impl Worker {
    /// Takes `incoming` into the upload `key`, whose media id is returned.
    ///
    /// # Errors
    /// Where the upload cannot be read.
    pub(super) async fn receive(
        &self,
        head: &Head,
        key: &UploadKey,
        incoming: Incoming,
    ) -> Result<(UploadStatus, Received)> {
        let stop = StopSign::of(&self.kv, key).await?;
        let (status, search) = self.status_to_take_over(head, key).await?;
        if let Some(error) = self.refusal(&status, &incoming) {
            let durable = match error.kind() {
                ErrorKind::UploadIsFinal | ErrorKind::UploadExpired => None,
                _ => Some(self.present_status(key).await?.durable()),
            };
            return Ok((status, Received::Refused { error, durable }));
        }
        if let Phase::Completed(object) = &status.checkpoint.phase {
            let object = object.clone();
            return Ok((status, Received::Completed(object)));
        }
        let stop =
            if status.checkpoint.writing { StopSign::raise(&self.kv, key).await? } else { stop };
        let record = status.record.clone();
        let length = status.length().or(incoming.file_length);
        let limit = length.unwrap_or(self.size_max(&record.role));
        let left = Some(limit - incoming.offset);
        let outcome = self
            .take_turn(Turn {
                key,
                record: &record,
                claim: Claim::TakeOverFrom(Box::new(search)),
                purpose: Purpose::Receive(Receive {
                    offset: incoming.offset,
                    request_len: incoming.length,
                    end_completes: incoming.end_completes,
                    length: incoming.file_length,
                    atomic: incoming.atomic,
                    stays_open: incoming.stays_open,
                }),
                credential: self.credential(head, key, &record).await?,
                source: Some(Source::new(incoming.body.until(stop), incoming.length, left)),
            })
            .await?;
        let received = self.received(key, outcome).await.within(limit, length);
        // What the store did not take must not replace one that it takes.
        if matches!(received, Received::Stored { .. })
            && let Some(brought) = http::client_credential(head, None, clock::now())?
        {
            self.credential_source(key, &record).keep(&self.kv, &brought).await?;
        }
        if matches!(received, Received::Completed(_)) {
            self.after_completion(key, &record).await;
        }
        Ok((status, received))
    }

    /// What an outcome of receiving means to the client.
    pub(super) async fn received(&self, key: &UploadKey, outcome: Outcome) -> Received {
        match outcome {
            Outcome::Completed(object) => Received::Completed(object),
            Outcome::Suspended { durable, refused: None } => {
                Received::Stored { durable, expires_at: self.expires_at(clock::now()) }
            }
            Outcome::Suspended { durable, refused: Some(error) } => {
                Received::Refused { error, durable: Some(durable) }
            }
            // A session that failed early knows no offset: the records do, if they can be read.
            Outcome::Failed { error, .. } => {
                let durable = self.present_status(key).await.ok().map(|status| status.durable());
                Received::Refused { error, durable }
            }
            Outcome::Lost(error) => Received::Refused { error, durable: None },
            Outcome::Aborted => {
                let error = Error::new(ErrorKind::UploadAborted, "the upload was aborted");
                Received::Refused { error, durable: None }
            }
        }
    }

    /// How the upload stands, for one who is about to take it over: that looks again, so the lease
    /// need not be compared here.
    async fn status_to_take_over(
        &self,
        head: &Head,
        key: &UploadKey,
    ) -> Result<(UploadStatus, CheckpointSearch)> {
        let mut search = records::search(&self.kv, key).await?;
        let record = records::upload_record(&self.kv, key).await?;
        let (_, mut checkpoint) = search.clone().finish()?;
        if checkpoint.phase == Phase::Completing {
            self.settled_status(head, key).await?;
            search = records::search(&self.kv, key).await?;
            checkpoint = search.clone().finish()?.1;
        }
        let expire_after = self.config.expire_after;
        let status = records::status_of(&self.kv, key, record, checkpoint, expire_after).await?;
        Ok((status, search))
    }

    /// The credential for a request to an existing upload: the client's, or the stored one.
    pub(super) async fn credential(
        &self,
        head: &Head,
        key: &UploadKey,
        record: &UploadRecord,
    ) -> Result<Option<UploadCredential>> {
        match http::client_credential(head, None, clock::now())? {
            Some(brought) if record.role == Role::Whole => {
                check_credential(record, &brought)?;
                Ok(Some(brought))
            }
            _ => self.stored_credential(key, record).await,
        }
    }

    /// The credential for an existing upload without a request of its client.
    pub(super) async fn stored_credential(
        &self,
        key: &UploadKey,
        record: &UploadRecord,
    ) -> Result<Option<UploadCredential>> {
        match record.role {
            Role::Whole => self.credential_source(key, record).kept(&self.kv).await,
            Role::Partial | Role::Final { .. } => self.own_credential(&record.target).map(Some),
        }
    }

    /// Why a request is refused before anything is taken over.
    fn refusal(&self, status: &UploadStatus, incoming: &Incoming) -> Option<Error> {
        let refused = |kind, message: String| Some(Error::new(kind, message));
        if matches!(status.record.role, Role::Final { .. }) {
            let message = "an upload that is made of others takes no bytes of its own";
            return refused(ErrorKind::UploadIsFinal, message.to_owned());
        }
        if status.expired {
            return refused(ErrorKind::UploadExpired, "nothing came for too long".to_owned());
        }
        match &status.checkpoint.phase {
            Phase::Aborted => {
                return refused(ErrorKind::UploadAborted, "the upload was aborted".to_owned());
            }
            Phase::Lost { code } => {
                return refused(ErrorKind::UploadLost, format!("the upload ended with {code}"));
            }
            Phase::Receiving if status.paused => {
                return refused(ErrorKind::UploadPaused, "the upload is paused".to_owned());
            }
            Phase::Receiving | Phase::Completing | Phase::Completed(_) => {}
        }
        let (offset, durable) = (incoming.offset, status.durable());
        if offset != durable {
            let (offset, durable) = (offset.bytes(), durable.bytes());
            let message = format!("the request starts at {offset} and the upload is at {durable}");
            return refused(ErrorKind::OffsetMismatch, message);
        }
        self.length_refusal(status, incoming)
    }

    fn length_refusal(&self, status: &UploadStatus, incoming: &Incoming) -> Option<Error> {
        let declared = incoming.file_length;
        if let (Some(known), Some(declared)) = (status.length(), declared)
            && known != declared
        {
            let message = format!("the request declares {declared} and the upload has {known}");
            return Some(Error::new(ErrorKind::LengthInconsistent, message));
        }
        if declared.is_some_and(|declared| declared > self.size_max(&status.record.role)) {
            return Some(self.too_large());
        }
        let known = status.length().or(declared);
        let brings_too_much = |brought: ByteCount| {
            known.is_none() && incoming.offset + brought > self.size_max(&status.record.role)
        };
        if incoming.length.is_some_and(brings_too_much) {
            return Some(self.too_large());
        }
        let length = known?;
        if length < incoming.offset {
            let message = format!("the upload has more than {length} already");
            return Some(Error::new(ErrorKind::LengthInconsistent, message));
        }
        let left = length - incoming.offset;
        let brought = incoming.length.filter(|brought| *brought > left)?;
        let message = format!("the request brings {brought} and the upload takes {left} more");
        Some(Error::new(ErrorKind::LengthMismatch, message))
    }

    /// The largest upload of this role that is taken.
    pub(super) fn size_max(&self, role: &Role) -> ByteCount {
        match role {
            Role::Partial => self.upload_max().min(PART_SIZE_MAX),
            Role::Whole | Role::Final { .. } => self.upload_max(),
        }
    }

    pub(super) fn too_large(&self) -> Error {
        let message = format!("{} are taken at most", self.upload_max());
        Error::new(ErrorKind::FileTooLarge, message)
    }
}
