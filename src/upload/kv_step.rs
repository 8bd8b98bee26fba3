//! What a session reads from the key-value store and writes to it.

/// What a key-value operation was for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KvStep {
    /// Claiming: what leads to the last checkpoint, before the upload is taken over.
    Looked,
    /// Claiming: our bid for the next epoch is written.
    BidWritten,
    /// Claiming: whether that epoch's door is open.
    DoorRead,
    /// Claiming: the door is closed behind us.
    DoorClosed,
    /// Claiming: the bid read back.
    BidReadBack,
    /// Claiming: our lease is written.
    LeaseWritten,
    /// Claiming: whether somebody has bid for the epoch after ours.
    SuccessorRead,
    /// Claiming: the checkpoint, after the upload was taken over.
    CheckpointRead,
    /// Claiming: the tail's bytes.
    TailRead,
    /// Verifying or completing: one page of ETags.
    PageRead,
    /// Saving: a full page of ETags is written.
    PageWritten,
    /// Saving: the tail is written.
    TailWritten,
    /// Saving: the checkpoint is written.
    CheckpointWritten,
    /// Saving: the lease as it is after that.
    LeaseChecked,
}
