//! The opening of a session: acquires the lease, loads the last checkpoint, and decides what
//! follows.

use super::acquire_lease::{AcquireLease, LeaseStep, LeaseWrite};
use super::checkpoint::{Checkpoint, UploadPhase};
use super::checkpoint_writer::Renewal;
use super::kv_calls::{KvWaiter, may_succeed_later};
use super::options::{LeaseAcquisition, Purpose};
use super::pipeline::Pipeline;
use super::records::UploadId;
use super::session_io::SessionIo;
use crate::error::{Error, Result};
use crate::units::UnixMillis;

/// The opening of one session.
#[derive(Debug)]
pub(super) struct Opening {
    lease: AcquireLease,
    /// Keys that are deleted once the lease is stored.
    retired: Vec<String>,
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
        now: UnixMillis,
    ) -> Self {
        let lease = AcquireLease::new(id, writer, acquisition, now);
        let (is_fence, aborts) = (*purpose == Purpose::Fence, *purpose == Purpose::Abort);
        Self { lease, retired: Vec::new(), is_fence, aborts }
    }

    /// Starts to acquire the lease.
    pub(super) fn start(&mut self, io: &mut SessionIo, pipeline: &mut Pipeline) -> Result<Opened> {
        let step = self.lease.start(io.now())?;
        self.advance(io, pipeline, step, None)
    }

    /// Accepts the result of the operation in progress. See [`AcquireLease::on_value`].
    ///
    /// # Errors
    /// Returns the operation's error, unless it is a write that may succeed later.
    pub(super) fn on_result(
        &mut self,
        io: &mut SessionIo,
        pipeline: &mut Pipeline,
        result: Result<Option<Vec<u8>>>,
    ) -> Result<Opened> {
        let (step, at) = match result {
            Ok(value) => (self.lease.on_value(value)?, None),
            Err(error) => self.after_failure(io, error)?,
        };
        self.advance(io, pipeline, step, at)
    }

    /// Acquires the next epoch for the same session.
    ///
    /// # Errors
    /// Returns the error that requires it if it occurs too often.
    pub(super) fn renew(
        &mut self,
        io: &mut SessionIo,
        pipeline: &mut Pipeline,
        renewal: Renewal,
    ) -> Result<Opened> {
        let now = io.now();
        let at = io.kv_mut().retry_at(now).ok_or(renewal.error)?;
        let step = self.lease.renew(renewal.current_at, renewal.stored_epoch)?;
        self.advance(io, pipeline, step, Some(at))
    }

    /// Deletes the keys that are obsolete once the lease is stored. If it could not be stored, the
    /// next writer deletes them.
    pub(super) fn lease_written(&mut self, io: &mut SessionIo, result: Result<()>) {
        let retired = std::mem::take(&mut self.retired);
        if result.is_ok() {
            io.delete(retired);
        }
    }

    /// Whether the upload has just been created: no other writer can exist.
    pub(super) const fn is_new_upload(&self) -> bool {
        self.lease.is_new()
    }

    /// Removes and returns the bytes of the tail; empty if none was read.
    pub(super) fn take_tail(&mut self) -> Vec<u8> {
        self.lease.take_tail()
    }

    /// What follows a failed operation, and when.
    fn after_failure(
        &mut self,
        io: &mut SessionIo,
        error: Error,
    ) -> Result<(LeaseStep, Option<UnixMillis>)> {
        if !may_succeed_later(&error) {
            return Err(error);
        }
        let now = io.now();
        let Some(at) = io.kv_mut().retry_at(now) else { return Err(error) };
        let writer = io.kv_mut().new_id();
        Ok((self.lease.compete_again(writer, error)?, Some(at)))
    }

    /// Starts what `step` needs, at the instant `at` if there is one.
    fn advance(
        &mut self,
        io: &mut SessionIo,
        pipeline: &mut Pipeline,
        mut step: LeaseStep,
        at: Option<UnixMillis>,
    ) -> Result<Opened> {
        loop {
            step = match step {
                LeaseStep::Kv(request) => {
                    let at = at.unwrap_or(io.now());
                    io.kv_mut().start_at(at, KvWaiter::Opening, request);
                    return Ok(Opened::Pending);
                }
                LeaseStep::Found { checkpoint, is_conclusive } => {
                    match self.ended_phase(pipeline, &checkpoint)? {
                        Some(phase) if is_conclusive => return Ok(Opened::Ended(phase)),
                        Some(_) => {}
                        None => drop(pipeline.check(&checkpoint)?),
                    }
                    self.lease.compete()?
                }
                LeaseStep::Elected => {
                    self.write_lease(io)?;
                    self.lease.search_again()?
                }
                LeaseStep::Renewed => {
                    self.write_lease(io)?;
                    pipeline.renewed(self.lease.holder());
                    return Ok(Opened::Pending);
                }
                LeaseStep::Acquired { epoch, checkpoint } => {
                    if let Some(phase) = self.ended_phase(pipeline, &checkpoint)? {
                        // Readers find the end conclusive once it is stored for this epoch.
                        pipeline.adopt((self.lease.holder(), io.now()), epoch, checkpoint);
                        return Ok(Opened::Ended(phase));
                    }
                    pipeline.start((self.lease.holder(), io.now()), epoch, &checkpoint)?;
                    match checkpoint.tail.filter(|_| pipeline.accepts_bytes()) {
                        Some(tail) => LeaseStep::Kv(self.lease.read_tail(tail)),
                        None => LeaseStep::TailRead,
                    }
                }
                LeaseStep::TailRead => return Ok(self.opened(pipeline)),
            }
        }
    }

    /// Starts to write the lease. Nothing waits for it, except for the end of the session: other
    /// writers find this one by its candidate.
    fn write_lease(&mut self, io: &mut SessionIo) -> Result<()> {
        let LeaseWrite { request, retired } = self.lease.lease_write(io.now())?;
        self.retired.extend(retired);
        io.start_kv(KvWaiter::Lease, request);
        Ok(())
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
