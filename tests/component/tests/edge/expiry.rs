//! Credentials that expire during an upload, differing clocks, and multipart uploads that OSS no
//! longer has.

use serde_json::json;
use vod_uploader_component_tests::body::Body;
use vod_uploader_component_tests::edge::Setup;
use vod_uploader_component_tests::source::{MIB, Source, sha256};
use vod_uploader_component_tests::tus::{self, Upload};
use vod_uploader_component_tests::vod::{
    UploadCredential, create_upload_video, refresh_upload_video,
};
use vod_uploader_component_tests::wait;

#[test]
fn the_worker_refreshes_its_credential_during_an_upload() {
    let edge = Setup::new().start();
    let source = Source::new(81, 8 * MIB);
    edge.sandbox.fault(&json!({ "operation": "UploadPart", "nth": 4, "kind": "expired-token" }));
    let created = edge.put(&[], &Body::Chunked(&source, source.all()));
    assert_eq!(created.status, 201, "{}", created.text());
    assert_eq!(edge.sandbox.fault_hits(), 1);
    assert_eq!(edge.sandbox.requests("RefreshUploadVideo"), 1);
    let object = edge.sandbox.only_object();
    assert_eq!(sha256(&edge.sandbox.object_bytes(&object.key)), source.sha256());
}

#[test]
fn a_token_that_oss_rejects_as_expired_is_refreshed() {
    let edge = Setup::new().sealed().start();
    edge.sandbox.set_default_token_ttl(700);
    let source = Source::new(88, 6 * MIB);
    let upload = Upload::create(&edge, source.length());
    assert_eq!(upload.patch(&edge, &source, 0..2 * MIB).unwrap().offset(), 2 * MIB);
    // Within the 15 minutes that OSS tolerates, and beyond the TTL of the token.
    edge.sandbox.shift_clock(800_000);
    let stored = upload.patch(&edge, &source, 2 * MIB..source.length()).unwrap();
    assert_eq!((stored.status, stored.offset()), (204, source.length()), "{}", stored.text());
    assert_eq!(edge.sandbox.requests("RefreshUploadVideo"), 1);
    assert!(edge.sandbox.counts("UploadPart")["errors"].as_u64().unwrap() > 0);
    assert_eq!(edge.sandbox.only_object().crc64, source.crc64());
}

#[test]
fn credentials_with_a_short_ttl_are_refreshed_before_they_expire() {
    let edge = Setup::new().start();
    // Less than the time before the expiry at which the worker refreshes.
    edge.sandbox.set_default_token_ttl(20);
    let source = Source::new(82, 6 * MIB);
    let upload = Upload::create(&edge, source.length());
    upload.finish(&edge, &source);
    assert!(edge.sandbox.requests("RefreshUploadVideo") <= 3);
    assert_eq!(edge.sandbox.counts("UploadPart")["errors"], 0);
    assert_eq!(edge.sandbox.only_object().crc64, source.crc64());
}

#[test]
fn an_upload_continues_with_a_new_credential_of_its_client() {
    let edge = Setup::new().without_ram_key().start();
    let source = Source::new(83, 8 * MIB);
    let first = create_upload_video(&edge.sandbox, "first");
    let metadata = [("upload_address", first.address.as_str()), ("upload_auth", &first.auth)];
    let upload = Upload::from_response(&tus::create(&edge, source.length(), &metadata, &[]));
    let with = |credential: &UploadCredential, begin: u64, end: u64| {
        let headers =
            [("upload-address", credential.address.as_str()), ("upload-auth", &credential.auth)];
        let body = Body::Range(&source, begin..end);
        upload.patch_with(&edge, &headers, begin, &body).unwrap()
    };
    assert_eq!(with(&first, 0, 3 * MIB).offset(), 3 * MIB);
    let fault = json!({ "operation": "UploadPart", "nth": 2, "times": 0, "kind": "expired-token" });
    edge.sandbox.fault(&fault);
    let ended = with(&first, 3 * MIB, source.length());
    assert_eq!((ended.status, ended.code().as_str()), (401, "credential-expired"));
    let offset = upload.offset(&edge);
    assert_eq!(ended.offset(), offset);
    assert!(offset >= 3 * MIB, "{offset}");
    edge.sandbox.clear_faults();
    let second = refresh_upload_video(&edge.sandbox, "second", &first.media_id);
    let stored = with(&second, offset, source.length());
    assert_eq!((stored.status, stored.offset()), (204, source.length()), "{}", stored.text());
    assert_eq!(edge.sandbox.only_object().key, first.object());
    assert_eq!(edge.sandbox.only_object().crc64, source.crc64());
}

