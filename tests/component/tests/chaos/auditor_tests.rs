//! The checks themselves: each of them finds what it is there for.

use serde_json::json;
use vod_uploader_component_tests::body::Body;
use vod_uploader_component_tests::edge::Setup;
use vod_uploader_component_tests::source::{KIB, MIB, Source};
use vod_uploader_component_tests::tus::Upload;

use crate::audit;
use crate::fault_schedule::{Hits, Moment};
use crate::ledger::{Keeping, Ledger, Promise, Told};
use crate::leftovers::{self, Excuses};

#[test]
fn a_promise_that_was_not_kept_is_found() {
    let edge = Setup::new().start();
    let source = Source::new(1, 200 * KIB);
    let stored = edge.request("PUT", "/v1/uploads/a.mp4", &[], &Body::Range(&source, source.all()));
    assert_eq!(stored.unwrap().status, 201);
    let (media, objects) = (edge.sandbox.media(), edge.sandbox.objects());
    let audited = |file_name: &str, sent: &Source, promise| {
        let ledger = Ledger::default();
        ledger.begun(file_name, sent, Keeping::OneRequest);
        ledger.promised(file_name, promise);
        audit::files(&ledger, &media, &objects)
    };
    assert!(audited("a.mp4", &source, Promise::Stored).is_empty());
    assert!(audited("a.mp4", &source, Promise::None).is_empty());
    // Another file than what was sent, a file that was never sent, and one that was deleted.
    for (file_name, sent, promise, found) in [
        ("a.mp4", Source::new(2, 200 * KIB), Promise::None, "a.mp4 has 204800 bytes"),
        ("a.mp4", Source::new(1, 201 * KIB), Promise::Stored, "should have 205824"),
        ("b.mp4", source.clone(), Promise::Stored, "b.mp4 was acknowledged and is lost"),
        ("a.mp4", source.clone(), Promise::Deleted, "a.mp4 was deleted"),
    ] {
        let defects = audited(file_name, &sent, promise).join("\n");
        assert!(defects.contains(found), "{defects}");
    }
    let unknown = audit::files(&Ledger::default(), &[], &objects).join("\n");
    assert!(unknown.contains("is nobody's"), "{unknown}");
}

#[test]
fn an_offset_that_goes_back_is_found() {
    let mut told = Told::default();
    told.heard(1_000);
    told.heard(400);
    told.answered(1_000, 1).unwrap();
    told.answered(1_500, 1).unwrap();
    assert!(told.answered(1_499, 1).unwrap_err().contains("1499 after 1500"));
    told.answered(1_000, 1_000).unwrap();
    assert!(told.answered(999, 1_000).is_err());
}

#[test]
fn parts_that_nobody_takes_away_are_found() {
    let edge = Setup::new().temporary_storage().start();
    let before = Moment::now(&edge);
    let source = Source::new(3, 3 * MIB);
    let upload = Upload::create(&edge, source.length());
    assert_eq!(upload.patch(&edge, &source, 0..2 * MIB).unwrap().offset(), 2 * MIB);
    let ledger = Ledger::default();
    ledger.begun("clip.mp4", &source, Keeping::OneRequest);
    let excuses = Excuses { unswept: true, ..Excuses::default() };
    let defects = |excuses: &Excuses| leftovers::audited(&edge, &ledger, excuses).defects;
    let found = defects(&excuses).join("\n");
    assert!(found.contains("parts of clip.mp4"), "{found}");
    // A kill explains it, where it came while the file was sent.
    let killed = |at| Excuses { killed_at: vec![at], ..excuses.clone() };
    assert!(defects(&killed(Moment::now(&edge))).is_empty());
    assert!(!defects(&killed(before)).is_empty());
    assert_eq!(upload.delete(&edge).status, 204);
    assert!(defects(&excuses).is_empty());
    // A multipart upload of whose begin the worker was not told.
    let lost = json!({ "operation": "InitiateMultipartUpload", "kind": "commit-then-reset" });
    edge.sandbox.fault(&lost);
    Upload::create(&edge, source.length()).finish(&edge, &source);
    let hits = Hits::of(&edge);
    assert_eq!(hits.untold_initiates, 1);
    assert!(defects(&Excuses { untold_initiates: 1, ..excuses.clone() }).is_empty());
    let unexplained = defects(&excuses).join("\n");
    assert!(unexplained.contains("1 empty"), "{unexplained}");
}
