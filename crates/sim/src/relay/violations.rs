//! Every invariant is checked: a violation that is planted fails the run.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use vod_uploader::units::UnixMillis;
use vod_uploader::upload::{Lease, Target, UploadKind, UploadRecord, WriterEpoch};

use super::checker::InvariantChecker;
use super::cleanup::clean_up;
use super::client::Client;
use super::message::{Reply, Request};
use super::run::RunReport;
use super::sent::SentRequest;
use super::setting::Setting;
use super::simulation::Simulation;
use super::variables::SEAL_KEY;
use crate::world::{Content, KeyValueStore, Owner, SECRET, START, StoredObject, TOKEN, crc64};

const ID: &str = "a1";
const PATH: &str = "/v1/files/a1";
const RECORD: &str = "u.a1.upload";
const TTL: Duration = Duration::from_secs(60);

fn checker() -> InvariantChecker {
    InvariantChecker::new(TTL)
}

/// A key-value store with an upload without bytes.
fn store_with_upload() -> KeyValueStore {
    let mut kv = KeyValueStore::default();
    kv.values.insert(RECORD.to_owned(), record("m1"));
    kv.values.insert("u.a1.lease".to_owned(), Lease::unheld().encode().unwrap());
    kv
}

fn record(media_id: &str) -> Vec<u8> {
    let target = Target {
        endpoint: "https://oss.example".to_owned(),
        bucket: "b".to_owned(),
        object: "o".to_owned(),
        region: None,
        cname: false,
        signature_v1: false,
    };
    let record = UploadRecord {
        created_at_ms: START.0,
        file_name: "clip.mp4".to_owned(),
        length_bytes: None,
        media_id: media_id.to_owned(),
        target,
        content_type: None,
        client_metadata: None,
        credential_from_vod: true,
        kind: UploadKind::Regular,
    };
    record.encode().unwrap()
}

fn after(duration: Duration) -> UnixMillis {
    START + duration
}

/// A client sends `request` at the start and receives `reply` at `now`.
fn exchange(
    checker: &mut InvariantChecker,
    kv: &KeyValueStore,
    request: &Request,
    reply: &Reply,
    now: UnixMillis,
) {
    checker.observe_request(request);
    let mut sent = SentRequest::new(request, START);
    sent.floor = checker.acknowledged(ID);
    checker.observe_response(&sent, reply, kv, now);
}

/// A checker that has observed the creation of an upload.
fn checker_with_upload() -> InvariantChecker {
    let mut checker = checker();
    checker.observe_write(RECORD, &record("m1"), START);
    let created = Reply::new(201, &[("location", PATH)], "");
    exchange(
        &mut checker,
        &store_with_upload(),
        &Request::tus("POST", "/v1/files"),
        &created,
        START,
    );
    checker
}

#[test]
fn an_upload_that_behaves_violates_nothing() {
    let (mut checker, kv) = (checker_with_upload(), store_with_upload());
    let head = Request::tus("HEAD", PATH);
    exchange(&mut checker, &kv, &head, &Reply::new(200, &[("upload-offset", "0")], ""), START);
    checker.check_known_uploads(&kv, START);
    // After its expiry.
    exchange(&mut checker, &kv, &head, &Reply::new(410, &[], ""), after(TTL));
    checker.observe_deletion(RECORD, &kv, after(TTL));
    checker.check_known_uploads(&KeyValueStore::default(), after(TTL));
    // After a request to terminate it.
    let mut checker = checker_with_upload();
    let deleted = Reply::new(204, &[], "");
    exchange(&mut checker, &kv, &Request::tus("DELETE", PATH), &deleted, START);
    exchange(&mut checker, &kv, &head, &Reply::new(404, &[], ""), START);
}

#[test]
#[should_panic(expected = "is gone without a reason")]
fn an_upload_that_is_gone_too_early() {
    let (mut checker, kv) = (checker_with_upload(), store_with_upload());
    let just_before = after(TTL - Duration::from_millis(1));
    let head = Request::tus("HEAD", PATH);
    exchange(&mut checker, &kv, &head, &Reply::new(410, &[], ""), just_before);
}

