//! What an app does about the events.

use std::time::Duration;

use vod_uploader::error::ErrorKind;
use vod_uploader::queue::{Event, FileId, FileInfo, FileState, UploadingPhase};
use vod_uploader::vod::MediaKind;

use crate::session_input::Supply;
use crate::simulation::Simulation;
use crate::vod::Grant;

/// What an app does about the events of its files.
#[derive(Clone, Debug)]
pub struct App {
    /// Whether it reads the events at all.
    pub reads: bool,
    /// Where its credentials come from; `None`: it answers no event that asks for one.
    pub credentials: Option<Credentials>,
    /// Whether it hands in the bytes that are wanted.
    pub supplies: bool,
    /// How many bytes it hands in at a time; `None`: all that are left.
    pub piece: Option<u64>,
    /// Whether it answers a token that is about to expire, or only one that has expired.
    pub renews_early: bool,
    /// How long its tokens live.
    pub token_life: Duration,
    /// What is wrong with the next credential that it hands in, before the right one.
    pub bad_credential: Option<BadCredential>,
    /// What is wrong with the next source that it hands in.
    pub bad_source: Option<BadSource>,
}

/// What can be wrong with a credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadCredential {
    /// It is no credential.
    Garbage,
    /// UploadAuth and UploadAddress are swapped.
    Swapped,
    /// It is for another media's object.
    ForOtherObject,
    /// It is handed in without its media id.
    WithoutMediaId,
    /// The store does not know it.
    Unknown,
}

/// What can be wrong with a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadSource {
    /// It starts at another offset.
    ElsewhereBegun,
    /// It fails before its end.
    Broken,
    /// It goes on after the file's size.
    TooLong,
    /// It ends, again and again, before the file's size.
    TooShort,
}

/// Where an app's credentials come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Credentials {
    /// Its server calls VOD and passes UploadAddress and UploadAuth on.
    Server,
    /// Its server passes an STS token on, with which VOD is called.
    Sts,
    /// Its server passes an STS token on for a bucket of its own.
    Direct,
}

impl Default for App {
    fn default() -> Self {
        Self {
            reads: true,
            credentials: Some(Credentials::Server),
            supplies: true,
            piece: None,
            renews_early: true,
            token_life: Duration::from_secs(3_600),
            bad_credential: None,
            bad_source: None,
        }
    }
}

impl Simulation {
    /// Does what the app does about an event. Calls that are refused, because the file has gone on
    /// meanwhile, change nothing.
    pub(crate) fn app_answers(&mut self, event: &Event) {
        match event {
            Event::UploadStarted { file, kind, media_id, .. } => {
                self.give_credential(*file, *kind, media_id.as_deref());
            }
            Event::SourceRequested { file, offset } if self.app.supplies => {
                self.give_source(*file, offset.bytes());
            }
            Event::TokenExpiring(expiry) if self.app.renews_early => {
                self.renew(expiry.file, expiry.media_id.as_deref());
            }
            Event::TokenExpired(expiry) => self.renew(expiry.file, expiry.media_id.as_deref()),
            _ => {}
        }
    }

    /// Answers what a file waits for, whichever event has said so.
    pub(crate) fn app_answers_state(&mut self, info: &FileInfo) {
        let media_id = info.media_id.as_deref().filter(|_| info.kind.can_refresh());
        match &info.state {
            FileState::Uploading(UploadingPhase::AwaitingCredential) => {
                self.give_credential(info.id, info.kind, media_id);
            }
            FileState::Uploading(UploadingPhase::TokenExpired) => self.renew(info.id, media_id),
            FileState::Uploading(UploadingPhase::AwaitingSource) => {
                let offset = self.checker.wanted_offset(info.id).unwrap();
                self.give_source(info.id, offset);
            }
            FileState::Failure(error) if error.kind() == ErrorKind::CredentialForOtherObject => {
                drop(self.clear_checkpoint(info.id));
            }
            _ => {}
        }
    }

