//! The state of an upload, its pauses, and a new credential during a request.

use std::thread;

use serde_json::{Value, json};
use vod_uploader_component_tests::body::Body;
use vod_uploader_component_tests::edge::{Edge, SEAL_KEY, Setup};
use vod_uploader_component_tests::sandbox::BUCKET;
use vod_uploader_component_tests::source::{MIB, Source, sha256};
use vod_uploader_component_tests::tus::{self, Upload};
use vod_uploader_component_tests::vod::{
    UploadCredential, create_upload_video, refresh_upload_video,
};
use vod_uploader_component_tests::wait;
use vod_uploader_wire::{Headers, Response};

#[test]
fn the_state_is_reported_during_an_upload() {
    let edge = Setup::new().start();
    let source = Source::new(710, 4 * MIB);
    let upload = Upload::create(&edge, source.length());
    let before = upload.status(&edge);
    assert_eq!(before["state"], "receiving");
    assert!(before["object"].as_str().unwrap().contains(&upload.media_id));
    let expires_at = before["expires_at"].as_str().expect("it expires").to_owned();
    let mut patch = upload.start_patch(&edge.client(), 0, source.length()).unwrap();
    patch.send(&source.bytes(0..2 * MIB + 7));
    wait::until("parts are acknowledged", || {
        (upload.bytes_durable(&edge) == 2 * MIB).then_some(())
    });
    let status = upload.status(&edge);
    let expected = json!({
        "state": "receiving",
        "reason": null,
        "role": "whole",
        "bytes_durable": 2 * MIB,
        "bytes_total": source.length(),
        "parts": 2,
        "file_name": "clip.mp4",
        "media_id": upload.media_id,
        "bucket": BUCKET,
        "object": before["object"],
        "crc64": null,
        "expires_at": status["expires_at"],
    });
    assert_eq!(status, expected);
    assert!(status["expires_at"].as_str().unwrap() >= expires_at.as_str());
    // The queries have not interrupted it.
    patch.send(&source.bytes(2 * MIB + 7..source.length()));
    let stored = patch.finish().unwrap();
    assert_eq!((stored.status, stored.offset()), (204, source.length()), "{}", stored.text());
    assert_eq!(upload.state(&edge), "completed");
}

#[test]
fn a_paused_upload_accepts_no_bytes_until_it_is_resumed() {
    let mut edge = Setup::new().start();
    let source = Source::new(711, 4 * MIB);
    let upload = Upload::create(&edge, source.length());
    let sent = 2 * MIB + 70_001;
    let mut patch = upload.start_patch(&edge.client(), 0, source.length()).unwrap();
    patch.send(&source.bytes(0..sent));
    wait::until("parts are acknowledged", || {
        (upload.bytes_durable(&edge) == 2 * MIB).then_some(())
    });
    let paused = post_action(&edge, &upload, "pause");
    assert_eq!(paused.status, 200, "{}", paused.text());
    assert_eq!(paused.json()["state"], "paused");
    assert_eq!(paused.json()["bytes_durable"], sent);
    // The sender receives the final offset.
    let ended = patch.response().unwrap();
    assert!(!ended.is_success(), "{}", ended.status);
    assert_eq!(ended.offset(), sent);
    edge.kill_host();
    edge.start_host();
    for _ in 0..2 {
        let rejected = upload.patch(&edge, &source, sent..source.length()).unwrap();
        assert_eq!((rejected.status, rejected.code().as_str()), (409, "upload-paused"));
        assert_eq!(rejected.offset(), sent);
        assert_eq!(post_action(&edge, &upload, "pause").status, 200);
    }
    assert_eq!(upload.offset(&edge), sent);
    let resumed = post_action(&edge, &upload, "resume");
    assert_eq!((resumed.status, &resumed.json()["state"]), (200, &json!("receiving")));
    let stored = upload.patch(&edge, &source, sent..source.length()).unwrap();
    assert_eq!((stored.status, stored.offset()), (204, source.length()), "{}", stored.text());
    let object = edge.sandbox.only_object();
    assert_eq!(sha256(&edge.sandbox.object_bytes(&object.key)), source.sha256());
}

