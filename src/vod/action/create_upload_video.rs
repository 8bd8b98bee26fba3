//! CreateUploadVideo: creates a video or audio media ID and grants its upload.

use super::Action;
use crate::error::{Error, Result};
use crate::units::{ByteCount, UnixMillis};
use crate::vod::limits::{DESCRIPTION_CHARS_MAX, TITLE_CHARS_MAX, Unit, check_length, check_tags};
use crate::vod::parameters::{flag, given};
use crate::vod::upload_grant::MediaFields;
use crate::vod::{UploadGrant, VodResponse, file_name};

/// Creates a media ID for a video or audio file
/// (<https://www.alibabacloud.com/help/en/vod/developer-reference/api-vod-2017-03-21-createuploadvideo>).
///
/// Not idempotent: a repeated call creates another media ID.
#[derive(Clone, Copy, Debug, Default)]
pub struct CreateUploadVideo<'a> {
    /// The title, 1 to 128 characters.
    pub title: &'a str,
    /// The name of the source file. Its extension determines the format.
    pub file_name: &'a str,
    /// The size of the source file in bytes.
    pub file_size: Option<ByteCount>,
    /// A description of up to 1024 characters.
    pub description: Option<&'a str>,
    /// The category ID.
    pub cate_id: Option<&'a str>,
    /// Up to 16 tags of up to 32 characters, separated by commas.
    pub tags: Option<&'a str>,
    /// The URL of the cover image.
    pub cover_url: Option<&'a str>,
    /// The ID of the transcoding template group.
    pub template_group_id: Option<&'a str>,
    /// The workflow ID, which takes precedence over the template group.
    pub workflow_id: Option<&'a str>,
    /// The storage address, for accounts with several.
    pub storage_location: Option<&'a str>,
    /// A JSON object with `MessageCallback`, `Extend` and similar keys.
    pub user_data: Option<&'a str>,
    /// The application ID; `app-1000000` if absent.
    pub app_id: Option<&'a str>,
    /// A custom ID: 6 to 64 of `A-Z a-z 0-9 _ -`, unique within the account.
    pub reference_id: Option<&'a str>,
    /// Whether the first frame becomes the cover.
    pub enable_first_frame_cover: Option<bool>,
    /// Whether thumbnails are generated.
    pub generate_thumbnail: Option<bool>,
    /// The transcoding mode. The JavaScript SDK sends it, but VOD does not document it for this
    /// call, so its values are not checked.
    pub trans_code_mode: Option<&'a str>,
}

/// The length limits of `ReferenceId`, in characters
/// (<https://www.alibabacloud.com/help/en/vod/developer-reference/api-vod-2017-03-21-createuploadvideo>).
pub(super) const REFERENCE_ID_CHARS: std::ops::RangeInclusive<usize> = 6..=64;

impl Action for CreateUploadVideo<'_> {
    type Output = UploadGrant;

    const NAME: &'static str = "CreateUploadVideo";

    fn check(&self) -> Result<()> {
        if self.title.trim().is_empty() {
            return Err(Error::field_invalid("Title", "a string that is not blank"));
        }
        check_length("Title", Some(self.title), TITLE_CHARS_MAX, Unit::Characters)?;
        if file_name::extension(self.file_name).is_none() {
            let allowed = "a name with an extension, from which VOD derives the format";
            return Err(Error::field_invalid("FileName", allowed));
        }
        check_length("Description", self.description, DESCRIPTION_CHARS_MAX, Unit::Characters)?;
        check_tags(self.tags, Unit::Characters)?;
        if self.reference_id.is_some_and(|id| !is_reference_id(id)) {
            let allowed = "6 to 64 characters of A-Z a-z 0-9 _ -";
            return Err(Error::field_invalid("ReferenceId", allowed));
        }
        Ok(())
    }

    fn parameters(&self) -> Vec<(&'static str, String)> {
        let file_size = self.file_size.map(|size| size.bytes().to_string());
        given([
            ("Title", Some(self.title)),
            ("FileName", Some(self.file_name)),
            ("FileSize", file_size.as_deref()),
            ("Description", self.description),
            ("CateId", self.cate_id),
            ("Tags", self.tags),
            ("CoverURL", self.cover_url),
            ("TemplateGroupId", self.template_group_id),
            ("WorkflowId", self.workflow_id),
            ("StorageLocation", self.storage_location),
            ("UserData", self.user_data),
            ("AppId", self.app_id),
            ("ReferenceId", self.reference_id),
            ("EnableFirstFrameCover", self.enable_first_frame_cover.map(flag)),
            ("GenerateThumbnail", self.generate_thumbnail.map(flag)),
            ("TransCodeMode", self.trans_code_mode),
        ])
    }

    fn output(&self, response: &VodResponse, now: UnixMillis) -> Result<UploadGrant> {
        UploadGrant::read(response, MediaFields::VIDEO, None, now)
    }
}

