//! Credentials that end while they are used.

use serde_json::json;
use vod_uploader_component_tests::app_host::{AppHost, PART_BYTES};
use vod_uploader_component_tests::application::{Mode, OfferedFile};

use crate::support::{is_whole, part_bytes_sent};

#[test]
fn a_token_that_ends_in_the_middle_is_asked_for_again_and_the_upload_goes_on() {
    let host = AppHost::start();
    let mut application = host.application(Mode::Credential, &json!({}));
    let file = OfferedFile::new("film.mp4", 1, 8 * PART_BYTES + 8);
    let id = application.add(file.clone().pause_at(4 * PART_BYTES + 9));
    application.start();
    application.run_until_durable(id, 4 * PART_BYTES);
    host.sandbox.set_life(&application.handed_in[0].1, 0);
    application.release(id);
    let expired = application.run_up_to(|event| event.is("TokenExpired", id));
    let media_id = application.last("UploadStarted", id).text("media_id");
    assert_eq!(media_id, None);
    let video = host.sandbox.media()[0]["id"].clone();
    assert_eq!(expired.payload["media_id"], video);
    assert_eq!(expired.payload["error"]["vendor"]["code"], "SecurityTokenExpired");
    assert_eq!(application.app.call("state", json!({})).unwrap(), "Expire");
    application.answer(&expired);
    application.finish();
    is_whole(&host, &application, id, &file);
    let expiries = application.events.iter().filter(|event| event.is("TokenExpired", id)).count();
    assert_eq!(expiries, 1);
    assert_eq!(host.sandbox.requests("RefreshUploadVideo"), 1);
    // What was stored before is not sent again; what was refused is.
    let again = part_bytes_sent(&host) - file.size;
    assert!(again <= 3 * PART_BYTES, "{again} bytes were sent again");
}

#[test]
fn an_upload_auth_that_ends_is_refreshed_by_the_component_where_it_has_a_token() {
    let host = AppHost::start();
    let mut application = host.application(Mode::Sts, &json!({}));
    let file = OfferedFile::new("film.mp4", 2, 8 * PART_BYTES);
    let id = application.add(file.clone());
    let fault = json!({ "operation": "UploadPart", "part": 4, "kind": "expired-token" });
    host.sandbox.fault(&fault);
    application.start();
    application.finish();
    is_whole(&host, &application, id, &file);
    assert_eq!(host.sandbox.fault_hits(), 1);
    assert_eq!(host.sandbox.requests("RefreshUploadVideo"), 1);
    assert_eq!(application.handed_in.len(), 1, "the application was asked, too");
}

#[test]
fn a_temporary_access_key_that_ends_is_asked_for_again_and_the_upload_goes_on() {
    let host = AppHost::start();
    let mut application = host.application(Mode::Sts, &json!({}));
    let file = OfferedFile::new("film.mp4", 3, 8 * PART_BYTES);
    let id = application.add(file.clone().pause_at(4 * PART_BYTES + 9));
    application.start();
    application.run_until_durable(id, 4 * PART_BYTES);
    // VOD refuses the refresh that the store asks for.
    host.sandbox.set_life(&application.handed_in[0].1, 0);
    let fault = json!({ "operation": "UploadPart", "nth": 1, "kind": "expired-token" });
    host.sandbox.fault(&fault);
    application.release(id);
    application.finish();
    is_whole(&host, &application, id, &file);
    assert_eq!(host.sandbox.fault_hits(), 1);
    assert_eq!(application.handed_in.len(), 2);
    assert!(application.story(id).contains(&"TokenExpired"));
}

#[test]
fn a_temporary_access_key_that_ends_is_asked_for_again_without_vod_too() {
    let host = AppHost::start();
    let mut application = host.application(Mode::Direct, &json!({}));
    let file = OfferedFile::new("film.mp4", 4, 8 * PART_BYTES);
    let id = application.add(file.clone().pause_at(4 * PART_BYTES + 9));
    application.start();
    application.run_until_durable(id, 4 * PART_BYTES);
    host.sandbox.set_life(&application.handed_in[0].1, 0);
    application.release(id);
    application.finish();
    is_whole(&host, &application, id, &file);
    assert_eq!(application.handed_in.len(), 2);
}

#[test]
fn a_picture_whose_credential_ends_starts_again_with_a_new_image_id() {
    let host = AppHost::start();
    let mut application = host.application(Mode::Credential, &json!({}));
    let file = OfferedFile::new("poster.png", 5, 5 * PART_BYTES);
    let id = application.add(file.clone().pause_at(2 * PART_BYTES + 9));
    application.start();
    application.run_until_durable(id, 2 * PART_BYTES);
    host.sandbox.set_life(&application.handed_in[0].1, 0);
    application.release(id);
    let expired = application.run_up_to(|event| event.is("TokenExpired", id));
    assert_eq!(expired.text("media_id"), None, "{expired}");
    let first = host.sandbox.media()[0]["id"].as_str().unwrap().to_owned();
    application.answer(&expired);
    application.finish();
    is_whole(&host, &application, id, &file);
    let second = application.last("Succeeded", id).text("media_id").unwrap();
    assert_ne!(second, first);
    assert_eq!(host.sandbox.media().len(), 2);
}

#[test]
fn a_credential_that_is_about_to_end_is_asked_for_before_it_does() {
    let host = AppHost::start();
    // It is asked for a fifth of its life before its end.
    host.sandbox.token_life(5);
    let mut application = host.application(Mode::Credential, &json!({ "parallel": 1 }));
    let file = OfferedFile::new("film.mp4", 6, 300 * PART_BYTES);
    let id = application.add(file.clone());
    let slow = json!({ "operation": "UploadPart", "times": 0, "kind": "delay", "delay_ms": 50 });
    host.sandbox.fault(&slow);
    application.start();
    let expiring = application.run_up_to(|event| event.is("TokenExpiring", id));
    assert_eq!(expiring.payload["media_id"], host.sandbox.media()[0]["id"]);
    assert!(expiring.payload["error"].is_null(), "{expiring}");
    host.sandbox.token_life(3_600);
    application.answer(&expiring);
    host.sandbox.clear_faults();
    application.finish();
    is_whole(&host, &application, id, &file);
    assert_eq!(host.sandbox.counts("UploadPart")["errors"], 0);
    assert!(!application.story(id).contains(&"TokenExpired"));
}
