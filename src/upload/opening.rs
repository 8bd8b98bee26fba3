//! The opening of a session: acquires the lease, loads the last checkpoint, and decides what
//! follows.

use super::acquire_lease::{AcquireLease, LeaseStep};
use super::checkpoint::{Checkpoint, UploadPhase};
use super::options::{LeaseAcquisition, Purpose};
use super::pipeline::Pipeline;
use super::records::UploadId;
use super::session_io::{KvWaiter, SessionIo};
use crate::error::Result;

/// The opening of one session.
#[derive(Debug)]
pub(super) struct Opening {
    lease: AcquireLease,
    is_fence: bool,
    aborts: bool,
}

/// What follows the opening.
#[derive(Debug)]
pub(super) enum Opened {
    /// A key-value operation is in progress.
    Pending,
    /// The upload has already ended.
    Ended(UploadPhase),
    /// Nothing: the session's only purpose is to adopt the checkpoint.
    Adopted,
    /// Reconcile: an earlier session may have sent CompleteMultipartUpload.
    Reconcile,
    /// Abort the upload.
    Abort,
    /// Verify the parts of an interrupted writer.
    Verify,
    /// Receive bytes.
    Receive,
}

impl Opening {
    pub(super) fn new(
        id: UploadId,
        writer: u64,
        acquisition: LeaseAcquisition,
        purpose: &Purpose,
    ) -> Self {
        let lease = AcquireLease::new(id, writer, acquisition);
        let (is_fence, aborts) = (*purpose == Purpose::Fence, *purpose == Purpose::Abort);
        Self { lease, is_fence, aborts }
    }

    /// Starts to acquire the lease.
    pub(super) fn start(&mut self, io: &mut SessionIo, pipeline: &mut Pipeline) -> Result<Opened> {
        let step = self.lease.start()?;
        self.advance(io, pipeline, step)
    }

    /// Accepts the result of the operation in progress. See [`AcquireLease::on_value`].
    pub(super) fn on_value(
        &mut self,
        io: &mut SessionIo,
        pipeline: &mut Pipeline,
        value: Option<Vec<u8>>,
    ) -> Result<Opened> {
        let step = self.lease.on_value(value)?;
        self.advance(io, pipeline, step)
    }

    /// Whether the upload has just been created: no other writer can exist.
    pub(super) const fn is_new_upload(&self) -> bool {
        self.lease.is_new()
    }

    /// Removes and returns the bytes of the tail; empty if none was read.
    pub(super) fn take_tail(&mut self) -> Vec<u8> {
        self.lease.take_tail()
    }

    fn advance(
        &mut self,
        io: &mut SessionIo,
        pipeline: &mut Pipeline,
        mut step: LeaseStep,
    ) -> Result<Opened> {
        loop {
            step = match step {
                LeaseStep::Kv(request) => {
                    io.start_kv(KvWaiter::Opening, request);
                    return Ok(Opened::Pending);
                }
                LeaseStep::Found(checkpoint) => {
                    if let Some(phase) = self.ended_phase(pipeline, &checkpoint)? {
                        return Ok(Opened::Ended(phase));
                    }
                    pipeline.check(&checkpoint)?;
                    self.lease.compete()?
                }
                LeaseStep::Stored { retired } => {
                    io.delete(retired);
                    self.lease.search_again()?
                }
                LeaseStep::Acquired { epoch, checkpoint } => {
                    if let Some(phase) = self.ended_phase(pipeline, &checkpoint)? {
                        return Ok(Opened::Ended(phase));
                    }
                    pipeline.start(self.lease.holder(), epoch, &checkpoint)?;
                    match checkpoint.tail.filter(|_| pipeline.accepts_bytes()) {
                        Some(tail) => LeaseStep::Kv(self.lease.read_tail(tail)),
                        None => LeaseStep::TailRead,
                    }
                }
                LeaseStep::TailRead => return Ok(self.opened(pipeline)),
            }
        }
    }

    /// Returns the phase of an upload that has already ended.
    fn ended_phase(
        &self,
        pipeline: &Pipeline,
        checkpoint: &Checkpoint,
    ) -> Result<Option<UploadPhase>> {
        match &checkpoint.phase {
            UploadPhase::Receiving | UploadPhase::Completing => return Ok(None),
            UploadPhase::Lost { .. } if self.aborts => return Ok(None),
            // Success confirms that the request's bytes are the object's: they must match.
            UploadPhase::Completed(_) => drop(pipeline.check(checkpoint)?),
            UploadPhase::Lost { .. } | UploadPhase::Aborted => {}
        }
        Ok(Some(checkpoint.phase.clone()))
    }

    fn opened(&self, pipeline: &mut Pipeline) -> Opened {
        let appends = pipeline.accepts_bytes() && !self.lease.is_new();
        if self.lease.takes_over() || appends || pipeline.writer().length_is_new() {
            // Stored first: from then on, the last writer cannot change the offset, a reader sees
            // that a writer is active, and a declared length is binding.
            pipeline.request_checkpoint();
        }
        let Checkpoint { is_clean, part_count, .. } = *pipeline.draft();
        if self.is_fence {
            Opened::Adopted
        } else if pipeline.draft().phase == UploadPhase::Completing {
            Opened::Reconcile
        } else if self.aborts {
            Opened::Abort
        } else if !is_clean && part_count > 0 {
            Opened::Verify
        } else {
            Opened::Receive
        }
    }
}
