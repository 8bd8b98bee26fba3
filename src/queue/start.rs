//! From a file's turn to its session: what is stored, the credential, the records.

use super::credentials::{Access, Handed, StsToken, media_id_unknown};
use super::entry::{Entry, Phase};
use super::event::{Event, TokenExpiry};
use super::job::{AfterForget, AfterLook, Saved};
use super::lookup::StoredUpload;
use super::shared::Shared;
use super::turn::{Opening, TurnKind};
use super::vod_call::{VodAction, VodCall};
use crate::credential::{UploadAddress, UploadCredential};
use crate::error::{Error, ErrorKind, Result, Retry};
use crate::upload::{self, Claim, Purpose, Role, Target, UploadKey, UploadRecord};
use crate::vod::UploadGrant;

/// So many credentials are refused in a row before the file fails: a source of wrong ones would
/// otherwise be asked for ever.
const REFUSALS_MAX: u8 = 3;

impl Entry {
    /// The file has its turn.
    pub(super) fn begin(&mut self, shared: &mut Shared) {
        self.phase = Phase::Starting;
        self.again = false;
        self.refusals = 0;
        self.attempts = None;
        self.goes_on_at = None;
        self.deadline_at = shared.options.deadline_from(shared.now);
        self.look(shared, AfterLook::Start);
    }

    /// It is known what is stored.
    pub(super) fn looked(&mut self, shared: &mut Shared, then: AfterLook) {
        if self.stored.media_id.is_some() {
            self.media_id = self.stored.media_id.clone();
        }
        if let Some(upload) = &self.stored.upload {
            self.address = Some(address_of(&upload.record.target));
        }
        match then {
            AfterLook::Start => self.start(shared),
            AfterLook::Cancel => self.cancel_stored(shared),
            AfterLook::Clear => self.forget(shared, false, AfterForget::Nothing),
        }
    }

    fn start(&mut self, shared: &mut Shared) {
        let unread = shared.now.since(self.stored.last_written_at());
        if !self.stored.is_empty() && unread > shared.options.checkpoint_life {
            return self.forget(shared, false, AfterForget::Start);
        }
        let Some(upload) = &self.stored.upload else { return self.started(shared) };
        match &upload.checkpoint.phase {
            upload::Phase::Receiving | upload::Phase::Completing => {
                self.durable = upload.checkpoint.durable();
                self.sent = self.durable;
                self.started(shared);
            }
            // Whoever completed it did not come to say so.
            upload::Phase::Completed(object) => {
                let succeeded = self.succeeded(&upload.record.target, object);
                self.succeed(shared, Box::new(succeeded));
            }
            upload::Phase::Aborted => self.forget(shared, false, AfterForget::Start),
            upload::Phase::Lost { .. } => self.forget(shared, true, AfterForget::Start),
        }
    }

    /// Asks for a credential.
    pub(super) fn started(&mut self, shared: &mut Shared) {
        self.phase = Phase::CredentialWanted;
        let event = Event::UploadStarted {
            file: self.id,
            name: self.file.name.clone(),
            kind: self.file.kind,
            media_id: self.refreshable_media_id(),
            durable: self.durable,
        };
        self.emit(shared, event);
        self.proceed(shared);
    }

    /// Goes on with the credential that was handed in, if there is one.
    pub(super) fn proceed(&mut self, shared: &mut Shared) {
        match self.handed.take() {
            None => {}
            Some(Handed::Credential { credential, media_id }) => {
                self.access = Some(Access::Credential);
                self.media_url = None;
                self.open(shared, *credential, media_id);
            }
            Some(Handed::Auth(auth)) => match self.address.clone() {
                Some(address) => {
                    self.access = Some(Access::Credential);
                    self.open(shared, UploadCredential { address, auth: *auth }, None);
                }
                None => {
                    let message = "no UploadAddress is known for this UploadAuth";
                    self.fail(shared, Error::new(ErrorKind::CredentialRequired, message));
                }
            },
            Some(Handed::Sts(token)) => self.ask_vod(shared, token),
            Some(Handed::Direct(token)) => match self.direct_credential(shared, &token) {
                Ok(credential) => {
                    self.access = Some(Access::Direct);
                    self.open(shared, credential, None);
                }
                Err(error) => self.fail(shared, error),
            },
        }
    }

