//! The answer of the calls that hand out an upload.

use std::fmt;

use super::answer::Answer;
use crate::credential::UploadCredential;
use crate::error::Result;
use crate::oss::Reply;
use crate::units::UnixMillis;

/// An upload that VOD has handed out: a media id, and where and with what to upload.
#[derive(Clone, PartialEq, Eq)]
pub struct MintedUpload {
    /// The media id: the `VideoId`, the `ImageId` or, of auxiliary media, the `MediaId`.
    pub media_id: String,
    /// Address and credential.
    pub credential: UploadCredential,
    /// Where the media can be seen once it is uploaded: the `ImageURL` or `MediaURL`, at the CDN
    /// where the account has one, and signed where that asks for it. `None` for video and audio.
    pub media_url: Option<String>,
    /// Where the object is in OSS: the `FileURL`, without a signature. `None` for video and audio.
    pub file_url: Option<String>,
    /// The id to quote to the vendor's support.
    pub request_id: String,
}

impl MintedUpload {
    /// Reads the reply to the call `action`, which names the media as `fields` says; `media_id` is
    /// the one that was asked for, where the call names one.
    pub(super) fn read(
        action: &str,
        fields: MediaFields,
        reply: &Reply,
        media_id: Option<&str>,
        now: UnixMillis,
    ) -> Result<Self> {
        let answer = Answer::read(action, reply)?;
        // RefreshUploadVideo need not repeat the id that it was asked for.
        let media_id = match (answer.text(fields.id), media_id) {
            (Some(answered), _) => answered,
            (None, Some(asked)) => asked,
            (None, None) => answer.required(fields.id)?,
        };
        let address = answer.required("UploadAddress")?;
        let credential = UploadCredential::parse(address, answer.required("UploadAuth")?, now)
            .map_err(|error| error.while_doing(action))?;
        let url = |field: Option<&str>| answer.text(field?).map(str::to_owned);
        Ok(Self {
            media_id: media_id.to_owned(),
            credential,
            media_url: url(fields.media_url),
            file_url: url(fields.file_url),
            request_id: answer.request_id().to_owned(),
        })
    }
}

/// The query of a `media_url` may be its signature, and is not shown.
impl fmt::Debug for MintedUpload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let without_query = |url: &Option<String>| {
            url.as_deref().and_then(|url| url.split('?').next()).map(str::to_owned)
        };
        f.debug_struct("MintedUpload")
            .field("media_id", &self.media_id)
            .field("credential", &self.credential)
            .field("media_url", &without_query(&self.media_url))
            .field("file_url", &without_query(&self.file_url))
            .field("request_id", &self.request_id)
            .finish()
    }
}

/// What a call names the media id and its URLs.
#[derive(Clone, Copy, Debug)]
pub(super) struct MediaFields {
    id: &'static str,
    media_url: Option<&'static str>,
    file_url: Option<&'static str>,
}