#[test]
fn a_worker_whose_clock_is_two_days_wrong_uploads_with_fresh_credentials() {
    const TWO_DAYS_MS: i64 = 2 * 24 * 60 * 60 * 1_000;
    let source = Source::new(85, 3 * MIB);
    for shift_ms in [TWO_DAYS_MS, -TWO_DAYS_MS] {
        let own = Setup::new().sealed().start();
        own.sandbox.shift_clock(shift_ms);
        let put = own.put(&[], &Body::Range(&source, source.all()));
        assert_eq!(put.status, 201, "{shift_ms}: {}", put.text());

        let edge = Setup::new().without_ram_key().start();
        edge.sandbox.shift_clock(shift_ms);
        let mine = create_upload_video(&edge.sandbox, "mine");
        let headers = [("upload-address", mine.address.as_str()), ("upload-auth", &mine.auth)];
        let put = edge.put(&headers, &Body::Range(&source, source.all()));
        assert_eq!(put.status, 201, "{shift_ms}: {}", put.text());
        assert_eq!(edge.sandbox.only_object().crc64, source.crc64());
    }
}

#[test]
fn an_expired_credential_is_rejected_before_any_byte_is_read() {
    let edge = Setup::new().without_ram_key().start();
    edge.sandbox.set_default_token_ttl(-60);
    let expired = create_upload_video(&edge.sandbox, "expired");
    let headers = [("upload-address", expired.address.as_str()), ("upload-auth", &expired.auth)];
    let source = Source::new(84, MIB);
    let put = edge.put(&headers, &Body::Range(&source, source.all()));
    assert_eq!((put.status, put.code().as_str()), (401, "credential-expired"), "{}", put.text());
    // The store decides, because the clock of the worker may be wrong.
    assert_eq!(edge.sandbox.operations(), ["CreateUploadVideo", "HeadObject"]);
}

#[test]
fn an_upload_succeeds_although_the_clock_of_oss_differs_by_an_hour() {
    for offset_ms in [3_600_000, -3_600_000] {
        // VOD rejects calls with a wrong clock, so the credential must be stored.
        let edge = Setup::new().sealed().start();
        edge.sandbox.set_default_token_ttl(6 * 3600);
        let source = Source::new(85, 6 * MIB);
        let upload = Upload::create(&edge, source.length());
        edge.sandbox.shift_clock(offset_ms);
        let stored = upload.patch(&edge, &source, source.all()).unwrap();
        assert_eq!((stored.status, stored.offset()), (204, source.length()), "{}", stored.text());
        assert_eq!(edge.sandbox.only_object().crc64, source.crc64());
        // Only the first call observes the difference.
        assert_eq!(edge.sandbox.counts("UploadPart")["errors"], 0);
        assert_eq!(edge.sandbox.counts("InitiateMultipartUpload")["errors"], 1);
    }
}

#[test]
fn an_upload_that_oss_no_longer_has_is_lost_and_its_media_can_continue() {
    let edge = Setup::new().sealed().start();
    let source = Source::new(86, 6 * MIB);
    let lost = Upload::create(&edge, source.length());
    assert_eq!(lost.patch(&edge, &source, 0..3 * MIB).unwrap().offset(), 3 * MIB);
    edge.sandbox.delete_uploads();
    let gone = lost.patch(&edge, &source, 3 * MIB..source.length()).unwrap();
    assert_eq!((gone.status, gone.code().as_str()), (410, "upload-lost"), "{}", gone.text());
    assert_eq!(gone.json()["media_id"], lost.media_id.as_str());
    assert_eq!(lost.head(&edge).status, 410);
    assert_eq!(lost.state(&edge), "lost");
    let again = lost.patch(&edge, &source, 3 * MIB..source.length()).unwrap();
    assert_eq!((again.status, again.code().as_str()), (410, "upload-lost"));

    let next = lost.continued(&edge, source.length());
    assert_eq!(next.media_id, lost.media_id);
    next.finish(&edge, &source);
    assert_eq!(edge.sandbox.requests("CreateUploadVideo"), 1);
    let object = edge.sandbox.only_object();
    assert!(object.key.contains(&lost.media_id), "{}", object.key);
    assert_eq!(object.crc64, source.crc64());
}

#[test]
fn an_upload_that_oss_lost_during_a_restart_is_lost() {
    let mut edge = Setup::new().start();
    let source = Source::new(87, 6 * MIB);
    let upload = Upload::create(&edge, source.length());
    let mut patch = upload.start_patch(&edge.client(), 0, source.length()).unwrap();
    patch.send(&source.bytes(0..3 * MIB));
    wait::until("parts are acknowledged", || {
        (upload.bytes_durable(&edge) == 3 * MIB).then_some(())
    });
    edge.kill_host();
    edge.sandbox.delete_uploads();
    edge.start_host();
    let offset = upload.offset(&edge);
    let gone = upload.patch(&edge, &source, offset..source.length()).unwrap();
    assert_eq!((gone.status, gone.code().as_str()), (410, "upload-lost"), "{}", gone.text());
    assert!(edge.sandbox.objects().is_empty());
}

#[test]
fn media_deleted_at_vod_is_reported_as_an_error() {
    let edge = Setup::new().sealed().start();
    let upload = Upload::create(&edge, MIB);
    edge.sandbox.delete_media(&upload.media_id);
    let owner =
        [("media_id", upload.media_id.as_str()), ("media_token", upload.media_token.as_str())];
    let rejected = tus::create(&edge, MIB, &owner, &[]);
    assert_eq!((rejected.status, rejected.code().as_str()), (404, "media-not-found"));
    assert_eq!(rejected.json()["store_code"], "InvalidVideo.NotFound");
}