#[test]
#[should_panic(expected = "is gone without a reason")]
fn an_upload_that_the_media_of_another_upload_replaces() {
    let (mut checker, kv) = (checker_with_upload(), store_with_upload());
    let other = Request::tus("POST", "/v1/files")
        .with_metadata(&[("media_id", "m2"), ("media_token", "t")]);
    exchange(&mut checker, &kv, &other, &Reply::new(503, &[], ""), START);
    let head = Request::tus("HEAD", PATH);
    exchange(&mut checker, &kv, &head, &Reply::new(404, &[], ""), START);
}

#[test]
fn an_upload_whose_media_is_continued_may_be_gone() {
    let (mut checker, kv) = (checker_with_upload(), store_with_upload());
    let other = Request::tus("POST", "/v1/files")
        .with_metadata(&[("media_id", "m1"), ("media_token", "t")]);
    exchange(&mut checker, &kv, &other, &Reply::new(503, &[], ""), START);
    let head = Request::tus("HEAD", PATH);
    exchange(&mut checker, &kv, &head, &Reply::new(404, &[], ""), START);
}

#[test]
#[should_panic(expected = "is deleted without a reason")]
fn a_record_that_is_deleted_too_early() {
    checker_with_upload().observe_deletion(RECORD, &store_with_upload(), START);
}

#[test]
#[should_panic(expected = "is acknowledged, but does not exist")]
fn an_acknowledged_upload_without_records() {
    let created = Reply::new(201, &[("location", PATH)], "");
    let kv = KeyValueStore::default();
    exchange(&mut checker(), &kv, &Request::tus("POST", "/v1/files"), &created, START);
}

#[test]
#[should_panic(expected = "has disappeared")]
fn an_upload_that_disappears_unseen() {
    checker_with_upload().check_known_uploads(&KeyValueStore::default(), START);
}

#[test]
#[should_panic(expected = "are acknowledged")]
fn acknowledged_bytes_that_disappear_unseen() {
    let (mut checker, kv) = (checker_with_upload(), store_with_upload());
    checker.observe_offset(ID, 0, 5);
    checker.check_known_uploads(&kv, START);
}

#[test]
#[should_panic(expected = "a client starts again although its uploads exist")]
fn a_restart_without_a_reason() {
    checker_with_upload().observe_restart([ID], START);
}

#[test]
#[should_panic(expected = "regresses from 5 to 4")]
fn an_offset_that_regresses() {
    let mut checker = checker_with_upload();
    checker.observe_offset(ID, 0, 5);
    let head = Request::tus("HEAD", PATH);
    let reply = Reply::new(200, &[("upload-offset", "4")], "");
    exchange(&mut checker, &store_with_upload(), &head, &reply, START);
}

#[test]
#[should_panic(expected = "has two media IDs")]
fn an_upload_with_two_media_ids() {
    let mut checker = checker_with_upload();
    checker.observe_write(RECORD, &record("m2"), START);
}

#[test]
#[should_panic(expected = "has two writers")]
fn an_epoch_with_two_writers() {
    let mut checker = checker();
    for writer in [1, 2] {
        let holder = WriterEpoch { epoch: 3, writer };
        let lease = Lease { holder, ..Lease::unheld() }.encode().unwrap();
        checker.observe_confirmed_write("u.a1.lease", &lease, &store_with_upload());
    }
}

#[test]
#[should_panic(expected = "that no client has sent as a file")]
fn an_object_with_other_bytes() {
    let mut checker = checker();
    checker.expect_content(&Content::of_len(3));
    checker.observe_object("o", b"abc", START);
}

#[test]
#[should_panic(expected = "is overwritten with another file")]
fn an_object_that_is_overwritten() {
    let mut checker = checker();
    for len in [3, 4] {
        let content = Content::of_len(len);
        checker.expect_content(&content);
        checker.observe_object("o", content.bytes(), START);
    }
}

#[test]
#[should_panic(expected = "bytes of part buffers")]
fn an_instance_with_too_many_buffers() {
    checker().check_memory(5 * 102_400 + 1, 1);
}

