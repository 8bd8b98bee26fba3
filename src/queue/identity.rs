//! By what a file is known again: account, name, size, last modification and its edges.

use sha2::{Digest as _, Sha256};

use super::file::NewFile;

/// How many bytes of a file's start and of its end make up its edges: 64 KiB each.
pub const EDGE_BYTES: usize = 64 << 10;

/// The first and last [`EDGE_BYTES`] of a file, or all of it where it has fewer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edges {
    /// The first bytes.
    pub first: Vec<u8>,
    /// The last bytes.
    pub last: Vec<u8>,
}

/// What a file is known again by, as a digest: nobody reads names or contents from a key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FileIdentity(String);

impl FileIdentity {
    /// The identity of `file` in `account`; `None` where its size is not known, or neither when it
    /// was changed nor its edges: a name and a size alone are also another file's, and the upload
    /// of one must never be continued with the bytes of the other.
    #[must_use]
    pub fn of(account: Option<&str>, file: &NewFile) -> Option<Self> {
        let size = file.size?;
        if file.last_modified_ms.is_none() && file.edges.is_none() {
            return None;
        }
        let edges = file.edges.as_ref();
        let last_modified = file.last_modified_ms.map(u64::to_le_bytes);
        let fields = [
            account.map(str::as_bytes),
            Some(file.name.as_bytes()),
            Some(&size.bytes().to_le_bytes()[..]),
            last_modified.as_ref().map(|bytes| &bytes[..]),
            edges.map(|edges| &edges.first[..]),
            edges.map(|edges| &edges.last[..]),
            file.endpoint.as_deref().map(str::as_bytes),
            file.bucket.as_deref().map(str::as_bytes),
            file.object.as_deref().map(str::as_bytes),
        ];
        let mut digest = Sha256::new();
        for field in fields {
            // Each with its length ahead, so that no two lists of fields read the same.
            digest.update([u8::from(field.is_some())]);
            digest.update((field.map_or(0, <[u8]>::len) as u64).to_le_bytes());
            digest.update(field.unwrap_or_default());
        }
        let hex = |byte: &u8| format!("{byte:02x}");
        Some(Self(digest.finalize().iter().take(16).map(hex).collect()))
    }

    /// The key under which it stands which upload the file continues.
    #[must_use]
    pub fn key(&self) -> String {
        format!("f.{}.file", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
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
    fn the_same_file_is_known_again_and_no_other_is() {
        let edges = |first: &str| Edges { first: first.into(), last: "z".into() };
        let same = FileIdentity::of(Some("1"), &file());
        assert_eq!(same, FileIdentity::of(Some("1"), &file()));
        let others = [
            FileIdentity::of(None, &file()),
            FileIdentity::of(Some("2"), &file()),
            FileIdentity::of(Some("1"), &NewFile { name: "b.mp4".into(), ..file() }),
            FileIdentity::of(Some("1"), &NewFile { size: Some(ByteCount(6)), ..file() }),
            FileIdentity::of(Some("1"), &NewFile { last_modified_ms: Some(8), ..file() }),
            FileIdentity::of(Some("1"), &NewFile { edges: Some(edges("a")), ..file() }),
            FileIdentity::of(Some("1"), &NewFile { edges: Some(edges("b")), ..file() }),
            FileIdentity::of(Some("1"), &NewFile { object: Some("o".into()), ..file() }),
            FileIdentity::of(Some("1"), &NewFile { bucket: Some("o".into()), ..file() }),
        ];
        for (index, other) in others.iter().enumerate() {
            assert_ne!(*other, same, "{index}");
            assert!(others[..index].iter().all(|earlier| earlier != other), "{index}");
        }
    }

    #[test]
    fn what_could_be_another_file_has_no_identity() {
        assert_eq!(FileIdentity::of(None, &NewFile { size: None, ..file() }), None);
        assert_eq!(FileIdentity::of(None, &NewFile { last_modified_ms: None, ..file() }), None);
    }
}
