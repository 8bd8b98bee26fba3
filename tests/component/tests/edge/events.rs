//! The progress of an upload as server-sent events, for each protocol.

use std::thread;

use serde_json::{Value, json};
use vod_uploader_component_tests::body::Body;
use vod_uploader_component_tests::edge::{Edge, Setup};
use vod_uploader_component_tests::events::Events;
use vod_uploader_component_tests::source::{MIB, Source};
use vod_uploader_component_tests::tus::{self, Upload};
use vod_uploader_component_tests::vod::{create_upload_video, refresh_upload_video};
use vod_uploader_wire::Headers;

#[test]
fn events_report_the_progress_and_end_with_the_success() {
    let edge = Setup::new().start();
    let source = Source::new(720, 4 * MIB);
    let upload = Upload::create(&edge, source.length());
    let (mut events, other) = (Events::new(&edge, &upload), Events::new(&edge, &upload));
    let first = events.next_event().unwrap().unwrap();
    assert_eq!((first.id.as_str(), first.name.as_str()), ("0", "progress"));
    let nothing =
        json!({ "state": "receiving", "bytes_durable": 0, "bytes_total": source.length() });
    assert_eq!(first.data, nothing);
    let mut patch = upload.start_patch(&edge.client(), 0, source.length()).unwrap();
    for end in [MIB, 3 * MIB] {
        patch.send(&source.bytes(end / 2 / MIB * MIB..end));
        let durable = loop {
            let event = events.until("progress");
            assert_eq!(event.id, event.data["bytes_durable"].to_string());
            if event.data["bytes_durable"] == end {
                break event.data;
            }
        };
        assert_eq!(durable["state"], "receiving");
    }
    patch.send(&source.bytes(3 * MIB..source.length()));
    assert_eq!(patch.finish().unwrap().status, 204);
    let rest = events.rest();
    let last = rest.last().unwrap();
    assert_eq!((last.id.as_str(), last.name.as_str()), ("4194304-succeeded", "succeeded"));
    assert_eq!(last.data, upload.status(&edge));
    assert_eq!(rest.iter().filter(|event| event.name != "progress").count(), 1);
    let others = other.rest();
    assert_eq!(others.last(), Some(last));
    let offsets = others.iter().filter_map(|event| event.data["bytes_durable"].as_u64());
    let offsets: Vec<_> = offsets.collect();
    assert!(offsets.is_sorted(), "{offsets:?}");
}

#[test]
fn a_reconnecting_client_receives_only_newer_events() {
    let edge = Setup::new().start();
    let source = Source::new(721, 2 * MIB);
    let upload = Upload::create(&edge, source.length());
    assert_eq!(upload.patch(&edge, &source, 0..MIB).unwrap().offset(), MIB);
    let mut seen = Events::after(&edge, &upload, Some("1048576"));
    let mut old = Events::after(&edge, &upload, Some("0"));
    assert_eq!(old.next_event().unwrap().unwrap().id, "1048576");
    assert_eq!(upload.patch(&edge, &source, MIB..2 * MIB).unwrap().status, 204);
    // The acknowledged event is not repeated.
    assert_eq!(seen.next_event().unwrap().unwrap().id, "2097152");
    let end = seen.rest();
    let ids: Vec<_> = end.iter().map(|event| event.id.as_str()).collect();
    assert_eq!(ids.last(), Some(&"2097152-succeeded"));
    // A late client receives the final event, and one that has it receives 204.
    let names: Vec<_> = Events::new(&edge, &upload).rest();
    let names: Vec<_> = names.iter().map(|event| event.name.as_str()).collect();
    assert_eq!(names, ["progress", "succeeded"]);
    assert_eq!(status_after(&edge, &upload, &[("last-event-id", "2097152-succeeded")]), 204);
    assert_eq!(status_after(&edge, &upload, &[("last-event-id", "17-failed")]), 204);
}

