//! CreateUploadVideo: makes a media id and hands out its upload.

use super::{MintedUpload, RamKey, VodEndpoint, rpc_sign};
use crate::error::{Error, ErrorKind, Result};
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
    /// The id of the application.
    pub app_id: Option<&'a str>,
}

impl CreateUploadVideo<'_> {
    /// The vendor's name of the call.
    pub const NAME: &'static str = "CreateUploadVideo";

    /// Checks the limits that VOD documents, so that a request which it would refuse costs no
    /// call. The request is made of unchecked values all the same.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::RequestInvalid`] names the field.
    pub fn check(&self) -> Result<()> {
        if self.title.trim().is_empty() {
            return Err(invalid("Title is empty"));
        }
        if self.title.chars().count() > TITLE_CHARS_MAX {
            return Err(invalid("Title is longer than 128 characters"));
        }
        if !has_extension(self.file_name) {
            return Err(invalid("FileName has no extension, which VOD takes the format from"));
        }
        if self.description.is_some_and(|text| text.chars().count() > DESCRIPTION_CHARS_MAX) {
            return Err(invalid("Description is longer than 1024 characters"));
        }
        let tags: Vec<&str> = self.tags.into_iter().flat_map(|tags| tags.split(',')).collect();
        if tags.len() > TAGS_MAX {
            return Err(invalid("Tags are more than 16"));
        }
        if tags.iter().any(|tag| tag.chars().count() > TAG_CHARS_MAX) {
            return Err(invalid("Tags has one that is longer than 32 characters"));
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
    /// [`ErrorKind::VodRejected`] and the other kinds of a refusal, [`ErrorKind::VodUnavailable`]
    /// where VOD failed, and [`ErrorKind::CredentialInvalid`] where the credential cannot be read.
    pub fn parse(&self, reply: &Reply, now: UnixMillis) -> Result<MintedUpload> {
        MintedUpload::read(Self::NAME, reply, None, now)
    }

    fn parameters(&self) -> Vec<(&'static str, String)> {
        let texts = [
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
        ];
        let mut parameters: Vec<(&str, String)> =
            texts.into_iter().filter_map(|(name, value)| Some((name, value?.to_owned()))).collect();
        if let Some(size) = self.file_size {
            parameters.push(("FileSize", size.bytes().to_string()));
        }
        parameters
    }
}

fn has_extension(file_name: &str) -> bool {
    let last = file_name.rsplit(['/', '\\']).next().unwrap_or_default();
    last.rsplit_once('.').is_some_and(|(stem, extension)| !stem.is_empty() && !extension.is_empty())
}

fn invalid(message: &str) -> Error {
    Error::new(ErrorKind::RequestInvalid, message)
}

const TITLE_CHARS_MAX: usize = 128;
const DESCRIPTION_CHARS_MAX: usize = 1024;
const TAGS_MAX: usize = 16;
const TAG_CHARS_MAX: usize = 32;

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
        ] {
            assert!(form.split('&').any(|sent| sent == pair), "{pair} in {form}");
        }
    }

    #[test]
    fn limits_are_counted_in_characters() {
        let (title, description) = ("标".repeat(128), "标".repeat(1024));
        let tags = vec!["标".repeat(32); 16].join(",");
        let largest = CreateUploadVideo {
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
