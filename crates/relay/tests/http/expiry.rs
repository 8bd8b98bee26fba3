//! When uploads expire, and what a cleanup deletes.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use vod_uploader_relay::engine::crc64::Crc64Digest;
use vod_uploader_relay::engine::units::UnixMillis;
use vod_uploader_relay::engine::upload::{BucketWidth, ExpiryBucket, ExpiryCursor};

use crate::support::{Headers, Reply, SentBody, Worker};

const TUS: (&str, &str) = ("tus-resumable", "1.0.0");
const CHUNK: (&str, &str) = ("content-type", "application/offset+octet-stream");
const LENGTH: (&str, &str) = ("upload-length", "1048576");
const MINUTE: (&str, &str) = ("expire_after_s", "60");
const TEN_MINUTES: (&str, &str) = ("expire_after_s", "600");
const NEVER: (&str, &str) = ("expire_after_s", "0");
const STORAGE: (&str, &str) = ("temporary_bucket", "temporary");

/// The position of the cleanup, for uploads that expire after a minute.
const CURSOR: &str = "vod-uploader.x.4.cursor";

/// The start of the virtual time, and a minute, in milliseconds.
const START_MS: u64 = 1_800_000_000_000;
const MINUTE_MS: u64 = 60_000;

fn create(worker: &Worker, headers: Headers<'_>) -> String {
    let reply = worker.send("POST", "/v1/files", &[&[TUS], headers].concat(), b"");
    assert_eq!(reply.status, 201, "{}", reply.text());
    reply.location().to_owned()
}

/// Sends bytes from the start of the file, and closes the connection.
fn send_some(worker: &Worker, location: &str, bytes: &[u8]) {
    let headers = [TUS, CHUNK, ("upload-offset", "0")];
    let _ = worker.send_body("PATCH", location, &headers, SentBody::interrupted(bytes));
}

/// Sends bytes slowly, until the worker stops at this second.
fn send_until_stopped(worker: &Worker, location: &str, at: u64) {
    let headers = [TUS, CHUNK, ("upload-offset", "0")];
    worker.send_until_stopped("PATCH", location, &headers, at);
}

fn status(worker: &Worker, location: &str) -> u16 {
    worker.send("HEAD", location, &[TUS], b"").status
}

/// What a cleanup deleted, kept and failed to delete, and whether something is left.
fn clean_up(worker: &Worker) -> (u64, u64, u64, bool) {
    let local = [("spin-client-addr", "127.0.0.1:1")];
    let reply = worker.send("POST", "/v1/maintenance/expire", &local, b"");
    assert_eq!(reply.status, 200, "{}", reply.text());
    let report = reply.json();
    let count = |name: &str| report[name].as_u64().unwrap();
    (count("deleted"), count("kept"), count("failed"), report["has_more"].as_bool().unwrap())
}

/// The keys that contain `text`.
fn keys(worker: &Worker, text: &str) -> Vec<String> {
    worker.keys().into_iter().filter(|key| key.contains(text)).collect()
}

#[test]
fn an_upload_expires_a_whole_period_after_its_last_bytes() {
    let worker = Worker::new(&[MINUTE]);
    let location = create(&worker, &[LENGTH]);
    worker.pass_until(50);
    send_some(&worker, &location, b"123");
    worker.pass_until(70);
    assert_eq!(clean_up(&worker), (0, 1, 0, false));
    worker.pass_until(109);
    assert_eq!(status(&worker, &location), 200);
    worker.pass_until(110);
    assert_eq!(status(&worker, &location), 410);
    worker.pass_until(112);
    assert_eq!(clean_up(&worker), (1, 0, 0, false));
    assert_eq!(status(&worker, &location), 404);
    assert!(keys(&worker, ".u.").is_empty(), "{:?}", worker.keys());
}

