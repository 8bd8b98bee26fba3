//! A file of the list after its parameters were validated.

use crate::credential::{UploadAddress, check_object_key};
use crate::error::{Error, ErrorKind, Result};
use crate::queue::interface::{ContentSample, NAME_BYTES_MAX, NewFile, SAMPLE_BYTES};
use crate::queue::records::FileFingerprint;
use crate::units::{ByteCount, OBJECT_SIZE_MAX, UnixMillis};
use crate::upload::{Target, UploadKind, UploadRecord};
use crate::vod::{MediaKind, ParamData};

/// A file whose parameters are valid.
#[derive(Clone, Debug)]
pub(in crate::queue) struct ValidatedFile {
    name: String,
    size: Option<ByteCount>,
    kind: MediaKind,
    fingerprint: Option<FileFingerprint>,
    endpoint: Option<String>,
    bucket: Option<String>,
    object: Option<String>,
    param_data: ParamData,
}

impl ValidatedFile {
    /// Validates a new file of the account `user_id`.
    ///
    /// # Errors
    /// Returns [`ErrorKind::RequestInvalid`] with the field, [`ErrorKind::FileEmpty`] or
    /// [`ErrorKind::FileTooLarge`].
    pub(in crate::queue) fn new(user_id: Option<&str>, new: NewFile) -> Result<Self> {
        let printable = !new.name.chars().any(char::is_control);
        if !printable || !(1..=NAME_BYTES_MAX).contains(&new.name.len()) {
            let allowed = "1 to 1,024 bytes without control characters";
            return Err(Error::field_invalid("name", allowed));
        }
        if new.size.is_some_and(ByteCount::is_zero) {
            return Err(Error::new(ErrorKind::FileEmpty, "the file has no bytes"));
        }
        if let Some(size) = new.size.filter(|size| *size > OBJECT_SIZE_MAX) {
            let message = format!("the file size is {size}; the maximum is {OBJECT_SIZE_MAX}");
            return Err(Error::new(ErrorKind::FileTooLarge, message));
        }
        if let Some(sample) = &new.content_sample {
            check_content_sample(sample, new.size)?;
        }
        let kind = match new.kind {
            Some(kind) => kind,
            None => MediaKind::from_file_name(&new.name)?,
        };
        let fingerprint = FileFingerprint::from_file(user_id, &new);
        Ok(Self {
            param_data: ParamData::parse(new.param_data.as_deref())?,
            name: new.name,
            size: new.size,
            kind,
            fingerprint,
            endpoint: non_empty("endpoint", new.endpoint)?,
            bucket: non_empty("bucket", new.bucket)?,
            object: non_empty("object", new.object)?.map(object_key).transpose()?,
        })
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) const fn size(&self) -> Option<ByteCount> {
        self.size
    }

    pub(super) const fn kind(&self) -> MediaKind {
        self.kind
    }

    pub(super) const fn param_data(&self) -> &ParamData {
        &self.param_data
    }

    pub(super) const fn fingerprint(&self) -> Option<&FileFingerprint> {
        self.fingerprint.as_ref()
    }

    /// Returns the record of a new upload of the file.
    pub(super) fn upload_record(
        &self,
        now: UnixMillis,
        target: Target,
        media_id: Option<&str>,
    ) -> UploadRecord {
        UploadRecord {
            created_at_ms: now.0,
            file_name: self.name.clone(),
            length_bytes: self.size.map(ByteCount::bytes),
            media_id: media_id.unwrap_or_default().to_owned(),
            target,
            content_type: None,
            client_metadata: None,
            credential_from_vod: false,
            kind: UploadKind::Regular,
        }
    }

    /// Returns true if both files have the same fingerprint. A file without one equals no other.
    pub(super) fn is_same_file(&self, other: &Self) -> bool {
        self.fingerprint.is_some() && self.fingerprint == other.fingerprint
    }

    /// Returns true if credentials of this kind of media can be refreshed.
    pub(super) const fn is_refreshable(&self) -> bool {
        self.kind.can_refresh()
    }

    /// Replaces the endpoint, bucket and object key by those of `add-file`, if given.
    pub(super) fn override_address(&self, address: &mut UploadAddress) {
        for (given, field) in [
            (&self.endpoint, &mut address.endpoint),
            (&self.bucket, &mut address.bucket),
            (&self.object, &mut address.object),
        ] {
            if let Some(given) = given {
                field.clone_from(given);
            }
        }
    }

