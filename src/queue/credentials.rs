//! The credentials that are handed in: what each is good for in which state, and where a file's
//! credentials come from.

use super::entry::{Entry, Phase};
use super::event::Event;
use super::shared::Shared;
use super::start::{is_same_object, other_object, target};
use super::state::FileCall;
use super::turn::Turn;
use super::vod_call::{VodAction, VodCall};
use crate::credential::{StsCredential, UploadAddress, UploadAuth, UploadCredential};
use crate::error::{Error, ErrorKind, Result, Retry};
use crate::units::UnixMillis;
use crate::upload::Input;
use crate::vod::UploadGrant;

/// A temporary access key of STS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StsToken {
    /// The key and its security token.
    pub credential: StsCredential,
    /// When it stops to work, where that is known.
    pub expires_at: Option<UnixMillis>,
}

impl StsToken {
    pub(super) fn is_usable_at(&self, now: UnixMillis) -> bool {
        self.expires_at.is_none_or(|end| now < end)
    }

    /// The token, where it can be used at `now`.
    ///
    /// # Errors
    /// [`ErrorKind::RequestInvalid`] with the field, [`ErrorKind::CredentialExpired`].
    pub fn checked(self, now: UnixMillis) -> Result<Self> {
        let key = &self.credential;
        let token = key.security_token.as_ref();
        let sent =
            |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
        if !sent(&key.access_key_id) {
            return Err(Error::field_invalid("access-key-id", "visible ASCII characters"));
        }
        if key.access_key_secret.expose().is_empty() {
            return Err(Error::field_invalid("access-key-secret", "given"));
        }
        if !token.is_some_and(|token| sent(token.expose())) {
            return Err(Error::field_invalid("security-token", "visible ASCII characters"));
        }
        if self.is_usable_at(now) { Ok(self) } else { Err(expired("the token has expired")) }
    }
}

/// A credential as it was handed in, until it is used.
#[derive(Clone, Debug)]
pub(super) enum Handed {
    /// An UploadAddress and UploadAuth.
    Credential { credential: Box<UploadCredential>, media_id: Option<String> },
    /// An UploadAuth for the UploadAddress that is known.
    Auth(Box<UploadAuth>),
    /// A token to call VOD with.
    Sts(StsToken),
    /// A token to call the store with.
    Direct(StsToken),
}

/// Where a file's credentials come from.
#[derive(Clone, Debug)]
pub(super) enum Access {
    /// From its user, as an UploadAuth.
    Credential,
    /// From VOD, which is called with this token.
    Sts(StsToken),
    /// From its user, as a token for the store.
    Direct,
}

impl Entry {
    /// `set-upload-auth-and-address`
    pub(super) fn set_upload_auth_and_address(
        &mut self,
        shared: &mut Shared,
        auth: &str,
        address: &str,
        media_id: Option<String>,
    ) -> Result<()> {
        FileCall::SetAuthAndAddress.require(&self.state())?;
        let media_id = media_id.filter(|id| !id.is_empty());
        if media_id.as_ref().is_some_and(|id| !is_media_id(id)) {
            return Err(Error::field_invalid("media-id", "1 to 128 visible ASCII characters"));
        }
        let credential = UploadCredential::parse(address, auth, shared.now)?;
        let credential = self.with_overrides(credential);
        if !credential.is_usable_at(shared.now) {
            return Err(expired("the UploadAuth has expired"));
        }
        target(shared, &credential).bucket()?;
        let beginning = self.turn.is_some() || self.phase == Phase::Opening;
        if beginning || self.file.is_refreshable() {
            self.require_bound_object(&credential.address)?;
        }
        let credential = Box::new(credential);
        self.hand_in(shared, Handed::Credential { credential, media_id });
        Ok(())
    }

    /// `resume-upload-with-auth`
    pub(super) fn resume_upload_with_auth(
        &mut self,
        shared: &mut Shared,
        auth: &str,
    ) -> Result<()> {
        FileCall::ResumeWithAuth.require(&self.state())?;
        let auth = UploadAuth::parse(auth, shared.now)?;
        if auth.expires_at.is_some_and(|end| end <= shared.now) {
            return Err(expired("the UploadAuth has expired"));
        }
        if self.phase == Phase::Expired && !self.file.is_refreshable() {
            let message = "this kind of media has no refresh: its object is another each time";
            return Err(Error::new(ErrorKind::CredentialNotRefreshable, message));
        }
        if self.address.is_none() {
            let message = "no UploadAddress is known for this UploadAuth";
            return Err(Error::new(ErrorKind::CredentialRequired, message));
        }
        self.hand_in(shared, Handed::Auth(Box::new(auth)));
        Ok(())
    }