    /// Asks VOD for a credential: for the media id that there is, where it can be refreshed, or
    /// for a new one.
    pub(super) fn ask_vod(&mut self, shared: &mut Shared, token: StsToken) {
        if self.lacks_media_id() {
            return self.fail(shared, media_id_unknown());
        }
        if let Some(credential) = self.reusable_credential(shared) {
            let media_id = self.media_id.clone();
            self.access = Some(Access::Sts(token));
            return self.open(shared, credential, media_id);
        }
        self.phase = Phase::MediaWanted;
        if !token.is_usable_at(shared.now) {
            self.access = Some(Access::Sts(token));
            return self.wait_for_credential(shared, None);
        }
        let action = match self.refreshable_media_id() {
            Some(video_id) => VodAction::Refresh { video_id },
            None => VodAction::Create,
        };
        self.vod = Some(VodCall::new(action, token.credential.clone(), shared.now));
        self.access = Some(Access::Sts(token));
        self.advance_vod(shared);
    }

    /// True where VOD could only make another media than the one that the file is bound to.
    pub(super) fn lacks_media_id(&self) -> bool {
        let is_bound = self.turn.is_some() || self.stored.upload.is_some();
        is_bound && self.file.is_refreshable() && self.media_id.is_none()
    }

    /// The credential that the file had, where VOD would only make another object in its place.
    fn reusable_credential(&self, shared: &Shared) -> Option<UploadCredential> {
        let stored = self.stored.upload.as_ref().filter(|_| !self.file.is_refreshable())?;
        let held = self.credential.as_ref().filter(|held| held.is_usable_at(shared.now))?;
        is_same_object(&address_of(&stored.record.target), &held.address).then(|| held.clone())
    }

    /// VOD was asked for the credential to begin with, and has answered.
    pub(super) fn media_answered(&mut self, shared: &mut Shared, result: Result<UploadGrant>) {
        match result {
            Ok(minted) => {
                self.media_url = minted.media_url.or(minted.file_url);
                let credential = self.with_overrides(minted.credential);
                self.open(shared, credential, Some(minted.media_id));
            }
            // The media was deleted at VOD: what is stored of it is of no use any more.
            Err(error) if error.kind() == ErrorKind::MediaNotFound && self.media_id.is_some() => {
                self.phase = Phase::Opening;
                self.forget(shared, false, AfterForget::Start);
            }
            Err(error) if error.kind().retry() == Retry::WithNewCredential => {
                self.wait_for_credential(shared, Some(error));
            }
            Err(error) => self.fail(shared, error),
        }
    }

    /// Waits for a new credential, without a session.
    pub(super) fn wait_for_credential(&mut self, shared: &mut Shared, error: Option<Error>) {
        self.refusals = self.refusals.saturating_add(u8::from(error.is_some()));
        match error {
            Some(error) if self.refusals >= REFUSALS_MAX => self.fail(shared, error),
            error => {
                self.phase = Phase::Expired;
                if self.handed.is_some() {
                    return self.proceed(shared);
                }
                let expiry = self.token_expiry(error);
                self.emit(shared, Event::TokenExpired(expiry));
            }
        }
    }

    pub(super) fn token_expiry(&self, error: Option<Error>) -> TokenExpiry {
        let expires_at = match &self.access {
            Some(Access::Sts(token)) => token.expires_at,
            _ => self.credential.as_ref().and_then(|credential| credential.auth.expires_at),
        };
        TokenExpiry { file: self.id, media_id: self.refreshable_media_id(), expires_at, error }
    }

