//! What auxiliary media is for.

/// What auxiliary media is for, which decides the formats that it can have
/// (<https://www.alibabacloud.com/help/en/vod/developer-reference/api-vod-2017-03-21-createuploadattachedmedia>).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BusinessType {
    /// A picture or clip that is laid over videos.
    Watermark,
    /// Subtitles.
    Subtitle,
    /// Material for editing.
    Material,
}

impl BusinessType {
    /// Every business type.
    pub const ALL: [Self; 3] = [Self::Watermark, Self::Subtitle, Self::Material];

    /// The vendor's name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Watermark => "watermark",
            Self::Subtitle => "subtitle",
            Self::Material => "material",
        }
    }

    /// The business type of the vendor's name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|business_type| business_type.as_str() == name)
    }

    /// The extensions that media of this type can have, in lower case.
    #[must_use]
    pub const fn extensions(self) -> &'static [&'static str] {
        match self {
            Self::Watermark => &["png", "gif", "apng", "mov"],
            Self::Subtitle => &["srt", "ass", "stl", "ttml", "vtt"],
            Self::Material => &["jpg", "gif", "png", "mp4", "mat", "zip", "apk"],
        }
    }
}
