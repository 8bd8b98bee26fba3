//! One writer's turn at an upload: the machine's core, and the order in which it acts.

use std::collections::{BTreeMap, VecDeque};

use super::calls::{CallOptions, Calls, Finished};
use super::checkpoint::Checkpoint;
use super::claim::Claiming;
use super::finish::Finish;
use super::joining::Joining;
use super::keys::UploadKey;
use super::kv_step::KvStep;
use super::lease::Turn;
use super::plan::Plan;
use super::save::Save;
use super::state::{State, Trigger};
use super::transfer::{Filled, PartBody, Transfer};
use super::upload_record::UploadRecord;
use super::verify::Recorded;
use super::{Claim, Event, Input, KvId, Outcome, Output, Purpose, SessionOptions, Value, Want};
use crate::error::{Error, ErrorKind, Result};
use crate::oss::UploadId;
use crate::units::{ByteCount, UnixMillis};

/// One writer's turn at an upload. See the [module](super) for the loop that drives it.
#[derive(Debug)]
pub struct Session {
    pub(super) key: UploadKey,
    pub(super) plan: Plan,
    /// The length that was declared when the upload was created.
    pub(super) declared: Option<ByteCount>,
    pub(super) joining: Option<Joining>,
    pub(super) purpose: Purpose,
    pub(super) replayable: bool,
    pub(super) content_type: Option<String>,
    pub(super) state: State,
    pub(super) now: UnixMillis,
    /// This writer's turn, once the lease is held.
    pub(super) turn: Turn,
    /// What the next checkpoint will say.
    pub(super) checkpoint: Checkpoint,
    pub(super) calls: Calls,
    pub(super) claiming: Claiming,
    pub(super) recorded: Recorded,
    pub(super) transfer: Transfer,
    pub(super) save: Save,
    pub(super) finish: Finish,
    /// Why the session fails or refused bytes, until it has ended.
    pub(super) trouble: Option<Error>,
    /// Another writer has taken the upload over.
    fenced: bool,
    /// Why the end could not be stored, if it could not.
    unstored_end: Option<Error>,
    kv_next: u32,
    kv_pending: BTreeMap<KvId, KvStep>,
    pub(super) outputs: VecDeque<Output>,
    ended: bool,
}

impl Session {
    /// Begins a turn at the upload `key`, which `record` describes.
    ///
    /// # Errors
    /// Where the record's target or length, an option or what is to be joined is outside its limits
    /// ([`Plan::new`], [`super::Target::bucket`]), and [`ErrorKind::FileEmpty`] for a source
    /// that is to be continued and has no bytes.
    pub fn new(
        key: UploadKey,
        record: &UploadRecord,
        claim: Claim,
        mut purpose: Purpose,
        options: SessionOptions,
        now: UnixMillis,
    ) -> Result<Self> {
        let plan = Plan::new(record.length(), options.part_size, options.parallel)?;
        if purpose == Purpose::Continue && record.length().is_some_and(ByteCount::is_zero) {
            return Err(Error::new(ErrorKind::FileEmpty, "the file has no bytes"));
        }
        let joining = Joining::of(&mut purpose)?;
        let calls = Calls::new(CallOptions {
            bucket: record.target.bucket()?,
            object: record.target.object.clone(),
            policy: options.retry,
            timeout: options.request_timeout,
            seed: options.seed,
            credential: options.credential,
            can_refresh: options.can_refresh,
        });
        let mut session = Self {
            claiming: Claiming::new(key.clone()),
            key,
            plan,
            declared: record.length(),
            joining,
            purpose,
            replayable: options.replayable,
            content_type: record.content_type.clone(),
            state: State::Claiming,
            now,
            turn: Turn { epoch: 0, writer: options.writer },
            checkpoint: Checkpoint::empty(),
            calls,
            recorded: Recorded::default(),
            transfer: Transfer::default(),
            save: Save::default(),
            finish: Finish::default(),
            trouble: None,
            fenced: false,
            unstored_end: None,
            kv_next: 0,
            kv_pending: BTreeMap::new(),
            outputs: VecDeque::new(),
            ended: false,
        };
        match claim {
            Claim::Created => session.claim_created()?,
            Claim::TakeOver => session.look()?,
            Claim::TakeOverFrom(search) => {
                session.claiming.begin_with(*search);
                if let Err(error) = session.look() {
                    session.fail(error);
                }
                session.advance();
            }
        }
        Ok(session)
    }

    /// The next thing to do, or `None` until the next [`Session::handle`].
    pub fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// What the session wants from the source now, if anything. The same want is returned until
    /// it is filled.
    #[must_use]
    pub fn wants(&self) -> Option<Want> {
        if self.ended { None } else { self.transfer.want() }
    }

