//! CreateUploadAttachedMedia: makes an id of auxiliary media and hands out its upload.

use super::limits::{DESCRIPTION_BYTES_MAX, TITLE_BYTES_MAX, Unit, check_length, check_tags};
use super::minted_upload::MediaFields;
use super::parameters::given;
use super::{BusinessType, MintedUpload, RamKey, VodEndpoint, rpc_sign};
use crate::error::{Error, Result};
use crate::oss::{Reply, Request};
use crate::units::{ByteCount, UnixMillis};

/// Makes a new id for a watermark, a subtitle or material
/// (<https://www.alibabacloud.com/help/en/vod/developer-reference/api-vod-2017-03-21-createuploadattachedmedia>).
///
/// Not idempotent: a repeated call makes another id. Its credential cannot be refreshed.
#[derive(Clone, Copy, Debug)]
pub struct CreateUploadAttachedMedia<'a> {
    /// What the media is for.
    pub business_type: BusinessType,
    /// The format, one of [`BusinessType::extensions`].
    pub media_ext: Option<&'a str>,
    /// The name of the source file.
    pub file_name: Option<&'a str>,
    /// The size of the source file.
    pub file_size: Option<ByteCount>,
    /// The title, up to 128 bytes.
    pub title: Option<&'a str>,
    /// A description of up to 1024 bytes.
    pub description: Option<&'a str>,
    /// The ids of up to 5 categories, separated by commas.
    pub cate_ids: Option<&'a str>,
    /// Up to 16 tags of up to 32 bytes, separated by commas.
    pub tags: Option<&'a str>,
    /// The storage address, where the account has several.
    pub storage_location: Option<&'a str>,
    /// A JSON object: `MessageCallback`, `Extend` and so on.
    pub user_data: Option<&'a str>,
    /// The id of the application; without it, `app-1000000`.
    pub app_id: Option<&'a str>,
}

/// Most categories of auxiliary media
/// (<https://www.alibabacloud.com/help/en/vod/developer-reference/api-vod-2017-03-21-createuploadattachedmedia>).
pub const CATE_IDS_MAX: usize = 5;

impl CreateUploadAttachedMedia<'_> {
    /// The vendor's name of the call.
    pub const NAME: &'static str = "CreateUploadAttachedMedia";

    /// The call for media of this type, with nothing else given.
    #[must_use]
    pub const fn of_type(business_type: BusinessType) -> Self {
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

    /// Checks the limits that VOD documents, as
    /// [`CreateUploadVideo::check`](super::CreateUploadVideo::check) does.
    ///
    /// # Errors
    ///
    /// [`RequestInvalid`](crate::ErrorKind::RequestInvalid) names the field.
    pub fn check(&self) -> Result<()> {
        let formats = self.business_type.extensions();
        if self.media_ext.is_some_and(|extension| !formats.contains(&extension)) {
            let (business_type, formats) = (self.business_type.as_str(), formats.join(", "));
            let allowed = format!("one of {formats} for a {business_type}");
            return Err(Error::field_invalid("MediaExt", allowed));
        }
        check_length("Title", self.title, TITLE_BYTES_MAX, Unit::Bytes)?;
        check_length("Description", self.description, DESCRIPTION_BYTES_MAX, Unit::Bytes)?;
        if self.cate_ids.is_some_and(|ids| ids.split(',').count() > CATE_IDS_MAX) {
            return Err(Error::field_invalid("CateIds", format!("at most {CATE_IDS_MAX} ids")));
        }
        check_tags(self.tags, Unit::Bytes)
    }

    /// The signed call. `nonce` must be unique for every request.
    #[must_use]
    pub fn request(
        &self,
        endpoint: &VodEndpoint,
        key: &RamKey,
        nonce: &str,
        now: UnixMillis,
    ) -> Request {
        let mut parameters = given([
            ("BusinessType", Some(self.business_type.as_str())),
            ("MediaExt", self.media_ext),
            ("FileName", self.file_name),
            ("Title", self.title),
            ("Description", self.description),
            ("CateIds", self.cate_ids),
            ("Tags", self.tags),
            ("StorageLocation", self.storage_location),
            ("UserData", self.user_data),
            ("AppId", self.app_id),
        ]);
        if let Some(size) = self.file_size {
            parameters.push(("FileSize", size.bytes().to_string()));
        }
        rpc_sign::call(Self::NAME, parameters, endpoint, key, nonce, now)
    }

    /// Reads the reply; `now` begins the life of an `Expiration` in seconds.
    ///
    /// # Errors
    ///
    /// As [`CreateUploadVideo::parse`](super::CreateUploadVideo::parse).
    pub fn parse(&self, reply: &Reply, now: UnixMillis) -> Result<MintedUpload> {
        MintedUpload::read(Self::NAME, MediaFields::ATTACHED, reply, None, now)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed assumption fails the test")]

    use super::*;
    use crate::error::ErrorKind;
    use crate::vod::form_tests::sent;

    const SUBTITLE: CreateUploadAttachedMedia<'_> =
        CreateUploadAttachedMedia::of_type(BusinessType::Subtitle);

    #[test]
    fn only_the_fields_that_are_given_are_sent() {
        assert_eq!(
            sent(|endpoint, key| SUBTITLE.request(endpoint, key, "n", UnixMillis(0))),
            ["Action=CreateUploadAttachedMedia", "BusinessType=subtitle"]
        );
    }

    #[test]
    fn every_field_has_the_vendors_name() {
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
            sent(|endpoint, key| media.request(endpoint, key, "n", UnixMillis(0))),
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
                let mut media = CreateUploadAttachedMedia::of_type(business_type);
                media.media_ext = Some(extension);
                assert_eq!(media.check(), Ok(()));
            }
        }
        let media = CreateUploadAttachedMedia { media_ext: Some("zip"), ..SUBTITLE };
        assert!(media.check().unwrap_err().message().contains("srt, ass, stl, ttml, vtt"));
        assert_eq!(BusinessType::parse("film"), None);
    }
}
