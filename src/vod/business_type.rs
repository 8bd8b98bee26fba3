//! The purposes of auxiliary media.

/// The purpose of auxiliary media, which determines the allowed formats
/// (<https://www.alibabacloud.com/help/en/vod/developer-reference/api-vod-2017-03-21-createuploadattachedmedia>).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BusinessType {
    /// An image or a clip that is overlaid on videos.
    Watermark,
    /// Subtitles.
    Subtitle,
    /// Material for video editing.
    Material,
}

impl BusinessType {
    /// Every business type.
    pub const ALL: [Self; 3] = [Self::Watermark, Self::Subtitle, Self::Material];

    /// VOD's name of the business type.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Watermark => "watermark",
            Self::Subtitle => "subtitle",
            Self::Material => "material",
        }
    }

    /// Parses VOD's name; `None` if it is not a business type.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|business_type| business_type.as_str() == name)
    }

    /// The allowed file extensions, in lower case.
    #[must_use]
    pub const fn extensions(self) -> &'static [&'static str] {
        match self {
            Self::Watermark => &["png", "gif", "apng", "mov"],
            Self::Subtitle => &["srt", "ass", "stl", "ttml", "vtt"],
            Self::Material => &["jpg", "gif", "png", "mp4", "mat", "zip", "apk"],
        }
    }
}
