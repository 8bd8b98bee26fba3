//! What the clients sent and which acknowledgments they received: the state that the store must
//! have.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Instant;

use vod_uploader_component_tests::source::Source;

use crate::context::lock;

/// All started files by their unique names, which VOD receives.
#[derive(Default)]
pub(crate) struct ExpectedState {
    files: Mutex<BTreeMap<String, FileEntry>>,
    addresses: Mutex<Vec<Address>>,
}

/// A file that a client sends or has sent.
#[derive(Clone, Debug)]
pub(crate) struct FileEntry {
    pub(crate) size: u64,
    /// In decimal, as OSS writes it.
    pub(crate) crc64: String,
    pub(crate) acknowledgment: Acknowledgment,
    pub(crate) retention: Retention,
    pub(crate) started: Instant,
    /// When its client abandoned it or received an acknowledgment.
    pub(crate) ended: Option<Instant>,
}

/// The final acknowledgment that the client of a file received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Acknowledgment {
    /// None: the file may be stored. If it is, it is complete.
    None,
    /// It is stored.
    Stored,
    /// It was deleted before it was complete.
    Deleted,
}

/// How long an upload is kept after its client has gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Retention {
    /// The file is sent in one request: the worker aborts it when the request ends.
    OneRequest,
    /// It is kept until it expires.
    UntilExpired,
}

/// An upload that a client knows the address of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    pub(crate) path: String,
    /// The file that it is for; `None` for a partial upload.
    pub(crate) file_name: Option<String>,
}

impl ExpectedState {
    /// A client starts to send `source`.
    pub(crate) fn start(&self, file_name: &str, source: &Source, retention: Retention) {
        let entry = FileEntry {
            size: source.length(),
            crc64: source.crc64(),
            acknowledgment: Acknowledgment::None,
            retention,
            started: Instant::now(),
            ended: None,
        };
        lock(&self.files).insert(file_name.to_owned(), entry);
    }

    /// A client receives the address of an upload.
    pub(crate) fn add_address(&self, path: &str, file_name: Option<&str>) {
        let address = Address { path: path.to_owned(), file_name: file_name.map(str::to_owned) };
        lock(&self.addresses).push(address);
    }

    /// A client receives the acknowledgment that its file is stored or deleted.
    pub(crate) fn acknowledge(&self, file_name: &str, acknowledgment: Acknowledgment) {
        self.change(file_name, |entry| {
            entry.acknowledgment = acknowledgment;
            entry.ended = Some(Instant::now());
        });
    }

    /// A client abandons its file.
    pub(crate) fn abandon(&self, file_name: &str) {
        self.change(file_name, |entry| entry.ended = Some(Instant::now()));
    }

    pub(crate) fn files(&self) -> BTreeMap<String, FileEntry> {
        lock(&self.files).clone()
    }

    pub(crate) fn addresses(&self) -> Vec<Address> {
        lock(&self.addresses).clone()
    }

    fn change(&self, file_name: &str, change: impl FnOnce(&mut FileEntry)) {
        change(lock(&self.files).get_mut(file_name).expect("a started file"));
    }
}

/// The offset of one upload, as its client knows it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct OffsetHistory {
    highest: u64,
}

impl OffsetHistory {
    /// The highest offset that the client received.
    pub(crate) const fn highest(self) -> u64 {
        self.highest
    }

    /// Adds an offset from a response, which newer responses may have overtaken.
    pub(crate) fn acknowledged(&mut self, offset: u64) {
        self.highest = self.highest.max(offset);
    }

    /// Checks the response to a HEAD that was sent after all other responses had arrived.
    /// `granularity` is the multiple, in bytes, that the protocol rounds offsets down to.
    ///
    /// # Errors
    /// Returns an error if the offset has decreased.
    pub(crate) fn verify(&mut self, offset: u64, granularity: u64) -> Result<(), String> {
        let due = self.highest - self.highest % granularity;
        if offset < due {
            return Err(format!("HEAD returned {offset} after {} was acknowledged", self.highest));
        }
        self.acknowledged(offset);
        Ok(())
    }
}
