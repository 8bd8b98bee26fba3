//! What the clients sent, and what they were told of it: the promises that have to be kept.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Instant;

use vod_uploader_component_tests::source::Source;

use crate::world::lock;

/// Every file that was begun, by its name: each has a name of its own, which VOD is told.
#[derive(Default)]
pub(crate) struct Ledger {
    files: Mutex<BTreeMap<String, FileEntry>>,
    addresses: Mutex<Vec<Address>>,
}

/// A file that a client sent or began to send.
#[derive(Clone, Debug)]
pub(crate) struct FileEntry {
    pub(crate) size: u64,
    /// In decimal, as OSS writes it.
    pub(crate) crc64: String,
    pub(crate) promise: Promise,
    pub(crate) keeping: Keeping,
    pub(crate) begun: Instant,
    /// When its client gave it up or was told that it is whole.
    pub(crate) ended: Option<Instant>,
}

/// What the client of a file was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Promise {
    /// Nothing: it may be there or not. If it is, it is whole.
    None,
    /// It is stored.
    Stored,
    /// It was deleted before it was whole.
    Deleted,
}

/// What is to become of a file whose client is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keeping {
    /// It comes in one request or not at all: the worker gives it up by itself.
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

impl Ledger {
    /// A client begins to send `source`.
    pub(crate) fn begun(&self, file_name: &str, source: &Source, keeping: Keeping) {
        let entry = FileEntry {
            size: source.length(),
            crc64: source.crc64(),
            promise: Promise::None,
            keeping,
            begun: Instant::now(),
            ended: None,
        };
        lock(&self.files).insert(file_name.to_owned(), entry);
    }

    /// A client learns an upload's address.
    pub(crate) fn addressed(&self, path: &str, file_name: Option<&str>) {
        let address = Address { path: path.to_owned(), file_name: file_name.map(str::to_owned) };
        lock(&self.addresses).push(address);
    }

    /// A client is told that its file is stored, or that it is deleted.
    pub(crate) fn promised(&self, file_name: &str, promise: Promise) {
        self.change(file_name, |entry| {
            entry.promise = promise;
            entry.ended = Some(Instant::now());
        });
    }

    /// A client gives its file up.
    pub(crate) fn given_up(&self, file_name: &str) {
        self.change(file_name, |entry| entry.ended = Some(Instant::now()));
    }

    pub(crate) fn files(&self) -> BTreeMap<String, FileEntry> {
        lock(&self.files).clone()
    }

    pub(crate) fn addresses(&self) -> Vec<Address> {
        lock(&self.addresses).clone()
    }

    fn change(&self, file_name: &str, change: impl FnOnce(&mut FileEntry)) {
        change(lock(&self.files).get_mut(file_name).expect("a file that was begun"));
    }
}

/// The offset of one upload, as its client knows it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Told {
    highest: u64,
}

impl Told {
    /// The highest offset that the client was told.
    pub(crate) const fn highest(self) -> u64 {
        self.highest
    }

    /// An answer that may have been overtaken by others.
    pub(crate) fn heard(&mut self, offset: u64) {
        self.highest = self.highest.max(offset);
    }

    /// The answer to a question that was put after all else had been heard. `granularity` is what
    /// the protocol rounds offsets down to.
    ///
    /// # Errors
    /// Where it is lower than what was told before.
    pub(crate) fn answered(&mut self, offset: u64, granularity: u64) -> Result<(), String> {
        let due = self.highest - self.highest % granularity;
        if offset < due {
            return Err(format!("HEAD tells {offset} after {} was acknowledged", self.highest));
        }
        self.heard(offset);
        Ok(())
    }
}
