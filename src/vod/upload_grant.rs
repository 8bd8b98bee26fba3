//! The output of the calls that grant an upload.

use std::fmt;

use super::VodResponse;
use crate::credential::UploadCredential;
use crate::error::{Error, ErrorKind, Result};
use crate::units::UnixMillis;

/// An upload granted by VOD: a media ID, the upload address and the credential.
#[derive(Clone, PartialEq, Eq)]
pub struct UploadGrant {
    /// The media ID: `VideoId`, `ImageId` or, for auxiliary media, `MediaId`.
    pub media_id: String,
    /// The upload address and its credential.
    pub credential: UploadCredential,
    /// The URL of the uploaded media: `ImageURL` or `MediaURL`. It is a CDN URL if the account has
    /// a CDN domain, and signed if that domain requires it. `None` for video and audio.
    pub media_url: Option<String>,
    /// The unsigned URL of the OSS object: `FileURL`. `None` for video and audio.
    pub file_url: Option<String>,
    /// The ID to quote to Alibaba Cloud support.
    pub request_id: String,
}

impl UploadGrant {
    /// Reads the response of a call whose fields are named as in `fields`. `requested_id` is the
    /// media ID of the request, if it has one.
    pub(super) fn read(
        response: &VodResponse,
        fields: MediaFields,
        requested_id: Option<&str>,
        now: UnixMillis,
    ) -> Result<Self> {
        let media_id = match (response.text(fields.id), requested_id) {
            (Some(id), Some(requested)) if id != requested => {
                let message = "VOD returned a credential for another media ID than requested";
                return Err(Error::new(ErrorKind::VodRejected, message));
            }
            // RefreshUploadVideo may omit the ID that it was called with.
            (Some(id), _) | (None, Some(id)) => id,
            (None, None) => response.required(fields.id)?,
        };
        let address = response.required("UploadAddress")?;
        let credential = UploadCredential::parse(address, response.required("UploadAuth")?, now)?;
        let url = |field: Option<&str>| response.text(field?).map(str::to_owned);
        Ok(Self {
            media_id: media_id.to_owned(),
            credential,
            media_url: url(fields.media_url),
            file_url: url(fields.file_url),
            request_id: response.request_id().to_owned(),
        })
    }
}

/// Omits the query of `media_url`, which may be a signature.
impl fmt::Debug for UploadGrant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let without_query = |url: &Option<String>| {
            url.as_deref().and_then(|url| url.split('?').next()).map(str::to_owned)
        };
        f.debug_struct("UploadGrant")
            .field("media_id", &self.media_id)
            .field("credential", &self.credential)
            .field("media_url", &without_query(&self.media_url))
            .field("file_url", &without_query(&self.file_url))
            .field("request_id", &self.request_id)
            .finish()
    }
}

/// The names of the response fields that differ between calls.
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
    use http::{HeaderMap, StatusCode};
    use serde_json::{Value, json};

    use super::*;
    use crate::oss::HttpResponse;
    use crate::vod::{
        Action as _, BusinessType, CreateUploadAttachedMedia, CreateUploadImage, CreateUploadVideo,
        RefreshUploadVideo,
    };

    const NOW: UnixMillis = UnixMillis(1_000);

    #[test]
    fn media_id_and_credential_are_parsed() {
        let grant = create(&body()).unwrap();
        assert_eq!(grant.media_id, "93ab");
        assert_eq!(grant.request_id, "R");
        assert_eq!(grant.credential.address.bucket, "outin-1");
        assert_eq!(grant.credential.auth.expires_at, Some(UnixMillis(3_001_000)));
        assert_eq!((grant.media_url, grant.file_url), (None, None));
    }

    #[test]
    fn each_call_has_its_own_media_id_field() {
        let mut body = body();
        body["ImageId"] = json!("image");
        body["ImageURL"] = json!("https://cdn.example.com/a.png?auth_key=hush");
        body["MediaId"] = json!("auxiliary");
        body["MediaURL"] = json!("https://cdn.example.com/a.srt?auth_key=hush");
        body["FileURL"] = json!("https://outin-1.oss-cn-shanghai.aliyuncs.com/a");
        let response = response(200, &body);
        let image = CreateUploadImage::default().parse(&response, NOW).unwrap();
        let attached =
            CreateUploadAttachedMedia::new(BusinessType::Subtitle).parse(&response, NOW).unwrap();
        for (grant, media_id, url) in
            [(image, "image", "ImageURL"), (attached, "auxiliary", "MediaURL")]
        {
            assert_eq!(grant.media_id, media_id);
            assert_eq!(grant.media_url.as_deref(), body[url].as_str());
            assert_eq!(grant.file_url.as_deref(), body["FileURL"].as_str());
            let shown = format!("{grant:?}");
            assert!(shown.contains("cdn.example.com") && !shown.contains("hush"), "{shown}");
        }
    }

    #[test]
    fn a_refresh_response_may_omit_the_media_id() {
        let mut body = body();
        body.as_object_mut().unwrap().remove("VideoId");
        let refresh = RefreshUploadVideo { video_id: "asked" };
        let grant = refresh.parse(&response(200, &body), NOW).unwrap();
        assert_eq!(grant.media_id, "asked");
    }

    #[test]
    fn a_response_for_another_media_id_is_rejected() {
        let refresh = RefreshUploadVideo { video_id: "asked" };
        let error = refresh.parse(&response(200, &body()), NOW).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::VodRejected);
        let refresh = RefreshUploadVideo { video_id: "93ab" };
        assert_eq!(refresh.parse(&response(200, &body()), NOW).unwrap().media_id, "93ab");
    }

    #[test]
    fn the_error_for_a_missing_field_contains_its_name() {
        for field in ["VideoId", "UploadAddress", "UploadAuth"] {
            let mut body = body();
            body[field] = json!("");
            let error = create(&body).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::VodRejected);
            assert_eq!(error.message(), format!("CreateUploadVideo: the response lacks {field}"));
            assert_eq!(error.service().unwrap().request_id, "R");
        }
        let error = create(&json!(null)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::VodRejected);
    }

    #[test]
    fn an_unknown_media_id_has_its_own_error_kind() {
        let refusal = json!({"Code": "InvalidVideo.NotFound", "Message": "No.", "RequestId": "R"});
        let refresh = RefreshUploadVideo { video_id: "asked" };
        let error = refresh.parse(&response(404, &refusal), NOW).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::MediaNotFound);
        assert!(error.message().starts_with("RefreshUploadVideo: "), "{error}");
    }

    fn create(body: &Value) -> Result<UploadGrant> {
        CreateUploadVideo::default().parse(&response(200, body), NOW)
    }

    fn body() -> Value {
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

    fn response(status: u16, body: &Value) -> HttpResponse {
        let status = StatusCode::from_u16(status).unwrap();
        HttpResponse { status, headers: HeaderMap::new(), body: body.to_string().into_bytes() }
    }
}
