//! A file's session at work: what it reports, and what it waits for.

use super::context::QueueContext;
use super::credentials::Access;
use super::driver_io::Output;
use super::entry::{Entry, Phase};
use super::event::Event;
use super::ids::TurnId;
use super::job::AfterForget;
use crate::credential::UploadCredential;
use crate::error::{Error, ErrorKind, Result};
use crate::units::ByteCount;
use crate::upload::{self, Claim, Input, Purpose, Session, UploadKey, UploadRecord, Want};

/// A session at work.
#[derive(Debug)]
pub(super) struct Turn {
    pub(super) id: TurnId,
    pub(super) session: Session,
    pub(super) kind: TurnKind,
    source: Source,
    credential: Asked,
    /// The file is started again without its media id, once the session has ended.
    pub(super) start_again: bool,
    /// Progress has been made that was not reported yet.
    progressed: bool,
    /// A part was passed through, and so not held to be sent again.
    pub(super) passed_through: bool,
}

/// What a session is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TurnKind {
    Transfer,
    Abort,
}

/// What a session begins with.
#[derive(Debug)]
pub(super) struct Opening {
    pub(super) key: UploadKey,
    pub(super) record: UploadRecord,
    pub(super) credential: UploadCredential,
}

/// Where the bytes stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    /// Nobody was asked yet for those from this offset on.
    Idle(ByteCount),
    /// The user was asked for those from this offset on.
    Wanted(ByteCount),
    /// They come, from this offset on.
    Supplied(ByteCount),
}

/// Where a new credential stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    No,
    /// Asked for; the one at hand does meanwhile.
    Due,
    /// Asked for, and the session waits.
    Waiting,
}

impl Turn {
    pub(super) fn waits_for_credential(&self) -> bool {
        self.credential == Asked::Waiting
    }

    pub(super) fn asks_for_credential(&self) -> bool {
        self.credential != Asked::No
    }

    pub(super) const fn note_asked(&mut self) {
        self.credential = Asked::Due;
    }

    pub(super) const fn note_answered(&mut self) {
        self.credential = Asked::No;
    }

    /// True once, when a session that has asked for a credential begins to wait for it.
    pub(super) fn begins_to_wait(&mut self) -> bool {
        self.credential == Asked::Due && self.note_wait()
    }

    /// Notes that the session waits for a credential. False where it does not.
    pub(super) fn note_wait(&mut self) -> bool {
        let waits = self.session.awaits_credential();
        if waits {
            self.credential = Asked::Waiting;
        }
        waits
    }

    /// From which offset the user was asked for bytes that have not come.
    pub(super) const fn wanted_offset(&self) -> Option<ByteCount> {
        match self.source {
            Source::Wanted(offset) => Some(offset),
            Source::Idle(_) | Source::Supplied(_) => None,
        }
    }

    /// What the session wants from the source now; see [`Session::wants`].
    pub(super) fn wants(&self) -> Option<Want> {
        self.session.wants()
    }
}

impl Entry {
    pub(super) fn begin_turn(
        &mut self,
        ctx: &mut QueueContext,
        opening: Opening,
        claim: Claim,
        purpose: Purpose,
        kind: TurnKind,
    ) {
        let Opening { key, record, credential } = opening;
        let can_refresh = self.file.is_refreshable() || matches!(self.access, Some(Access::Direct));
        let options = ctx.session_options(credential, can_refresh, kind == TurnKind::Transfer);
        match Session::new(key, &record, claim, purpose, options, ctx.now()) {
            Ok(session) => {
                let id = ctx.next_session_id();
                ctx.output(Output::TurnBegun { turn: id, file: self.id, size: self.file.size() });
                if let Some(upload) = &mut self.stored.upload {
                    upload.record = record;
                }
                if kind == TurnKind::Transfer {
                    self.phase = Phase::Transferring;
                }
                self.turn = Some(Turn {
                    id,
                    session,
                    kind,
                    source: Source::Idle(ByteCount::ZERO),
                    credential: Asked::No,
                    start_again: false,
                    progressed: false,
                    passed_through: false,
                });
                self.drain_session(ctx);
                if let Some(handed) = self.handed.take().filter(|_| self.turn.is_some()) {
                    self.renew(ctx, handed);
                }
            }
            Err(error) if kind == TurnKind::Abort => {
                self.forget(ctx, false, AfterForget::Cancel(Some(error)));
            }
            Err(error) => self.fail(ctx, error),
        }
    }

    /// Tells the session something, and takes up what follows.
    pub(super) fn tell_session(&mut self, ctx: &mut QueueContext, input: Input) {
        let Some(turn) = &mut self.turn else { return };
        if let Err(misuse) = turn.session.handle(ctx.now(), input) {
            // The session is unchanged, and its driver broken: better to end than to hang.
            ctx.output(Output::TurnDropped { turn: turn.id });
            self.turn = None;
            return self.fail(ctx, misuse);
        }
        self.drain_session(ctx);
    }

