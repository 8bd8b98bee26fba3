//! The event in a notification.

use super::event_time;
use super::lenient_json::Fields;
use crate::error::{Error, Result};
use crate::units::{ByteCount, UnixMillis};

/// An event of VOD
/// (<https://www.alibabacloud.com/help/en/vod/developer-reference/event-notification-overview>).
///
/// All fields except the type are optional. The type determines which ones are present. Of events
/// of unknown types, fields with the same names are parsed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The type of the event.
    pub event_type: EventType,
    /// When the event occurred.
    pub event_time: Option<UnixMillis>,
    /// Whether the operation succeeded.
    pub status: Option<EventStatus>,
    /// The `VideoId`, `ImageId` or `AttachedMediaId`. A failed job may have none.
    pub media_id: Option<String>,
    /// The size of the file.
    pub size: Option<ByteCount>,
    /// The URL of the object in OSS.
    pub file_url: Option<String>,
    /// The ID of the URL upload job.
    pub job_id: Option<String>,
    /// The source URL of the job.
    pub source_url: Option<String>,
    /// The error code of a failed operation.
    pub error_code: Option<String>,
    /// The error message of a failed operation.
    pub error_message: Option<String>,
    /// The `Extend` of the upload's `UserData`, as JSON text.
    pub extend: Option<String>,
    /// The ID of the application.
    pub app_id: Option<String>,
}

/// The type of an event.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum EventType {
    /// A video or audio file was uploaded. VOD sends no event for a failed upload.
    FileUploadComplete,
    /// An image was uploaded.
    ImageUploadComplete,
    /// A watermark, subtitle or material was uploaded.
    AttachedMediaUploadComplete,
    /// A URL upload job has finished, successfully or not.
    UploadByUrlComplete,
    /// Another type, by its name in the VOD API.
    Other(String),
}

/// The result of the operation of an event.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum EventStatus {
    /// `success`
    Success,
    /// `fail`
    Fail,
    /// Another status, as in the notification.
    Other(String),
}

impl Event {
    /// Parses the body of a notification, which [`Callback`](super::Callback) has verified.
    ///
    /// As in the samples of the VOD documentation, names may differ in case and have surrounding
    /// spaces, numbers may be strings, and a comma may precede a closing brace.
    ///
    /// # Errors
    /// Returns [`RequestInvalid`](crate::ErrorKind::RequestInvalid) if the body is not a JSON
    /// object with an `EventType`.
    pub fn parse(body: &[u8]) -> Result<Self> {
        let invalid = || Error::field_invalid("body", "a JSON object with an EventType");
        let fields = Fields::parse(body).ok_or_else(invalid)?;
        let event_type = fields.text("EventType").ok_or_else(invalid).map(EventType::parse)?;
        let text = |name| fields.text(name).map(str::to_owned);
        Ok(Self {
            event_type,
            event_time: fields.text("EventTime").and_then(event_time::parse),
            status: fields.text("Status").map(EventStatus::parse),
            media_id: MEDIA_IDS.into_iter().find_map(text),
            size: fields.number("Size").map(ByteCount),
            file_url: text("FileURL"),
            job_id: text("JobId"),
            source_url: text("SourceURL"),
            error_code: text("ErrorCode"),
            error_message: text("ErrorMessage"),
            extend: fields.json("Extend"),
            app_id: text("AppId"),
        })
    }
}

impl EventType {
    fn parse(name: &str) -> Self {
        let known = [
            Self::FileUploadComplete,
            Self::ImageUploadComplete,
            Self::AttachedMediaUploadComplete,
            Self::UploadByUrlComplete,
        ];
        let found = known.into_iter().find(|known| known.as_str().eq_ignore_ascii_case(name));
        found.unwrap_or_else(|| Self::Other(name.to_owned()))
    }

    /// The name in the VOD API.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::FileUploadComplete => "FileUploadComplete",
            Self::ImageUploadComplete => "ImageUploadComplete",
            Self::AttachedMediaUploadComplete => "AttachedMediaUploadComplete",
            Self::UploadByUrlComplete => "UploadByURLComplete",
            Self::Other(name) => name,
        }
    }
}

impl EventStatus {
    fn parse(text: &str) -> Self {
        match text.to_ascii_lowercase().as_str() {
            "success" => Self::Success,
            "fail" => Self::Fail,
            _ => Self::Other(text.to_owned()),
        }
    }

    /// The name in the VOD API.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Success => "success",
            Self::Fail => "fail",
            Self::Other(name) => name,
        }
    }
}

