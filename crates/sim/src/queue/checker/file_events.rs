//! The order of the events of each file of the current queue.

use std::collections::BTreeMap;

use vod_uploader::queue::{
    Event, FileId, FileInfo, FileState, Progress, Queue, QueueState, UploadingPhase,
};

/// The events of the current queue.
#[derive(Debug, Default)]
pub(super) struct FileEvents {
    files: BTreeMap<FileId, QueueObservations>,
    /// Whether a run has started and not ended.
    is_run_open: bool,
}

/// What the current queue has reported about a file.
#[derive(Debug, Default)]
struct QueueObservations {
    /// The last event, if it is the last one of the file.
    end: Option<&'static str>,
    /// Whether a credential was requested since the file was started.
    is_started: bool,
    /// Whether another credential was requested since then.
    is_expired: bool,
    /// Whether the file was reported as complete.
    is_complete: bool,
    /// The durable offset, since the file was started.
    durable: Option<u64>,
    /// The offset that was requested last.
    requested: Option<u64>,
    /// Offset at which a stream ended before the end of the file.
    supplied_to: Option<u64>,
}

impl FileEvents {
    pub(super) fn queue_created(&mut self) {
        *self = Self::default();
    }

    pub(super) const fn run_started(&mut self) {
        self.is_run_open = true;
    }

    pub(super) fn is_started(&self, file: FileId) -> bool {
        self.files.get(&file).is_some_and(|file| file.is_started)
    }

    pub(super) fn requested_offset(&self, file: FileId) -> Option<u64> {
        self.files.get(&file)?.requested
    }

    pub(super) fn stream_ended(&mut self, file: FileId, offset: u64) {
        self.files.entry(file).or_default().supplied_to = Some(offset);
    }

    pub(super) fn set_durable(&mut self, file: FileId, durable: u64) {
        self.files.entry(file).or_default().durable = Some(durable);
    }

    /// Checks that the requested offset is durable, `stored`, or the end of the last stream.
    pub(super) fn check_requested(&self, file: FileId, offset: u64, stored: Option<u64>) {
        let observed = &self.files[&file];
        let known = [observed.durable, observed.supplied_to, stored, Some(0)];
        assert!(known.contains(&Some(offset)), "{file:?}: {offset} of {observed:?}");
    }

    /// Checks the end of a run.
    pub(super) fn observe_run_end(&mut self, queue: &Queue) {
        assert!(self.is_run_open, "a run ends that has not started or has already ended");
        self.is_run_open = false;
        let in_progress =
            |state: &FileState| matches!(state, FileState::Ready | FileState::Uploading(_));
        let listed = queue.list_files();
        assert!(listed.iter().all(|info| !in_progress(&info.state)), "a run ends before its files");
    }

    /// Checks that an event may follow the earlier events of its file.
    pub(super) fn observe(&mut self, file: FileId, event: &Event) {
        let observed = self.files.entry(file).or_default();
        let starts = matches!(event, Event::FileAdded(_) | Event::UploadStarted { .. });
        // An object that was complete before the queue was created needs no credential.
        let is_found = matches!(event, Event::Progress { progress, .. } if is_complete(progress));
        let ends_again = matches!(observed.end, Some("failure" | "canceled" | "stopped"));
        assert!(
            observed.end.is_none()
                || starts
                || is_found
                || (end_name(event).is_some() && ends_again),
            "{event:?} after the last event of the file"
        );
        assert!(
            !observed.is_complete || matches!(event, Event::Succeeded(_)),
            "{event:?} after 100 %"
        );
        match event {
            Event::FileAdded(info) => {
                assert!(observed.end.is_none() && !observed.is_started, "{info:?} is added twice");
                assert_eq!(info.state, FileState::Ready);
            }
            Event::UploadStarted { media_id, kind, .. } => {
                assert!(media_id.is_none() || kind.can_refresh(), "an image has no refresh");
                *observed = QueueObservations { is_started: true, ..QueueObservations::default() };
            }
            Event::SourceRequested { offset, .. } => {
                assert!(observed.is_started, "bytes are requested before a credential");
                observed.requested = Some(offset.bytes());
            }
            Event::Progress { .. } if is_found => {
                observed.is_complete = true;
                observed.end = None;
            }
            Event::Progress { progress, .. } => {
                assert!(observed.is_started, "{progress:?} without a credential");
                assert!(progress.fraction.is_none_or(|fraction| fraction < 1.0));
            }
            Event::TokenExpiring(_) => assert!(observed.is_started),
            Event::TokenExpired(_) => {
                assert!(observed.is_started, "a credential expires before one was requested");
                observed.is_expired = true;
            }
            Event::Succeeded(_) => assert!(observed.is_complete, "a success before 100 %"),
            Event::Failed { .. }
            | Event::Stopped { .. }
            | Event::Canceled { .. }
            | Event::UploadEnd => {}
        }
        if let Some(end) = end_name(event) {
            *observed = QueueObservations { end: Some(end), ..QueueObservations::default() };
        }
    }

    /// Checks that the states of the files and of the queue agree with the events.
    pub(super) fn check_states(&self, files: &[FileInfo], state: QueueState) {
        use UploadingPhase::{AwaitingCredential, AwaitingSource, TokenExpired, Transferring};
        let mut is_expired = false;
        for info in files {
            let unknown = QueueObservations::default();
            let observed = self.files.get(&info.id).unwrap_or(&unknown);
            let agrees = match &info.state {
                FileState::Ready => !observed.is_complete,
                FileState::Uploading(phase) => match phase {
                    AwaitingCredential => observed.is_started,
                    AwaitingSource => observed.is_started && observed.requested.is_some(),
                    TokenExpired => observed.is_expired,
                    Transferring => observed.end.is_none(),
                    _ => true,
                },
                FileState::Success => observed.end == Some("success"),
                FileState::Failure(_) => observed.end == Some("failure"),
                FileState::Canceled => observed.end == Some("canceled"),
                FileState::Stopped => observed.end == Some("stopped"),
            };
            assert!(agrees, "{} is {:?} after {observed:?}", info.name, info.state);
            is_expired |= info.state == FileState::Uploading(TokenExpired);
        }
        let is_open = match state {
            QueueState::Init | QueueState::Failure | QueueState::End => false,
            QueueState::Start | QueueState::Expire | QueueState::Stop => true,
        };
        assert_eq!(is_open, self.is_run_open, "the queue is {state:?}");
        if matches!(state, QueueState::Start | QueueState::Expire) {
            assert_eq!(is_expired, state == QueueState::Expire, "the queue is {state:?}");
        }
    }
}

/// Returns `true` if the progress is 100 %.
pub(super) fn is_complete(progress: &Progress) -> bool {
    progress.fraction == Some(1.0)
}

/// The name of an event that is the last one of a file.
const fn end_name(event: &Event) -> Option<&'static str> {
    match event {
        Event::Succeeded(_) => Some("success"),
        Event::Failed { .. } => Some("failure"),
        Event::Canceled { .. } => Some("canceled"),
        Event::Stopped { .. } => Some("stopped"),
        _ => None,
    }
}