#[test]
fn an_upload_of_a_shorter_period_is_deleted_at_the_instant_of_its_expiry() {
    for (bytes_at, expires_at) in [(None, 600), (Some(10), 610)] {
        let first = Worker::new(&[MINUTE]);
        let location = create(&first, &[LENGTH]);
        if let Some(at) = bytes_at {
            first.pass_until(at);
            send_some(&first, &location, b"123");
        }
        let second = first.beside(&[TEN_MINUTES]);
        second.pass_until(expires_at);
        assert_eq!(clean_up(&second), (1, 0, 0, false), "{bytes_at:?}");
        assert_eq!(status(&second, &location), 404);
        assert_eq!(second.value(CURSOR), None, "nothing is left of the shorter period");
    }
}

#[test]
fn uploads_remain_when_the_period_before_they_expire_becomes_longer() {
    let first = Worker::new(&[MINUTE]);
    let location = create(&first, &[LENGTH]);
    let second = first.beside(&[TEN_MINUTES]);
    second.pass_until(300);
    assert_eq!(clean_up(&second), (0, 1, 0, false));
    assert_eq!(status(&second, &location), 200);
    second.pass_until(640);
    assert_eq!(clean_up(&second), (1, 0, 0, false));
    assert_eq!(status(&second, &location), 404);
}

#[test]
fn a_second_cleanup_waits_until_the_claim_of_the_first_one_has_ended() {
    // In milliseconds after the cleanup: the end of the claim of another one.
    for (claimed_ms, is_claimed) in [
        (0, false),
        (1, true),
        (MINUTE_MS, true),
        // By an instance whose clock is ahead.
        (MINUTE_MS + 1, false),
    ] {
        let worker = Worker::new(&[MINUTE]);
        create(&worker, &[LENGTH]);
        worker.pass_until(64);
        let mut claimed = ExpiryCursor::decode(&worker.value(CURSOR).unwrap()).unwrap();
        claimed.claimed_until_ms = START_MS + 64_000 + claimed_ms;
        worker.change(CURSOR, Some(claimed.encode().unwrap()));
        let expected = if is_claimed { (0, 0, 0, true) } else { (1, 0, 0, false) };
        assert_eq!(clean_up(&worker), expected, "{claimed_ms}");
        worker.pass_seconds(60);
        assert_eq!(clean_up(&worker).0, u64::from(is_claimed), "{claimed_ms}");
    }
}

#[test]
fn one_cleanup_passes_hours_without_uploads() {
    let worker = Worker::new(&[MINUTE]);
    create(&worker, &[LENGTH]);
    worker.pass_until(4 * 3_600);
    assert_eq!(clean_up(&worker), (1, 0, 0, false));
}

#[test]
fn a_slot_whose_entry_is_gone_does_not_hide_later_uploads() {
    let worker = Worker::new(&[MINUTE]);
    for _ in 0..3 {
        create(&worker, &[LENGTH]);
    }
    // A creation that was slow has written its smaller count last, and another one was released.
    let [count] = &keys(&worker, ".n")[..] else { panic!("{:?}", worker.keys()) };
    worker.change(count, Some(1_u32.to_le_bytes().to_vec()));
    worker.change(&keys(&worker, ".e.1")[0], None);
    worker.pass_until(64);
    assert_eq!(clean_up(&worker), (2, 0, 0, false));
}

#[test]
fn a_slot_without_any_key_does_not_hide_later_uploads() {
    let worker = Worker::new(&[MINUTE]);
    create(&worker, &[LENGTH]);
    create(&worker, &[LENGTH]);
    worker.change(&keys(&worker, ".e.0")[0], None);
    worker.change(&keys(&worker, ".d")[0], None);
    worker.pass_until(64);
    assert_eq!(clean_up(&worker), (1, 0, 0, false));
}