fn is_reference_id(text: &str) -> bool {
    // Every allowed character is one byte long.
    REFERENCE_ID_CHARS.contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed assumption fails the test")]

    use super::*;
    use crate::error::ErrorKind;
    use crate::vod::action::fixtures::signed_form;

    const VIDEO: CreateUploadVideo<'_> = CreateUploadVideo {
        title: "T",
        file_name: "a.mp4",
        file_size: None,
        description: None,
        cate_id: None,
        tags: None,
        cover_url: None,
        template_group_id: None,
        workflow_id: None,
        storage_location: None,
        user_data: None,
        app_id: None,
        reference_id: None,
        enable_first_frame_cover: None,
        generate_thumbnail: None,
        trans_code_mode: None,
    };

    #[test]
    fn absent_parameters_are_not_sent() {
        assert_eq!(
            form(&VIDEO),
            "AccessKeyId=id&Action=CreateUploadVideo&FileName=a.mp4&Format=JSON\
             &SignatureMethod=HMAC-SHA1&SignatureNonce=n&SignatureVersion=1.0\
             &Timestamp=1970-01-01T00%3A00%3A00Z&Title=T&Version=2017-03-21"
        );
    }

    #[test]
    fn every_parameter_has_its_name_in_the_api() {
        let full = CreateUploadVideo {
            file_size: Some(ByteCount(7)),
            description: Some("1"),
            cate_id: Some("2"),
            tags: Some("3,4"),
            cover_url: Some("5"),
            template_group_id: Some("6"),
            workflow_id: Some("7"),
            storage_location: Some("8"),
            user_data: Some("{}"),
            app_id: Some("9"),
            reference_id: Some("order_10-a"),
            enable_first_frame_cover: Some(true),
            generate_thumbnail: Some(false),
            trans_code_mode: Some("NoTranscode"),
            ..VIDEO
        };
        let form = form(&full);
        for pair in [
            "FileSize=7",
            "Description=1",
            "CateId=2",
            "Tags=3%2C4",
            "CoverURL=5",
            "TemplateGroupId=6",
            "WorkflowId=7",
            "StorageLocation=8",
            "UserData=%7B%7D",
            "AppId=9",
            "ReferenceId=order_10-a",
            "EnableFirstFrameCover=true",
            "GenerateThumbnail=false",
            "TransCodeMode=NoTranscode",
        ] {
            assert!(form.split('&').any(|sent| sent == pair), "{pair} in {form}");
        }
    }

    #[test]
    fn limits_are_counted_in_characters() {
        let (title, description) = ("标".repeat(128), "标".repeat(1024));
        let tags = vec!["标".repeat(32); 16].join(",");
        let reference_id = "a".repeat(64);
        let largest = CreateUploadVideo {
            reference_id: Some(&reference_id),
            title: &title,
            description: Some(&description),
            tags: Some(&tags),
            ..VIDEO
        };
        assert_eq!(largest.check(), Ok(()));
    }

    #[test]
    fn the_error_for_an_invalid_parameter_contains_its_name() {
        let (long_title, long_text) = ("t".repeat(129), "t".repeat(1025));
        let long_id = "a".repeat(65);
        let (many_tags, long_tag) = (vec!["t"; 17].join(","), "t".repeat(33));
        for (video, field) in [
            (CreateUploadVideo { title: " ", ..VIDEO }, "Title"),
            (CreateUploadVideo { title: &long_title, ..VIDEO }, "Title"),
            (CreateUploadVideo { file_name: "a", ..VIDEO }, "FileName"),
            (CreateUploadVideo { file_name: "a.", ..VIDEO }, "FileName"),
            (CreateUploadVideo { file_name: ".mp4", ..VIDEO }, "FileName"),
            (CreateUploadVideo { file_name: "a.b/c", ..VIDEO }, "FileName"),
            (CreateUploadVideo { description: Some(&long_text), ..VIDEO }, "Description"),
            (CreateUploadVideo { tags: Some(&many_tags), ..VIDEO }, "Tags"),
            (CreateUploadVideo { tags: Some(&long_tag), ..VIDEO }, "Tags"),
            (CreateUploadVideo { reference_id: Some("short"), ..VIDEO }, "ReferenceId"),
            (CreateUploadVideo { reference_id: Some("no space"), ..VIDEO }, "ReferenceId"),
            (CreateUploadVideo { reference_id: Some(&long_id), ..VIDEO }, "ReferenceId"),
        ] {
            let error = video.check().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::RequestInvalid);
            assert!(error.message().starts_with(field), "{error}");
        }
    }

    /// The form without its signature.
    fn form(video: &CreateUploadVideo<'_>) -> String {
        let form = signed_form(video);
        form.rsplit_once("&Signature=").unwrap().0.to_owned()
    }
}