    /// `set-sts-token`
    pub(super) fn set_sts_token(&mut self, shared: &mut Shared, token: StsToken) -> Result<()> {
        FileCall::SetStsToken.require(&self.state())?;
        let token = token.checked(shared.now)?;
        self.file.check_param_data()?;
        if self.lacks_media_id() {
            return Err(media_id_unknown());
        }
        self.hand_in(shared, Handed::Sts(token));
        Ok(())
    }

    /// `resume-upload-with-sts-token`
    pub(super) fn resume_upload_with_sts_token(
        &mut self,
        shared: &mut Shared,
        token: StsToken,
    ) -> Result<()> {
        FileCall::ResumeWithStsToken.require(&self.state())?;
        let direct = match (&self.handed, &self.access) {
            (Some(Handed::Sts(_)), _) => false,
            (Some(Handed::Direct(_)), _) => true,
            (_, Some(Access::Sts(_))) => false,
            (_, Some(Access::Direct)) => true,
            (_, Some(Access::Credential) | None) => {
                let message = "the file has had no token yet: hand in the first with set-sts-token";
                return Err(Error::new(ErrorKind::CredentialRequired, message));
            }
        };
        let token = token.checked(shared.now)?;
        self.hand_in(shared, if direct { Handed::Direct(token) } else { Handed::Sts(token) });
        Ok(())
    }

    /// `set-sts-token-directly-upload`
    pub(super) fn set_sts_token_directly_upload(
        &mut self,
        shared: &mut Shared,
        token: StsToken,
    ) -> Result<()> {
        FileCall::SetStsTokenDirectly.require(&self.state())?;
        let token = token.checked(shared.now)?;
        let credential = self.direct_credential(shared, &token)?;
        target(shared, &credential).bucket()?;
        self.require_bound_object(&credential.address)?;
        self.hand_in(shared, Handed::Direct(token));
        Ok(())
    }

    /// The credential that a token is for the bucket that the file was given.
    pub(super) fn direct_credential(
        &self,
        shared: &Shared,
        token: &StsToken,
    ) -> Result<UploadCredential> {
        let given = |name: &str, value: &Option<String>| {
            value.clone().ok_or_else(|| Error::field_invalid(name, "given to add-file"))
        };
        let address = UploadAddress {
            endpoint: given("endpoint", &self.file.endpoint)?,
            bucket: given("bucket", &self.file.bucket)?,
            object: given("object", &self.file.object)?,
        };
        let auth = UploadAuth::new(token.credential.clone(), token.expires_at, None, shared.now);
        Ok(UploadCredential { address, auth })
    }

    /// The credential with the endpoint, bucket and object that the file was given.
    pub(super) fn with_overrides(&self, mut credential: UploadCredential) -> UploadCredential {
        let address = &mut credential.address;
        let fields = [
            (&self.file.endpoint, &mut address.endpoint),
            (&self.file.bucket, &mut address.bucket),
            (&self.file.object, &mut address.object),
        ];
        for (given, field) in fields {
            if let Some(given) = given {
                field.clone_from(given);
            }
        }
        credential
    }

    /// Fails where the file has a checkpoint, or is about to, and `given` is not its object.
    fn require_bound_object(&self, given: &UploadAddress) -> Result<()> {
        let bound = self.stored.upload.is_some() || self.phase == Phase::Opening;
        match self.address.as_ref().filter(|_| bound) {
            Some(wanted) if !is_same_object(wanted, given) => Err(other_object(wanted, given)),
            _ => Ok(()),
        }
    }

    fn hand_in(&mut self, shared: &mut Shared, handed: Handed) {
        match self.phase {
            Phase::CredentialWanted | Phase::Expired | Phase::MediaWanted => {
                if let Some(call) = self.vod.take() {
                    call.cancel(shared);
                }
                self.handed = Some(handed);
                self.proceed(shared);
            }
            Phase::Transferring if self.turn.is_some() => self.renew(shared, handed),
            _ => self.handed = Some(handed),
        }
    }

    /// Takes a new credential for the session that is at work.
    pub(super) fn renew(&mut self, shared: &mut Shared, handed: Handed) {
        let credential = match handed {
            Handed::Credential { credential, media_id } => {
                self.media_id = media_id.or(self.media_id.take());
                self.access = Some(Access::Credential);
                Ok(*credential)
            }
            Handed::Auth(auth) => {
                self.access = Some(Access::Credential);
                let address = self.address.clone().ok_or_else(|| {
                    Error::new(ErrorKind::CredentialRequired, "no UploadAddress is known")
                });
                address.map(|address| UploadCredential { address, auth: *auth })
            }
            Handed::Sts(token) => {
                self.access = Some(Access::Sts(token));
                // Where nothing is asked for yet, the token is kept for when it will be.
                if self.turn.as_ref().is_some_and(Turn::asks_for_credential) {
                    self.refresh(shared);
                }
                return;
            }
            Handed::Direct(token) => {
                self.access = Some(Access::Direct);
                self.direct_credential(shared, &token)
            }
        };
        if let Some(call) = self.vod.take() {
            call.cancel(shared);
        }
        self.answer_session(shared, credential);
    }

