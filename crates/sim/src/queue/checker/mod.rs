//! The invariants of a run.
//!
//! Each module has one group of observations and the invariants about them. [`InvariantChecker`]
//! passes every event, call and state to them.

mod durable_offsets;
mod file_events;
mod limits;
mod multipart_uploads;
mod secrets;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

use vod_uploader::ErrorKind;
use vod_uploader::queue::{
    CheckpointLookup, Event, FileFingerprint, FileId, NewFile, OptionsInput, Progress, Queue,
    SessionId, Succeeded,
};
use vod_uploader::vod::MediaKind;

use self::durable_offsets::DurableOffsets;
use self::file_events::{FileEvents, is_complete};
use self::multipart_uploads::MultipartUploads;
use self::secrets::Secrets;
use super::in_flight::InFlight;
use super::session_input::SessionInput;
use crate::world::{KeyValueStore, ServiceCall, World, crc64};

/// The observations of a run.
#[derive(Debug, Default)]
pub(crate) struct InvariantChecker {
    offsets: DurableOffsets,
    events: FileEvents,
    uploads: MultipartUploads,
    secrets: Secrets,
    /// Names of the files that were uploaded.
    succeeded: BTreeSet<String>,
}

/// What an event is compared with.
pub(crate) struct EventContext<'a> {
    pub(crate) world: &'a World,
    pub(crate) options: &'a OptionsInput,
    /// What was added as the file of the event.
    pub(crate) new: &'a NewFile,
    /// The bytes of the file.
    pub(crate) bytes: &'a [u8],
    /// Whether the app uploads to its own bucket.
    pub(crate) is_direct: bool,
}

impl InvariantChecker {
    pub(crate) fn queue_created(&mut self) {
        self.events.queue_created();
        self.secrets.queue_created();
    }

    pub(crate) const fn run_started(&mut self) {
        self.events.run_started();
    }

    /// The queue has crashed.
    pub(crate) fn crash(&mut self, kv: &KeyValueStore) {
        self.uploads.retain_stored(kv);
    }

    /// What is stored of a file is or will be deleted.
    pub(crate) fn allow_restart(&mut self, name: &str) {
        self.offsets.allow_restart(name);
    }

    /// What is stored of any file may be deleted, and uploads may be left.
    pub(crate) fn allow_all_restarts(&mut self) {
        self.offsets.allow_all_restarts();
        self.uploads.allow_orphans();
    }

    /// What is stored of any file is deleted, and all uploads may be left.
    pub(crate) fn everything_lost(&mut self) {
        self.allow_all_restarts();
        self.uploads.clear();
    }

    /// What is stored of any file is deleted after some time.
    pub(crate) const fn set_checkpoints_expire(&mut self) {
        self.offsets.set_checkpoints_expire();
        self.uploads.allow_orphans();
    }

    /// The records of a file are deleted, and its parts are left, by contract.
    pub(crate) fn checkpoint_cleared(&mut self, name: &str) {
        self.offsets.allow_restart(name);
        self.uploads.allow_orphans_of(name);
    }

    /// A file is read from its start again.
    pub(crate) fn restart(&mut self, name: &str) {
        self.offsets.restart(name);
    }

    pub(crate) fn knows_uploads(&self) -> bool {
        !self.uploads.is_empty()
    }

    pub(crate) fn add_secret(&mut self, auth: &str) {
        self.secrets.add(auth);
    }

    /// Returns `true` if the file was reported as uploaded.
    pub(crate) fn has_succeeded(&self, name: &str) -> bool {
        self.succeeded.contains(name)
    }

    /// The file is uploaded once more, as another file.
    pub(crate) fn upload_again(&mut self, name: &str) {
        self.succeeded.remove(name);
        self.offsets.allow_restart(name);
    }

    pub(crate) fn requested_offset(&self, file: FileId) -> Option<u64> {
        self.events.requested_offset(file)
    }

    pub(crate) fn stream_ended(&mut self, file: FileId, offset: u64) {
        self.events.stream_ended(file, offset);
    }

    /// A late write takes effect. A write of a file's own record is not fenced: the record may
    /// refer to an upload that was never created.
    pub(crate) fn late_write_applied(&mut self, call: &ServiceCall) {
        if let ServiceCall::KvSet { key, .. } | ServiceCall::KvDelete { key } = call
            && key.starts_with("f.")
        {
            self.everything_lost();
            self.set_checkpoints_expire();
        }
    }

    /// The response to InitiateMultipartUpload has arrived.
    pub(crate) fn upload_created(&mut self, id: &str, name: &str) {
        self.uploads.created(id, name);
    }

    /// An upload may be left that the queue does not know.
    pub(crate) const fn allow_orphans(&mut self) {
        self.uploads.allow_orphans();
    }

    /// Checks a request that is sent.
    pub(crate) fn observe_call(&mut self, call: &ServiceCall) {
        if let ServiceCall::Send { request, .. } = call {
            Secrets::check_request(request);
        }
        self.uploads.observe_call(call);
    }

    /// Checks that a value is printed without a secret.
    pub(crate) fn check_no_secret(&self, value: &impl Debug) {
        self.secrets.check(value);
    }

    /// Checks that none of `senders` waits for a credential.
    pub(crate) fn check_senders(queue: &Queue, senders: &[FileId]) {
        if !senders.is_empty() {
            limits::check_senders(&queue.list_files(), senders);
        }
    }

    /// Checks the state after a step.
    pub(crate) fn check_state(
        &mut self,
        queue: &Queue,
        options: &OptionsInput,
        in_flight: &InFlight,
        inputs: &BTreeMap<SessionId, SessionInput>,
        kv: &mut KeyValueStore,
        reads_events: bool,
    ) {
        let files = queue.list_files();
        if reads_events {
            self.events.check_states(&files, queue.state());
        }
        limits::check_limits(options, &files, in_flight, inputs);
        limits::check_part_numbers(in_flight);
        self.secrets.check_state(queue, &files, kv);
    }

