//! The invariants of the writers of one upload.

use vod_uploader::upload::{Checkpoint, SessionOutcome, UploadPhase};

use super::records::{OBJECT, find_checkpoint, is_created};
use super::writer::WriterId;
use crate::world::{Content, World, crc64};

/// The acknowledged offsets of an upload.
#[derive(Debug, Default)]
pub(super) struct InvariantChecker {
    /// The highest acknowledged offset.
    acknowledged: u64,
    acknowledgements: Vec<Acknowledgement>,
}

/// An acknowledged offset.
#[derive(Clone, Copy, Debug)]
struct Acknowledgement {
    writer: WriterId,
    /// The offset from which the writer receives bytes.
    started_at: u64,
    offset: u64,
}

impl InvariantChecker {
    pub(super) const fn acknowledged(&self) -> u64 {
        self.acknowledged
    }

    /// The source is read again from its first byte.
    pub(super) fn restart(&mut self) {
        *self = Self::default();
    }

    /// Once a writer has acknowledged an offset, another one acknowledges only if it started from
    /// there, or if its acknowledgement was already in flight when the first one started.
    pub(super) fn observe_durable(&mut self, writer: WriterId, started_at: u64, offset: u64) {
        let other = self.acknowledgements.iter().rfind(|other| other.writer != writer);
        if let Some(other) = other {
            assert!(
                started_at >= other.offset || offset <= other.started_at,
                "{writer} acknowledges {offset} from {started_at} after {other:?}"
            );
        }
        self.acknowledgements.push(Acknowledgement { writer, started_at, offset });
        self.acknowledged = self.acknowledged.max(offset);
    }

    /// Checks what is stored once it has changed.
    pub(super) fn check_stored(&self, world: &World) {
        if is_created(&world.kv) {
            self.check_checkpoint(&find_checkpoint(&world.kv).0);
        }
    }

    /// Checks that the checkpoint has every acknowledged byte, unless the upload has ended.
    pub(super) fn check_checkpoint(&self, checkpoint: &Checkpoint) {
        let offset = checkpoint.durable().bytes();
        let has_ended = matches!(checkpoint.phase, UploadPhase::Aborted | UploadPhase::Lost { .. });
        assert!(
            has_ended || offset >= self.acknowledged,
            "{offset} is stored and {} acknowledged",
            self.acknowledged
        );
    }

    /// Checks the outcome of a session.
    pub(super) fn check_outcome(outcome: &SessionOutcome, world: &World, content: &Content) {
        match outcome {
            SessionOutcome::Completed(object) => {
                let stored = &world.store.objects[OBJECT];
                assert!(stored.bytes == content.bytes(), "the object is not the source");
                assert_eq!(object.size_bytes, content.len());
                assert_eq!(object.crc64, crc64(content.bytes()));
            }
            SessionOutcome::Suspended { durable, .. } | SessionOutcome::Failed { durable, .. } => {
                assert!(durable.bytes() <= content.len());
            }
            SessionOutcome::Aborted | SessionOutcome::Lost(_) => {}
        }
    }
}
