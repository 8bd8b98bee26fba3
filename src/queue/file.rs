//! A file of the list: what it is, within its limits.

use super::identity::{EDGE_BYTES, Edges, FileIdentity};
use crate::credential::check_object_key;
use crate::error::{Error, ErrorKind, Result};
use crate::units::{ByteCount, OBJECT_SIZE_MAX};
use crate::vod::{MediaKind, ParamData};

/// Longest name of a file, in bytes of UTF-8.
pub const NAME_BYTES_MAX: usize = 1_024;

/// A file as it was given to be added.
#[derive(Clone, Debug, Default)]
pub struct NewFile {
    /// Its name, with the extension: 1 to 1,024 bytes, without control characters.
    pub name: String,
    /// Its size, where it is known: at least one byte.
    pub size: Option<ByteCount>,
    /// What kind of media it is; `None`: by the extension.
    pub kind: Option<MediaKind>,
    /// When it was changed last, in milliseconds since the Unix epoch.
    pub last_modified_ms: Option<u64>,
    /// Its first and last bytes.
    pub edges: Option<Edges>,
    /// The endpoint, where it is to be another than the credential's.
    pub endpoint: Option<String>,
    /// The bucket, where it is to be another than the credential's.
    pub bucket: Option<String>,
    /// The object key, where it is to be another than the credential's.
    pub object: Option<String>,
    /// What VOD is told of the media in STS mode.
    pub param_data: Option<String>,
}

/// A file within its limits.
#[derive(Clone, Debug)]
pub(super) struct File {
    pub(super) name: String,
    pub(super) size: Option<ByteCount>,
    pub(super) kind: MediaKind,
    pub(super) identity: Option<FileIdentity>,
    pub(super) endpoint: Option<String>,
    pub(super) bucket: Option<String>,
    pub(super) object: Option<String>,
    pub(super) param_data: ParamData,
}

impl File {
    /// Checks a new file of the account `user_id`.
    ///
    /// # Errors
    /// [`ErrorKind::RequestInvalid`] with the field, [`ErrorKind::FileEmpty`],
    /// [`ErrorKind::FileTooLarge`].
    pub(super) fn new(user_id: Option<&str>, new: NewFile) -> Result<Self> {
        let plain = !new.name.chars().any(char::is_control);
        if !plain || !(1..=NAME_BYTES_MAX).contains(&new.name.len()) {
            let allowed = "1 to 1,024 bytes without control characters";
            return Err(Error::field_invalid("name", allowed));
        }
        if new.size.is_some_and(ByteCount::is_zero) {
            return Err(Error::new(ErrorKind::FileEmpty, "the file has no bytes"));
        }
        if let Some(size) = new.size.filter(|size| *size > OBJECT_SIZE_MAX) {
            let message = format!("the file has {size}; the store takes {OBJECT_SIZE_MAX} at most");
            return Err(Error::new(ErrorKind::FileTooLarge, message));
        }
        if let Some(edges) = &new.edges {
            edges_fit(edges, new.size)?;
        }
        let kind = match new.kind {
            Some(kind) => kind,
            None => MediaKind::from_file_name(&new.name)?,
        };
        let identity = FileIdentity::of(user_id, &new);
        Ok(Self {
            param_data: ParamData::parse(new.param_data.as_deref())?,
            name: new.name,
            size: new.size,
            kind,
            identity,
            endpoint: given("endpoint", new.endpoint)?,
            bucket: given("bucket", new.bucket)?,
            object: given("object", new.object)?.map(object_key).transpose()?,
        })
    }

    /// Whether a credential of this kind of media can be refreshed.
    pub(super) const fn is_refreshable(&self) -> bool {
        self.kind.can_refresh()
    }

    /// Checks that VOD's call for this kind of media can be made of the param-data.
    ///
    /// # Errors
    /// [`ErrorKind::RequestInvalid`] with the parameter.
    pub(super) fn check_param_data(&self) -> Result<()> {
        let media = &self.param_data;
        match self.kind {
            MediaKind::Video | MediaKind::Audio => {
                media.create_video(&self.name, self.size).map(drop)
            }
            MediaKind::Image => media.create_image(&self.name).map(drop),
            MediaKind::Auxiliary => media.create_attached_media(&self.name, self.size).map(drop),
        }
    }
}

