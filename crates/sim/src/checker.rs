//! What must hold after every step of any run.
//!
//! Here is what was seen so far, as far as it binds what may come; `event_invariants` has what an
//! event may say, `state_invariants` what must hold of the state between two events.

mod event_invariants;
mod state_invariants;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

use vod_uploader::oss::Request;
use vod_uploader::queue::{Event, FileId};

use crate::content::crc64;
use crate::operation::query;
use crate::simulation::PendingOperation;
use crate::vod::{SECRET, TOKEN};
use crate::{Kv, Operation};

/// What was seen so far.
#[derive(Debug, Default)]
pub(crate) struct InvariantChecker {
    /// What was told of each file, by its name, whichever queue told it.
    told: BTreeMap<String, FileObservations>,
    /// What was told of each file of this queue.
    lives: BTreeMap<FileId, QueueObservations>,
    /// Files that were uploaded whole, by their names.
    succeeded: BTreeSet<String>,
    /// A run was begun and its end has not come.
    run_is_open: bool,
    /// CRC of the bytes with which each part number of an upload was sent first.
    parts: BTreeMap<(String, String), u64>,
    /// Uploads that the queue knows to be on the store, and the name of their file.
    uploads: BTreeMap<String, String>,
    /// Uploads of which it was said that nothing is left over.
    said_to_be_gone: BTreeSet<String>,
    /// UploadAuths that were handed in last.
    handed_in: Vec<String>,
    /// Something may be left on the store that nobody can know of, or by the contract.
    orphans_allowed: bool,
    /// Checkpoints live so short that any file may begin again.
    forgets_old_files: bool,
    /// Where the files stood when the queue was printed last.
    printed_at: Vec<&'static str>,
    steps: u64,
}

/// What was told of a file.
#[derive(Debug, Default)]
struct FileObservations {
    /// The offset that was told as durable last.
    durable: u64,
    /// It may go back, because what was stored is gone.
    may_go_back: bool,
}

/// What was told of a file by this queue.
#[derive(Debug, Default)]
struct QueueObservations {
    /// The last event, where that was one that ends the file.
    end: Option<&'static str>,
    /// It was asked for a credential since it was started.
    is_started: bool,
    /// It was asked for another since then.
    is_expired: bool,
    /// It was said to be whole.
    is_whole: bool,
    /// How far the queue knows the file to be, since it was started.
    durable: Option<u64>,
    /// The offset that was wanted last.
    wanted: Option<u64>,
    /// Where a stream ended that did not reach the file's end.
    supplied_to: Option<u64>,
}

impl InvariantChecker {
    pub(crate) fn run_begins(&mut self) {
        self.run_is_open = true;
    }

    pub(crate) fn queue_begins(&mut self) {
        self.run_is_open = false;
        self.lives.clear();
        self.printed_at.clear();
    }

    /// The queue is gone: of uploads on the store, it is known what the key-value store knows.
    pub(crate) fn crash(&mut self, kv: &Kv) {
        let known = |id: &String| {
            let is_in = |value: &Vec<u8>| value.windows(id.len()).any(|part| part == id.as_bytes());
            kv.values.values().any(is_in)
        };
        self.uploads.retain(|id, _| known(id));
        self.orphans_allowed = true;
    }

    /// What is stored of a file is gone, or will be.
    pub(crate) fn may_start_again(&mut self, name: &str) {
        self.told.entry(name.to_owned()).or_default().may_go_back = true;
    }

    /// What is stored of any file may be gone.
    pub(crate) fn all_may_start_again(&mut self) {
        self.told.values_mut().for_each(|told| told.may_go_back = true);
        self.orphans_allowed = true;
    }

    /// What is stored of any file is gone after a while.
    pub(crate) fn forgets_old_files(&mut self) {
        self.forgets_old_files = true;
        self.orphans_allowed = true;
    }