#[test]
fn events_end_with_a_failure_if_the_upload_is_deleted() {
    let edge = Setup::new().start();
    let source = Source::new(722, 4 * MIB);
    let upload = Upload::create(&edge, source.length());
    let mut events = Events::new(&edge, &upload);
    let mut patch = upload.start_patch(&edge.client(), 0, source.length()).unwrap();
    patch.send(&source.bytes(0..2 * MIB));
    while events.until("progress").data["bytes_durable"] != 2 * MIB {}
    assert_eq!(upload.delete(&edge).status, 204);
    let last = events.rest().pop().unwrap();
    assert_eq!((last.id.as_str(), last.name.as_str()), ("2097152-failed", "failed"));
    assert_eq!(last.data["state"], "aborted");
    // Also for an upload whose records disappear during the stream, and for one that never existed.
    let upload = Upload::create(&edge, source.length());
    let events = Events::new(&edge, &upload);
    assert_eq!(upload.delete(&edge).status, 204);
    assert_eq!(upload.delete(&edge).status, 410);
    assert_eq!(events.rest().pop().unwrap().name, "failed");
    assert_eq!(status_after(&edge, &upload, &[]), 404);
}

#[test]
fn events_report_an_upload_that_expires_soon_and_its_expiry() {
    let edge = Setup::new().variable("expire_after_s", "2").start();
    let upload = Upload::create(&edge, MIB);
    let mut events = Events::new(&edge, &upload);
    let expiring = events.until("expiring");
    assert_eq!(expiring.id, "0-expiring");
    let ends_at = upload.status(&edge)["expires_at"].clone();
    assert_eq!(expiring.data, json!({ "what": "upload", "ends_at": ends_at }));
    let last = events.rest().pop().unwrap();
    assert_eq!((last.name.as_str(), &last.data["code"]), ("failed", &json!("upload-expired")));
    assert!(last.data["action"].as_str().is_some_and(|action| !action.is_empty()));
}

#[test]
fn events_report_an_expiring_credential_of_a_client() {
    let mut edge = Setup::new().without_ram_key().sealed().start();
    edge.sandbox.set_default_token_ttl(120);
    let first = create_upload_video(&edge.sandbox, "first");
    edge.forbid_secret(&first.auth);
    let metadata = [("upload_address", first.address.as_str()), ("upload_auth", &first.auth)];
    let upload = Upload::from_response(&tus::create(&edge, MIB, &metadata, &[]));
    let mut events = Events::new(&edge, &upload);
    let soon = events.until("expiring");
    assert_eq!(soon.data["what"], "credential");
    // A new credential that expires soon is reported again.
    edge.sandbox.set_default_token_ttl(240);
    let second = refresh_upload_video(&edge.sandbox, "second", &first.media_id);
    let posted = json!({ "upload_auth": second.auth }).to_string();
    let path = format!("{}/credential", upload.path);
    let kept = edge.request("POST", &path, &[], &Body::Bytes(posted.as_bytes())).unwrap();
    assert_eq!(kept.status, 204, "{}", kept.text());
    let later = events.until("expiring");
    let end = |data: &Value| data["ends_at"].as_str().unwrap().to_owned();
    assert!(end(&later.data) > end(&soon.data), "{later:?} {soon:?}");
    upload.finish(&edge, &Source::new(724, MIB));
    assert_eq!(events.rest().pop().unwrap().name, "succeeded");
    // The worker refreshes its own credential silently.
    let edge = Setup::new().sealed().start();
    edge.sandbox.set_default_token_ttl(120);
    let upload = Upload::create(&edge, MIB);
    let events = Events::new(&edge, &upload);
    upload.finish(&edge, &Source::new(724, MIB));
    assert!(events.rest().iter().all(|event| event.name != "expiring"));
}

#[test]
fn events_continue_across_pauses_and_writers() {
    let edge = Setup::new().start();
    let source = Source::new(725, 2 * MIB);
    let upload = Upload::create(&edge, source.length());
    let mut events = Events::new(&edge, &upload);
    thread::scope(|scope| {
        scope.spawn(|| upload.patch(&edge, &source, 0..MIB).unwrap());
        while events.until("progress").data["bytes_durable"] != MIB {}
    });
    let path = |action: &str| format!("{}/{action}", upload.path);
    let paused = edge.request("POST", &path("pause"), &[], &Body::Bytes(b"")).unwrap();
    assert_eq!(paused.status, 200);
    assert_eq!(events.until("progress").data["state"], "paused");
    let resumed = edge.request("POST", &path("resume"), &[], &Body::Bytes(b"")).unwrap();
    assert_eq!(resumed.status, 200);
    assert_eq!(events.until("progress").data["state"], "receiving");
    upload.finish(&edge, &source);
    assert_eq!(events.rest().pop().unwrap().name, "succeeded");
}

fn status_after(edge: &Edge, upload: &Upload, headers: Headers<'_>) -> u16 {
    let path = format!("{}/events", upload.path);
    edge.request("GET", &path, headers, &Body::None).unwrap().status
}