#[test]
fn a_cleanup_for_which_oss_was_unavailable_is_repeated_after_15_minutes() {
    let worker = Worker::new(&[MINUTE]);
    let location = create(&worker, &[LENGTH]);
    send_some(&worker, &location, &[7; 300 << 10]);
    worker.pass_until(100);
    worker.services.is_unavailable.set(true);
    assert_eq!(clean_up(&worker), (0, 0, 1, false));
    worker.services.is_unavailable.set(false);
    let failed_at = worker.elapsed().as_secs();
    worker.pass_until(failed_at + 880);
    assert_eq!(clean_up(&worker), (0, 0, 0, false));
    worker.pass_until(failed_at + 910);
    assert_eq!(clean_up(&worker), (1, 0, 0, false));
}

#[test]
fn a_cleanup_that_fails_does_not_renew_the_upload() {
    // Much longer than the interval: a failed cleanup must not renew the upload.
    let worker = Worker::new(&[("expire_after_s", "86400")]);
    let location = create(&worker, &[LENGTH]);
    send_some(&worker, &location, &[7; 300 << 10]);
    worker.pass_until(86_400 + 20_000);
    assert_eq!(status(&worker, &location), 410);
    worker.services.is_unavailable.set(true);
    assert_eq!(clean_up(&worker), (0, 0, 1, false));
    worker.services.is_unavailable.set(false);
    let failed_at = worker.elapsed().as_secs();
    assert_eq!(status(&worker, &location), 410);
    worker.pass_until(failed_at + 880);
    assert_eq!(clean_up(&worker), (0, 0, 0, false));
    assert!(worker.services.aborted.borrow().is_empty());
    // The interval, and the width of a bucket of the index.
    worker.pass_until(failed_at + 910 + 4_096);
    assert_eq!(clean_up(&worker), (1, 0, 0, false));
    assert_eq!(worker.services.aborted.borrow().first().map(String::as_str), Some("sv/1"));
    assert_eq!(status(&worker, &location), 404);
}

#[test]
fn the_object_of_an_expired_upload_is_deleted_only_from_temporary_storage() {
    let worker = Worker::new(&[MINUTE, STORAGE]);
    let regular = create(&worker, &[LENGTH]);
    let partial = create(&worker, &[LENGTH, ("upload-concat", "partial")]);
    for location in [&regular, &partial] {
        send_some(&worker, location, &[7; 300 << 10]);
    }
    let opened: Vec<_> = worker.services.types.borrow().keys().cloned().collect();
    assert_eq!(opened.len(), 2);
    // The writers have stored the objects, and stopped before they recorded that.
    worker.services.objects.borrow_mut().extend(opened.into_iter().map(|key| (key, vec![7])));
    worker.pass_until(100);
    assert_eq!(clean_up(&worker), (2, 0, 0, false));
    let left: Vec<_> = worker.services.objects.borrow().keys().cloned().collect();
    assert_eq!(left, ["sv/1"]);
}

#[test]
fn partial_uploads_and_their_final_upload_expire_together() {
    let worker = Worker::new(&[MINUTE, STORAGE]);
    let partial = || create(&worker, &[LENGTH, ("upload-concat", "partial")]);
    let first = partial();
    worker.pass_until(50);
    let second = partial();
    worker.pass_until(55);
    let last = create(&worker, &[("upload-concat", &format!("final;{first} {second}"))]);
    let all = [first, second, last];
    let statuses = || all.iter().map(|location| status(&worker, location)).collect::<Vec<_>>();
    worker.pass_until(60);
    assert_eq!(statuses(), [200; 3]);
    worker.pass_until(80);
    assert_eq!(clean_up(&worker), (0, 1, 0, false));
    send_some(&worker, &all[1], b"123");
    worker.pass_until(139);
    assert_eq!(statuses(), [200; 3]);
    assert_eq!(clean_up(&worker).0, 0);
    worker.pass_until(140);
    assert_eq!(statuses(), [410; 3]);
    worker.pass_until(144);
    assert_eq!(clean_up(&worker), (3, 0, 0, false));
}

