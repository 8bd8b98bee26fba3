//! The keys of an upload's records in the key-value store; their creation and deletion.
//!
//! Every key matches `[A-Za-z0-9._-]{1,100}`, which is within the limits of all providers that Spin
//! documents (SQLite: 256 bytes; Cosmos DB: 255 characters without `/ \ ? #`).

use super::checkpoint::Checkpoint;
use super::election::Registers;
use super::lease::{Lease, WriterEpoch};
use super::upload_record::UploadRecord;
use crate::error::Result;

/// The ID of an upload, which is part of its URL: 1 to 64 characters of `[A-Za-z0-9_-]`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct UploadId(String);

/// A write to the key-value store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordWrite {
    /// The key.
    pub key: String,
    /// The value.
    pub value: Vec<u8>,
}

/// The keys to delete so that nothing of an upload remains. Some of them may not exist.
///
/// They are deleted stage by stage. Each stage but the first is found with the records of a later
/// one, so that a deletion that stops halfway can be repeated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordDeletion {
    stages: Vec<Vec<String>>,
}

impl RecordWrite {
    /// Returns the writes that create an upload without bytes, in order: a reader that finds the
    /// upload record finds the other one, too.
    ///
    /// # Errors
    /// Returns [`ErrorKind::Internal`](crate::ErrorKind::Internal), which no record causes.
    pub fn for_new_upload(upload: &UploadId, record: &UploadRecord) -> Result<[Self; 2]> {
        Ok([
            Self { key: upload.lease_key(), value: Lease::unheld().encode()? },
            Self { key: upload.record_key(), value: record.encode()? },
        ])
    }
}

impl RecordDeletion {
    /// Returns all keys of an upload, given its lease, the last epoch that is known to have a
    /// competitor, and the last checkpoint. Without the lease, its checkpoints and registers
    /// remain; without the checkpoint, its ETag pages and its tail.
    #[must_use]
    pub fn new(
        upload: &UploadId,
        lease: Option<&Lease>,
        current_epoch: u32,
        last: Option<&Checkpoint>,
    ) -> Self {
        let mut contents = vec![
            upload.credential_key(),
            upload.stop_key(),
            upload.pause_key(),
            upload.heartbeat_key(),
            upload.digest_key(),
            upload.final_upload_key(),
        ];
        if let Some(last) = last {
            contents.extend(
                last.full_pages.iter().map(|page| upload.etag_page_key(page.page, page.writer)),
            );
            contents.extend(last.tail.map(|tail| upload.tail_key(tail.writer, tail.serial)));
        }
        // Without the upload record, no reader finds the upload.
        let mut stages = vec![vec![upload.record_key()], contents];
        if let Some(lease) = lease {
            let epochs = lease.oldest_epoch..=current_epoch.saturating_add(1);
            let registers = |epoch| upload.registers(epoch);
            let of_lease = epochs.clone().filter(|epoch| *epoch <= lease.holder.epoch);
            stages.push(
                epochs
                    .clone()
                    .flat_map(|epoch| {
                        [upload.checkpoint_key(epoch), registers(epoch).into_closed()]
                    })
                    .chain(of_lease.map(|epoch| registers(epoch).into_candidate()))
                    .collect(),
            );
            // The epochs after that of the lease are found by their candidates, one after the
            // other.
            let later = epochs.rev().take_while(|epoch| *epoch > lease.holder.epoch);
            stages.extend(later.map(|epoch| vec![registers(epoch).into_candidate()]));
        }
        stages.push(vec![upload.lease_key()]);
        Self { stages }
    }

    /// Returns the keys in the order of their deletion: those of one stage in any order, and before
    /// those of the next one.
    pub fn stages(self) -> impl Iterator<Item = Vec<String>> {
        self.stages.into_iter().filter(|keys| !keys.is_empty())
    }
}