    fn drain_session(&mut self, ctx: &mut QueueContext) {
        while let Some(turn) = &mut self.turn
            && let Some(output) = turn.session.poll()
        {
            match output {
                upload::Output::RefreshCredential => self.credential_due(ctx),
                upload::Output::Event(event) => self.session_event(ctx, event),
                output => ctx.output(Output::Turn { turn: turn.id, output }),
            }
        }
        if let Some(turn) = &mut self.turn {
            turn.passed_through |= turn.session.wants().is_some_and(|want| want.streamed);
        }
        self.ask_for_source(ctx);
        self.report_progress(ctx);
        self.note_expiry(ctx);
    }

    fn session_event(&mut self, ctx: &mut QueueContext, event: upload::Event) {
        let Some(turn) = &mut self.turn else { return };
        match &event {
            upload::Event::Durable(durable) => {
                self.durable = *durable;
                self.refusals = 0;
                self.attempts = None;
                turn.progressed = true;
                return;
            }
            upload::Event::Ready { offset, .. } => {
                turn.source = Source::Idle(*offset);
                self.durable = *offset;
                turn.progressed = true;
            }
            upload::Event::Rewind => {
                turn.source = Source::Idle(ByteCount::ZERO);
                self.durable = ByteCount::ZERO;
                self.sent = ByteCount::ZERO;
                turn.progressed = true;
            }
            upload::Event::Released(_) => {}
            upload::Event::Ended(outcome) => {
                let outcome = outcome.clone();
                let output = Output::Turn { turn: turn.id, output: upload::Output::Event(event) };
                ctx.output(output);
                return self.turn_ended(ctx, outcome);
            }
        }
        ctx.output(Output::Turn { turn: turn.id, output: upload::Output::Event(event) });
    }

    fn ask_for_source(&mut self, ctx: &mut QueueContext) {
        if let Some(turn) = &mut self.turn
            && let Source::Idle(offset) = turn.source
            && turn.session.wants().is_some()
        {
            turn.source = Source::Wanted(offset);
            let file = self.id;
            self.emit(ctx, Event::SourceWanted { file, offset });
        }
    }

    fn report_progress(&mut self, ctx: &mut QueueContext) {
        if let Some(turn) = &mut self.turn
            && std::mem::take(&mut turn.progressed)
            && self.phase == Phase::Transferring
        {
            self.sent = turn.session.handed_over().max(self.durable);
            self.emit_progress(ctx);
        }
    }

    /// `supply-source`: the turn whose bytes these are.
    pub(super) fn supply_source(&mut self, offset: ByteCount) -> Result<TurnId> {
        super::state::FileCall::SupplySource.require(&self.state())?;
        let wanted = self.turn.as_mut().and_then(|turn| Some((turn.wanted_offset()?, turn)));
        let Some((wanted, turn)) = wanted else {
            let message = "the file's bytes are not wanted";
            return Err(Error::new(ErrorKind::FileStateWrong, message));
        };
        if offset != wanted {
            let (offset, wanted) = (offset.bytes(), wanted.bytes());
            let message = format!("the source starts at {offset} and {wanted} is wanted");
            return Err(Error::new(ErrorKind::OffsetMismatch, message));
        }
        turn.source = Source::Supplied(offset);
        Ok(turn.id)
    }

    /// What was supplied has ended before the file did.
    pub(super) fn source_ended(&mut self, ctx: &mut QueueContext, offset: ByteCount) {
        let Some(turn) = &mut self.turn else { return };
        let Source::Supplied(from) = turn.source else { return };
        if offset > from {
            turn.source = Source::Idle(offset);
            return self.ask_for_source(ctx);
        }
        let size = self.file.size().unwrap_or_default().bytes();
        let message = format!("the source ended at {} of {size} bytes", offset.bytes());
        self.give_up(ctx, Error::new(ErrorKind::LengthMismatch, message));
    }

    /// What was supplied broke off.
    pub(super) fn source_broken(&mut self, ctx: &mut QueueContext, reason: &str) {
        let reason: String = reason.chars().take(REASON_CHARS_MAX).collect();
        self.give_up(ctx, Error::new(ErrorKind::SourceBroken, reason));
    }

    pub(super) fn deadline_passed(&mut self, ctx: &mut QueueContext) {
        let message = "the file was not uploaded within its deadline";
        let error = Error::new(ErrorKind::DeadlineExceeded, message);
        // It passes once; what follows may take its time.
        self.deadline_at = None;
        if self.turn.is_some() {
            return self.give_up(ctx, error);
        }
        self.drop_look();
        if let Some(call) = self.vod.take() {
            call.cancel(ctx);
        }
        self.fail(ctx, error);
    }

    /// VOD does not know the media id: the file begins again with another.
    pub(super) fn start_again_without_media(&mut self, ctx: &mut QueueContext, error: Error) {
        if let Some(turn) = &mut self.turn {
            turn.start_again = true;
            if self.phase == Phase::Transferring {
                self.phase = Phase::Opening;
                self.address = None;
            }
        }
        self.give_up(ctx, error);
    }

    /// Ends the session: what was confirmed is noted before.
    pub(super) fn give_up(&mut self, ctx: &mut QueueContext, error: Error) {
        if let Some(call) = self.vod.take() {
            call.cancel(ctx);
        }
        self.tell_session(ctx, Input::GiveUp(error));
    }
}

/// How much of a supplier's words is repeated.
const REASON_CHARS_MAX: usize = 512;
