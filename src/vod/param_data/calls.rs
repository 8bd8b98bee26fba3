//! The Create calls made from param-data.

use super::ParamData;
use super::keys::{ATTACHED, IMAGE, VIDEO};
use crate::error::{Error, Result};
use crate::units::ByteCount;
use crate::vod::action::IMAGE_EXTENSIONS;
use crate::vod::file_name::{extension, title};
use crate::vod::limits::{TITLE_BYTES_MAX, TITLE_CHARS_MAX, Unit};
use crate::vod::{
    Action as _, BusinessType, CreateUploadAttachedMedia, CreateUploadImage, CreateUploadVideo,
    ImageType,
};

impl ParamData {
    /// The call for video or audio. Title and FileSize default to those of the file. A WorkflowId
    /// takes precedence over a TemplateGroupId, which is then not sent.
    ///
    /// # Errors
    /// Returns [`RequestInvalid`](crate::ErrorKind::RequestInvalid) with the name of a key that is
    /// not a parameter of the call or exceeds a limit.
    pub fn create_video<'a>(
        &'a self,
        file_name: &'a str,
        file_size: Option<ByteCount>,
    ) -> Result<CreateUploadVideo<'a>> {
        self.only_of(CreateUploadVideo::NAME, VIDEO)?;
        let file_name = self.text("FileName").unwrap_or(file_name);
        let workflow_id = self.text("WorkflowId");
        let template_group_id = self.text("TemplateGroupId").filter(|_| workflow_id.is_none());
        let call = CreateUploadVideo {
            title: self
                .text("Title")
                .unwrap_or_else(|| title(file_name, TITLE_CHARS_MAX, Unit::Characters)),
            file_name,
            file_size: self.bytes("FileSize").or(file_size),
            description: self.text("Description"),
            cate_id: self.text("CateId"),
            tags: self.text("Tags"),
            cover_url: self.text("CoverURL"),
            template_group_id,
            workflow_id,
            storage_location: self.text("StorageLocation"),
            user_data: self.text("UserData"),
            app_id: self.text("AppId"),
            reference_id: self.text("ReferenceId"),
            enable_first_frame_cover: self.flag("EnableFirstFrameCover"),
            generate_thumbnail: self.flag("GenerateThumbnail"),
            trans_code_mode: self.text("TransCodeMode"),
        };
        call.check()?;
        Ok(call)
    }

    /// The call for an image. ImageExt defaults to the extension of the file name, ImageType to
    /// `default`.
    ///
    /// # Errors
    /// As [`ParamData::create_video`]. Also returns an error if neither ImageExt nor the file name
    /// specifies an image format, because VOD would store the image as PNG.
    pub fn create_image<'a>(&'a self, file_name: &'a str) -> Result<CreateUploadImage<'a>> {
        self.only_of(CreateUploadImage::NAME, IMAGE)?;
        let file_name = self.text("OriginalFileName").unwrap_or(file_name);
        let image_type = match self.text("ImageType") {
            None => ImageType::default(),
            Some(name) => ImageType::parse(name)
                .ok_or_else(|| Error::field_invalid("ImageType", "default or cover"))?,
        };
        let image_ext =
            self.text("ImageExt").or_else(|| listed_extension(file_name, &IMAGE_EXTENSIONS));
        let Some(image_ext) = image_ext else {
            let formats = IMAGE_EXTENSIONS.join(", ");
            let allowed = format!("specified for a file name that ends with none of {formats}");
            return Err(Error::field_invalid("ImageExt", allowed));
        };
        let call = CreateUploadImage {
            image_type,
            image_ext: Some(image_ext),
            original_file_name: not_empty(file_name),
            title: self
                .text("Title")
                .or_else(|| not_empty(title(file_name, TITLE_CHARS_MAX, Unit::Characters))),
            tags: self.text("Tags"),
            cate_id: self.text("CateId"),
            description: self.text("Description"),
            storage_location: self.text("StorageLocation"),
            user_data: self.text("UserData"),
            app_id: self.text("AppId"),
        };
        call.check()?;
        Ok(call)
    }

    /// The call for auxiliary media. MediaExt defaults to the extension of the file name;
    /// BusinessType defaults to `subtitle` if that is a subtitle format.
    ///
    /// # Errors
    /// As [`ParamData::create_video`]. Also returns an error if BusinessType is absent and the
    /// format is not a subtitle format.
    pub fn create_attached_media<'a>(
        &'a self,
        file_name: &'a str,
        file_size: Option<ByteCount>,
    ) -> Result<CreateUploadAttachedMedia<'a>> {
        self.only_of(CreateUploadAttachedMedia::NAME, ATTACHED)?;
        let file_name = self.text("FileName").unwrap_or(file_name);
        let subtitles = BusinessType::Subtitle.extensions();
        let media_ext = self.text("MediaExt");
        let business_type = match self.text("BusinessType") {
            Some(name) => BusinessType::parse(name)
                .ok_or_else(|| Error::field_invalid("BusinessType", BUSINESS_TYPES))?,
            None if media_ext.is_some_and(|own| subtitles.contains(&own))
                || media_ext.is_none() && listed_extension(file_name, subtitles).is_some() =>
            {
                BusinessType::Subtitle
            }
            None => {
                let allowed = format!("specified in param-data: {BUSINESS_TYPES}");
                return Err(Error::field_invalid("BusinessType", allowed));
            }
        };
        let formats = business_type.extensions();
        let Some(media_ext) = media_ext.or_else(|| listed_extension(file_name, formats)) else {
            let (business_type, formats) = (business_type.as_str(), formats.join(", "));
            let allowed = format!(
                "specified for a {business_type} whose file name ends with none of {formats}"
            );
            return Err(Error::field_invalid("MediaExt", allowed));
        };
        let call = CreateUploadAttachedMedia {
            business_type,
            media_ext: Some(media_ext),
            file_name: not_empty(file_name),
            file_size: self.bytes("FileSize").or(file_size),
            title: self
                .text("Title")
                .or_else(|| not_empty(title(file_name, TITLE_BYTES_MAX, Unit::Bytes))),
            description: self.text("Description"),
            cate_ids: self.text("CateIds"),
            tags: self.text("Tags"),
            storage_location: self.text("StorageLocation"),
            user_data: self.text("UserData"),
            app_id: self.text("AppId"),
        };
        call.check()?;
        Ok(call)
    }
}

/// The extension of a file name in VOD's spelling; `None` if it is not in `listed`.
fn listed_extension(file_name: &str, listed: &'static [&'static str]) -> Option<&'static str> {
    let own = extension(file_name)?;
    listed.iter().find(|listed| listed.eq_ignore_ascii_case(own)).copied()
}

fn not_empty(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}

const BUSINESS_TYPES: &str = "watermark, subtitle or material";