/// The SDK takes an empty text for none.
fn given(name: &str, text: Option<String>) -> Result<Option<String>> {
    match text.filter(|text| !text.is_empty()) {
        Some(text) if text.chars().any(char::is_control) => {
            Err(Error::field_invalid(name, "without control characters"))
        }
        text => Ok(text),
    }
}

fn object_key(key: String) -> Result<String> {
    let allowed = "1 to 1,023 bytes, no leading slash or backslash, no segment '.' or '..'";
    check_object_key(&key).map_err(|_| Error::field_invalid("object", allowed))?;
    Ok(key)
}

fn edges_fit(edges: &Edges, size: Option<ByteCount>) -> Result<()> {
    let wanted = size.map(|size| {
        let whole = usize::try_from(size.bytes()).unwrap_or(usize::MAX);
        whole.min(EDGE_BYTES)
    });
    for (name, edge) in [("edges.first", &edges.first), ("edges.last", &edges.last)] {
        let fits = match wanted {
            Some(wanted) => edge.len() == wanted,
            None => edge.len() <= EDGE_BYTES,
        };
        if !fits {
            let allowed = "65,536 bytes of the file, or all of them where it has fewer";
            return Err(Error::field_invalid(name, allowed));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed assumption fails the test")]

    use super::*;

    fn file(name: &str) -> NewFile {
        NewFile { name: name.into(), size: Some(ByteCount(3)), ..NewFile::default() }
    }

    fn refused(new: NewFile) -> Error {
        File::new(None, new).unwrap_err()
    }

    #[test]
    fn the_kind_is_the_given_one_before_the_extensions() {
        assert_eq!(File::new(None, file("a.png")).unwrap().kind, MediaKind::Image);
        let given = NewFile { kind: Some(MediaKind::Video), ..file("a.gif") };
        assert_eq!(File::new(None, given).unwrap().kind, MediaKind::Video);
        assert_eq!(refused(file("a.gif")).kind(), ErrorKind::RequestInvalid);
    }

    #[test]
    fn a_name_outside_its_limits_is_named() {
        for name in [String::new(), "a\n.mp4".into(), format!("{}.mp4", "a".repeat(1_021))] {
            assert_eq!(refused(file(&name)).field().unwrap().name, "name");
        }
        assert!(File::new(None, file(&format!("{}.mp4", "a".repeat(1_020)))).is_ok());
    }

    #[test]
    fn a_size_outside_its_limits_is_refused() {
        let of_size = |bytes| NewFile { size: Some(ByteCount(bytes)), ..file("a.mp4") };
        assert_eq!(refused(of_size(0)).kind(), ErrorKind::FileEmpty);
        let too_large = OBJECT_SIZE_MAX.bytes() + 1;
        assert_eq!(refused(of_size(too_large)).kind(), ErrorKind::FileTooLarge);
        assert!(File::new(None, of_size(OBJECT_SIZE_MAX.bytes())).is_ok());
    }

    #[test]
    fn edges_are_as_long_as_they_must_be() {
        let with = |first: usize, size: Option<u64>| NewFile {
            edges: Some(Edges { first: vec![1; first], last: vec![2; first] }),
            size: size.map(ByteCount),
            ..file("a.mp4")
        };
        assert!(File::new(None, with(EDGE_BYTES, Some(1 << 20))).is_ok());
        assert!(File::new(None, with(3, Some(3))).is_ok());
        for wrong in [with(4, Some(3)), with(10, Some(1 << 20)), with(EDGE_BYTES + 1, None)] {
            assert_eq!(refused(wrong).field().unwrap().name, "edges.first");
        }
    }

    #[test]
    fn an_empty_override_is_none_and_one_with_control_characters_is_refused() {
        let with = |bucket: &str| NewFile { bucket: Some(bucket.into()), ..file("a.mp4") };
        assert_eq!(File::new(None, with("")).unwrap().bucket, None);
        assert_eq!(refused(with("a\r\nb")).field().unwrap().name, "bucket");
    }
}