    /// The session asks for a new credential.
    pub(super) fn credential_due(&mut self, shared: &mut Shared) {
        let Some(turn) = &mut self.turn else { return };
        turn.note_asked();
        let ending = self.phase != Phase::Transferring;
        match &self.access {
            Some(Access::Sts(token)) if token.is_usable_at(shared.now) => self.refresh(shared),
            _ if ending => {
                // Nobody is asked for the sake of a file that is on its way out.
                let error = expired("the credential has expired");
                self.answer_session(shared, Err(error));
            }
            _ => {
                if !self.turn.as_ref().is_some_and(|turn| turn.session.awaits_credential()) {
                    let expiry = self.token_expiry(None);
                    self.emit(shared, Event::TokenExpiring(expiry));
                }
            }
        }
    }

    /// Says that the file waits for a credential, once it does.
    pub(super) fn note_expiry(&mut self, shared: &mut Shared) {
        let Some(turn) = &mut self.turn else { return };
        if self.vod.is_none() && turn.begins_to_wait() {
            let refusal = turn.session.credential_refusal().cloned();
            let expiry = self.token_expiry(refusal);
            self.emit(shared, Event::TokenExpired(expiry));
        }
    }

    /// Calls VOD for a new credential of the session that is at work.
    fn refresh(&mut self, shared: &mut Shared) {
        let (Some(Access::Sts(token)), Some(video_id)) =
            (&self.access, self.refreshable_media_id())
        else {
            let error = expired("the credential has expired and VOD cannot refresh it");
            return self.answer_session(shared, Err(error));
        };
        if let Some(call) = self.vod.take() {
            call.cancel(shared);
        }
        let token = token.credential.clone();
        self.vod = Some(VodCall::new(VodAction::Refresh { video_id }, token, shared.now));
        self.advance_vod(shared);
    }

    /// Sends to VOD what is due.
    pub(super) fn advance_vod(&mut self, shared: &mut Shared) {
        if let Some(call) = &mut self.vod
            && let Some(result) = call.advance(shared, &self.file)
        {
            self.vod_ended(shared, result);
        }
    }

    /// Takes VOD's answer.
    pub(super) fn vod_ended(&mut self, shared: &mut Shared, result: Result<UploadGrant>) {
        self.vod = None;
        if result.as_ref().is_ok_and(|minted| minted.credential.is_usable_at(shared.now)) {
            self.refusals = 0;
        }
        if self.turn.is_none() {
            return self.media_answered(shared, result);
        }
        match result {
            Ok(minted) => {
                let credential = self.with_overrides(minted.credential);
                let bound = self.require_bound_object(&credential.address);
                self.answer_session(shared, bound.map(|()| credential));
            }
            // The media was deleted at VOD: its parts are of no use any more.
            Err(error) if error.kind() == ErrorKind::MediaNotFound => {
                self.start_again_without_media(shared, error);
            }
            Err(error) if self.can_ask_again(&error) => {
                self.refusals += 1;
                let expiry = self.token_expiry(Some(error));
                let waits = self.turn.as_mut().is_some_and(Turn::note_wait);
                // The one at hand does as long as nothing waits.
                let event =
                    if waits { Event::TokenExpired(expiry) } else { Event::TokenExpiring(expiry) };
                self.emit(shared, event);
            }
            Err(error) => self.answer_session(shared, Err(error)),
        }
    }

    fn can_ask_again(&self, error: &Error) -> bool {
        error.kind().retry() == Retry::WithNewCredential
            && self.phase == Phase::Transferring
            && self.refusals < 2
    }

    fn answer_session(&mut self, shared: &mut Shared, result: Result<UploadCredential>) {
        let Some(turn) = &mut self.turn else { return };
        turn.note_answered();
        if let Ok(credential) = &result {
            self.credential = Some(credential.clone());
        }
        self.tell_session(shared, Input::Credential(result));
    }
}

/// The upload that the file continues has no media id that VOD could refresh.
pub(super) fn media_id_unknown() -> Error {
    let message = "the media id of the upload that the file continues is not known: hand in an \
                   UploadAuth for it, or clear the checkpoint";
    Error::new(ErrorKind::CredentialRequired, message)
}

fn expired(message: &str) -> Error {
    Error::new(ErrorKind::CredentialExpired, message)
}

/// Media ids are made by VOD; what is not one would only be noticed at the first refresh.
fn is_media_id(text: &str) -> bool {
    text.len() <= 128 && text.bytes().all(|byte| byte.is_ascii_graphic())
}
