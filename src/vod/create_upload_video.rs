//! CreateUploadVideo: makes a media id and hands out its upload.

use super::limits::{DESCRIPTION_CHARS_MAX, TITLE_CHARS_MAX, Unit, check_length, check_tags};
use super::minted_upload::MediaFields;
use super::parameters::{flag, given};
use super::{MintedUpload, RamKey, VodEndpoint, file_name, rpc_sign};
use crate::error::{Error, Result};
use crate::oss::{Reply, Request};
use crate::units::{ByteCount, UnixMillis};

/// Makes a new media id for a video or audio file
/// (<https://www.alibabacloud.com/help/en/vod/developer-reference/api-vod-2017-03-21-createuploadvideo>).
///
/// Not idempotent: a repeated call makes another media id.
#[derive(Clone, Copy, Debug, Default)]
pub struct CreateUploadVideo<'a> {
    /// The title, 1 to 128 characters.
    pub title: &'a str,
    /// The name of the source file. VOD takes the format from its extension.
    pub file_name: &'a str,
    /// The size of the source file.
    pub file_size: Option<ByteCount>,
    /// A description of up to 1024 characters.
    pub description: Option<&'a str>,
    /// The id of the category.
    pub cate_id: Option<&'a str>,
    /// Up to 16 tags of up to 32 characters, separated by commas.
    pub tags: Option<&'a str>,
    /// The URL of the cover picture.
    pub cover_url: Option<&'a str>,
    /// The id of the transcoding template group.
    pub template_group_id: Option<&'a str>,
    /// The id of the workflow, which wins over the template group.
    pub workflow_id: Option<&'a str>,
    /// The storage address, where the account has several.
    pub storage_location: Option<&'a str>,
    /// A JSON object: `MessageCallback`, `Extend` and so on.
    pub user_data: Option<&'a str>,
    /// The id of the application; without it, `app-1000000`.
    pub app_id: Option<&'a str>,
    /// An id of one's own, 6 to 64 of `A-Z a-z 0-9 _ -`, unique within the account.
    pub reference_id: Option<&'a str>,
    /// Whether the first frame becomes the cover.
    pub enable_first_frame_cover: Option<bool>,
    /// Whether thumbnails are made.
    pub generate_thumbnail: Option<bool>,
    /// How to transcode. The JavaScript SDK sends it; the page of the call does not list it, so
    /// its values are not checked.
    pub trans_code_mode: Option<&'a str>,
}

/// Shortest and longest `ReferenceId`, in characters
/// (<https://www.alibabacloud.com/help/en/vod/developer-reference/api-vod-2017-03-21-createuploadvideo>).
pub const REFERENCE_ID_CHARS: std::ops::RangeInclusive<usize> = 6..=64;

impl CreateUploadVideo<'_> {
    /// The vendor's name of the call.
    pub const NAME: &'static str = "CreateUploadVideo";

    /// Checks the limits that VOD documents, so that a request which it would refuse costs no
    /// call. The request is made of unchecked values all the same.
    ///
    /// # Errors
    ///
    /// [`RequestInvalid`](crate::ErrorKind::RequestInvalid) names the field.
    pub fn check(&self) -> Result<()> {
        if self.title.trim().is_empty() {
            return Err(Error::field_invalid("Title", "a text that is not blank"));
        }
        check_length("Title", Some(self.title), TITLE_CHARS_MAX, Unit::Characters)?;
        if file_name::extension(self.file_name).is_none() {
            let allowed = "a name with an extension, which VOD takes the format from";
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

    /// The signed call. `nonce` must be unique for every request.
    #[must_use]
    pub fn request(
        &self,
        endpoint: &VodEndpoint,
        key: &RamKey,
        nonce: &str,
        now: UnixMillis,
    ) -> Request {
        rpc_sign::call(Self::NAME, self.parameters(), endpoint, key, nonce, now)
    }

    /// Reads the reply; `now` begins the life of an `Expiration` in seconds.
    ///
    /// # Errors
    ///
    /// [`VodRejected`](crate::ErrorKind::VodRejected) and the other kinds of a refusal,
    /// [`VodUnavailable`](crate::ErrorKind::VodUnavailable) where VOD failed, and
    /// [`CredentialInvalid`](crate::ErrorKind::CredentialInvalid) where the credential cannot be
    /// read.
    pub fn parse(&self, reply: &Reply, now: UnixMillis) -> Result<MintedUpload> {
        MintedUpload::read(Self::NAME, MediaFields::VIDEO, reply, None, now)
    }

    fn parameters(&self) -> Vec<(&'static str, String)> {
        let mut parameters = given([
            ("Title", Some(self.title)),
            ("FileName", Some(self.file_name)),
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
        ]);
        if let Some(size) = self.file_size {
            parameters.push(("FileSize", size.bytes().to_string()));
        }
        parameters
    }
}

fn is_reference_id(text: &str) -> bool {
    // All of the allowed characters are of one byte.
    REFERENCE_ID_CHARS.contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        reason = "a failed assumption fails the test"
    )]

    use super::*;
    use crate::credential::Secret;
    use crate::error::ErrorKind;
    use crate::oss::Body;

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
    fn only_the_fields_that_are_given_are_sent() {
        assert_eq!(
            form(&VIDEO),
            "AccessKeyId=id&Action=CreateUploadVideo&FileName=a.mp4&Format=JSON\
             &SignatureMethod=HMAC-SHA1&SignatureNonce=n&SignatureVersion=1.0\
             &Timestamp=1970-01-01T00%3A00%3A00Z&Title=T&Version=2017-03-21"
        );
    }

    #[test]
    fn every_field_has_the_vendors_name() {
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
    fn what_vod_would_refuse_is_named() {
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
        let key = RamKey {
            access_key_id: "id".into(),
            access_key_secret: Secret::new("secret"),
            security_token: None,
        };
        let endpoint = VodEndpoint::for_region("cn-shanghai").unwrap();
        let request = video.request(&endpoint, &key, "n", UnixMillis(0));
        let Body::Bytes(form) = request.body else { panic!("{request:?}") };
        let form = String::from_utf8(form).unwrap();
        form.rsplit_once("&Signature=").unwrap().0.to_owned()
    }
}