#[test]
fn an_ended_upload_cannot_be_paused_and_a_paused_one_can_be_deleted() {
    let edge = Setup::new().start();
    let source = Source::new(712, MIB);
    let complete = Upload::create(&edge, source.length());
    complete.finish(&edge, &source);
    let aborted = Upload::create(&edge, source.length());
    assert_eq!(post_action(&edge, &aborted, "pause").status, 200);
    assert_eq!(aborted.delete(&edge).status, 204);
    assert_eq!(aborted.state(&edge), "aborted");
    for upload in [&complete, &aborted] {
        for action in ["pause", "resume"] {
            let rejected = post_action(&edge, upload, action);
            assert_eq!((rejected.status, rejected.code().as_str()), (409, "upload-ended"));
        }
    }
    let unknown = Upload { path: format!("/v1/files/{}", "0".repeat(32)), ..complete };
    for action in ["pause", "resume", "credential", "unknown"] {
        let rejected = post_action(&edge, &unknown, action);
        assert_eq!((rejected.status, rejected.code().as_str()), (404, "upload-not-found"));
    }
}

#[test]
fn a_new_credential_is_accepted_in_each_format() {
    let mut edge = sealed();
    let source = Source::new(713, 4 * MIB);
    let first = create_upload_video(&edge.sandbox, "first");
    let upload = created_with(&mut edge, &first, source.length());
    let mut offset = 0;
    for form in 0..4 {
        // The stored credential is no longer valid.
        let nonce = format!("again-{form}");
        let next = refresh_upload_video(&edge.sandbox, &nonce, &first.media_id);
        edge.forbid_secret(&next.auth);
        let sts = edge.sandbox.sts(3600);
        edge.forbid_secret(sts["AccessKeySecret"].as_str().unwrap());
        let (address, auth) = (next.address.as_str(), next.auth.as_str());
        let posted = match form {
            0 => json!({ "upload_auth": auth, "upload_address": address }),
            1 => json!({ "upload_auth": auth }),
            2 => sts,
            _ => Value::Null,
        };
        let in_headers = [("upload-address", address), ("upload-auth", auth)];
        let headers = if form == 3 { &in_headers[..] } else { &[] };
        let kept = post_credential(&edge, &upload, headers, &posted);
        assert_eq!(kept.status, 204, "{form}: {}", kept.text());
        let body = Body::Range(&source, offset..offset + MIB);
        let stored = upload.patch_with(&edge, &[], offset, &body).unwrap();
        offset += MIB;
        assert_eq!((stored.status, stored.offset()), (204, offset), "{form}: {}", stored.text());
    }
    assert_eq!(edge.sandbox.only_object().crc64, source.crc64());
}

#[test]
fn an_invalid_credential_is_rejected_and_the_stored_one_remains() {
    let mut edge = sealed();
    let source = Source::new(714, MIB);
    let mine = create_upload_video(&edge.sandbox, "mine");
    let other = create_upload_video(&edge.sandbox, "other");
    edge.forbid_secret(&other.auth);
    let upload = created_with(&mut edge, &mine, source.length());
    edge.sandbox.set_default_token_ttl(-60);
    let expired = refresh_upload_video(&edge.sandbox, "expired", &mine.media_id);
    let pair = |credential: &UploadCredential| {
        let UploadCredential { auth, address, .. } = credential;
        json!({ "upload_auth": auth, "upload_address": address })
    };
    let cases = [
        (pair(&other), 409, "credential-for-other-object"),
        (pair(&expired), 401, "credential-expired"),
        (json!({ "upload_auth": mine.address }), 400, "credentials-swapped"),
        (json!({ "upload_auth": "e30=" }), 400, "credential-invalid"),
        (json!({ "upload_auth": "***" }), 400, "credential-invalid"),
        (json!({ "upload_auth": 7 }), 400, "credential-invalid"),
        (json!({ "AccessKeyId": "a", "AccessKeySecret": "b" }), 400, "credential-invalid"),
        (json!({}), 400, "credential-invalid"),
        (json!([]), 400, "credential-invalid"),
        (Value::Null, 400, "credential-invalid"),
        (json!({ "upload_auth": "x".repeat(40_000) }), 400, "body-invalid"),
    ];
    for (posted, status, code) in cases {
        let rejected = post_credential(&edge, &upload, &[], &posted);
        assert_eq!((rejected.status, rejected.code().as_str()), (status, code), "{posted}");
    }
    let headers = [("upload-address", other.address.as_str()), ("upload-auth", &other.auth)];
    let rejected = post_credential(&edge, &upload, &headers, &Value::Null);
    assert_eq!((rejected.status, rejected.code().as_str()), (409, "credential-for-other-object"));
    upload.finish(&edge, &source);
    assert_eq!(edge.sandbox.only_object().key, mine.object());
}