    /// Begins or continues the upload that `credential` is for.
    pub(super) fn open(
        &mut self,
        shared: &mut Shared,
        credential: UploadCredential,
        media_id: Option<String>,
    ) {
        let target = target(shared, &credential);
        if let Err(error) = target.bucket() {
            return self.fail(shared, error);
        }
        let stored = self.stored.upload.clone();
        let other = stored.as_ref().map(|upload| address_of(&upload.record.target));
        let other = other.filter(|stored| !is_same_object(stored, &credential.address));
        if let Some(other) = other.as_ref().filter(|_| self.file.is_refreshable()) {
            return self.fail(shared, other_object(other, &credential.address));
        }
        // The media id that is known is that of the object that the file was bound to.
        let bound = self.address.as_ref().or(other.as_ref());
        let stays = match bound {
            Some(bound) => is_same_object(bound, &credential.address),
            None => self.file.is_refreshable(),
        };
        let known = self.media_id.take().filter(|_| stays && other.is_none());
        self.media_id = media_id.or(known);
        self.credential = Some(credential.clone());
        self.address = Some(credential.address.clone());
        if !credential.is_usable_at(shared.now) {
            // One that was handed in early may have ended since; VOD's is new, and another will
            // have ended, too, as long as the clock is wrong.
            let minted = matches!(self.access, Some(Access::Sts(_)));
            let error = minted.then(|| {
                let message = "VOD handed out a credential that has ended by this host's clock";
                Error::new(ErrorKind::CredentialExpired, message)
            });
            return self.wait_for_credential(shared, error);
        }
        self.phase = Phase::Opening;
        match stored {
            None => self.create_upload(shared, target, credential),
            Some(_) if other.is_some() => {
                let (address, media_id) = (self.address.clone(), self.media_id.clone());
                let then = AfterForget::Open(Box::new(credential), media_id);
                self.forget(shared, false, then);
                // What is forgotten is the other object: the file is bound to this one.
                self.address = address;
            }
            Some(upload) => self.continue_upload(shared, upload, target, credential),
        }
    }

    fn continue_upload(
        &mut self,
        shared: &mut Shared,
        upload: StoredUpload,
        target: Target,
        credential: UploadCredential,
    ) {
        let record = UploadRecord { target, ..upload.record };
        let opening = Opening { key: upload.key, record, credential };
        let purpose = Purpose::Continue;
        self.begin_turn(shared, opening, Claim::TakeOver, purpose, TurnKind::Transfer);
    }

    fn create_upload(&mut self, shared: &mut Shared, target: Target, credential: UploadCredential) {
        let record = UploadRecord {
            created_at_ms: shared.now.0,
            file_name: self.file.name.clone(),
            length_bytes: self.file.size.map(|size| size.bytes()),
            media_id: self.media_id.clone().unwrap_or_default(),
            target,
            content_type: None,
            client_metadata: None,
            minted: false,
            role: Role::Whole,
        };
        let key = UploadKey::from_random(shared.entropy.bits128());
        self.save(shared, Box::new(Opening { key, record, credential }));
    }

    /// The records of a new upload are written, or could not be.
    pub(super) fn saved(&mut self, shared: &mut Shared, opening: Box<Opening>, saved: Saved) {
        self.stored.upload = Some(StoredUpload {
            key: opening.key.clone(),
            record: opening.record.clone(),
            checkpoint: upload::Checkpoint::empty(),
        });
        match (&self.phase, saved) {
            (Phase::Stopping, _) => self.stop_now(shared),
            (Phase::Canceling, saved) => {
                self.forget(shared, false, AfterForget::Cancel(saved.err()));
            }
            _ if self.hidden => {}
            (_, Err(error)) => self.fail(shared, error),
            (_, Ok(())) => {
                let purpose = Purpose::Continue;
                self.begin_turn(shared, *opening, Claim::Created, purpose, TurnKind::Transfer);
            }
        }
    }
}

/// Where a credential's object goes.
pub(super) fn target(shared: &Shared, credential: &UploadCredential) -> Target {
    let options = &shared.options;
    let target = Target {
        endpoint: credential.address.endpoint.clone(),
        bucket: credential.address.bucket.clone(),
        object: credential.address.object.clone(),
        region: credential.auth.region.clone(),
        cname: options.cname,
        signature_v1: options.signature_version == crate::oss::SignatureVersion::V1,
    };
    if target.bucket().is_ok() {
        return target;
    }
    // An accelerate endpoint or a custom domain, and an old credential without a region: VOD stores
    // in the region that it is called in.
    Target { region: Some(options.region.clone()), ..target }
}

/// Where an upload's object goes.
pub(super) fn address_of(target: &Target) -> UploadAddress {
    UploadAddress {
        endpoint: target.endpoint.clone(),
        bucket: target.bucket.clone(),
        object: target.object.clone(),
    }
}

/// Several endpoints can lead to one object.
pub(super) fn is_same_object(a: &UploadAddress, b: &UploadAddress) -> bool {
    a.bucket == b.bucket && a.object == b.object
}

pub(super) fn other_object(wanted: &UploadAddress, given: &UploadAddress) -> Error {
    let message = format!(
        "the credential is for {}/{} and the upload for {}/{}",
        given.bucket, given.object, wanted.bucket, wanted.object
    );
    Error::new(ErrorKind::CredentialForOtherObject, message)
}