impl UploadId {
    /// Parses an ID; `None` if `text` is not one.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        ((1..=64).contains(&text.len()) && text.bytes().all(plain)).then(|| Self(text.to_owned()))
    }

    /// Creates an ID from 128 random bits, which makes it unguessable.
    #[must_use]
    pub fn from_random(bits: u128) -> Self {
        Self(format!("{bits:032x}"))
    }

    /// Returns the ID as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the key of the [`UploadRecord`].
    #[must_use]
    pub fn record_key(&self) -> String {
        self.key("upload")
    }

    /// Parses the key of an [`UploadRecord`]; `None` if `key` is another key.
    #[must_use]
    pub fn from_record_key(key: &str) -> Option<Self> {
        Self::new(key.strip_prefix("u.")?.strip_suffix(".upload")?)
    }

    /// Returns the key of the [`Lease`].
    #[must_use]
    pub fn lease_key(&self) -> String {
        self.key("lease")
    }

    /// Returns the key of the sealed credential.
    #[must_use]
    pub fn credential_key(&self) -> String {
        self.key("credential")
    }

    /// Returns the key of the stop signal: a random value that is replaced to stop the writer.
    #[must_use]
    pub fn stop_key(&self) -> String {
        self.key("stop")
    }

    /// Returns the key that exists while the upload is paused.
    #[must_use]
    pub fn pause_key(&self) -> String {
        self.key("pause")
    }

    /// Returns the key of the heartbeat of an active writer.
    #[must_use]
    pub fn heartbeat_key(&self) -> String {
        self.key("alive")
    }

    /// Returns the key of the state of the representation digest.
    #[must_use]
    pub fn digest_key(&self) -> String {
        self.key("digest")
    }

    /// Returns the key of the ID of the final upload that contains a partial upload.
    #[must_use]
    pub fn final_upload_key(&self) -> String {
        self.key("final")
    }

    /// Returns the key of the checkpoint of the writer that acquired `epoch`.
    #[must_use]
    pub fn checkpoint_key(&self, epoch: u32) -> String {
        self.key(&format!("c.{epoch}"))
    }

    /// Returns the key of the ETags of part numbers 256 × `page` + 1 to 256 × (`page` + 1), as
    /// written by `writer`.
    #[must_use]
    pub(super) fn etag_page_key(&self, page: u8, writer: WriterEpoch) -> String {
        self.key(&format!("e.{page}.{}.{:016x}", writer.epoch, writer.writer))
    }

    /// Returns the key of a [`Tail`](super::Tail), as written by `writer`.
    #[must_use]
    pub(super) fn tail_key(&self, writer: WriterEpoch, serial: u32) -> String {
        self.key(&format!("t.{}.{:016x}.{serial}", writer.epoch, writer.writer))
    }

    /// Returns the keys of an epoch: its election registers and its checkpoint, which remains if a
    /// writer stops before it has deleted the one that its own replaces.
    pub(super) fn epoch_keys(&self, epoch: u32) -> [String; 3] {
        let [candidate, closed] = self.registers(epoch).into_keys();
        [candidate, closed, self.checkpoint_key(epoch)]
    }

    /// Returns the election registers of `epoch`.
    pub(super) fn registers(&self, epoch: u32) -> Registers {
        Registers::new(&self.key("b"), &self.key("d"), epoch)
    }

    fn key(&self, name: &str) -> String {
        format!("u.{}.{name}", self.0)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed assumption fails the test")]

    use super::*;
    use crate::upload::{EtagPageRef, Tail};

    #[test]
    fn key_strings_of_an_upload_are_those_of_existing_records() {
        let upload = UploadId::new("id").unwrap();
        let writer = WriterEpoch { epoch: 20, writer: 0xab };
        let lease = Lease { holder: writer, oldest_epoch: 19, ..Lease::unheld() };
        let mut last = Checkpoint::empty();
        last.full_pages.push(EtagPageRef { page: 2, writer });
        last.tail = Some(Tail { writer, serial: 3, len_bytes: 1, crc64: 0 });
        let deletion = RecordDeletion::new(&upload, Some(&lease), 21, Some(&last));
        let stages: Vec<_> = deletion.stages().collect();
        let keys = |names: &[&str]| -> Vec<String> {
            names.iter().map(|name| format!("u.id.{name}")).collect()
        };
        let named = ["credential", "stop", "pause", "alive", "digest", "final"];
        let bytes = ["e.2.20.00000000000000ab", "t.20.00000000000000ab.3"];
        let epochs = ["c.19", "d.19", "c.20", "d.20", "c.21", "d.21", "c.22", "d.22"];
        let expected: [&[&str]; 6] = [
            &["upload"],
            &[&named[..], &bytes].concat(),
            &[&epochs[..], &["b.19", "b.20"]].concat(),
            &["b.22"],
            &["b.21"],
            &["lease"],
        ];
        assert_eq!(stages, expected.map(keys));
    }

    #[test]
    fn an_upload_is_created_with_its_upload_record_last() {
        use crate::upload::{Target, UploadKind};
        let upload = UploadId::new("id").unwrap();
        let target = Target {
            endpoint: "oss-cn-shanghai.aliyuncs.com".into(),
            bucket: "b".into(),
            object: "o".into(),
            region: None,
            cname: false,
            signature_v1: false,
        };
        let record = UploadRecord {
            created_at_ms: 1,
            file_name: "f".into(),
            length_bytes: None,
            media_id: String::new(),
            target,
            content_type: None,
            client_metadata: None,
            credential_from_vod: false,
            kind: UploadKind::Regular,
        };
        let [lease, last] = RecordWrite::for_new_upload(&upload, &record).unwrap();
        assert_eq!(
            (lease.key, Lease::decode(&lease.value)),
            (upload.lease_key(), Ok(Lease::unheld()))
        );
        assert_eq!(
            (last.key, UploadRecord::decode(&last.value)),
            (upload.record_key(), Ok(record))
        );
    }
}