#[test]
fn without_a_seal_key_a_posted_credential_is_rejected() {
    let mut edge = Setup::new().without_ram_key().start();
    let mine = create_upload_video(&edge.sandbox, "mine");
    let upload = created_with(&mut edge, &mine, MIB);
    let rejected = post_credential(&edge, &upload, &[], &json!({ "upload_auth": mine.auth }));
    assert_eq!((rejected.status, rejected.code().as_str()), (403, "credential-not-storable"));
}

#[test]
fn a_request_whose_credential_expires_uses_the_posted_one() {
    let mut edge = sealed();
    let source = Source::new(715, 6 * MIB);
    let first = create_upload_video(&edge.sandbox, "first");
    let upload = created_with(&mut edge, &first, source.length());
    thread::scope(|scope| {
        let client = edge.client();
        let mut patch = upload.start_patch(&client, 0, source.length()).unwrap();
        patch.send(&source.bytes(0..2 * MIB));
        wait::until("parts are acknowledged", || {
            (upload.bytes_durable(&edge) == 2 * MIB).then_some(())
        });
        let second = refresh_upload_video(&edge.sandbox, "second", &first.media_id);
        let posted = json!({ "upload_auth": second.auth });
        assert_eq!(post_credential(&edge, &upload, &[], &posted).status, 204);
        // From now on, OSS rejects the first one.
        edge.sandbox.set_token_ttl(&first.access_key_id(), -1);
        let sending = scope.spawn(|| {
            patch.send(&source.bytes(2 * MIB..source.length()));
            patch.finish().unwrap()
        });
        let stored = sending.join().unwrap();
        assert_eq!((stored.status, stored.offset()), (204, source.length()), "{}", stored.text());
    });
    assert_eq!(edge.sandbox.only_object().crc64, source.crc64());
    assert_eq!(edge.sandbox.only_object().key, first.object());
}

#[test]
fn a_request_uses_the_posted_credential_before_its_own_expires() {
    let mut edge = sealed();
    let source = Source::new(716, 6 * MIB);
    // Less than the time before the expiry at which a new one is loaded.
    edge.sandbox.set_default_token_ttl(30);
    let first = create_upload_video(&edge.sandbox, "first");
    let upload = created_with(&mut edge, &first, source.length());
    edge.sandbox.set_default_token_ttl(3600);
    let second = refresh_upload_video(&edge.sandbox, "second", &first.media_id);
    assert_eq!(
        post_credential(&edge, &upload, &[], &json!({ "upload_auth": second.auth })).status,
        204
    );
    edge.sandbox.set_token_ttl(&first.access_key_id(), -1);
    let stored = upload.patch(&edge, &source, source.all()).unwrap();
    assert_eq!((stored.status, stored.offset()), (204, source.length()), "{}", stored.text());
    assert_eq!(edge.sandbox.counts("UploadPart")["errors"], 0);
    assert_eq!(edge.sandbox.only_object().crc64, source.crc64());
}

#[test]
fn uploads_with_the_workers_own_key_accept_no_credential() {
    let edge = Setup::new().temporary_storage().sealed().start();
    let headers = [tus::VERSION, ("upload-concat", "partial"), ("upload-length", "5")];
    let created = edge.request("POST", "/v1/files", &headers, &Body::None).unwrap();
    let partial = Upload::from_response(&created);
    let sts = edge.sandbox.sts(3600);
    let rejected = post_credential(&edge, &partial, &[], &sts);
    assert_eq!((rejected.status, rejected.code().as_str()), (409, "file-state-wrong"));
}

fn sealed() -> Edge {
    let mut edge = Setup::new().without_ram_key().sealed().start();
    edge.forbid_secret(SEAL_KEY);
    edge
}

fn created_with(edge: &mut Edge, credential: &UploadCredential, length: u64) -> Upload {
    edge.forbid_secret(&credential.auth);
    let metadata =
        [("upload_address", credential.address.as_str()), ("upload_auth", &credential.auth)];
    Upload::from_response(&tus::create(edge, length, &metadata, &[]))
}

fn post_credential(edge: &Edge, upload: &Upload, headers: Headers<'_>, posted: &Value) -> Response {
    let path = format!("{}/credential", upload.path);
    let text = if posted.is_null() { String::new() } else { posted.to_string() };
    edge.request("POST", &path, headers, &Body::Bytes(text.as_bytes())).unwrap()
}

fn post_action(edge: &Edge, upload: &Upload, action: &str) -> Response {
    edge.request("POST", &format!("{}/{action}", upload.path), &[], &Body::Bytes(b"")).unwrap()
}