impl MediaFields {
    /// Of CreateUploadVideo and RefreshUploadVideo.
    pub(super) const VIDEO: Self = Self { id: "VideoId", media_url: None, file_url: None };
    /// Of CreateUploadImage.
    pub(super) const IMAGE: Self =
        Self { id: "ImageId", media_url: Some("ImageURL"), file_url: Some("FileURL") };
    /// Of CreateUploadAttachedMedia.
    pub(super) const ATTACHED: Self =
        Self { id: "MediaId", media_url: Some("MediaURL"), file_url: Some("FileURL") };
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        reason = "a failed assumption fails the test"
    )]

    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use serde_json::{Value, json};

    use super::*;
    use crate::error::ErrorKind;
    use crate::vod::{
        BusinessType, CreateUploadAttachedMedia, CreateUploadImage, CreateUploadVideo,
        RefreshUploadVideo,
    };

    const NOW: UnixMillis = UnixMillis(1_000);

    #[test]
    fn media_id_and_credential_are_read() {
        let minted = create(&answer()).unwrap();
        assert_eq!(minted.media_id, "93ab");
        assert_eq!(minted.request_id, "R");
        assert_eq!(minted.credential.address.bucket, "outin-1");
        assert_eq!(minted.credential.auth.expires_at, Some(UnixMillis(3_001_000)));
        assert_eq!((minted.media_url, minted.file_url), (None, None));
    }

    #[test]
    fn every_call_names_the_media_id_in_its_own_way() {
        let mut answer = answer();
        answer["ImageId"] = json!("image");
        answer["ImageURL"] = json!("https://cdn.example.com/a.png?auth_key=hush");
        answer["MediaId"] = json!("auxiliary");
        answer["MediaURL"] = json!("https://cdn.example.com/a.srt?auth_key=hush");
        answer["FileURL"] = json!("https://outin-1.oss-cn-shanghai.aliyuncs.com/a");
        let reply = reply(200, &answer);
        let image = CreateUploadImage::default().parse(&reply, NOW).unwrap();
        let attached =
            CreateUploadAttachedMedia::of_type(BusinessType::Subtitle).parse(&reply, NOW).unwrap();
        for (minted, media_id, url) in
            [(image, "image", "ImageURL"), (attached, "auxiliary", "MediaURL")]
        {
            assert_eq!(minted.media_id, media_id);
            assert_eq!(minted.media_url.as_deref(), answer[url].as_str());
            assert_eq!(minted.file_url.as_deref(), answer["FileURL"].as_str());
            let shown = format!("{minted:?}");
            assert!(shown.contains("cdn.example.com") && !shown.contains("hush"), "{shown}");
        }
    }

    #[test]
    fn a_refresh_keeps_the_media_id_that_it_asked_for() {
        let mut answer = answer();
        answer.as_object_mut().unwrap().remove("VideoId");
        let refresh = RefreshUploadVideo { video_id: "asked" };
        let minted = refresh.parse(&reply(200, &answer), NOW).unwrap();
        assert_eq!(minted.media_id, "asked");
    }

    #[test]
    fn a_success_that_lacks_a_field_names_it() {
        for field in ["VideoId", "UploadAddress", "UploadAuth"] {
            let mut answer = answer();
            answer[field] = json!("");
            let error = create(&answer).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::VodRejected);
            assert_eq!(error.message(), format!("CreateUploadVideo: the reply lacks {field}"));
            assert_eq!(error.store().unwrap().request_id, "R");
        }
        let error = create(&json!(null)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::VodRejected);
    }

    #[test]
    fn an_unknown_media_id_is_told_apart() {
        let refusal = json!({"Code": "InvalidVideo.NotFound", "Message": "No.", "RequestId": "R"});
        let refresh = RefreshUploadVideo { video_id: "asked" };
        let error = refresh.parse(&reply(404, &refusal), NOW).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::MediaNotFound);
        assert!(error.message().starts_with("RefreshUploadVideo: "), "{error}");
    }

    fn create(answer: &Value) -> Result<MintedUpload> {
        CreateUploadVideo::default().parse(&reply(200, answer), NOW)
    }

    fn answer() -> Value {
        let address = json!({"Endpoint": "https://oss-cn-shanghai.aliyuncs.com",
            "Bucket": "outin-1", "FileName": "sv/a.mp4"});
        let auth = json!({"AccessKeyId": "STS.id", "AccessKeySecret": "secret",
            "SecurityToken": "token", "Expiration": "3000"});
        json!({
            "RequestId": "R",
            "VideoId": "93ab",
            "UploadAddress": STANDARD.encode(address.to_string()),
            "UploadAuth": STANDARD.encode(auth.to_string()),
        })
    }

    fn reply(status: u16, body: &Value) -> Reply {
        Reply { status, headers: Vec::new(), body: body.to_string().into_bytes() }
    }
}