/// Fails unless each of the forms of a secret is found.
fn assert_found(check: impl Fn(&[u8]) + std::panic::RefUnwindSafe) {
    let seal_key = STANDARD.decode(SEAL_KEY).unwrap();
    let address = r#"{"Bucket":"outin-test","Endpoint":"https://e","FileName":"f"}"#;
    let auth = format!(r#"{{"AccessKeyId":"k","AccessKeySecret":"{SECRET}"}}"#);
    let forms = [
        SECRET.to_owned(),
        TOKEN.to_owned(),
        SEAL_KEY.to_owned(),
        String::from_utf8(seal_key).unwrap(),
        SECRET.replace('+', "%2B").replace('/', "%2F"),
        STANDARD.encode(address),
        STANDARD.encode(&auth),
        STANDARD.encode(format!("x{auth}")),
        STANDARD.encode(format!("xx{auth}")).replace('+', "-").replace('/', "_"),
        STANDARD.encode(TOKEN).replace('+', "%2B").replace('/', "%2F"),
    ];
    for form in forms {
        let text = format!("before {form} after");
        let found = std::panic::catch_unwind(|| check(text.as_bytes()));
        assert!(found.is_err(), "not found: {form}");
    }
    check(b"planted and nothing else");
}

#[test]
fn every_form_of_a_secret_in_a_record_is_found() {
    assert_found(|bytes| checker().observe_write("k", bytes, START));
}

#[test]
fn every_form_of_a_secret_in_a_response_is_found() {
    assert_found(|bytes| checker().check_body(bytes));
    assert_found(|bytes| {
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        let reply = Reply::new(200, &[("x", &text)], "");
        let (mut checker, kv) = (checker(), KeyValueStore::default());
        exchange(&mut checker, &kv, &Request::tus("HEAD", PATH), &reply, START);
    });
}

#[test]
#[should_panic(expected = "the record k has the secret")]
fn a_media_token_in_a_record() {
    let mut checker = checker();
    let reply = Reply::new(503, &[("media-token", "token1")], "");
    let post = Request::tus("POST", "/v1/files");
    exchange(&mut checker, &KeyValueStore::default(), &post, &reply, START);
    checker.observe_write("k", STANDARD.encode("token1").as_bytes(), START);
}

#[test]
#[should_panic(expected = "is complete without an object")]
fn a_complete_media_asset_without_an_object() {
    let simulation = Simulation::new(Setting::default());
    let media_id = simulation.environment.create_media().media_id;
    simulation.environment.check_object(&media_id, &Content::of_len(3));
}

#[test]
#[should_panic(expected = "has other bytes")]
fn a_complete_media_asset_with_other_bytes() {
    let simulation = Simulation::new(Setting::default());
    let media_id = simulation.environment.create_media().media_id;
    let mut world = simulation.environment.world.borrow_mut();
    let object = world.vod.media[&media_id].object.clone();
    let bytes = b"abc".to_vec();
    let stored = StoredObject { crc64: crc64(&bytes), bytes };
    world.store.objects.insert(object, stored);
    drop(world);
    simulation.environment.check_object(&media_id, &Content::of_len(3));
}

#[test]
#[should_panic(expected = "left after all uploads have expired: u.a1.other")]
fn a_key_that_is_left() {
    let simulation = Simulation::new(Setting::default());
    let key = "u.a1.other".to_owned();
    simulation.environment.world.borrow_mut().kv.values.insert(key, Vec::new());
    let _ = clean_up(&simulation);
}

#[test]
#[should_panic(expected = "does not complete")]
fn a_client_that_does_not_complete() {
    let simulation = Simulation::new(Setting::default());
    simulation.environment.calm_down();
    let client = Client::new(&simulation, 0);
    let task = Box::pin(async move {
        loop {
            client.send(Request::new("PUT", "/v1/uploads/clip.mp4").with_body(&[])).await;
        }
    });
    simulation.environment.executor.spawn(Owner::Client(0), task);
    simulation.run_until(|| false);
}

#[test]
#[should_panic(expected = "after the fault")]
fn a_client_that_completes_too_late_after_a_fault() {
    RunReport { recovery_ms: 41_000, ..RunReport::default() }.check_recovery();
}

#[test]
#[should_panic(expected = "requests after the fault")]
fn a_client_that_sends_too_many_requests_after_a_fault() {
    RunReport { recovery_requests: 31, ..RunReport::default() }.check_recovery();
}

#[test]
#[should_panic(expected = "nothing more can happen")]
fn a_run_that_stops_before_its_end() {
    Simulation::new(Setting::default()).run_until(|| false);
}
