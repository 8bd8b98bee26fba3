//! CreateUploadAttachedMedia: creates auxiliary media and grants its upload.

use super::Action;
use crate::error::{Error, Result};
use crate::units::{ByteCount, UnixMillis};
use crate::vod::limits::{DESCRIPTION_BYTES_MAX, TITLE_BYTES_MAX, Unit, check_length, check_tags};
use crate::vod::parameters::given;
use crate::vod::upload_grant::MediaFields;
use crate::vod::{BusinessType, UploadGrant, VodResponse};

/// Creates a media ID for a watermark, a subtitle or material
/// (<https://www.alibabacloud.com/help/en/vod/developer-reference/api-vod-2017-03-21-createuploadattachedmedia>).
///
/// Not idempotent: a repeated call creates another media ID. The credential cannot be refreshed.
#[derive(Clone, Copy, Debug)]
pub struct CreateUploadAttachedMedia<'a> {
    /// The purpose of the media.
    pub business_type: BusinessType,
    /// The format, one of [`BusinessType::extensions`].
    pub media_ext: Option<&'a str>,
    /// The name of the source file.
    pub file_name: Option<&'a str>,
    /// The size of the source file in bytes.
    pub file_size: Option<ByteCount>,
    /// The title, up to 128 bytes.
    pub title: Option<&'a str>,
    /// A description of up to 1024 bytes.
    pub description: Option<&'a str>,
    /// Up to 5 category IDs, separated by commas.
    pub cate_ids: Option<&'a str>,
    /// Up to 16 tags of up to 32 bytes, separated by commas.
    pub tags: Option<&'a str>,
    /// The storage address, for accounts with several.
    pub storage_location: Option<&'a str>,
    /// A JSON object with `MessageCallback`, `Extend` and similar keys.
    pub user_data: Option<&'a str>,
    /// The application ID; `app-1000000` if absent.
    pub app_id: Option<&'a str>,
}

/// The maximum number of category IDs
/// (<https://www.alibabacloud.com/help/en/vod/developer-reference/api-vod-2017-03-21-createuploadattachedmedia>).
pub(super) const CATE_IDS_MAX: usize = 5;

impl CreateUploadAttachedMedia<'_> {
    /// The call for media of this type, without optional parameters.
    #[must_use]
    pub const fn new(business_type: BusinessType) -> Self {
        Self {
            business_type,
            media_ext: None,
            file_name: None,
            file_size: None,
            title: None,
            description: None,
            cate_ids: None,
            tags: None,
            storage_location: None,
            user_data: None,
            app_id: None,
        }
    }
}

impl Action for CreateUploadAttachedMedia<'_> {
    type Output = UploadGrant;

    const NAME: &'static str = "CreateUploadAttachedMedia";

    fn check(&self) -> Result<()> {
        let formats = self.business_type.extensions();
        if self.media_ext.is_some_and(|extension| !formats.contains(&extension)) {
            let (business_type, formats) = (self.business_type.as_str(), formats.join(", "));
            let allowed = format!("one of {formats} for a {business_type}");
            return Err(Error::field_invalid("MediaExt", allowed));
        }
        check_length("Title", self.title, TITLE_BYTES_MAX, Unit::Bytes)?;
        check_length("Description", self.description, DESCRIPTION_BYTES_MAX, Unit::Bytes)?;
        if self.cate_ids.is_some_and(|ids| ids.split(',').count() > CATE_IDS_MAX) {
            return Err(Error::field_invalid("CateIds", format!("at most {CATE_IDS_MAX} IDs")));
        }
        check_tags(self.tags, Unit::Bytes)
    }

    fn parameters(&self) -> Vec<(&'static str, String)> {
        let file_size = self.file_size.map(|size| size.bytes().to_string());
        given([
            ("BusinessType", Some(self.business_type.as_str())),
            ("MediaExt", self.media_ext),
            ("FileName", self.file_name),
            ("FileSize", file_size.as_deref()),
            ("Title", self.title),
            ("Description", self.description),
            ("CateIds", self.cate_ids),
            ("Tags", self.tags),
            ("StorageLocation", self.storage_location),
            ("UserData", self.user_data),
            ("AppId", self.app_id),
        ])
    }

    fn output(&self, response: &VodResponse, now: UnixMillis) -> Result<UploadGrant> {
        UploadGrant::read(response, MediaFields::ATTACHED, None, now)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed assumption fails the test")]

    use super::*;
    use crate::error::ErrorKind;
    use crate::vod::action::fixtures::sent;

    const SUBTITLE: CreateUploadAttachedMedia<'_> =
        CreateUploadAttachedMedia::new(BusinessType::Subtitle);

    #[test]
    fn absent_parameters_are_not_sent() {
        assert_eq!(sent(&SUBTITLE), ["Action=CreateUploadAttachedMedia", "BusinessType=subtitle"]);
    }

    #[test]
    fn every_parameter_has_its_name_in_the_api() {
        let media = CreateUploadAttachedMedia {
            business_type: BusinessType::Watermark,
            media_ext: Some("mov"),
            file_name: Some("a.mov"),
            file_size: Some(ByteCount(7)),
            title: Some("1"),
            description: Some("2"),
            cate_ids: Some("3,4"),
            tags: Some("5,6"),
            storage_location: Some("7"),
            user_data: Some("{}"),
            app_id: Some("8"),
        };
        assert_eq!(media.check(), Ok(()));
        assert_eq!(
            sent(&media),
            [
                "Action=CreateUploadAttachedMedia",
                "AppId=8",
                "BusinessType=watermark",
                "CateIds=3%2C4",
                "Description=2",
                "FileName=a.mov",
                "FileSize=7",
                "MediaExt=mov",
                "StorageLocation=7",
                "Tags=5%2C6",
                "Title=1",
                "UserData=%7B%7D",
            ]
        );
    }

    #[test]
    fn limits_are_counted_in_bytes() {
        let (title, text, tag) = ("标".repeat(43), "标".repeat(342), "标".repeat(11));
        for (media, field) in [
            (CreateUploadAttachedMedia { title: Some(&title), ..SUBTITLE }, "Title"),
            (CreateUploadAttachedMedia { description: Some(&text), ..SUBTITLE }, "Description"),
            (CreateUploadAttachedMedia { tags: Some(&tag), ..SUBTITLE }, "Tags"),
            (CreateUploadAttachedMedia { cate_ids: Some("1,2,3,4,5,6"), ..SUBTITLE }, "CateIds"),
        ] {
            let error = media.check().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::RequestInvalid);
            assert!(error.message().starts_with(field), "{error}");
        }
        let largest = CreateUploadAttachedMedia { cate_ids: Some("1,2,3,4,5"), ..SUBTITLE };
        assert_eq!(largest.check(), Ok(()));
    }

    #[test]
    fn every_business_type_has_its_formats() {
        for business_type in BusinessType::ALL {
            assert_eq!(BusinessType::parse(business_type.as_str()), Some(business_type));
            for extension in business_type.extensions() {
                let mut media = CreateUploadAttachedMedia::new(business_type);
                media.media_ext = Some(extension);
                assert_eq!(media.check(), Ok(()));
            }
        }
        let media = CreateUploadAttachedMedia { media_ext: Some("zip"), ..SUBTITLE };
        assert!(media.check().unwrap_err().message().contains("srt, ass, stl, ttml, vtt"));
        assert_eq!(BusinessType::parse("film"), None);
    }
}