    /// The instant at which [`Input::Tick`] is due, if nothing else comes before.
    #[must_use]
    pub fn next_wakeup(&self) -> Option<UnixMillis> {
        if self.ended { None } else { self.calls.next_wakeup() }
    }

    /// True while calls wait for a credential that has been asked for and has not come, because
    /// the one at hand, if any, cannot be used.
    #[must_use]
    pub fn awaits_credential(&self) -> bool {
        !self.ended && self.calls.await_credential()
    }

    /// What the store said of the last credential that it refused, until a new one has come.
    #[must_use]
    pub const fn credential_refusal(&self) -> Option<&Error> {
        self.calls.credential_refusal()
    }

    /// Up to which offset the source's bytes have been handed to the store.
    #[must_use]
    pub fn handed_over(&self) -> ByteCount {
        self.transfer.handed_over()
    }

    /// Why the end that this session reports is not stored, if it is not and the records do not lead
    /// to it: other writers continue from the checkpoint before. The end of a multipart upload is
    /// found from that checkpoint.
    #[must_use]
    pub fn unstored_end(&self) -> Option<&Error> {
        let is_found = self.state == State::Completed && !self.is_single_object();
        self.unstored_end.as_ref().filter(|_| !is_found)
    }

    /// Where the session stands.
    #[must_use]
    pub const fn state(&self) -> State {
        self.state
    }

    /// Takes what the driver has to tell, at the instant `now`.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`] for an input that the contract does not allow: after the end, or
    /// naming an operation or a fill that the session did not ask for, or with a fill that is not
    /// as long as it must be. The session is unchanged.
    pub fn handle(&mut self, now: UnixMillis, input: Input) -> Result<()> {
        self.require_asked_for(&input)?;
        self.now = self.now.max(now);
        let handled = match input {
            Input::Tick => Ok(()),
            Input::GiveUp(_) if self.state.is_terminal() => Ok(()),
            Input::GiveUp(error) => Err(error),
            Input::Kv { id, result } => match self.kv_pending.remove(&id) {
                Some(step) => self.kv_ended(step, result),
                None => Ok(()),
            },
            Input::Replied { call, result } => match self.calls.replied(self.now, call, result) {
                Some(finished) => self.call_ended(finished),
                None => Ok(()),
            },
            Input::Credential(result) => self.calls.credential_arrived(result),
            Input::StreamOpened { fill } => match self.transfer.open_stream(fill) {
                Some(want) => self.add_part(PartBody::Fill(fill), want.size, None),
                None => Ok(()),
            },
            Input::Filled { fill, len, crc64, end } => {
                let filled = Filled { fill, len, crc64, end };
                match self.transfer.close_fill(fill) {
                    Some(want) if want.streamed => self.stream_ended(&filled),
                    Some(want) => self.filled(&filled, want.size),
                    None => {
                        self.event(Event::Released(fill));
                        Ok(())
                    }
                }
            }
        };
        if let Err(error) = handled {
            self.fail(error);
        }
        self.advance();
        Ok(())
    }

    /// Fails for an input that the loop contract does not allow now.
    fn require_asked_for(&self, input: &Input) -> Result<()> {
        match input {
            _ if self.ended => Err(misuse("the session has ended")),
            Input::Tick | Input::Credential(_) | Input::GiveUp(_) => Ok(()),
            Input::Kv { id, .. } if self.kv_pending.contains_key(id) => Ok(()),
            Input::Kv { .. } => Err(misuse("no such key-value operation is under way")),
            Input::Replied { call, .. } => self.calls.require_sent(*call),
            Input::StreamOpened { fill } => self.transfer.require_stream(*fill),
            Input::Filled { fill, len, crc64, end } => {
                let filled = Filled { fill: *fill, len: *len, crc64: *crc64, end: *end };
                self.transfer.require_fill(&filled)
            }
        }
    }

    /// Does everything that has become possible, in one fixed order.
    fn advance(&mut self) {
        if let Err(error) = self.try_advance() {
            self.fail(error);
            // What is left to do after a failure is to store what was confirmed before it.
            if let Err(error) = self.try_advance() {
                self.fail(error);
                self.advance_ending();
            }
        }
    }

    fn try_advance(&mut self) -> Result<()> {
        while let Some(finished) = self.calls.expire(self.now, &mut self.outputs) {
            self.call_ended(finished)?;
        }
        self.open_want()?;
        self.start_parts()?;
        self.advance_draining()?;
        self.advance_saving()?;
        self.calls.send_due(self.now, &mut self.outputs)?;
        self.advance_ending();
        Ok(())
    }

