//! One file of the list: where it stands, and what it waits for.

use super::context::QueueContext;
use super::credentials::{Access, Handed};
use super::event::Event;
use super::ids::FileId;
use super::info::{FileInfo, Progress};
use super::job::Job;
use super::lookup::Stored;
use super::state::{FileState, UploadingPhase};
use super::turn::Turn;
use super::validated_file::ValidatedFile;
use super::vod_call::VodCall;
use crate::credential::{UploadAddress, UploadCredential};
use crate::error::Error;
use crate::units::{ByteCount, UnixMillis};
use crate::upload::Attempts;

/// One file of the list.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) id: FileId,
    pub(super) file: ValidatedFile,
    pub(super) phase: Phase,
    /// What is read from or written to the key-value store for it, in steps.
    pub(super) job: Option<Job>,
    /// What VOD is asked for it.
    pub(super) vod: Option<VodCall>,
    /// The session that is at work for it.
    pub(super) turn: Option<Turn>,
    /// What the key-value store knew of it when that was asked last.
    pub(super) stored: Stored,
    /// A credential that is kept for its turn.
    pub(super) handed: Option<Handed>,
    /// Where its credentials come from, once it has had one.
    pub(super) access: Option<Access>,
    /// The last credential that was used.
    pub(super) credential: Option<UploadCredential>,
    /// Where its object goes, once that is known.
    pub(super) address: Option<UploadAddress>,
    pub(super) media_id: Option<String>,
    pub(super) media_url: Option<String>,
    pub(super) durable: ByteCount,
    pub(super) sent: ByteCount,
    /// When its time is up.
    pub(super) deadline_at: Option<UnixMillis>,
    /// When the session that failed is followed by another.
    pub(super) goes_on_at: Option<UnixMillis>,
    /// The retries of sessions since the last progress.
    pub(super) attempts: Option<Attempts>,
    /// How many credentials were refused in a row.
    pub(super) refusals: u8,
    /// To be started again once it has stopped.
    pub(super) again: bool,
    /// To be removed from the list once it is at rest.
    pub(super) removed: bool,
    /// No longer in the list: what is left to do is done without a word.
    pub(super) hidden: bool,
}

/// Where a file stands, in more detail than its state shows.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Phase {
    Ready,
    /// Its checkpoint is being looked for.
    Starting,
    /// Waits for a credential.
    CredentialWanted,
    /// Waits for VOD's answer.
    MediaWanted,
    /// Its records are being written, or old ones deleted.
    Opening,
    /// A session is at work, or has just ended and its records are being deleted.
    Transferring,
    /// Waits for a new credential, without a session.
    Expired,
    Stopping,
    Canceling,
    Success,
    Failure(Error),
    Canceled,
    Stopped,
}

impl Entry {
    pub(super) fn new(id: FileId, file: ValidatedFile) -> Self {
        Self {
            id,
            file,
            phase: Phase::Ready,
            job: None,
            vod: None,
            turn: None,
            stored: Stored::default(),
            handed: None,
            access: None,
            credential: None,
            address: None,
            media_id: None,
            media_url: None,
            durable: ByteCount::ZERO,
            sent: ByteCount::ZERO,
            deadline_at: None,
            goes_on_at: None,
            attempts: None,
            refusals: 0,
            again: false,
            removed: false,
            hidden: false,
        }
    }

    /// Where it stands, as its user sees it.
    pub(super) fn state(&self) -> FileState {
        let phase = match &self.phase {
            Phase::Ready => return FileState::Ready,
            Phase::Success => return FileState::Success,
            Phase::Failure(error) => return FileState::Failure(error.clone()),
            Phase::Canceled => return FileState::Canceled,
            Phase::Stopped => return FileState::Stopped,
            Phase::Starting | Phase::Opening => UploadingPhase::Starting,
            Phase::CredentialWanted => UploadingPhase::CredentialWanted,
            Phase::MediaWanted => UploadingPhase::MediaWanted,
            Phase::Expired => UploadingPhase::TokenExpired,
            Phase::Stopping => UploadingPhase::Stopping,
            Phase::Canceling => UploadingPhase::Canceling,
            Phase::Transferring => match &self.turn {
                Some(turn) if turn.waits_for_credential() => UploadingPhase::TokenExpired,
                Some(turn) if turn.wanted_offset().is_some() => UploadingPhase::SourceWanted,
                _ => UploadingPhase::Transferring,
            },
        };
        FileState::Uploading(phase)
    }