/// The field of the media ID, by type of event.
const MEDIA_IDS: [&str; 4] = ["VideoId", "ImageId", "AttachedMediaId", "MediaId"];

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed assumption fails the test")]

    use proptest::prelude::*;
    use proptest::test_runner::RngSeed;

    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn an_uploaded_video_is_parsed() {
        let event = parse(
            r#"{"EventTime":"2017-03-20T07:49:17Z","EventType":"FileUploadComplete",
            "VideoId":"43q9","Size":123,"FileUrl":"http://h/a.mp4","Status":"success",
            "Extend":"{\"id\":\"1\"}"}"#,
        );
        assert_eq!(event.event_type, EventType::FileUploadComplete);
        assert_eq!(event.event_time, Some(UnixMillis(1_489_996_157_000)));
        assert_eq!(event.media_id.as_deref(), Some("43q9"));
        assert_eq!(event.size, Some(ByteCount(123)));
        assert_eq!(event.file_url.as_deref(), Some("http://h/a.mp4"));
        assert_eq!(event.status, Some(EventStatus::Success));
        assert_eq!(event.extend.as_deref(), Some("{\"id\":\"1\"}"));
    }

    #[test]
    fn an_uploaded_image_with_a_colon_before_its_milliseconds_is_parsed() {
        let event = parse(
            r#"{"EventTime":"2017-03-20T07:49:17:500Z","EventType":"ImageUploadComplete",
            "ImageId":"99c4","Size":"24","FileURL":"http://h/a.png","Status":"success",
            "AppId":"app-1000000","Extend":{"id":1}}"#,
        );
        assert_eq!(event.event_type, EventType::ImageUploadComplete);
        assert_eq!(event.event_time, Some(UnixMillis(1_489_996_157_500)));
        assert_eq!(event.media_id.as_deref(), Some("99c4"));
        assert_eq!(event.size, Some(ByteCount(24)));
        assert_eq!(event.file_url.as_deref(), Some("http://h/a.png"));
        assert_eq!(event.app_id.as_deref(), Some("app-1000000"));
        assert_eq!(event.extend.as_deref(), Some("{\"id\":1}"));
    }

    #[test]
    fn uploaded_auxiliary_media_is_parsed() {
        let event =
            parse(r#"{"EventType":"AttachedMediaUploadComplete","AttachedMediaId":"73ab"}"#);
        assert_eq!(event.event_type, EventType::AttachedMediaUploadComplete);
        assert_eq!(event.media_id.as_deref(), Some("73ab"));
        assert_eq!((event.status, event.event_time, event.size), (None, None, None));
    }

    #[test]
    fn a_url_upload_with_spaces_and_a_trailing_comma_is_parsed() {
        let event = parse(
            r#"{"EventTime":"2017-03-20T07:49:17Z", "EventType":"UploadByURLComplete",
            "VideoId ":"", "JobId ":"86c1", "SourceURL ":"http://h/a.mp4 ", "Size":"24",
            "Status":"fail", "ErrorCode":"URLInvalidError", "ErrorMessage":"No.", }"#,
        );
        assert_eq!(event.event_type, EventType::UploadByUrlComplete);
        assert_eq!((event.media_id, event.status), (None, Some(EventStatus::Fail)));
        assert_eq!(event.job_id.as_deref(), Some("86c1"));
        assert_eq!(event.source_url.as_deref(), Some("http://h/a.mp4"));
        assert_eq!(event.error_code.as_deref(), Some("URLInvalidError"));
        assert_eq!(event.error_message.as_deref(), Some("No."));
    }

    #[test]
    fn another_type_keeps_its_name() {
        let event =
            parse(r#"{"EventType":"StreamTranscodeComplete","Status":"partly","VideoId":"4"}"#);
        assert_eq!(event.event_type, EventType::Other("StreamTranscodeComplete".into()));
        assert_eq!(event.event_type.as_str(), "StreamTranscodeComplete");
        assert_eq!(event.status.as_ref().map(EventStatus::as_str), Some("partly"));
        assert_eq!(event.media_id.as_deref(), Some("4"));
    }

    #[test]
    fn a_body_without_an_event_is_rejected() {
        for body in ["", "hello", "[]", "{}", "{\"EventType\":\" \"}", "{\"EventType\":7}"] {
            let error = Event::parse(body.as_bytes()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::RequestInvalid, "{body}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { rng_seed: RngSeed::Fixed(1), ..Default::default() })]

        #[test]
        fn parsing_never_panics(body: Vec<u8>, text: String) {
            let _ = Event::parse(&body);
            let quoted = serde_json::Value::from(text.as_str());
            let event =
                format!("{{\"EventType\":\"A\",\"EventTime\":{quoted},\"Size\":{quoted},}}");
            prop_assert!(Event::parse(event.as_bytes()).is_ok());
            let _ = Event::parse(text.as_bytes());
        }
    }

    fn parse(body: &str) -> Event {
        Event::parse(body.as_bytes()).unwrap()
    }
}
