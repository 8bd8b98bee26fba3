//! CreateUploadImage: makes an image id and hands out its upload.

use super::limits::{DESCRIPTION_CHARS_MAX, TITLE_CHARS_MAX, Unit, check_length, check_tags};
use super::minted_upload::MediaFields;
use super::parameters::given;
use super::{MintedUpload, RamKey, VodEndpoint, rpc_sign};
use crate::error::{Error, Result};
use crate::oss::{Reply, Request};
use crate::units::UnixMillis;

/// Makes a new image id
/// (<https://www.alibabacloud.com/help/en/vod/developer-reference/api-vod-2017-03-21-createuploadimage>).
///
/// Not idempotent: a repeated call makes another image id. Its credential cannot be refreshed.
#[derive(Clone, Copy, Debug, Default)]
pub struct CreateUploadImage<'a> {
    /// What the image is for.
    pub image_type: ImageType,
    /// The format, one of [`IMAGE_EXTENSIONS`]; without it, `png`.
    pub image_ext: Option<&'a str>,
    /// The name of the source file.
    pub original_file_name: Option<&'a str>,
    /// The title, up to 128 characters.
    pub title: Option<&'a str>,
    /// Up to 16 tags of up to 32 characters, separated by commas.
    pub tags: Option<&'a str>,
    /// The id of the category.
    pub cate_id: Option<&'a str>,
    /// A description of up to 1024 characters.
    pub description: Option<&'a str>,
    /// The storage address, where the account has several.
    pub storage_location: Option<&'a str>,
    /// A JSON object: `MessageCallback`, `Extend` and so on.
    pub user_data: Option<&'a str>,
    /// The id of the application; without it, `app-1000000`.
    pub app_id: Option<&'a str>,
}

/// What an image is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ImageType {
    /// Any image; the only type that VOD's console shows.
    #[default]
    Default,
    /// The cover of a video.
    Cover,
}

/// The formats of an image, as `ImageExt` names them
/// (<https://www.alibabacloud.com/help/en/vod/developer-reference/api-vod-2017-03-21-createuploadimage>).
pub const IMAGE_EXTENSIONS: [&str; 6] = ["png", "jpg", "jpeg", "gif", "heic", "webp"];

impl ImageType {
    /// The vendor's name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Cover => "cover",
        }
    }

    /// The image type of the vendor's name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Default, Self::Cover].into_iter().find(|image_type| image_type.as_str() == name)
    }
}

impl CreateUploadImage<'_> {
    /// The vendor's name of the call.
    pub const NAME: &'static str = "CreateUploadImage";

    /// Checks the limits that VOD documents, as
    /// [`CreateUploadVideo::check`](super::CreateUploadVideo::check) does.
    ///
    /// # Errors
    ///
    /// [`RequestInvalid`](crate::ErrorKind::RequestInvalid) names the field.
    pub fn check(&self) -> Result<()> {
        if self.image_ext.is_some_and(|extension| !IMAGE_EXTENSIONS.contains(&extension)) {
            let allowed = format!("one of {}", IMAGE_EXTENSIONS.join(", "));
            return Err(Error::field_invalid("ImageExt", allowed));
        }
        check_length("Title", self.title, TITLE_CHARS_MAX, Unit::Characters)?;
        check_length("Description", self.description, DESCRIPTION_CHARS_MAX, Unit::Characters)?;
        check_tags(self.tags, Unit::Characters)
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
        let parameters = given([
            ("ImageType", Some(self.image_type.as_str())),
            ("ImageExt", self.image_ext),
            ("OriginalFileName", self.original_file_name),
            ("Title", self.title),
            ("Tags", self.tags),
            ("CateId", self.cate_id),
            ("Description", self.description),
            ("StorageLocation", self.storage_location),
            ("UserData", self.user_data),
            ("AppId", self.app_id),
        ]);
        rpc_sign::call(Self::NAME, parameters, endpoint, key, nonce, now)
    }

    /// Reads the reply; `now` begins the life of an `Expiration` in seconds.
    ///
    /// # Errors
    ///
    /// As [`CreateUploadVideo::parse`](super::CreateUploadVideo::parse).
    pub fn parse(&self, reply: &Reply, now: UnixMillis) -> Result<MintedUpload> {
        MintedUpload::read(Self::NAME, MediaFields::IMAGE, reply, None, now)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed assumption fails the test")]

    use super::*;
    use crate::error::ErrorKind;
    use crate::vod::form_tests::sent;

    #[test]
    fn only_the_fields_that_are_given_are_sent() {
        let image = CreateUploadImage::default();
        assert_eq!(
            sent(|endpoint, key| image.request(endpoint, key, "n", UnixMillis(0))),
            ["Action=CreateUploadImage", "ImageType=default"]
        );
    }

    #[test]
    fn every_field_has_the_vendors_name() {
        let image = CreateUploadImage {
            image_type: ImageType::Cover,
            image_ext: Some("jpg"),
            original_file_name: Some("a.jpg"),
            title: Some("1"),
            tags: Some("2,3"),
            cate_id: Some("4"),
            description: Some("5"),
            storage_location: Some("6"),
            user_data: Some("{}"),
            app_id: Some("7"),
        };
        assert_eq!(image.check(), Ok(()));
        assert_eq!(
            sent(|endpoint, key| image.request(endpoint, key, "n", UnixMillis(0))),
            [
                "Action=CreateUploadImage",
                "AppId=7",
                "CateId=4",
                "Description=5",
                "ImageExt=jpg",
                "ImageType=cover",
                "OriginalFileName=a.jpg",
                "StorageLocation=6",
                "Tags=2%2C3",
                "Title=1",
                "UserData=%7B%7D",
            ]
        );
    }

    #[test]
    fn what_vod_would_refuse_is_named() {
        let (title, text) = ("标".repeat(129), "标".repeat(1025));
        let tag = "标".repeat(33);
        let image = CreateUploadImage::default();
        for (image, field) in [
            (CreateUploadImage { image_ext: Some("bmp"), ..image }, "ImageExt"),
            (CreateUploadImage { image_ext: Some("PNG"), ..image }, "ImageExt"),
            (CreateUploadImage { title: Some(&title), ..image }, "Title"),
            (CreateUploadImage { description: Some(&text), ..image }, "Description"),
            (CreateUploadImage { tags: Some(&tag), ..image }, "Tags"),
        ] {
            let error = image.check().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::RequestInvalid);
            assert!(error.message().starts_with(field), "{error}");
        }
    }

    #[test]
    fn a_type_is_read_by_the_vendors_name() {
        assert_eq!(ImageType::parse("cover"), Some(ImageType::Cover));
        assert_eq!(ImageType::parse("default"), Some(ImageType::Default));
        assert_eq!(ImageType::parse("Cover"), None);
    }
}