    /// True while it has its turn.
    pub(super) fn is_active(&self) -> bool {
        matches!(self.state(), FileState::Uploading(_))
    }

    /// True where it waits for its turn and nothing else is under way.
    pub(super) fn can_begin(&self) -> bool {
        self.phase == Phase::Ready && self.job.is_none()
    }

    pub(super) fn info(&self) -> FileInfo {
        let [endpoint, bucket, object] = self.file.known_address(self.address.as_ref());
        FileInfo {
            id: self.id,
            name: self.file.name().to_owned(),
            size: self.file.size(),
            kind: self.file.kind(),
            state: self.state(),
            progress: self.progress(),
            media_id: self.media_id.clone(),
            endpoint,
            bucket,
            object,
        }
    }

    pub(super) fn progress(&self) -> Progress {
        let is_whole = self.phase == Phase::Success;
        let total = self.file.size().or(is_whole.then_some(self.durable));
        Progress::at(self.durable, self.sent, total, is_whole)
    }

    pub(super) fn emit(&self, ctx: &mut QueueContext, event: Event) {
        if !self.hidden {
            ctx.event(event);
        }
    }

    pub(super) fn emit_progress(&self, ctx: &mut QueueContext) {
        self.emit(ctx, Event::Progress { file: self.id, progress: self.progress() });
    }

    /// The media id, where a credential for it can be had by a refresh.
    pub(super) fn refreshable_media_id(&self) -> Option<String> {
        self.media_id.clone().filter(|_| self.file.is_refreshable())
    }

    /// When something is due.
    pub(super) fn next_wakeup(&self) -> Option<UnixMillis> {
        let deadline = self.deadline_at.filter(|_| self.obeys_deadline());
        let session = self.turn.as_ref().and_then(|turn| turn.session.next_wakeup());
        let vod = self.vod.as_ref().map(VodCall::next_wakeup);
        [deadline, session, vod, self.pause_ends_at()].into_iter().flatten().min()
    }

    /// Does what is due at the present instant.
    pub(super) fn tick(&mut self, ctx: &mut QueueContext) {
        if self.deadline_at.is_some_and(|at| at <= ctx.now()) && self.obeys_deadline() {
            self.deadline_passed(ctx);
        }
        if self.pause_ends_at().is_some_and(|at| at <= ctx.now()) {
            self.go_on(ctx);
        }
        self.advance_vod(ctx);
        let due = |turn: &Turn| turn.session.next_wakeup().is_some_and(|at| at <= ctx.now());
        if self.turn.as_ref().is_some_and(due) {
            self.tell_session(ctx, crate::upload::Input::Tick);
        }
    }

    /// When the file goes on after a session that failed, unless it was ended meanwhile.
    fn pause_ends_at(&self) -> Option<UnixMillis> {
        self.goes_on_at.filter(|_| self.phase == Phase::Opening)
    }

    /// What is being ended already is not ended by the deadline.
    fn obeys_deadline(&self) -> bool {
        match self.phase {
            // What is being deleted would go on with the file after it had failed.
            Phase::Starting => self.job.is_none() || self.looks(),
            Phase::CredentialWanted | Phase::MediaWanted | Phase::Expired => true,
            Phase::Transferring => self.turn.is_some(),
            Phase::Opening => self.pause_ends_at().is_some(),
            _ => false,
        }
    }
}