    /// Returns the address that `add-file` specified.
    ///
    /// # Errors
    /// Returns [`ErrorKind::RequestInvalid`] with the field that was not given.
    pub(super) fn own_address(&self) -> Result<UploadAddress> {
        let given = |name: &str, value: &Option<String>| {
            value.clone().ok_or_else(|| Error::field_invalid(name, "given to add-file"))
        };
        Ok(UploadAddress {
            endpoint: given("endpoint", &self.endpoint)?,
            bucket: given("bucket", &self.bucket)?,
            object: given("object", &self.object)?,
        })
    }

    /// Returns the endpoint, bucket and object key if known: those of `add-file`, or of `bound`.
    pub(super) fn known_address(&self, bound: Option<&UploadAddress>) -> [Option<String>; 3] {
        let known = |given: &Option<String>, of_bound: fn(&UploadAddress) -> &String| {
            given.clone().or_else(|| bound.map(of_bound).cloned())
        };
        [
            known(&self.endpoint, |address| &address.endpoint),
            known(&self.bucket, |address| &address.bucket),
            known(&self.object, |address| &address.object),
        ]
    }
}

/// Treats an empty text as absent, as the SDK does.
fn non_empty(name: &str, text: Option<String>) -> Result<Option<String>> {
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

fn check_content_sample(sample: &ContentSample, size: Option<ByteCount>) -> Result<()> {
    let expected = size.map(|size| {
        let size = usize::try_from(size.bytes()).unwrap_or(usize::MAX);
        size.min(SAMPLE_BYTES)
    });
    for (name, edge) in
        [("content-sample.first", &sample.first), ("content-sample.last", &sample.last)]
    {
        let fits = match expected {
            Some(expected) => edge.len() == expected,
            None => edge.len() <= SAMPLE_BYTES,
        };
        if !fits {
            let allowed = "65,536 bytes of the file, or the entire file if it is shorter";
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

    fn rejected(new: NewFile) -> Error {
        ValidatedFile::new(None, new).unwrap_err()
    }

    #[test]
    fn a_given_kind_takes_precedence_over_the_extension() {
        assert_eq!(ValidatedFile::new(None, file("a.png")).unwrap().kind, MediaKind::Image);
        let given = NewFile { kind: Some(MediaKind::Video), ..file("a.gif") };
        assert_eq!(ValidatedFile::new(None, given).unwrap().kind, MediaKind::Video);
        assert_eq!(rejected(file("a.gif")).kind(), ErrorKind::RequestInvalid);
    }

    #[test]
    fn a_name_outside_its_limits_is_rejected() {
        for name in [String::new(), "a\n.mp4".into(), format!("{}.mp4", "a".repeat(1_021))] {
            assert_eq!(rejected(file(&name)).field().unwrap().name, "name");
        }
        assert!(ValidatedFile::new(None, file(&format!("{}.mp4", "a".repeat(1_020)))).is_ok());
    }

    #[test]
    fn a_size_outside_its_limits_is_rejected() {
        let of_size = |bytes| NewFile { size: Some(ByteCount(bytes)), ..file("a.mp4") };
        assert_eq!(rejected(of_size(0)).kind(), ErrorKind::FileEmpty);
        let too_large = OBJECT_SIZE_MAX.bytes() + 1;
        assert_eq!(rejected(of_size(too_large)).kind(), ErrorKind::FileTooLarge);
        assert!(ValidatedFile::new(None, of_size(OBJECT_SIZE_MAX.bytes())).is_ok());
    }

    #[test]
    fn content_samples_must_have_the_length_that_the_size_implies() {
        let with = |first: usize, size: Option<u64>| NewFile {
            content_sample: Some(ContentSample { first: vec![1; first], last: vec![2; first] }),
            size: size.map(ByteCount),
            ..file("a.mp4")
        };
        assert!(ValidatedFile::new(None, with(SAMPLE_BYTES, Some(1 << 20))).is_ok());
        assert!(ValidatedFile::new(None, with(3, Some(3))).is_ok());
        for wrong in [with(4, Some(3)), with(10, Some(1 << 20)), with(SAMPLE_BYTES + 1, None)] {
            assert_eq!(rejected(wrong).field().unwrap().name, "content-sample.first");
        }
    }

    #[test]
    fn an_empty_override_is_ignored_and_control_characters_are_rejected() {
        let with = |bucket: &str| NewFile { bucket: Some(bucket.into()), ..file("a.mp4") };
        assert_eq!(ValidatedFile::new(None, with("")).unwrap().bucket, None);
        assert_eq!(rejected(with("a\r\nb")).field().unwrap().name, "bucket");
    }
}
