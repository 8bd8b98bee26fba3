//! Known leftovers of a run, each with its reason. Runs count them; nothing else may be left.

use std::fmt;

use vod_uploader::upload::UploadId;

use super::simulation::Simulation;

/// Something that is left after all uploads have expired.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Leftover {
    /// A key of the key-value store.
    Key(String),
    /// A multipart upload on OSS.
    MultipartUpload { part_count: usize },
    /// An object of a partial upload on OSS.
    TemporaryObject(String),
}

/// A known reason for a leftover.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum KnownException {
    /// The cleanup finds uploads by their upload records. That record is written last and deleted
    /// first, so that no request finds an incomplete upload. An instance that crashes in between,
    /// and a write that takes effect after the deletion, leave records that are never listed again.
    RecordWithoutUpload,
    /// A tail is written before the checkpoint that refers to it, and replaced after that. An
    /// instance that crashes in between leaves a tail that no checkpoint refers to.
    TailWithoutCheckpoint,
    /// The registers of the lock for creating a FilePond upload are deleted by their holder, or
    /// with the transfer. A crash in between, and a write that takes effect after the deletion,
    /// leave registers that no other key refers to.
    LockRegister,
    /// An instance that crashes between InitiateMultipartUpload and the checkpoint that stores the
    /// upload ID leaves a multipart upload without parts, which the bucket's lifecycle rule
    /// deletes.
    EmptyMultipartUpload,
    /// A session sends each abort twice. If a gateway answers both with 204 in place of OSS, the
    /// multipart upload stays, and the bucket's lifecycle rule deletes it.
    FalseAbort,
    /// The credential of a client has expired with its upload, and the worker has no other for its
    /// object: the bucket's lifecycle rule deletes the parts.
    PartsWithoutCredential,
    /// A request that an instance sent before it crashed may store the object of a partial upload
    /// after another instance has deleted it. No record refers to the object then; the bucket's
    /// lifecycle rule deletes it.
    LateTemporaryObject,
}

impl KnownException {
    /// The reason for `leftover`, if it is known. `all` are all leftovers of the run.
    pub(super) fn of(
        leftover: &Leftover,
        all: &[Leftover],
        simulation: &Simulation,
    ) -> Option<Self> {
        let world = simulation.environment.world.borrow();
        let false_aborts = world.store.false_aborts;
        let has_client_credentials = world.app_server.has_created_media();
        match leftover {
            Leftover::Key(key) => Self::of_key(key, all),
            Leftover::MultipartUpload { part_count: 0 } => Some(Self::EmptyMultipartUpload),
            Leftover::MultipartUpload { .. } if false_aborts > 1 => Some(Self::FalseAbort),
            Leftover::MultipartUpload { .. } if has_client_credentials => {
                Some(Self::PartsWithoutCredential)
            }
            Leftover::TemporaryObject(_) if simulation.crashes() > 0 => {
                Some(Self::LateTemporaryObject)
            }
            Leftover::MultipartUpload { .. } | Leftover::TemporaryObject(_) => None,
        }
    }

    fn of_key(key: &str, all: &[Leftover]) -> Option<Self> {
        let (id, kind) = key.strip_prefix("u.")?.split_once('.')?;
        let has = |record: String| all.contains(&Leftover::Key(record));
        let id = UploadId::new(id)?;
        if has(id.record_key()) || has(format!("u.{}.filepond", id.as_str())) {
            return None;
        }
        match kind.split('.').next()? {
            "t" => Some(Self::TailWithoutCheckpoint),
            "filepond" => Some(Self::LockRegister),
            "lease" | "credential" | "stop" | "pause" | "alive" | "digest" | "final" | "b"
            | "c" | "d" => Some(Self::RecordWithoutUpload),
            _ => None,
        }
    }
}

impl fmt::Display for Leftover {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(key) => f.write_str(key),
            Self::MultipartUpload { part_count } => {
                write!(f, "a multipart upload with {part_count} parts")
            }
            Self::TemporaryObject(key) => f.write_str(key),
        }
    }
}
