//! The kind of media of a file, which determines the call that grants its upload.

use super::file_name::extension;
use crate::error::{Error, Result};

/// The kinds of media that VOD stores.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MediaKind {
    /// Video, by [`CreateUploadVideo`](super::CreateUploadVideo).
    Video,
    /// Audio, also by [`CreateUploadVideo`](super::CreateUploadVideo).
    Audio,
    /// An image, by [`CreateUploadImage`](super::CreateUploadImage).
    Image,
    /// A watermark, a subtitle or material, by
    /// [`CreateUploadAttachedMedia`](super::CreateUploadAttachedMedia).
    Auxiliary,
}

impl MediaKind {
    /// Determines the kind from the extension of a file name, ignoring case.
    ///
    /// The formats are those of
    /// <https://www.alibabacloud.com/help/en/vod/user-guide/overview-of-media-upload>. A file that
    /// is used as a watermark or as material has the extension of any image or video, so the
    /// result is [`MediaKind::Image`] or [`MediaKind::Video`].
    ///
    /// # Errors
    /// Returns [`RequestInvalid`](crate::ErrorKind::RequestInvalid) if the name has no extension or
    /// an unknown one, and for GIF, which VOD accepts as a video and as an image: the caller has to
    /// specify the kind.
    pub fn from_file_name(file_name: &str) -> Result<Self> {
        let Some(extension) = extension(file_name) else {
            let allowed = "a name with an extension, unless the kind of media is specified";
            return Err(Error::field_invalid("name", allowed));
        };
        let extension = extension.to_ascii_lowercase();
        if extension == AMBIGUOUS {
            let allowed = "specified for a name that ends with .gif, which may be a video, an \
                           image or auxiliary media";
            return Err(Error::field_invalid("kind", allowed));
        }
        let listed = FORMATS.iter().find(|(_, formats)| formats.contains(&extension.as_str()));
        listed.map(|(kind, _)| *kind).ok_or_else(|| {
            let shown: String = extension.chars().take(SHOWN_CHARS).collect();
            let allowed = format!(
                "a name with an extension that VOD supports, and .{shown} is not, unless the kind \
                 of media is specified"
            );
            Error::field_invalid("name", allowed)
        })
    }

    /// Returns true if RefreshUploadVideo issues new credentials for media of this kind. The
    /// credentials of the other kinds cannot be refreshed.
    #[must_use]
    pub const fn can_refresh(self) -> bool {
        match self {
            Self::Video | Self::Audio => true,
            Self::Image | Self::Auxiliary => false,
        }
    }
}

const FORMATS: &[(MediaKind, &[&str])] = &[
    (
        MediaKind::Video,
        &[
            "mp4", "ts", "3gp", "mpg", "mpeg", "mpe", "dat", "vob", "asf", "avi", "wmv", "flv",
            "f4v", "rm", "rmvb", "mov", "mkv", "m3u8", "dv", "m2t", "m4v", "mj2", "mjpeg", "mts",
            "ogg", "qt", "swf", "webm",
        ],
    ),
    (
        MediaKind::Audio,
        &["mp3", "wma", "wav", "aac", "ra", "m4a", "flac", "ape", "ac3", "amr", "caf", "acm"],
    ),
    (MediaKind::Image, &["png", "jpg", "jpeg", "heic", "webp"]),
    // The extensions of CreateUploadAttachedMedia that no other kind has.
    (MediaKind::Auxiliary, &["srt", "ass", "stl", "ttml", "vtt", "apng", "mat", "zip", "apk"]),
];

const AMBIGUOUS: &str = "gif";

const SHOWN_CHARS: usize = 16;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed assumption fails the test")]

    use proptest::prelude::*;
    use proptest::test_runner::RngSeed;

    use super::*;
    use crate::error::ErrorKind;
    use crate::vod::BusinessType;
    use crate::vod::action::IMAGE_EXTENSIONS;

    #[test]
    fn the_extension_determines_the_kind_ignoring_case() {
        for (name, expected) in [
            ("a.mp4", MediaKind::Video),
            ("A.M3U8", MediaKind::Video),
            ("films/a.b.Mov", MediaKind::Video),
            ("a.mp3", MediaKind::Audio),
            ("a.FLAC", MediaKind::Audio),
            ("a.jpg", MediaKind::Image),
            ("a.HEIC", MediaKind::Image),
            ("a.webp", MediaKind::Image),
            ("a.srt", MediaKind::Auxiliary),
            ("a.vtt", MediaKind::Auxiliary),
            ("a.zip", MediaKind::Auxiliary),
        ] {
            assert_eq!(MediaKind::from_file_name(name), Ok(expected), "{name}");
        }
    }

    /// The JavaScript SDK matches `jpg`, `jpeg` or `png` after any character, anywhere in the name,
    /// and uploads such a video as an image.
    #[test]
    fn a_video_with_png_inside_its_name_is_not_an_image() {
        for name in ["my.png.mp4", "apng_demo.mp4", "a.jpg.MP4", "xjpeg.mov"] {
            assert_eq!(MediaKind::from_file_name(name), Ok(MediaKind::Video), "{name}");
        }
    }

    #[test]
    fn an_undeterminable_kind_is_an_error() {
        for (name, expected) in [
            ("a.gif", "kind must be specified for a name that ends with .gif"),
            ("a.GIF", "kind must be specified for a name that ends with .gif"),
            ("a", "name must be a name with an extension, unless"),
            ("mp4", "name must be a name with an extension, unless"),
            (".mp4", "name must be a name with an extension, unless"),
            ("a.mp4/", "name must be a name with an extension, unless"),
            ("", "name must be a name with an extension, unless"),
            ("a.exe", "name must be a name with an extension that VOD supports, and .exe is not"),
            ("a.mp4 ", "name must be a name with an extension that VOD supports, and .mp4  is not"),
        ] {
            let error = MediaKind::from_file_name(name).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::RequestInvalid);
            assert!(error.message().starts_with(expected), "{name}: {error}");
        }
    }

    #[test]
    fn every_image_and_auxiliary_format_has_a_kind_or_is_ambiguous() {
        let of_auxiliary = BusinessType::ALL.iter().flat_map(|of_type| of_type.extensions());
        for extension in IMAGE_EXTENSIONS.iter().chain(of_auxiliary) {
            let kind = MediaKind::from_file_name(&format!("a.{extension}"));
            assert!(kind.is_ok() || *extension == AMBIGUOUS, "{extension}");
        }
    }

    #[test]
    fn only_video_and_audio_can_be_refreshed() {
        let kinds = [MediaKind::Video, MediaKind::Audio, MediaKind::Image, MediaKind::Auxiliary];
        assert_eq!(kinds.map(MediaKind::can_refresh), [true, true, false, false]);
    }

    proptest! {
        #![proptest_config(ProptestConfig { rng_seed: RngSeed::Fixed(1), ..Default::default() })]

        #[test]
        fn no_file_name_causes_a_panic(name: String) {
            let _ = MediaKind::from_file_name(&name);
        }
    }
}
