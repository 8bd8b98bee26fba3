//! Invalid values and calls, and their errors.

use serde_json::{Value, json};
use vod_uploader_component_tests::app_host::{AppHost, PART_BYTES};
use vod_uploader_component_tests::application::{Mode, OfferedFile};
use vod_uploader_component_tests::vod::create_upload_video;

use crate::support::assert_complete;

#[test]
fn an_invalid_option_is_rejected_with_its_name_and_range() {
    let host = AppHost::start();
    let mut app = host.converse();
    for (option, value, field) in [
        ("part_size", json!(1), "part-size"),
        ("parallel", json!(0), "parallel"),
        ("parallel_files", json!(17), "parallel-files"),
        ("retry_count", json!(101), "retry-count"),
        ("retry_duration", json!(3_601), "retry-duration"),
        ("timeout", json!(99), "timeout"),
        ("deadline", json!(0), "deadline"),
        ("checkpoint_ttl", json!(59), "checkpoint-ttl"),
        ("user_id", json!("me"), "user-id"),
        ("region", json!("Shanghai"), "region"),
        ("vod_endpoint", json!("vod"), "vod-endpoint"),
    ] {
        let rejection = app.call("create", json!({ "options": { option: value } })).unwrap_err();
        assert_eq!((rejection.code().as_str(), rejection.field()), ("FieldInvalid", field));
        assert!(!rejection.0["code"]["FieldInvalid"]["allowed"].as_str().unwrap().is_empty());
        assert_eq!(rejection.0["retry"], "Never");
    }
}

#[test]
fn an_invalid_file_is_rejected_and_not_added() {
    let host = AppHost::start();
    let mut application = host.application(Mode::Credential, &json!({}));
    application.add(OfferedFile::new("film.mp4", 1, 100).last_modified());
    let twin = json!({ "name": "film.mp4", "size": 100, "last_modified": 1_700_000_000_000_u64 });
    for (file, code, field) in [
        (json!({ "name": "empty.mp4", "size": 0 }), "FileEmpty", ""),
        (json!({ "name": "huge.mp4", "size": 60_000_000_000_000_u64 }), "FileTooLarge", ""),
        (json!({ "name": "", "size": 1 }), "FieldInvalid", "name"),
        (json!({ "name": "a\u{7}.mp4", "size": 1 }), "FieldInvalid", "name"),
        (json!({ "name": "unknown.kind", "size": 1 }), "FieldInvalid", "name"),
        (json!({ "name": "moving.gif", "size": 1 }), "FieldInvalid", "kind"),
        (json!({ "name": "a.mp4", "size": 1, "param_data": "{" }), "FieldInvalid", "param-data"),
        (twin, "FileDuplicate", ""),
    ] {
        let rejection = application.app.call("add-file", json!({ "file": file })).unwrap_err();
        assert_eq!((rejection.code().as_str(), rejection.field()), (code, field), "{file}");
    }
    let listed = application.app.call("list-files", json!({})).unwrap();
    assert_eq!(listed.as_array().unwrap().len(), 1);
}

#[test]
fn calls_for_an_unknown_file_are_rejected() {
    let host = AppHost::start();
    let mut application = host.application(Mode::Credential, &json!({}));
    for call in ["delete-file", "cancel-file", "resume-file", "get-checkpoint", "clear-checkpoint"]
    {
        assert_eq!(
            application.try_call_file(call, 99).unwrap_err().code(),
            "FileUnknown",
            "{call}"
        );
    }
    assert_eq!(application.app.call("events", json!({})).unwrap_err().code(), "EventsTaken");
    let stop = application.app.call("stop-upload", json!({})).unwrap_err();
    assert_eq!(stop.code(), "QueueStateWrong");
}

#[test]
fn an_invalid_credential_is_rejected_and_a_valid_one_accepted_afterwards() {
    let host = AppHost::start();
    let mut application = host.application(Mode::Credential, &json!({}));
    let file = OfferedFile::new("film.mp4", 2, 3 * PART_BYTES);
    let id = application.add(file.clone());
    application.start();
    application.run_up_to(|event| event.is("UploadStarted", id));
    let credential = application.credential(id, None);
    let mut with = |auth: &str, address: &str| {
        let arguments = json!({ "file": id, "upload_auth": auth, "upload_address": address });
        application.app.call("set-upload-auth-and-address", arguments).unwrap_err().code()
    };
    assert_eq!(with("nonsense", &credential.address), "CredentialInvalid");
    assert_eq!(with(&credential.address, &credential.auth), "CredentialsSwapped");
    let auth = json!({ "file": id, "upload_auth": credential.auth });
    let early = application.app.call("resume-upload-with-auth", auth).unwrap_err();
    assert_eq!(early.code(), "CredentialRequired");
    host.sandbox.set_default_token_ttl(-60);
    let over = create_upload_video(&host.sandbox, &host.sandbox.nonce());
    host.sandbox.set_default_token_ttl(3_600);
    let rejection = application.set_credential(id, &over).unwrap_err();
    assert_eq!(rejection.code(), "CredentialExpired");
    application.set_credential(id, &credential).unwrap();
    application.finish();
    assert_complete(&host, &application, id, &file);
}