    fn kv_ended(
        &mut self,
        step: KvStep,
        result: std::result::Result<Option<Vec<u8>>, String>,
    ) -> Result<()> {
        let value = result.map_err(|text| {
            Error::new(ErrorKind::KeyValueUnavailable, text).while_doing("key-value store")
        });
        match step {
            KvStep::PageWritten
            | KvStep::TailWritten
            | KvStep::CheckpointWritten
            | KvStep::LeaseChecked => self.save_step(step, value),
            _ if self.state.is_terminal() => Ok(()),
            KvStep::PageRead => self.page_read(value?),
            _ => self.claim_step(step, value?),
        }
    }

    fn call_ended(&mut self, finished: Finished) -> Result<()> {
        use super::operation::Operation;
        match finished.operation {
            Operation::Initiate { .. } => self.initiated(finished.result),
            Operation::UploadPart { number, .. } => self.part_ended(number, finished.result),
            Operation::CopyPart { number, .. } => self.copy_ended(number, finished.result),
            Operation::ListParts { .. } => self.parts_listed(finished.result),
            Operation::Complete { .. } | Operation::PutObject { .. } => {
                self.complete_ended(finished.result)
            }
            Operation::Head => self.object_seen(finished.result),
            Operation::Abort { .. } => self.parts_dropped(finished.result),
        }
    }

    pub(super) fn go(&mut self, trigger: Trigger) -> Result<()> {
        self.state = self.state.after(trigger)?;
        Ok(())
    }

    /// Stops everything: what was confirmed before is stored once more, and then the session ends
    /// with `error`. An end that is reached already stands; but who finds itself taken over while
    /// it stores the end reports nothing else, because the end is the other writer's to tell.
    pub(super) fn fail(&mut self, error: Error) {
        self.calls.cancel_all(&mut self.outputs);
        self.transfer.abandon_want();
        let fenced = error.kind() == ErrorKind::TakenOver;
        self.fenced |= fenced;
        if self.state.is_terminal() {
            self.save.give_up();
            if fenced {
                self.trouble = Some(error);
            } else {
                self.unstored_end = Some(error);
            }
            return;
        }
        let no_records = matches!(
            error.kind(),
            ErrorKind::KeyValueUnavailable
                | ErrorKind::CheckpointCorrupt
                | ErrorKind::CheckpointNewer
        );
        if fenced || no_records || self.state == State::Claiming {
            self.save.give_up();
        }
        self.trouble = Some(error);
        // Every state that is not terminal has this transition: a test goes over the table.
        self.state = State::Failed;
    }

    /// Reports the end, once nothing is left to store.
    fn advance_ending(&mut self) {
        if self.ended || self.save.is_busy() || !self.state.is_terminal() {
            return;
        }
        let durable = self.save.durable();
        let trouble = || self.trouble.clone().unwrap_or_else(|| misuse("no cause was noted"));
        let outcome = match self.state {
            _ if self.fenced => Outcome::Failed { error: trouble(), durable },
            State::Completed => match self.finished_object() {
                Some(object) => Outcome::Completed(object),
                None => Outcome::Failed { error: trouble(), durable },
            },
            State::Suspended => Outcome::Suspended { durable, refused: self.trouble.clone() },
            State::Aborted => Outcome::Aborted,
            State::Lost => Outcome::Lost(trouble()),
            _ => Outcome::Failed { error: trouble(), durable },
        };
        self.ended = true;
        self.event(Event::Ended(outcome));
    }

    /// The store's id of the multipart upload.
    pub(super) fn upload_id(&self) -> Result<UploadId> {
        let id = self.checkpoint.upload_id.clone().map(UploadId);
        id.ok_or_else(|| misuse("the upload has no id at the store yet"))
    }

    pub(super) fn event(&mut self, event: Event) {
        self.outputs.push_back(Output::Event(event));
    }

    pub(super) fn cancel_calls(&mut self) {
        self.calls.cancel_all(&mut self.outputs);
    }

    pub(super) fn kv_get(&mut self, step: KvStep, key: String) {
        let id = self.kv_id(step);
        self.outputs.push_back(Output::KvGet { id, key });
    }

    pub(super) fn kv_set(&mut self, step: KvStep, key: String, value: Value) {
        let id = self.kv_id(step);
        self.outputs.push_back(Output::KvSet { id, key, value });
    }

    pub(super) fn kv_delete(&mut self, key: String) {
        self.outputs.push_back(Output::KvDelete { key });
    }

    fn kv_id(&mut self, step: KvStep) -> KvId {
        let id = KvId(self.kv_next);
        self.kv_next += 1;
        self.kv_pending.insert(id, step);
        id
    }
}

pub(super) fn misuse(what: &str) -> Error {
    Error::new(ErrorKind::Internal, what)
}
