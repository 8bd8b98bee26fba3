#![allow(clippy::unwrap_used, reason = "a failed assumption fails the test")]

use ::http::Method;

use super::*;
use crate::http::fixtures::upload_record;
use crate::upload::{Checkpoint, CompletedObject, UploadPhase, UploadRecord};

const NOW: UnixMillis = UnixMillis(1_700_000_000_000);

fn head(last_event_id: Option<&str>) -> RequestHead {
    let headers = last_event_id.map(|id| ("Last-Event-ID", id));
    RequestHead::new(Method::GET, "/v1/files/a/events", headers)
}

fn status(durable: u64, phase: UploadPhase) -> UploadStatus {
    UploadStatus {
        record: UploadRecord { length_bytes: Some(100), media_id: "m1".into(), ..upload_record() },
        checkpoint: Checkpoint { parts_bytes: durable, phase, ..Checkpoint::empty() },
        paused: false,
        expired: false,
        expires_at: None,
    }
}

fn completed() -> UploadStatus {
    let object = CompletedObject { size_bytes: 100, crc64: 7, etag: "E".into() };
    status(100, UploadPhase::Completed(object))
}

#[test]
fn progress_is_sent_once_per_offset_and_the_end_finishes_the_stream() {
    let mut encoder = SseEncoder::from_request(&head(None));
    assert_eq!(encoder.response().status, 200);
    let first = encoder.encode_status(&status(0, UploadPhase::Receiving), None, NOW);
    assert!(first.starts_with("id: 0\nevent: progress\ndata: {"), "{first}");
    assert_eq!(encoder.encode_status(&status(0, UploadPhase::Receiving), None, NOW), "");
    assert!(
        encoder
            .encode_status(&status(40, UploadPhase::Receiving), None, NOW)
            .starts_with("id: 40\n")
    );
    assert!(!encoder.is_finished());
    let last = encoder.encode_status(&completed(), None, NOW);
    assert!(last.contains("id: 100\nevent: progress"), "{last}");
    assert!(last.contains("id: 100-succeeded\nevent: succeeded"), "{last}");
    assert!(last.contains("\"media_id\":\"m1\"") && last.ends_with("}\n\n"), "{last}");
    assert!(encoder.is_finished());
    assert_eq!(encoder.encode_status(&completed(), None, NOW), "");
}

#[test]
fn a_reconnected_client_receives_the_events_that_it_missed() {
    let mut encoder = SseEncoder::from_request(&head(Some("40")));
    assert_eq!(encoder.encode_status(&status(40, UploadPhase::Receiving), None, NOW), "");
    assert!(
        encoder
            .encode_status(&status(41, UploadPhase::Receiving), None, NOW)
            .starts_with("id: 41\n")
    );
    let mut encoder = SseEncoder::from_request(&head(Some("nonsense")));
    assert!(
        encoder
            .encode_status(&status(40, UploadPhase::Receiving), None, NOW)
            .starts_with("id: 40\n")
    );
}

#[test]
fn a_client_that_received_the_last_event_does_not_reconnect() {
    for id in ["100-succeeded", "3-failed"] {
        let encoder = SseEncoder::from_request(&head(Some(id)));
        assert_eq!((encoder.response().status.as_u16(), encoder.is_finished()), (204, true));
    }
}

#[test]
fn unsuccessful_uploads_end_with_a_failed_event() {
    let lost = UploadPhase::Lost { code: "upload-lost".into() };
    for (status, word) in [
        (status(3, UploadPhase::Aborted), "\"state\":\"aborted\""),
        (status(3, lost), "\"reason\":\"upload-lost\""),
        (
            UploadStatus { expired: true, ..status(3, UploadPhase::Receiving) },
            "\"code\":\"upload-expired\"",
        ),
    ] {
        let mut encoder = SseEncoder::default();
        let events = encoder.encode_status(&status, None, NOW);
        assert!(events.contains("event: failed") && events.contains(word), "{events}");
        assert!(encoder.is_finished());
    }
    let mut encoder = SseEncoder::default();
    let error = Error::new(ErrorKind::UploadNotFound, "no upload has this ID");
    assert!(encoder.encode_error(&error).contains("\"code\":\"upload-not-found\""));
    assert!(encoder.is_finished());
}

#[test]
fn an_expiring_event_is_sent_once_per_expiry() {
    let soon = NOW + EXPIRING_MARGIN;
    let mut encoder = SseEncoder::default();
    let upload = UploadStatus { expires_at: Some(soon), ..status(3, UploadPhase::Receiving) };
    let events = encoder.encode_status(&upload, Some(soon), NOW);
    assert!(events.contains("\"what\":\"upload\""), "{events}");
    assert!(events.contains("\"what\":\"credential\""), "{events}");
    assert_eq!(encoder.encode_status(&upload, Some(soon), NOW), "");
    let later = soon + Duration::from_secs(1);
    assert_eq!(encoder.encode_status(&upload, Some(later), NOW), "");
    let event = encoder.encode_status(&upload, Some(later), NOW + Duration::from_secs(1));
    assert!(event.starts_with("id: 3-expiring\n"), "{event}");
}

#[test]
fn a_pause_is_a_progress_event() {
    let mut encoder = SseEncoder::default();
    let _ = encoder.encode_status(&status(3, UploadPhase::Receiving), None, NOW);
    let paused = UploadStatus { paused: true, ..status(3, UploadPhase::Receiving) };
    assert!(encoder.encode_status(&paused, None, NOW).contains("\"state\":\"paused\""));
}

#[test]
fn a_comment_is_sent_after_fifteen_seconds_without_an_event() {
    let mut encoder = SseEncoder::default();
    let second = Duration::from_secs(1);
    let _ = encoder.encode_status(&status(0, UploadPhase::Receiving), None, NOW);
    for _ in 0..14 {
        assert_eq!(encoder.keep_alive(second), "");
    }
    let _ = encoder.encode_status(&status(1, UploadPhase::Receiving), None, NOW);
    for _ in 0..14 {
        assert_eq!(encoder.keep_alive(second), "");
    }
    assert!(encoder.keep_alive(second).starts_with(':'));
    assert_eq!(encoder.keep_alive(second), "");
}