#[test]
fn a_credential_for_another_object_is_rejected_during_an_upload() {
    let host = AppHost::start();
    let mut application = host.application(Mode::Credential, &json!({}));
    let file = OfferedFile::new("film.mp4", 3, 5 * PART_BYTES);
    let id = application.add(file.clone().pause_at(2 * PART_BYTES + 9));
    application.start();
    application.run_until_durable(id, 2 * PART_BYTES);
    let other = create_upload_video(&host.sandbox, &host.sandbox.nonce());
    let rejection = application.set_credential(id, &other).unwrap_err();
    assert_eq!(rejection.code(), "CredentialForOtherObject");
    application.release(id);
    application.finish();
    assert_complete(&host, &application, id, &file);
}

#[test]
fn an_invalid_source_fails_the_file_with_its_reason() {
    let host = AppHost::start();
    let mut application = host.application(Mode::Credential, &json!({}));
    let file = OfferedFile::new("film.mp4", 4, 3 * PART_BYTES).pause_at(0);
    let id = application.add(file.clone());
    application.start();
    application.run_up_to(|event| event.is("SourceRequested", id));
    let elsewhere = json!({ "file": id, "offset": 5, "seed": 4, "tells_end": false });
    let rejection = application.app.call("supply-source", elsewhere).unwrap_err();
    assert_eq!(rejection.code(), "OffsetMismatch");
    // More bytes than the file has.
    application.supply(id, 0);
    let more = json!({ "file": id, "offset": file.size + 1 });
    application.app.call("send-until", more).unwrap();
    let failed = application.run_until(|event| event.is("Failed", id));
    assert_eq!(failed.error().code(), "LengthMismatch");
    application.finish();
    assert_eq!(application.app.call("state", json!({})).unwrap(), "Failure");
    assert!(host.sandbox.objects().is_empty());
    // A source that is interrupted reports why.
    application.start();
    application.run_until(|event| event.is("SourceRequested", id));
    let broken = json!({ "file": id, "broken": "the disk is gone" });
    application.app.call("end-source", broken).unwrap();
    let failed = application.run_until(|event| event.is("Failed", id));
    assert_eq!(failed.error().code(), "SourceBroken");
    assert!(failed.payload["error"]["message"].as_str().unwrap().contains("the disk is gone"));
}

#[test]
fn a_file_that_misses_its_deadline_fails_and_resumes_with_the_next_run() {
    let host = AppHost::start();
    let mut application = host.application(Mode::Credential, &json!({ "deadline": 1 }));
    let file = OfferedFile::new("film.mp4", 5, 5 * PART_BYTES);
    let id = application.add(file.clone().pause_at(2 * PART_BYTES + 9));
    application.start();
    let failed = application.run_until(|event| event.is("Failed", id));
    assert_eq!(failed.error().code(), "DeadlineExceeded");
    assert_eq!(failed.payload["durable"], 2 * PART_BYTES);
    application.finish();
    application.offer_all(id);
    application.start();
    application.finish();
    assert_eq!(application.last("SourceRequested", id).payload["offset"], 2 * PART_BYTES);
    assert_complete(&host, &application, id, &file);
}

#[test]
fn a_file_whose_media_was_deleted_restarts_after_clear_checkpoint() {
    let host = AppHost::start();
    let file = OfferedFile::new("film.mp4", 6, 5 * PART_BYTES).last_modified();
    let mut application = host.application(Mode::Credential, &json!({}));
    let id = application.add(file.clone().pause_at(2 * PART_BYTES + 9));
    application.start();
    application.run_until_durable(id, 2 * PART_BYTES);
    application.app.call("stop-upload", json!({})).unwrap();
    application.run_until(|event| event.is("Stopped", id));
    application.start();
    let started = application.run_up_to(|event| event.is("UploadStarted", id));
    host.sandbox.delete_media(started.text("media_id").unwrap());
    application.call_file("clear-checkpoint", id);
    application.offer_all(id);
    application.finish();
    let started = application.last("UploadStarted", id);
    assert_eq!((started.text("media_id"), &started.payload["durable"]), (None, &Value::from(0)));
    assert_complete(&host, &application, id, &file);
}
