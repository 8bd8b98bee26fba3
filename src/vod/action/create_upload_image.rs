//! CreateUploadImage: creates an image and grants its upload.

use super::Action;
use crate::error::{Error, Result};
use crate::units::UnixMillis;
use crate::vod::limits::{DESCRIPTION_CHARS_MAX, TITLE_CHARS_MAX, Unit, check_length, check_tags};
use crate::vod::parameters::given;
use crate::vod::upload_grant::MediaFields;
use crate::vod::{UploadGrant, VodResponse};

/// Creates an image ID
/// (<https://www.alibabacloud.com/help/en/vod/developer-reference/api-vod-2017-03-21-createuploadimage>).
///
/// Not idempotent: a repeated call creates another image ID. The credential cannot be refreshed.
#[derive(Clone, Copy, Debug, Default)]
pub struct CreateUploadImage<'a> {
    /// The purpose of the image.
    pub image_type: ImageType,
    /// The format, `png`, `jpg`, `jpeg`, `gif`, `heic` or `webp`; `png` if absent.
    pub image_ext: Option<&'a str>,
    /// The name of the source file.
    pub original_file_name: Option<&'a str>,
    /// The title, up to 128 characters.
    pub title: Option<&'a str>,
    /// Up to 16 tags of up to 32 characters, separated by commas.
    pub tags: Option<&'a str>,
    /// The category ID.
    pub cate_id: Option<&'a str>,
    /// A description of up to 1024 characters.
    pub description: Option<&'a str>,
    /// The storage address, for accounts with several.
    pub storage_location: Option<&'a str>,
    /// A JSON object with `MessageCallback`, `Extend` and similar keys.
    pub user_data: Option<&'a str>,
    /// The application ID; `app-1000000` if absent.
    pub app_id: Option<&'a str>,
}

/// The purpose of an image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ImageType {
    /// Any image; the only type that VOD's console shows.
    #[default]
    Default,
    /// The cover of a video.
    Cover,
}

/// The image formats, as values of `ImageExt`
/// (<https://www.alibabacloud.com/help/en/vod/developer-reference/api-vod-2017-03-21-createuploadimage>).
pub(in crate::vod) const IMAGE_EXTENSIONS: [&str; 6] =
    ["png", "jpg", "jpeg", "gif", "heic", "webp"];

impl ImageType {
    /// VOD's name of the image type.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Cover => "cover",
        }
    }

    /// Parses VOD's name; `None` if it is not an image type.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Default, Self::Cover].into_iter().find(|image_type| image_type.as_str() == name)
    }
}

impl Action for CreateUploadImage<'_> {
    type Output = UploadGrant;

    const NAME: &'static str = "CreateUploadImage";

    fn check(&self) -> Result<()> {
        if self.image_ext.is_some_and(|extension| !IMAGE_EXTENSIONS.contains(&extension)) {
            let allowed = format!("one of {}", IMAGE_EXTENSIONS.join(", "));
            return Err(Error::field_invalid("ImageExt", allowed));
        }
        check_length("Title", self.title, TITLE_CHARS_MAX, Unit::Characters)?;
        check_length("Description", self.description, DESCRIPTION_CHARS_MAX, Unit::Characters)?;
        check_tags(self.tags, Unit::Characters)
    }

    fn parameters(&self) -> Vec<(&'static str, String)> {
        given([
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
        ])
    }

    fn output(&self, response: &VodResponse, now: UnixMillis) -> Result<UploadGrant> {
        UploadGrant::read(response, MediaFields::IMAGE, None, now)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed assumption fails the test")]

    use super::*;
    use crate::error::ErrorKind;
    use crate::vod::action::fixtures::sent;

    #[test]
    fn absent_parameters_are_not_sent() {
        let image = CreateUploadImage::default();
        assert_eq!(sent(&image), ["Action=CreateUploadImage", "ImageType=default"]);
    }

    #[test]
    fn every_parameter_has_its_name_in_the_api() {
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
            sent(&image),
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
    fn the_error_for_an_invalid_parameter_contains_its_name() {
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
    fn an_image_type_is_parsed_from_its_name_in_the_api() {
        assert_eq!(ImageType::parse("cover"), Some(ImageType::Cover));
        assert_eq!(ImageType::parse("default"), Some(ImageType::Default));
        assert_eq!(ImageType::parse("Cover"), None);
    }
}