    /// Hands in the bytes that are wanted from `offset` on.
    pub(crate) fn give_source(&mut self, file: FileId, offset: u64) {
        let content = self.content(file).clone();
        let len = content.len();
        // The end of a stream is the end of a file whose size is not known.
        let is_known = self.files[&file].new.size.is_some();
        let piece = self.app.piece.filter(|_| is_known);
        let piece = |from: u64| piece.map_or(len, |piece| len.min(from + piece));
        let good = Supply { to: piece(offset), content, broken: None };
        let (from, supply) = match self.app.bad_source.take() {
            None => (offset, good),
            Some(BadSource::ElsewhereBegun) => {
                let refused = self.supply(file, offset + 1, good.clone());
                assert!(refused.is_err(), "a source that starts elsewhere was taken");
                (offset, good)
            }
            Some(BadSource::Broken) => {
                let to = offset + (len - offset) / 2;
                (offset, Supply { to, broken: Some("the disk is gone".into()), ..good })
            }
            Some(BadSource::TooLong) if is_known => {
                (offset, Supply { content: good.content.with_more(9), to: len + 9, broken: None })
            }
            Some(BadSource::TooLong) => (offset, good),
            Some(BadSource::TooShort) => {
                self.app.bad_source = (offset > 0).then_some(BadSource::TooShort);
                let to = if is_known { offset.max(len / 2) } else { good.to };
                (offset, Supply { to, ..good })
            }
        };
        drop(self.supply(file, from, supply));
    }

    fn give_credential(&mut self, file: FileId, kind: MediaKind, media_id: Option<&str>) {
        match self.app.credentials {
            Some(Credentials::Server) => match media_id.map(|id| self.refreshed(id)) {
                Some(None) => drop(self.clear_checkpoint(file)),
                Some(Some(grant)) => self.give(file, kind, &grant),
                None => {
                    let grant = self.created(kind);
                    self.give(file, kind, &grant);
                }
            },
            Some(Credentials::Sts) => drop(self.hand_in_token(file)),
            Some(Credentials::Direct) => drop(self.hand_in_direct_token(file)),
            None => {}
        }
    }

    fn give(&mut self, file: FileId, kind: MediaKind, grant: &Grant) {
        let mut grant = grant.clone();
        let now = self.now;
        match self.app.bad_credential.take() {
            None => {}
            Some(BadCredential::Garbage) => {
                let bad = Grant { auth: "garbage".into(), ..grant.clone() };
                assert!(self.hand_in(file, &bad).is_err(), "garbage was taken");
            }
            Some(BadCredential::Swapped) => {
                let (auth, address) = (grant.address.clone(), grant.auth.clone());
                let bad = Grant { auth, address, ..grant.clone() };
                assert!(self.hand_in(file, &bad).is_err(), "a swapped credential was taken");
            }
            Some(BadCredential::ForOtherObject) => {
                let other = self.created(kind);
                drop(self.hand_in(file, &other));
            }
            Some(BadCredential::WithoutMediaId) => {
                let (auth, address) = (grant.auth.clone(), grant.address.clone());
                drop(self.call(|queue| {
                    queue.set_upload_auth_and_address(now, file, &auth, &address, None)
                }));
                return;
            }
            Some(BadCredential::Unknown) => grant = self.vod.unknown_to_store(&grant),
        }
        let refused = self.hand_in(file, &grant).err();
        if refused.is_some_and(|error| error.kind() == ErrorKind::CredentialForOtherObject) {
            drop(self.clear_checkpoint(file));
        }
    }

    /// Hands in a new credential that nobody has asked for.
    pub(crate) fn renew_unasked(&mut self, info: &FileInfo) {
        let media_id = info.media_id.as_deref().filter(|_| info.kind.can_refresh());
        self.renew(info.id, media_id);
    }

    fn renew(&mut self, file: FileId, media_id: Option<&str>) {
        let kind = self.queue.list_files().into_iter().find(|info| info.id == file);
        let Some(kind) = kind.map(|info| info.kind) else { return };
        match (self.app.credentials, media_id) {
            (None, _) => {}
            (Some(Credentials::Server), Some(media_id)) => match self.refreshed(media_id) {
                Some(grant) => {
                    let now = self.now;
                    if self.app.bad_credential.take().is_some() {
                        let other = self.created(kind);
                        drop(self.hand_in(file, &other));
                    }
                    drop(self.call(|queue| queue.resume_upload_with_auth(now, file, &grant.auth)));
                }
                None => drop(self.clear_checkpoint(file)),
            },
            (Some(Credentials::Server), None) => {
                let grant = self.created(kind);
                self.give(file, kind, &grant);
            }
            (Some(Credentials::Sts | Credentials::Direct), _) => {
                let token = self.token();
                let now = self.now;
                drop(self.call(|queue| queue.resume_upload_with_sts_token(now, file, token)));
            }
        }
    }
}
