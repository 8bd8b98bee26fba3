//! Limits of the sessions of a queue.

use std::collections::{BTreeMap, BTreeSet};

use vod_uploader::queue::{
    FileId, FileInfo, FileState, OptionsInput, QueueState, SessionId, UploadingPhase,
};

use crate::queue::in_flight::InFlight;
use crate::queue::session_input::SessionInput;

/// Checks the number of sessions, of parts in flight and of buffers.
pub(super) fn check_limits(
    options: &OptionsInput,
    files: &[FileInfo],
    in_flight: &InFlight,
    inputs: &BTreeMap<SessionId, SessionInput>,
) {
    let is_active = |info: &&FileInfo| match &info.state {
        FileState::Uploading(phase) => *phase != UploadingPhase::Canceling,
        _ => false,
    };
    let sessions = files.iter().filter(is_active).count();
    assert!(sessions <= sessions_max(options), "{sessions} sessions");
    let parallel = usize::from(options.parallel.unwrap_or(5));
    let mut sent: BTreeMap<_, usize> = BTreeMap::new();
    for session in in_flight.pending.iter().filter_map(|pending| pending.sending_session()) {
        *sent.entry(session).or_default() += 1;
    }
    assert!(sent.values().all(|sent| *sent <= parallel), "{sent:?} parts in flight");
    for input in inputs.values() {
        assert!(input.buffers.len() <= parallel + 1, "{} buffers", input.buffers.len());
    }
}

/// Checks that no part number is in flight twice.
pub(super) fn check_part_numbers(in_flight: &InFlight) {
    let mut seen = BTreeSet::new();
    for part in in_flight.started_calls().filter_map(|call| call.part()) {
        assert!(seen.insert(part.clone()), "part {part:?} is in flight twice");
    }
}

/// Checks that a file that waits for a credential sends nothing.
pub(super) fn check_senders(files: &[FileInfo], senders: &[FileId]) {
    let expired = FileState::Uploading(UploadingPhase::TokenExpired);
    for info in files.iter().filter(|info| info.state == expired) {
        assert!(!senders.contains(&info.id), "{} sends without a credential", info.name);
    }
}

/// Checks that every file that is uploaded waits for the app, once nothing else is pending.
pub(super) fn check_waiting_for_app(options: &OptionsInput, files: &[FileInfo], state: QueueState) {
    use UploadingPhase::{AwaitingCredential, AwaitingSource, TokenExpired};
    let mut waiting = 0;
    for info in files {
        if let FileState::Uploading(phase) = &info.state {
            let for_app = matches!(phase, AwaitingCredential | AwaitingSource | TokenExpired);
            assert!(for_app, "{} is stuck: {:?}", info.name, info.state);
            waiting += 1;
        }
    }
    let is_running = matches!(state, QueueState::Start | QueueState::Expire);
    let has_ready = files.iter().any(|info| info.state == FileState::Ready);
    let is_full = waiting >= sessions_max(options);
    assert!(!(is_running && has_ready) || is_full, "a file waits although a session is free");
}

fn sessions_max(options: &OptionsInput) -> usize {
    usize::from(options.parallel_files.unwrap_or(1))
}