    /// The file begins again from its start.
    pub(crate) fn offset_regressed(&mut self, name: &str) {
        let told = self.told.entry(name.to_owned()).or_default();
        assert!(told.may_go_back, "{name} is read again, and nothing of it was lost");
        told.durable = 0;
    }

    /// Parts of a file are left on the store, by the contract.
    pub(crate) fn allow_orphans(&mut self, name: &str) {
        self.uploads.retain(|_, of| of != name);
        self.orphans_allowed = true;
    }

    pub(crate) fn knows_uploads(&self) -> bool {
        !self.uploads.is_empty()
    }

    /// Any upload may be left on the store, by the contract.
    pub(crate) fn forget_uploads(&mut self) {
        self.uploads.clear();
    }

    pub(crate) fn keep_secret(&mut self, auth: &str) {
        if self.handed_in.len() == 4 {
            self.handed_in.remove(0);
        }
        self.handed_in.push(auth.to_owned());
    }

    /// True where a file was said to be uploaded whole.
    pub(crate) fn has_succeeded(&self, name: &str) -> bool {
        self.succeeded.contains(name)
    }

    /// A file is uploaded once more, as another.
    pub(crate) fn is_another(&mut self, name: &str) {
        self.succeeded.remove(name);
        self.may_start_again(name);
    }

    pub(crate) fn wanted_offset(&self, file: FileId) -> Option<u64> {
        self.lives.get(&file)?.wanted
    }

    pub(crate) fn stream_ended(&mut self, file: FileId, offset: u64) {
        self.lives.entry(file).or_default().supplied_to = Some(offset);
    }

    /// A write of a queue that is gone arrives. That to a file's own record is not fenced: it may
    /// name an upload that was never begun.
    pub(crate) fn late_write_applied(&mut self, stray: &PendingOperation) {
        if let PendingOperation::KvSet { key, .. } | PendingOperation::KvDelete { key, .. } = stray
            && key.starts_with("f.")
        {
            self.all_may_start_again();
            self.forget_uploads();
            self.forgets_old_files = true;
        }
    }

    /// The store's answer to the call that begins an upload has arrived.
    pub(crate) fn upload_begun(&mut self, id: &str, name: &str) {
        self.uploads.retain(|_, of| of != name);
        self.uploads.insert(id.to_owned(), name.to_owned());
    }

    /// An upload may be left on the store that nobody knows of, or that a file has left.
    pub(crate) fn something_may_be_left(&mut self) {
        self.orphans_allowed = true;
    }

    /// Fails where a part number is sent with other bytes than before, or a secret is printed.
    pub(crate) fn note_request(&mut self, request: &Request, body: Option<&[u8]>) {
        let printed = format!("{request:?}");
        let signature = request.header("authorization").unwrap_or(SECRET);
        let signature = signature.rsplit("Signature=").next().unwrap_or(SECRET);
        assert!(!printed.contains(signature), "a signature is printed: {printed}");
        let Some(body) = body.filter(|_| Operation::of(request) == Operation::UploadPart) else {
            return;
        };
        let query = query(request);
        let part = (query["uploadId"].clone(), query["partNumber"].clone());
        let crc = crc64(body);
        let first = *self.parts.entry(part.clone()).or_insert(crc);
        assert_eq!(crc, first, "part {part:?} is sent with other bytes than before");
    }

    /// Fails where a secret is printed.
    pub(crate) fn no_secret_in(&self, output: &impl Debug) {
        let printed = format!("{output:?}");
        let mut secrets =
            [SECRET, TOKEN].into_iter().chain(self.handed_in.iter().map(String::as_str));
        assert!(!secrets.any(|secret| printed.contains(secret)), "{printed}");
    }
}

/// The event that ends a file, by name.
const fn end_name(event: &Event) -> Option<&'static str> {
    match event {
        Event::Succeeded(_) => Some("success"),
        Event::Failed { .. } => Some("failure"),
        Event::Canceled { .. } => Some("canceled"),
        Event::Stopped { .. } => Some("stopped"),
        _ => None,
    }
}