    /// Checks the state once nothing is pending except actions of the app.
    pub(crate) fn check_idle(&self, queue: &Queue, options: &OptionsInput, world: &World) {
        limits::check_waiting_for_app(options, &queue.list_files(), queue.state());
        self.uploads.check_reported_gone(&world.store);
    }

    /// Checks the state once every file is uploaded or canceled.
    pub(crate) fn check_nothing_left(&self, world: &World) {
        assert!(world.kv.values.is_empty(), "{:?} are left", world.kv.values.keys());
        self.uploads.check_nothing_left(&world.store);
    }

    /// Checks the end of a run.
    pub(crate) fn observe_run_end(&mut self, queue: &Queue) {
        self.events.observe_run_end(queue);
    }

    /// Checks an event of a file against its earlier events and the services.
    pub(crate) fn observe_event(&mut self, file: FileId, event: &Event, context: &EventContext) {
        let name = &context.new.name;
        let planned_kind = context.new.kind.unwrap_or(MediaKind::Video);
        let is_started = self.events.is_started(file);
        self.events.observe(file, event);
        match event {
            Event::UploadStarted { durable, kind, .. } => {
                if context.world.vod.has_just_rejected_media() {
                    self.offsets.allow_restart(name);
                }
                self.observe_durable(file, durable.bytes(), context);
                self.allow_replacement(*kind, context);
            }
            Event::SourceRequested { offset, .. } => {
                // A late write may have increased the stored offset.
                self.events.check_requested(file, offset.bytes(), stored_offset(context));
            }
            Event::Progress { progress, .. } => self.observe_progress(file, progress, context),
            // The next credential of an image is for another object.
            Event::TokenExpired(_) => self.allow_replacement(planned_kind, context),
            Event::Succeeded(succeeded) => self.observe_success(succeeded, context),
            Event::Failed { durable, error, .. } => {
                if error.kind() == ErrorKind::CompletionUnknown {
                    self.offsets.allow_restart(name);
                }
                // Before the start, the offset has not been read.
                if is_started {
                    self.observe_durable(file, durable.bytes(), context);
                }
                self.secrets.check(&error.to_string());
            }
            Event::Stopped { durable, .. } if is_started => {
                self.observe_durable(file, durable.bytes(), context);
            }
            Event::Canceled { leftover_error: leftovers, .. } => {
                self.offsets.remove(name);
                // An image may have had an earlier object, whose parts are not deleted.
                let is_only_object = planned_kind.can_refresh() || context.is_direct;
                if leftovers.is_none() && is_only_object {
                    self.uploads.canceled(name);
                } else {
                    self.checkpoint_cleared(name);
                }
            }
            _ => {}
        }
    }

    /// The next credential of an image is for another object.
    fn allow_replacement(&mut self, kind: MediaKind, context: &EventContext) {
        if !kind.can_refresh() && !context.is_direct {
            self.checkpoint_cleared(&context.new.name);
        }
    }

    /// An offset is reported as durable.
    fn observe_durable(&mut self, file: FileId, durable: u64, context: &EventContext) {
        let new = context.new;
        assert!(durable <= context.bytes.len() as u64, "{} is longer than the file", new.name);
        self.events.set_durable(file, durable);
        // VOD may issue the next credential of an image unrequested, for another object.
        let is_image = new.kind.is_some_and(|kind| !kind.can_refresh());
        let is_replaced = is_image && !context.is_direct;
        self.offsets.observe(&new.name, durable, stored_offset(context), is_replaced);
    }

    fn observe_progress(&mut self, file: FileId, progress: &Progress, context: &EventContext) {
        let len = context.bytes.len() as u64;
        assert!(progress.sent >= progress.durable);
        assert!(progress.sent.bytes() <= len);
        if context.new.size.is_some() {
            assert_eq!(progress.total, context.new.size);
        }
        if is_complete(progress) {
            assert_eq!(progress.durable.bytes(), len);
        } else {
            self.observe_durable(file, progress.durable.bytes(), context);
        }
    }

    fn observe_success(&mut self, succeeded: &Succeeded, context: &EventContext) {
        let name = &context.new.name;
        let stored = &context.world.store.objects[&succeeded.object];
        assert!(stored.bytes == context.bytes, "the object of {name} is not the file");
        assert_eq!(succeeded.crc64, crc64(context.bytes));
        assert_eq!(succeeded.size.bytes(), context.bytes.len() as u64);
        if let Some(id) = &succeeded.media_id
            && let Some(media) = context.world.vod.media.get(id)
            && context.new.object.is_none()
        {
            assert_eq!(media.object, succeeded.object, "{name} has the media id of another object");
        }
        if let Some(object) = &context.new.object {
            assert_eq!(*object, succeeded.object);
        }
        self.offsets.remove(name);
        self.uploads.remove(name);
        self.succeeded.insert(name.clone());
    }
}

/// The offset from which another queue would resume the file; `None` if it would not find it.
fn stored_offset(context: &EventContext) -> Option<u64> {
    let user_id = context.options.user_id.as_deref();
    let fingerprint = FileFingerprint::from_file(user_id, context.new)?;
    let mut lookup = CheckpointLookup::new(Some(&fingerprint), None);
    while let Some(key) = lookup.next_key() {
        lookup.feed(context.world.kv.values.get(&key).cloned()).unwrap();
    }
    let upload = lookup.finish().upload;
    Some(upload.map_or(0, |upload| upload.checkpoint.durable().bytes()))
}
