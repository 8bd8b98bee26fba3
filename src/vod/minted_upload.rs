//! The answer of the calls that hand out an upload.

use serde_json::Value;

use super::error_reply;
use crate::credential::UploadCredential;
use crate::error::{Error, ErrorKind, Result, StoreError};
use crate::oss::Reply;
use crate::units::UnixMillis;

/// An upload that VOD has handed out: a media id, and where and with what to upload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MintedUpload {
    /// The media id: the `VideoId`.
    pub media_id: String,
    /// Address and credential.
    pub credential: UploadCredential,
    /// The id to quote to the vendor's support.
    pub request_id: String,
}

impl MintedUpload {
    /// Reads the reply to the call `action`; `media_id` is the one that was asked for, where the
    /// call names one.
    pub(super) fn read(
        action: &str,
        reply: &Reply,
        media_id: Option<&str>,
        now: UnixMillis,
    ) -> Result<Self> {
        if !reply.is_success() {
            return Err(error_reply::read(reply).while_doing(action));
        }
        let answer: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
        let request_id = text_of(&answer, "RequestId").unwrap_or_default().to_owned();
        let required = |field| {
            text_of(&answer, field).ok_or_else(|| {
                let store = StoreError {
                    status: reply.status,
                    request_id: request_id.clone(),
                    ..StoreError::default()
                };
                Error::new(ErrorKind::VodRejected, format!("{action}: the reply lacks {field}"))
                    .with_store(store)
            })
        };
        // RefreshUploadVideo need not repeat the id that it was asked for.
        let media_id = match (text_of(&answer, "VideoId"), media_id) {
            (Some(answered), _) => answered,
            (None, Some(asked)) => asked,
            (None, None) => required("VideoId")?,
        };
        let credential =
            UploadCredential::parse(required("UploadAddress")?, required("UploadAuth")?, now)
                .map_err(|error| error.while_doing(action))?;
        Ok(Self { media_id: media_id.to_owned(), credential, request_id })
    }
}

fn text_of<'a>(answer: &'a Value, field: &str) -> Option<&'a str> {
    answer.get(field).and_then(Value::as_str).filter(|text| !text.is_empty())
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
    use serde_json::json;

    use super::*;
    use crate::vod::{CreateUploadVideo, RefreshUploadVideo};

    const NOW: UnixMillis = UnixMillis(1_000);

    #[test]
    fn media_id_and_credential_are_read() {
        let minted = create(&answer()).unwrap();
        assert_eq!(minted.media_id, "93ab");
        assert_eq!(minted.request_id, "R");
        assert_eq!(minted.credential.address.bucket, "outin-1");
        assert_eq!(minted.credential.auth.expires_at, Some(UnixMillis(3_001_000)));
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
