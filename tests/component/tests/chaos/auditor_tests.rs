//! Tests of the checks: each finds the violation that it is for.

use serde_json::json;
use vod_uploader_component_tests::body::Body;
use vod_uploader_component_tests::edge::Setup;
use vod_uploader_component_tests::source::{KIB, MIB, Source};
use vod_uploader_component_tests::tus::Upload;

use crate::audit;
use crate::expected_state::{Acknowledgment, ExpectedState, OffsetHistory, Retention};
use crate::fault_schedule::{Hits, Moment};
use crate::orphans::{self, AllowedOrphans};

#[test]
fn a_violated_acknowledgment_is_detected() {
    let edge = Setup::new().start();
    let source = Source::new(1, 200 * KIB);
    let stored = edge.request("PUT", "/v1/uploads/a.mp4", &[], &Body::Range(&source, source.all()));
    assert_eq!(stored.unwrap().status, 201);
    let (media, objects) = (edge.sandbox.media(), edge.sandbox.objects());
    let audited = |file_name: &str, sent: &Source, acknowledgment| {
        let expected = ExpectedState::default();
        expected.start(file_name, sent, Retention::OneRequest);
        expected.acknowledge(file_name, acknowledgment);
        audit::files(&expected, &media, &objects)
    };
    assert!(audited("a.mp4", &source, Acknowledgment::Stored).is_empty());
    assert!(audited("a.mp4", &source, Acknowledgment::None).is_empty());
    // A file with other content, a file that was never sent, and a deleted file.
    for (file_name, sent, acknowledgment, found) in [
        ("a.mp4", Source::new(2, 200 * KIB), Acknowledgment::None, "a.mp4 has 204800 bytes"),
        ("a.mp4", Source::new(1, 201 * KIB), Acknowledgment::Stored, "should have 205824"),
        ("b.mp4", source.clone(), Acknowledgment::Stored, "b.mp4 was acknowledged and is lost"),
        ("a.mp4", source.clone(), Acknowledgment::Deleted, "a.mp4 was deleted"),
    ] {
        let defects = audited(file_name, &sent, acknowledgment).join("\n");
        assert!(defects.contains(found), "{defects}");
    }
    let unknown = audit::files(&ExpectedState::default(), &[], &objects).join("\n");
    assert!(unknown.contains("belongs to no file"), "{unknown}");
}

#[test]
fn a_decreasing_offset_is_detected() {
    let mut history = OffsetHistory::default();
    history.acknowledged(1_000);
    history.acknowledged(400);
    history.verify(1_000, 1).unwrap();
    history.verify(1_500, 1).unwrap();
    assert!(history.verify(1_499, 1).unwrap_err().contains("1499 after 1500"));
    history.verify(1_000, 1_000).unwrap();
    assert!(history.verify(999, 1_000).is_err());
}

#[test]
fn orphaned_parts_are_detected() {
    let edge = Setup::new().temporary_storage().start();
    let before = Moment::now(&edge);
    let source = Source::new(3, 3 * MIB);
    let upload = Upload::create(&edge, source.length());
    assert_eq!(upload.patch(&edge, &source, 0..2 * MIB).unwrap().offset(), 2 * MIB);
    let expected = ExpectedState::default();
    expected.start("clip.mp4", &source, Retention::OneRequest);
    let allowed = AllowedOrphans { before_cleanup: true, ..AllowedOrphans::default() };
    let defects = |allowed: &AllowedOrphans| orphans::audited(&edge, &expected, allowed).defects;
    let found = defects(&allowed).join("\n");
    assert!(found.contains("parts of clip.mp4"), "{found}");
    // A kill explains it if it happened while the file was sent.
    let killed = |at| AllowedOrphans { killed_at: vec![at], ..allowed.clone() };
    assert!(defects(&killed(Moment::now(&edge))).is_empty());
    assert!(!defects(&killed(before)).is_empty());
    assert_eq!(upload.delete(&edge).status, 204);
    assert!(defects(&allowed).is_empty());
    // A multipart upload whose creation response never reached the worker.
    let lost = json!({ "operation": "InitiateMultipartUpload", "kind": "commit-then-reset" });
    edge.sandbox.fault(&lost);
    Upload::create(&edge, source.length()).finish(&edge, &source);
    let hits = Hits::current(&edge);
    assert_eq!(hits.unacknowledged_initiates, 1);
    assert!(defects(&AllowedOrphans { unacknowledged_initiates: 1, ..allowed.clone() }).is_empty());
    let unexplained = defects(&allowed).join("\n");
    assert!(unexplained.contains("1 empty"), "{unexplained}");
}
