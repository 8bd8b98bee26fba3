//! What a client can ask of the worker.

mod concat;
mod create;
mod filepond;
mod follow;
mod form;
mod ietf;
mod lifecycle;
mod media;
mod plain;
mod receive;
mod settle;
mod sweep;
mod tus;

use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use futures::future::{Either, select};
use vod_uploader::credential::UploadCredential;
use vod_uploader::http::{self, FileName, NameHint};
use vod_uploader::units::{ByteCount, UnixMillis};
use vod_uploader::upload::{
    COMPLETE_TIMEOUT_FACTOR, Claim, Outcome, Purpose, Role, Session, SessionOptions, Target,
    UploadKey, UploadRecord,
};
use vod_uploader::{Error, ErrorKind, Result};

use crate::byte_stream::ByteStream;
use crate::config::Config;
use crate::credential_source::CredentialSource;
use crate::drive::{broken, drive};
use crate::key_value::KeyValue;
use crate::lane::Lane;
use crate::request_body::RequestBody;
use crate::source::Source;
use crate::{clock, life, random};

/// The worker, for one request.
#[derive(Clone)]
pub(crate) struct Worker {
    config: Rc<Config>,
    kv: Rc<KeyValue>,
}

/// One turn at an upload, to be taken.
struct Turn<'a, B = RequestBody> {
    key: &'a UploadKey,
    record: &'a UploadRecord,
    claim: Claim,
    purpose: Purpose,
    credential: Option<UploadCredential>,
    source: Option<Source<B>>,
}

/// For a turn that takes no bytes.
const NO_SOURCE: Option<Source<RequestBody>> = None;

impl Worker {
    pub(crate) fn new(config: Rc<Config>, kv: Rc<KeyValue>) -> Self {
        Self { config, kv }
    }

    /// Largest file that is taken.
    pub(crate) fn upload_max(&self) -> ByteCount {
        self.config.upload_max
    }

    /// The name of the file that `hint` describes.
    fn file_name(&self, hint: &NameHint) -> Result<FileName> {
        hint.resolve(self.config.default_extension.as_deref())
    }

    /// How long Complete may take.
    fn complete_timeout(&self) -> Duration {
        self.config.request_timeout * COMPLETE_TIMEOUT_FACTOR
    }

    /// When an upload that was touched at `touched_at` expires.
    fn expires_at(&self, touched_at: UnixMillis) -> Option<UnixMillis> {
        self.config.expire_after.map(|life| touched_at + life)
    }

    async fn take_turn<B: ByteStream + 'static>(&self, turn: Turn<'_, B>) -> Result<Outcome> {
        let credentials = Rc::new(self.credential_source(turn.key, turn.record));
        let options = SessionOptions {
            part_size: self.config.part_size,
            parallel: self.config.parallel,
            retry: self.config.retry,
            request_timeout: self.config.request_timeout,
            writer: random::bits64(),
            seed: random::bits64(),
            credential: turn.credential,
            can_refresh: credentials.can_refresh(),
            replayable: false,
        };
        let session = Session::new(
            turn.key.clone(),
            turn.record,
            turn.claim,
            turn.purpose,
            options,
            clock::now(),
        )?;
        let mut lane = Lane::new(Rc::clone(&self.kv), self.config.request_timeout);
        if let Some(source) = turn.source {
            lane.set_source(source);
        }
        let driven = pin!(drive(session, lane, credentials, Rc::clone(&self.kv)));
        let outcome = match self.config.expire_after {
            None => driven.await,
            Some(life) => match select(driven, pin!(life::beat(&self.kv, turn.key, life))).await {
                Either::Left((outcome, _)) => outcome,
                Either::Right(((), driven)) => driven.await,
            },
        };
        let brought = !turn.record.minted && turn.record.role == Role::Whole;
        let outcome = outcome.map_err(|error| broken(&error))?;
        if matches!(outcome, Outcome::Completed(_)) {
            // If this fails, the media's newest upload is complete, which has the same effect.
            let _ = self.close_media(turn.record).await;
        }
        match outcome {
            // The address is the client's, and so is the mistake.
            Outcome::Failed { error, durable }
                if brought && error.kind() == ErrorKind::Misconfigured =>
            {
                let allowed = "of an endpoint that this worker may send requests to";
                let error = Error::field_invalid(http::UPLOAD_ADDRESS_HEADER, allowed);
                Ok(Outcome::Failed { error, durable })
            }
            outcome => Ok(outcome),
        }
    }

    fn credential_source(&self, key: &UploadKey, record: &UploadRecord) -> CredentialSource {
        let media_id = record.minted.then(|| record.media_id.clone());
        CredentialSource::new(Rc::clone(&self.config), key.clone(), media_id)
    }

    /// Where a credential's object goes, with the worker's own settings where it has none.
    fn target(&self, credential: &UploadCredential) -> Target {
        let target = Target {
            endpoint: credential.address.endpoint.clone(),
            bucket: credential.address.bucket.clone(),
            object: credential.address.object.clone(),
            region: credential.auth.region.clone(),
            cname: self.config.cname,
            signature_v1: self.config.signature_version == vod_uploader::oss::SignatureVersion::V1,
        };
        if target.bucket().is_ok() {
            return target;
        }
        // An accelerate endpoint or a custom domain, and an old credential without a region: VOD
        // stores in the region that it is called in.
        Target { region: Some(self.config.region.clone()), ..target }
    }
}
