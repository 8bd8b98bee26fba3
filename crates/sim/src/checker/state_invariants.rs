//! What must hold between any two steps.

use std::collections::{BTreeMap, BTreeSet};

use vod_uploader::queue::{FileId, FileInfo, FileState, QueueState, UploadingPhase};

use super::QueueObservations;
use crate::Operation;
use crate::operation::query;
use crate::simulation::{OperationStage, Pending, PendingOperation, Simulation};
use crate::vod::{SECRET, TOKEN};

/// The queue is printed at every change of a file's state, and every so many steps besides: to
/// print it at every step would take longer than everything else.
const STEPS_UNPRINTED_MAX: u64 = 64;

impl Simulation {
    /// What must hold after every step.
    pub(crate) fn checker(&mut self) {
        self.checker.steps += 1;
        let files = self.queue.list_files();
        if self.app.reads {
            self.states_agree_with_events(&files);
        }
        self.limits_are_kept(&files);
        self.part_numbers_are_once_in_flight();
        self.nothing_secret_is_held(&files);
    }

    /// What must hold where nothing can execute any more but what the app does.
    pub(crate) fn only_the_app_is_waited_for(&self) {
        use UploadingPhase::{AwaitingCredential, AwaitingSource, TokenExpired};
        let runs = matches!(self.queue_state(), QueueState::Start | QueueState::Expire);
        let files = self.queue.list_files();
        let mut waiting = 0;
        for info in &files {
            if let FileState::Uploading(phase) = &info.state {
                let for_app = matches!(phase, AwaitingCredential | AwaitingSource | TokenExpired);
                assert!(for_app, "{} is stuck: {:?}", info.name, info.state);
                waiting += 1;
            }
        }
        let ready = files.iter().any(|info| info.state == FileState::Ready);
        let full = waiting >= usize::from(self.options.parallel_files.unwrap_or(1));
        assert!(!(runs && ready) || full, "a file waits for its session that has one");
        for id in &self.checker.said_to_be_gone {
            // One without parts costs nothing, and may have been begun without a trace.
            let has_parts = self.store.uploads.get(id).is_some_and(|parts| !parts.is_empty());
            assert!(!has_parts, "parts of {id} are left over, unsaid");
        }
    }

    /// What must hold once every file is uploaded or given up: nothing is left on the store.
    pub(crate) fn nothing_is_left_over(&self) {
        assert!(
            self.checker.orphans_allowed || self.store.uploads.is_empty(),
            "uploads are left over"
        );
    }

    fn states_agree_with_events(&self, files: &[FileInfo]) {
        use UploadingPhase::{AwaitingCredential, AwaitingSource, TokenExpired, Transferring};
        let mut expired = false;
        for info in files {
            let unknown = QueueObservations::default();
            let life = self.checker.lives.get(&info.id).unwrap_or(&unknown);
            let agrees = match &info.state {
                FileState::Ready => !life.is_whole,
                FileState::Uploading(phase) => match phase {
                    AwaitingCredential => life.is_started,
                    AwaitingSource => life.is_started && life.wanted.is_some(),
                    TokenExpired => life.is_expired,
                    Transferring => life.end.is_none(),
                    _ => true,
                },
                FileState::Success => life.end == Some("success"),
                FileState::Failure(_) => life.end == Some("failure"),
                FileState::Canceled => life.end == Some("canceled"),
                FileState::Stopped => life.end == Some("stopped"),
            };
            assert!(agrees, "{} is {:?}, and told was {life:?}", info.name, info.state);
            expired |= info.state == FileState::Uploading(TokenExpired);
        }
        let state = self.queue_state();
        let open = match state {
            QueueState::Init | QueueState::Failure | QueueState::End => false,
            QueueState::Start | QueueState::Expire | QueueState::Stop => true,
        };
        assert_eq!(open, self.checker.run_is_open, "the queue is {state:?}");
        if matches!(state, QueueState::Start | QueueState::Expire) {
            assert_eq!(expired, state == QueueState::Expire, "the queue is {state:?}");
        }
    }

    /// A file that waits for a credential sends nothing.
    pub(crate) fn who_sends_has_a_credential(&self, sending: &[FileId]) {
        if sending.is_empty() {
            return;
        }
        let waits = FileState::Uploading(UploadingPhase::TokenExpired);
        for info in self.queue.list_files().iter().filter(|info| info.state == waits) {
            assert!(!sending.contains(&info.id), "{} sends without a credential", info.name);
        }
    }

    fn limits_are_kept(&self, files: &[FileInfo]) {
        let has_turn = |info: &&FileInfo| match &info.state {
            FileState::Uploading(phase) => *phase != UploadingPhase::Canceling,
            _ => false,
        };
        let sessions = files.iter().filter(has_turn).count();
        assert!(
            sessions <= usize::from(self.options.parallel_files.unwrap_or(1)),
            "{sessions} sessions"
        );
        let parallel = usize::from(self.options.parallel.unwrap_or(5));
        let mut sent: BTreeMap<_, usize> = BTreeMap::new();
        for pending in &self.pending {
            if let PendingOperation::Call { session, body: Some(_), .. } = &pending.what {
                *sent.entry(session).or_default() += 1;
            }
        }
        assert!(sent.values().all(|sent| *sent <= parallel), "{sent:?} parts in flight");
        for session_input in self.lanes.values() {
            assert!(
                session_input.buffers.len() <= parallel + 1,
                "{} buffers",
                session_input.buffers.len()
            );
        }
    }

    fn part_numbers_are_once_in_flight(&self) {
        let on_their_way =
            |pending: &&Pending| matches!(pending.stage, OperationStage::PendingOperation);
        let pending = self.pending.iter().filter(on_their_way).map(|pending| &pending.what);
        let mut seen = BTreeSet::new();
        for begun in pending.chain(&self.strays) {
            let PendingOperation::Call { request, body: Some(_), .. } = begun else { continue };
            if Operation::of(request) != Operation::UploadPart {
                continue;
            }
            let query = query(request);
            let part = (query["uploadId"].clone(), query["partNumber"].clone());
            assert!(seen.insert(part.clone()), "part {part:?} is twice in flight");
        }
    }

    fn nothing_secret_is_held(&mut self, files: &[FileInfo]) {
        let states: Vec<_> = files.iter().map(|info| info.state.name()).collect();
        if states != self.checker.printed_at
            || self.checker.steps.is_multiple_of(STEPS_UNPRINTED_MAX)
        {
            self.checker.no_secret_in(&self.queue);
            self.checker.no_secret_in(&files);
            self.checker.printed_at = states;
        }
        if std::mem::take(&mut self.kv.changed) {
            for value in self.kv.values.values() {
                let has =
                    |text: &str| value.windows(text.len()).any(|part| part == text.as_bytes());
                assert!(!has(SECRET) && !has(TOKEN), "a secret is stored");
            }
        }
    }
}
