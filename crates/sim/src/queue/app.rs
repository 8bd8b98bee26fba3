//! The app that uses the queue: it responds to events.

use vod_uploader::error::ErrorKind;
use vod_uploader::queue::{Event, FileId, FileInfo, FileState, UploadingPhase};
use vod_uploader::vod::MediaKind;

use super::calls::QueueCalls;
use super::session_input::Supply;
use crate::world::{Grant, Vod, World};

/// How an app responds to the events of its files.
#[derive(Clone, Debug)]
pub struct App {
    /// Whether it reads events.
    pub reads: bool,
    /// The kind of its credentials; `None` if it responds to no event that requests one.
    pub credentials: Option<Credentials>,
    /// Whether it supplies the bytes that are requested.
    pub supplies: bool,
    /// Length of a stream in bytes; `None`: the rest of the file.
    pub chunk_bytes: Option<u64>,
    /// Whether it renews a token that is about to expire, or only one that has expired.
    pub renews_early: bool,
    /// The defect of the credential that it passes next, before the correct one.
    pub bad_credential: Option<BadCredential>,
    /// The defect of the source that it supplies next.
    pub bad_source: Option<BadSource>,
}

/// A defect of a credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadCredential {
    /// It is not a credential.
    Garbage,
    /// UploadAuth and UploadAddress are swapped.
    Swapped,
    /// It is for the object of another media asset.
    ForOtherObject,
    /// It is passed without its media ID.
    WithoutMediaId,
    /// OSS does not accept it.
    Unknown,
}

/// A defect of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadSource {
    /// It starts at another offset.
    WrongOffset,
    /// It fails before its end.
    Broken,
    /// It is longer than the file.
    TooLong,
    /// It ends repeatedly before the size of the file.
    TooShort,
}

/// The kind of an app's credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Credentials {
    /// The application server calls VOD and passes UploadAddress and UploadAuth on.
    Server,
    /// The application server passes an STS token on, with which the queue calls VOD.
    Sts,
    /// The application server passes an STS token on for its own bucket.
    Direct,
}

impl Default for App {
    fn default() -> Self {
        Self {
            reads: true,
            credentials: Some(Credentials::Server),
            supplies: true,
            chunk_bytes: None,
            renews_early: true,
            bad_credential: None,
            bad_source: None,
        }
    }
}

impl App {
    /// Responds to an event. Calls that are rejected, because the state of the file has changed
    /// since, have no effect.
    pub(super) fn respond(&mut self, calls: &mut QueueCalls, world: &mut World, event: &Event) {
        match event {
            Event::UploadStarted { file, kind, media_id, .. } => {
                self.set_credential(calls, world, *file, *kind, media_id.as_deref());
            }
            Event::SourceRequested { file, offset } if self.supplies => {
                self.supply(calls, world, *file, offset.bytes());
            }
            Event::TokenExpiring(expiry) if self.renews_early => {
                self.renew(calls, world, expiry.file, expiry.media_id.as_deref());
            }
            Event::TokenExpired(expiry) => {
                self.renew(calls, world, expiry.file, expiry.media_id.as_deref());
            }
            _ => {}
        }
    }

    /// Responds to the state of a file, whether or not its event was read.
    pub(super) fn respond_to_state(
        &mut self,
        calls: &mut QueueCalls,
        world: &mut World,
        info: &FileInfo,
    ) {
        let media_id = refreshable_media_id(info);
        match &info.state {
            FileState::Uploading(UploadingPhase::AwaitingCredential) => {
                self.set_credential(calls, world, info.id, info.kind, media_id);
            }
            FileState::Uploading(UploadingPhase::TokenExpired) => {
                self.renew(calls, world, info.id, media_id);
            }
            FileState::Uploading(UploadingPhase::AwaitingSource) => {
                let offset = calls.checker.requested_offset(info.id).unwrap();
                self.supply(calls, world, info.id, offset);
            }
            FileState::Failure(error) if error.kind() == ErrorKind::CredentialForOtherObject => {
                drop(calls.clear_checkpoint(world.now(), info.id));
            }
            _ => {}
        }
    }

    /// Passes a new credential that was not requested.
    pub(super) fn renew_unrequested(
        &mut self,
        calls: &mut QueueCalls,
        world: &mut World,
        info: &FileInfo,
    ) {
        self.renew(calls, world, info.id, refreshable_media_id(info));
    }

    /// From now on, everything is supplied, without defects.
    pub(super) const fn clear_faults(&mut self) {
        self.supplies = true;
        self.bad_source = None;
        self.bad_credential = None;
    }