#[test]
fn an_upload_expires_a_whole_period_after_the_last_heartbeat_of_its_writer() {
    let worker = Worker::new(&[MINUTE]);
    let location = create(&worker, &[LENGTH]);
    // The last heartbeat is that of second 45.
    send_until_stopped(&worker, &location, 50);
    let other = worker.beside(&[MINUTE]);
    other.pass_until(64);
    assert_eq!(clean_up(&other), (0, 1, 0, false));
    other.pass_until(103);
    assert_eq!(clean_up(&other), (0, 0, 0, false));
    other.pass_until(108);
    assert_eq!(clean_up(&other), (1, 0, 0, false));
    assert_eq!(status(&other, &location), 404);
}

#[test]
fn a_heartbeat_counts_at_the_instant_when_the_upload_would_expire_without_it() {
    let worker = Worker::new(&[("expire_after_s", "64")]);
    let location = create(&worker, &[LENGTH]);
    send_until_stopped(&worker, &location, 50);
    // The entries of another period are visited at once.
    let other = worker.beside(&[MINUTE]);
    other.pass_until(60);
    assert_eq!(clean_up(&other), (0, 1, 0, false));
    assert_eq!(status(&other, &location), 200);
}

#[test]
fn a_file_in_one_request_leaves_no_entry_in_the_index() {
    let worker = Worker::new(&[MINUTE]);
    for _ in 0..3 {
        let reply = worker.send("PUT", "/v1/uploads/a.mp4", &[], b"12345");
        assert_eq!(reply.status, 201, "{}", reply.text());
    }
    assert!(keys(&worker, ".e.").is_empty(), "{:?}", worker.keys());
    // By the register of its first slot, a bucket is found to be in use.
    assert_eq!(keys(&worker, ".b.").len(), 1, "{:?}", worker.keys());
    worker.pass_until(64);
    assert_eq!(clean_up(&worker), (0, 0, 0, false));
    assert_eq!(keys(&worker, ".x."), [CURSOR]);
}

#[test]
fn uploads_are_created_when_the_position_of_the_cleanup_is_corrupt() {
    let worker = Worker::new(&[MINUTE]);
    create(&worker, &[LENGTH]);
    worker.change(CURSOR, Some(b"corrupt".to_vec()));
    create(&worker, &[LENGTH]);
    worker.pass_until(64);
    assert_eq!(clean_up(&worker), (2, 0, 0, false));
}

#[test]
fn a_position_of_the_cleanup_of_a_newer_version_is_not_overwritten() {
    let worker = Worker::new(&[MINUTE]);
    create(&worker, &[LENGTH]);
    let mut newer = worker.value(CURSOR).unwrap();
    newer.truncate(newer.len() - 8);
    newer[4] += 1;
    let mut checksum = Crc64Digest::new();
    checksum.update(&newer);
    newer.extend(checksum.value().0.to_le_bytes());
    worker.change(CURSOR, Some(newer.clone()));
    let refused = worker.send("POST", "/v1/files", &[TUS, LENGTH], b"");
    assert_eq!(refused.status, 500, "{}", refused.text());
    assert_eq!(worker.value(CURSOR), Some(newer));
}

#[test]
fn an_entry_that_a_cleanup_has_passed_meanwhile_is_entered_again() {
    let worker = Worker::new(&[MINUTE]);
    let width = BucketWidth::for_ttl(Duration::from_secs(60));
    // The clock of the instance that cleans up is ahead.
    let passed = ExpiryBucket::containing(width, UnixMillis(START_MS + 10 * MINUTE_MS));
    let passed = ExpiryCursor::at(passed).encode().unwrap();
    worker.change_after(".e.0", CURSOR, Some(passed));
    let location = create(&worker, &[LENGTH]);
    let entered: Vec<_> = [".e.0", ".n", ".d"].map(|name| keys(&worker, name).len()).to_vec();
    assert_eq!(entered, [1, 1, 1], "{:?}", worker.keys());
    worker.pass_until(604);
    assert_eq!(clean_up(&worker), (1, 0, 0, false));
    assert_eq!(status(&worker, &location), 404);
}

fn seal_key() -> String {
    STANDARD.encode([1; 32])
}

