//! The keys of an upload's records in the key-value store.
//!
//! `[A-Za-z0-9._-]` and at most 100 bytes: within the limits of every provider that Spin documents
//! (SQLite 256 bytes, Cosmos DB 255 characters without `/ \ ? #`).

use super::lease::Turn;

/// The id of an upload: what clients see in its address. 1 to 64 characters of `[A-Za-z0-9_-]`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct UploadKey(String);

impl UploadKey {
    /// The id in `text`, or `None` where it is not one.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        ((1..=64).contains(&text.len()) && text.bytes().all(plain)).then(|| Self(text.to_owned()))
    }

    /// A new id from 128 random bits, which makes it unguessable.
    #[must_use]
    pub fn from_random(bits: u128) -> Self {
        Self(format!("{bits:032x}"))
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What the upload is.
    #[must_use]
    pub fn upload(&self) -> String {
        format!("u.{}.upload", self.0)
    }

    /// The upload whose [`UploadKey::upload`] has this name, if one has.
    #[must_use]
    pub fn of_upload_record(name: &str) -> Option<Self> {
        Self::new(name.strip_prefix("u.")?.strip_suffix(".upload")?)
    }

    /// Who writes.
    #[must_use]
    pub fn lease(&self) -> String {
        format!("u.{}.lease", self.0)
    }

    /// The credential, sealed.
    #[must_use]
    pub fn credential(&self) -> String {
        format!("u.{}.credential", self.0)
    }

    /// A random mark that whoever wants the present writer to stop writes anew.
    #[must_use]
    pub fn stop(&self) -> String {
        format!("u.{}.stop", self.0)
    }

    /// There while the upload is paused.
    #[must_use]
    pub fn pause(&self) -> String {
        format!("u.{}.pause", self.0)
    }

    /// When a writer was last at work that may not have finished a part since.
    #[must_use]
    pub fn alive(&self) -> String {
        format!("u.{}.alive", self.0)
    }

    /// The digest of the bytes so far, where its client has asked for that of the whole.
    #[must_use]
    pub fn digest(&self) -> String {
        format!("u.{}.digest", self.0)
    }

    /// The upload that this one becomes a part of, once that is known.
    #[must_use]
    pub fn joined_into(&self) -> String {
        format!("u.{}.final", self.0)
    }

    /// How far the winner of an epoch got.
    #[must_use]
    pub fn checkpoint(&self, epoch: u32) -> String {
        format!("u.{}.c.{epoch}", self.0)
    }

    /// Who bids for an epoch.
    pub(super) fn bid(&self, epoch: u32) -> String {
        format!("u.{}.b.{epoch}", self.0)
    }

    /// Whether an epoch can still be won: the key is absent as long as it can.
    pub(super) fn door(&self, epoch: u32) -> String {
        format!("u.{}.d.{epoch}", self.0)
    }

    /// The ETags of part numbers 256 × `page` + 1 to 256 × (`page` + 1), as one writer found them.
    #[must_use]
    pub fn etag_page(&self, page: u8, turn: Turn) -> String {
        format!("u.{}.e.{page}.{}.{:016x}", self.0, turn.epoch, turn.writer)
    }

    /// The bytes at the end of a request that are too few for a part.
    #[must_use]
    pub fn tail(&self, turn: Turn, serial: u32) -> String {
        format!("u.{}.t.{}.{:016x}.{serial}", self.0, turn.epoch, turn.writer)
    }
}