    /// Supplies the bytes from `offset` on.
    fn supply(&mut self, calls: &mut QueueCalls, world: &World, file: FileId, offset: u64) {
        let planned = &calls.files[&file];
        let content = planned.content.clone();
        let len = content.len();
        // The end of the stream is the end of a file of unknown size.
        let is_size_known = planned.new.size.is_some();
        let chunk_bytes = self.chunk_bytes.filter(|_| is_size_known);
        let to = chunk_bytes.map_or(len, |bytes| len.min(offset + bytes));
        let good = Supply { to, content, broken: None };
        let supply = match self.bad_source.take() {
            None => good,
            Some(BadSource::WrongOffset) => {
                let result = calls.supply(world.now(), file, offset + 1, good.clone());
                assert!(result.is_err(), "a source with a wrong offset is accepted");
                good
            }
            Some(BadSource::Broken) => {
                let to = offset + (len - offset) / 2;
                Supply { to, broken: Some("the disk failed".into()), ..good }
            }
            Some(BadSource::TooLong) if is_size_known => {
                Supply { content: good.content.with_more(9), to: len + 9, broken: None }
            }
            Some(BadSource::TooLong) => good,
            Some(BadSource::TooShort) => {
                self.bad_source = (offset > 0).then_some(BadSource::TooShort);
                let to = if is_size_known { offset.max(len / 2) } else { good.to };
                Supply { to, ..good }
            }
        };
        drop(calls.supply(world.now(), file, offset, supply));
    }

    fn set_credential(
        &mut self,
        calls: &mut QueueCalls,
        world: &mut World,
        file: FileId,
        kind: MediaKind,
        media_id: Option<&str>,
    ) {
        match self.credentials {
            Some(Credentials::Server) => match media_id.map(|id| world.refresh_media(id)) {
                Some(None) => drop(calls.clear_checkpoint(world.now(), file)),
                Some(Some(grant)) => self.set_grant(calls, world, file, kind, grant),
                None => {
                    let grant = world.create_media(kind);
                    self.set_grant(calls, world, file, kind, grant);
                }
            },
            Some(Credentials::Sts) => drop(calls.set_token(world, file)),
            Some(Credentials::Direct) => drop(calls.set_direct_token(world, file)),
            None => {}
        }
    }

    fn set_grant(
        &mut self,
        calls: &mut QueueCalls,
        world: &mut World,
        file: FileId,
        kind: MediaKind,
        mut grant: Grant,
    ) {
        let now = world.now();
        match self.bad_credential.take() {
            None => {}
            Some(BadCredential::Garbage) => {
                let bad = Grant { auth: "garbage".into(), ..grant.clone() };
                assert!(calls.set_credential(now, file, &bad).is_err(), "garbage is accepted");
            }
            Some(BadCredential::Swapped) => {
                let (auth, address) = (grant.address.clone(), grant.auth.clone());
                let bad = Grant { auth, address, ..grant.clone() };
                let result = calls.set_credential(now, file, &bad);
                assert!(result.is_err(), "a swapped credential is accepted");
            }
            Some(BadCredential::ForOtherObject) => {
                let other = world.create_media(kind);
                drop(calls.set_credential(now, file, &other));
            }
            Some(BadCredential::WithoutMediaId) => {
                let Grant { auth, address, .. } = &grant;
                drop(calls.queue.set_upload_auth_and_address(now, file, auth, address, None));
                return;
            }
            Some(BadCredential::Unknown) => grant = Vod::with_unknown_key(&grant),
        }
        let error = calls.set_credential(now, file, &grant).err();
        if error.is_some_and(|error| error.kind() == ErrorKind::CredentialForOtherObject) {
            drop(calls.clear_checkpoint(now, file));
        }
    }

    fn renew(
        &mut self,
        calls: &mut QueueCalls,
        world: &mut World,
        file: FileId,
        media_id: Option<&str>,
    ) {
        let Some(kind) = calls.info(file).map(|info| info.kind) else { return };
        let now = world.now();
        match (self.credentials, media_id) {
            (None, _) => {}
            (Some(Credentials::Server), Some(media_id)) => match world.refresh_media(media_id) {
                Some(grant) => {
                    if self.bad_credential.take().is_some() {
                        let other = world.create_media(kind);
                        drop(calls.set_credential(now, file, &other));
                    }
                    drop(calls.queue.resume_upload_with_auth(now, file, &grant.auth));
                }
                None => drop(calls.clear_checkpoint(now, file)),
            },
            (Some(Credentials::Server), None) => {
                let grant = world.create_media(kind);
                self.set_grant(calls, world, file, kind, grant);
            }
            (Some(Credentials::Sts | Credentials::Direct), _) => {
                let token = world.issue_token();
                drop(calls.queue.resume_upload_with_sts_token(now, file, token));
            }
        }
    }
}

fn refreshable_media_id(info: &FileInfo) -> Option<&str> {
    info.media_id.as_deref().filter(|_| info.kind.can_refresh())
}