/// Creates an upload. Returns the ID of its media asset and the token.
fn create_media(worker: &Worker) -> (String, String) {
    let reply = worker.send("POST", "/v1/files", &[TUS, LENGTH], b"");
    let header = |name: &str| reply.header(name).unwrap().to_owned();
    (header("media-id"), header("media-token"))
}

/// Continues a media asset with a new upload.
fn continue_media(worker: &Worker, (media_id, token): &(String, String)) -> Reply {
    let headers = [TUS, LENGTH, ("upload-media-id", media_id), ("upload-media-token", token)];
    worker.send("POST", "/v1/files", &headers, b"")
}

#[test]
fn a_media_asset_can_be_continued_for_a_week_if_uploads_do_not_expire() {
    const DAY: u64 = 24 * 3_600;
    let worker = Worker::new(&[NEVER, ("seal_key", &seal_key())]);
    let media = create_media(&worker);
    worker.pass_until(7 * DAY - 1);
    assert_eq!(continue_media(&worker, &media).status, 201);
    worker.pass_until(7 * DAY + 1);
    continue_media(&worker, &media).assert_problem(403, "media-not-owned");
}

#[test]
fn a_media_asset_can_be_continued_until_its_token_expires_even_if_its_upload_has() {
    let first = Worker::new(&[TEN_MINUTES, ("seal_key", &seal_key())]);
    let media = create_media(&first);
    let second = first.beside(&[MINUTE, ("seal_key", &seal_key())]);
    second.pass_until(100);
    assert_eq!(clean_up(&second), (0, 1, 0, false));
    assert!(keys(&second, ".u.").is_empty(), "{:?}", second.keys());
    assert_eq!(continue_media(&second, &media).status, 201);
}

#[test]
fn a_media_record_is_deleted_at_the_instant_when_its_token_expires() {
    let first = Worker::new(&[TEN_MINUTES, ("seal_key", &seal_key())]);
    let media = create_media(&first);
    let second = first.beside(&[MINUTE, ("seal_key", &seal_key())]);
    second.pass_until(600);
    assert_eq!(clean_up(&second), (1, 0, 0, false));
    assert!(keys(&second, ".m.").is_empty(), "{:?}", second.keys());
    continue_media(&second, &media).assert_problem(403, "media-not-owned");
}

#[test]
fn a_media_asset_that_cannot_be_continued_has_no_record() {
    let worker = Worker::new(&[]);
    create(&worker, &[LENGTH]);
    assert!(keys(&worker, ".m.").is_empty(), "{:?}", worker.keys());
}

#[test]
fn a_media_asset_that_is_completed_before_the_lock_is_held_is_not_continued() {
    let worker = Worker::new(&[("seal_key", &seal_key())]);
    let media = create_media(&worker);
    let [record] = &keys(&worker, ".m.")[..] else { panic!("{:?}", worker.keys()) };
    let calls = worker.services.calls.borrow().len();
    worker.change_after(&format!("{record}."), record, None);
    continue_media(&worker, &media).assert_problem(403, "media-not-owned");
    assert_eq!(worker.services.calls.borrow().len(), calls);
}

#[test]
fn a_creation_that_stopped_after_it_created_the_media_asset_is_continued() {
    let worker = Worker::new(&[MINUTE]);
    let id = worker.send("POST", "/v1/filepond", &[("upload-length", "5")], b"").text();
    let chunk = || {
        let headers =
            [CHUNK, ("upload-offset", "0"), ("upload-length", "5"), ("upload-name", "a.mp4")];
        worker.send("PATCH", &format!("/v1/filepond/{id}"), &headers, b"12345").status
    };
    worker.refuse_writes(Some(".x."));
    assert_eq!(chunk(), 503);
    worker.refuse_writes(None);
    assert_eq!(chunk(), 204);
    assert_eq!(worker.only_object(), b"12345");
    let actions = worker.services.parameters("Action");
    let created = actions.iter().filter(|action| *action == "CreateUploadVideo");
    assert_eq!(created.count(), 1, "{actions:?}");
}
