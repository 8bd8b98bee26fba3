//! What a notification says.

use super::event_time;
use super::lenient_json::Fields;
use crate::error::{Error, Result};
use crate::units::{ByteCount, UnixMillis};

/// An event of VOD
/// (<https://www.alibabacloud.com/help/en/vod/developer-reference/event-notification-overview>).
///
/// Everything but the type may be missing: which fields an event has is the type's matter, and
/// events of other types are read as far as their fields have the same names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// What has happened.
    pub event_type: EventType,
    /// When it has happened.
    pub event_time: Option<UnixMillis>,
    /// Whether it went well.
    pub status: Option<EventStatus>,
    /// The `VideoId`, `ImageId` or `AttachedMediaId`. A job that failed may have none.
    pub media_id: Option<String>,
    /// The size of the file.
    pub size: Option<ByteCount>,
    /// Where the object is in OSS.
    pub file_url: Option<String>,
    /// The job that fetched an online file.
    pub job_id: Option<String>,
    /// The URL that it fetched.
    pub source_url: Option<String>,
    /// Why it failed.
    pub error_code: Option<String>,
    /// The same in words.
    pub error_message: Option<String>,
    /// The `Extend` of the upload's `UserData`, as JSON text.
    pub extend: Option<String>,
    /// The id of the application.
    pub app_id: Option<String>,
}

/// The type of an event.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum EventType {
    /// A video or an audio is uploaded. None comes for an upload that failed.
    FileUploadComplete,
    /// An image is uploaded.
    ImageUploadComplete,
    /// A watermark, a subtitle or material is uploaded.
    AttachedMediaUploadComplete,
    /// A job that fetches an online file has ended, well or not.
    UploadByUrlComplete,
    /// Another type, by the vendor's name.
    Other(String),
}

/// Whether what an event tells of went well.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum EventStatus {
    /// `success`
    Success,
    /// `fail`
    Fail,
    /// Another status, as VOD wrote it.
    Other(String),
}

impl Event {
    /// Reads the body of a notification, which [`Callback`](super::Callback) has verified.
    ///
    /// Names may differ in case and have blanks around them, numbers may be texts, and commas may
    /// stand ahead of a closing brace: VOD's own samples have all of these.
    ///
    /// # Errors
    ///
    /// [`RequestInvalid`](crate::ErrorKind::RequestInvalid) where the body is not a JSON object
    /// with an `EventType`.
    pub fn parse(body: &[u8]) -> Result<Self> {
        let refused = || Error::field_invalid("body", "a JSON object with an EventType");
        let fields = Fields::parse(body).ok_or_else(refused)?;
        let event_type = fields.text("EventType").ok_or_else(refused).map(EventType::parse)?;
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

    /// The vendor's name.
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

    /// The vendor's name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Success => "success",
            Self::Fail => "fail",
            Self::Other(name) => name,
        }
    }
}

/// How the types of events name the media id.
const MEDIA_IDS: [&str; 4] = ["VideoId", "ImageId", "AttachedMediaId", "MediaId"];

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed assumption fails the test")]

    use proptest::prelude::*;
    use proptest::test_runner::RngSeed;

    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn an_uploaded_video_is_read() {
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
    fn an_uploaded_image_is_read_though_its_time_has_a_colon_too_many() {
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
    fn uploaded_auxiliary_media_is_read() {
        let event =
            parse(r#"{"EventType":"AttachedMediaUploadComplete","AttachedMediaId":"73ab"}"#);
        assert_eq!(event.event_type, EventType::AttachedMediaUploadComplete);
        assert_eq!(event.media_id.as_deref(), Some("73ab"));
        assert_eq!((event.status, event.event_time, event.size), (None, None, None));
    }

    #[test]
    fn a_fetched_file_is_read_though_its_names_have_blanks_and_a_comma_is_too_many() {
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
    fn what_is_no_event_is_refused() {
        for body in ["", "hello", "[]", "{}", "{\"EventType\":\" \"}", "{\"EventType\":7}"] {
            let error = Event::parse(body.as_bytes()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::RequestInvalid, "{body}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { rng_seed: RngSeed::Fixed(1), ..Default::default() })]

        #[test]
        fn no_bytes_make_it_panic(body: Vec<u8>, text: String) {
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
