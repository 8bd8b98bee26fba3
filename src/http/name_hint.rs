//! The name of a file, derived from what the request contains.
//!
//! VOD derives the format from the extension. Many clients send no name or a name without an
//! extension, so both have a default.

use ::http::header::CONTENT_DISPOSITION;

use super::file_name::decode_segment;
use super::media_type::MediaType;
use super::{FileName, Metadata, RequestHead};
use crate::error::{Error, Result};

/// The file name and media type in a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameHint {
    /// The field that a client without a name should have sent.
    field: &'static str,
    name: Option<String>,
    media_type: Option<String>,
}

impl NameHint {
    /// A hint without any information. The error for a missing name identifies `field`.
    #[must_use]
    pub const fn new(field: &'static str) -> Self {
        Self { field, name: None, media_type: None }
    }

    /// Uses `name` unless a previous name is known or `name` is empty. What the client sent that is
    /// not UTF-8 becomes `_`.
    #[must_use]
    pub fn or_name(mut self, name: Option<&str>) -> Self {
        let name = name.filter(|name| !name.is_empty());
        self.name =
            self.name.or_else(|| name.map(|name| name.replace(char::REPLACEMENT_CHARACTER, "_")));
        self
    }

    /// Uses the last segment of `path`, a file name with directories, unless a previous name is
    /// known.
    #[must_use]
    pub fn or_path(self, path: Option<&str>) -> Self {
        self.or_name(path.and_then(|path| path.rsplit(['/', '\\']).next()))
    }

    /// The hint with the name in a percent-encoded path segment in place of any other.
    ///
    /// # Errors
    /// Returns [`RequestInvalid`](crate::ErrorKind::RequestInvalid) if the segment is not
    /// percent-encoded UTF-8.
    pub fn with_path_segment(self, segment: &str) -> Result<Self> {
        let hint = Self { field: "file-name", name: None, ..self };
        Ok(hint.or_name(Some(&decode_segment(segment)?)))
    }

    /// Uses `title` as the name unless a previous name is known. A title may contain characters
    /// that a file name must not have; they become `_`.
    #[must_use]
    pub fn or_title(self, title: Option<&str>) -> Self {
        let safe = |c: char| if matches!(c, '/' | '\\') || c.is_control() { '_' } else { c };
        let name: String = title.unwrap_or_default().trim().chars().map(safe).collect();
        self.or_name(Some(&name))
    }

    /// Uses `media_type` (RFC 9110 §8.3.1) unless a previous media type has a known extension.
    #[must_use]
    pub fn or_media_type(mut self, media_type: Option<&str>) -> Self {
        if self.extension().is_none() {
            self.media_type = media_type.map(str::to_owned).or(self.media_type);
        }
        self
    }

    /// Uses the keys that clients set in tus metadata: `filename`, `name`, then `title`, and the
    /// media type in `filetype` or `type`.
    #[must_use]
    pub fn or_metadata(self, metadata: &Metadata) -> Self {
        let text = |key| metadata.text(&[key]);
        self.or_path(text("filename"))
            .or_path(text("name"))
            .or_title(text("title"))
            .or_media_type(text("filetype"))
            .or_media_type(text("type"))
    }

    /// Uses `Content-Disposition`, if `head` has one with a file name.
    #[must_use]
    pub fn or_disposition(self, head: &RequestHead) -> Self {
        let value = head.header(CONTENT_DISPOSITION);
        self.or_name(value.and_then(super::disposition::file_name).as_deref())
    }

    /// The file's name. A missing extension is that of the media type, or `default_extension`; a
    /// missing name is `upload`.
    ///
    /// # Errors
    /// Returns [`RequestInvalid`](crate::ErrorKind::RequestInvalid) for a name that
    /// [`FileName::new`] does not accept, except for its extension, and if no extension is known.
    pub fn resolve(&self, default_extension: Option<&str>) -> Result<FileName> {
        let extension = self.extension().or(default_extension);
        match (&self.name, extension) {
            (Some(name), extension) => FileName::with_fallback(name, STEM_DEFAULT, extension),
            (None, Some(extension)) => FileName::new(&format!("{STEM_DEFAULT}.{extension}")),
            (None, None) => {
                let allowed = "sent with a file name, whose extension determines the format at VOD";
                Err(Error::field_invalid(self.field, allowed))
            }
        }
    }

    fn extension(&self) -> Option<&'static str> {
        extension_of(self.media_type.as_deref()?)
    }
}

/// The usual extension of a media type whose format VOD accepts
/// (<https://www.alibabacloud.com/help/en/vod/user-guide/overview-of-media-upload>).
fn extension_of(media_type: &str) -> Option<&'static str> {
    let media_type = MediaType::parse(media_type)?;
    EXTENSIONS.iter().find(|(known, _)| media_type.is(known)).map(|(_, extension)| *extension)
}

