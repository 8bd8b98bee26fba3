//! File fingerprints: a file is recognized by account, name, size, modification time and content
//! samples.

use sha2::{Digest as _, Sha256};

use crate::queue::interface::NewFile;

/// The fingerprint of a file: a digest, so that keys reveal neither names nor contents.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FileFingerprint(String);

impl FileFingerprint {
    /// Computes the fingerprint of `file` in `account`.
    ///
    /// `None` if the size is unknown, or if both the modification time and the content samples
    /// are: different files may share a name and a size, and an upload must never continue with
    /// the bytes of another file.
    #[must_use]
    pub fn from_file(account: Option<&str>, file: &NewFile) -> Option<Self> {
        let size = file.size?;
        if file.last_modified_ms.is_none() && file.content_sample.is_none() {
            return None;
        }
        let sample = file.content_sample.as_ref();
        let last_modified = file.last_modified_ms.map(u64::to_le_bytes);
        let fields = [
            account.map(str::as_bytes),
            Some(file.name.as_bytes()),
            Some(&size.bytes().to_le_bytes()[..]),
            last_modified.as_ref().map(|bytes| &bytes[..]),
            sample.map(|sample| &sample.first[..]),
            sample.map(|sample| &sample.last[..]),
            file.endpoint.as_deref().map(str::as_bytes),
            file.bucket.as_deref().map(str::as_bytes),
            file.object.as_deref().map(str::as_bytes),
        ];
        let mut digest = Sha256::new();
        for field in fields {
            // Prefixed with its length, so that different lists of fields have different digests.
            digest.update([u8::from(field.is_some())]);
            digest.update((field.map_or(0, <[u8]>::len) as u64).to_le_bytes());
            digest.update(field.unwrap_or_default());
        }
        let hex = |byte: &u8| format!("{byte:02x}");
        Some(Self(digest.finalize().iter().take(16).map(hex).collect()))
    }

    /// Returns the key of the file record, which identifies the upload that the file continues.
    #[must_use]
    pub fn key(&self) -> String {
        format!("f.{}.file", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queue::interface::ContentSample;
    use crate::units::ByteCount;

    fn file() -> NewFile {
        NewFile {
            name: "a.mp4".into(),
            size: Some(ByteCount(5)),
            last_modified_ms: Some(7),
            ..NewFile::default()
        }
    }

    #[test]
    fn the_same_file_has_the_same_fingerprint_and_others_differ() {
        let sample = |first: &str| ContentSample { first: first.into(), last: "z".into() };
        let same = FileFingerprint::from_file(Some("1"), &file());
        assert_eq!(same, FileFingerprint::from_file(Some("1"), &file()));
        let others = [
            FileFingerprint::from_file(None, &file()),
            FileFingerprint::from_file(Some("2"), &file()),
            FileFingerprint::from_file(Some("1"), &NewFile { name: "b.mp4".into(), ..file() }),
            FileFingerprint::from_file(Some("1"), &NewFile { size: Some(ByteCount(6)), ..file() }),
            FileFingerprint::from_file(Some("1"), &NewFile { last_modified_ms: Some(8), ..file() }),
            FileFingerprint::from_file(
                Some("1"),
                &NewFile { content_sample: Some(sample("a")), ..file() },
            ),
            FileFingerprint::from_file(
                Some("1"),
                &NewFile { content_sample: Some(sample("b")), ..file() },
            ),
            FileFingerprint::from_file(Some("1"), &NewFile { object: Some("o".into()), ..file() }),
            FileFingerprint::from_file(Some("1"), &NewFile { bucket: Some("o".into()), ..file() }),
        ];
        for (index, other) in others.iter().enumerate() {
            assert_ne!(*other, same, "{index}");
            assert!(others[..index].iter().all(|earlier| earlier != other), "{index}");
        }
    }

    #[test]
    fn a_file_that_could_be_another_one_has_no_fingerprint() {
        assert_eq!(FileFingerprint::from_file(None, &NewFile { size: None, ..file() }), None);
        assert_eq!(
            FileFingerprint::from_file(None, &NewFile { last_modified_ms: None, ..file() }),
            None
        );
    }
}