/// Media types by IANA's registry (<https://www.iana.org/assignments/media-types>), and the
/// unregistered ones that browsers and phones send.
const EXTENSIONS: &[(&str, &str)] = &[
    ("video/mp4", "mp4"),
    ("video/quicktime", "mov"),
    ("video/x-m4v", "m4v"),
    ("video/webm", "webm"),
    ("video/x-matroska", "mkv"),
    ("video/matroska", "mkv"),
    ("video/mp2t", "ts"),
    ("video/mpeg", "mpg"),
    ("video/3gpp", "3gp"),
    ("video/x-msvideo", "avi"),
    ("video/avi", "avi"),
    ("video/x-ms-wmv", "wmv"),
    ("video/x-ms-asf", "asf"),
    ("video/x-flv", "flv"),
    ("video/x-f4v", "f4v"),
    ("video/ogg", "ogg"),
    ("application/vnd.apple.mpegurl", "m3u8"),
    ("application/x-mpegurl", "m3u8"),
    ("audio/mpeg", "mp3"),
    ("audio/mp4", "m4a"),
    ("audio/x-m4a", "m4a"),
    ("audio/aac", "aac"),
    ("audio/wav", "wav"),
    ("audio/x-wav", "wav"),
    ("audio/vnd.wave", "wav"),
    ("audio/flac", "flac"),
    ("audio/x-flac", "flac"),
    ("audio/ogg", "ogg"),
    ("audio/amr", "amr"),
    ("audio/ac3", "ac3"),
    ("audio/x-ms-wma", "wma"),
    ("audio/x-caf", "caf"),
    ("image/jpeg", "jpg"),
    ("image/png", "png"),
    ("image/heic", "heic"),
    ("image/webp", "webp"),
    ("image/gif", "gif"),
];

/// The stem of a file that has no name.
const STEM_DEFAULT: &str = "upload";

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed assumption fails the test")]

    use super::*;

    fn named(name: &str, media_type: &str, default: Option<&str>) -> Result<String> {
        let hint = NameHint::new("file-name").or_name(Some(name)).or_media_type(Some(media_type));
        hint.resolve(default).map(|name| name.as_str().to_owned())
    }

    #[test]
    fn a_missing_extension_is_that_of_the_media_type_or_the_default() {
        for (name, media_type, resolved) in [
            ("a.MOV", "video/mp4", "a.MOV"),
            ("a", "video/mp4", "a.mp4"),
            ("a", "Video/QuickTime; codecs=\"avc1\"", "a.mov"),
            ("a", "application/octet-stream", "a.ts"),
            ("a", "", "a.ts"),
            ("", "video/webm", "upload.webm"),
            ("", "", "upload.ts"),
            ("a.", "video/mp4", "a.mp4"),
            (".mp4", "", "upload.mp4"),
            ("...", "", "upload.ts"),
            ("a.m p4", "", "a.m p4.ts"),
            ("v1.测试", "", "v1.测试.ts"),
        ] {
            assert_eq!(named(name, media_type, Some("ts")).unwrap(), resolved, "{name:?}");
        }
    }

    #[test]
    fn without_a_default_extension_a_file_of_unknown_format_is_rejected() {
        assert_eq!(named("a", "video/mp4", None).unwrap(), "a.mp4");
        for name in ["a", "a.", "...", ""] {
            let error = named(name, "text/plain", None).unwrap_err();
            assert_eq!(error.field().unwrap().name, "file-name", "{name:?}");
        }
    }

    #[test]
    fn unsafe_names_are_rejected_with_a_default_extension() {
        for name in ["a/b", "a\\b.mp4", "a\nb"] {
            assert!(named(name, "", Some("mp4")).is_err(), "{name:?}");
        }
    }

    #[test]
    fn a_path_in_the_metadata_is_reduced_to_its_last_segment() {
        for (metadata, resolved) in [
            ("filename ZGlyL2EubW92", "a.mov"),           // dir/a.mov
            ("name QzpcYS5tb3Y=", "a.mov"),               // C:\a.mov
            ("filename ZGlyLw==,name Yi5tb3Y=", "b.mov"), // dir/, b.mov
            ("filename Li4vLi4vYS5tb3Y=", "a.mov"),       // ../../a.mov
        ] {
            let hint = NameHint::new("x").or_metadata(&Metadata::parse(metadata).unwrap());
            assert_eq!(hint.resolve(Some("ts")).unwrap().as_str(), resolved, "{metadata}");
        }
    }

    #[test]
    fn the_name_is_the_first_metadata_key_with_a_value() {
        let resolved = |metadata: &str| {
            let hint = NameHint::new("x").or_metadata(&Metadata::parse(metadata).unwrap());
            hint.resolve(Some("ts")).unwrap().as_str().to_owned()
        };
        // "a", "b", "C: /d", "video/mp4", "text/plain" in Base64.
        assert_eq!(resolved("filename YQ==,name Yg==,title QzogL2Q="), "a.ts");
        assert_eq!(resolved("filename,name Yg==,title QzogL2Q="), "b.ts");
        assert_eq!(resolved("title QzogL2Q=,filetype dmlkZW8vbXA0"), "C: _d.mp4");
        assert_eq!(resolved("filetype dGV4dC9wbGFpbg==,type dmlkZW8vbXA0"), "upload.mp4");
    }

    #[test]
    fn any_title_is_converted_to_a_valid_name() {
        for title in ["测".repeat(128), "/".repeat(300), "a\u{7}b".to_owned(), " ".to_owned()] {
            let name = NameHint::new("x").or_title(Some(&title)).resolve(Some("mp4")).unwrap();
            assert!(name.as_str().ends_with(".mp4"), "{title}");
        }
    }

    #[test]
    fn every_known_extension_is_valid_in_a_file_name() {
        for (media_type, extension) in EXTENSIONS {
            assert!(FileName::new(&format!("a.{extension}")).is_ok(), "{media_type}");
        }
    }
}
