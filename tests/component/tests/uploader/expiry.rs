//! Credentials that expire during an upload.

use serde_json::json;
use vod_uploader_component_tests::app_host::{AppHost, PART_BYTES};
use vod_uploader_component_tests::application::{Mode, OfferedFile};

use crate::support::{assert_complete, part_bytes_sent};

#[test]
fn an_upload_continues_with_a_new_credential_after_expiry() {
    let host = AppHost::start();
    let mut application = host.application(Mode::Credential, &json!({}));
    let file = OfferedFile::new("film.mp4", 1, 8 * PART_BYTES + 8);
    let id = application.add(file.clone().pause_at(4 * PART_BYTES + 9));
    application.start();
    application.run_until_durable(id, 4 * PART_BYTES);
    host.sandbox.set_token_ttl(&application.supplied[0].1, 0);
    application.release(id);
    let expired = application.run_up_to(|event| event.is("TokenExpired", id));
    let media_id = application.last("UploadStarted", id).text("media_id");
    assert_eq!(media_id, None);
    let video = host.sandbox.media()[0]["id"].clone();
    assert_eq!(expired.payload["media_id"], video);
    assert_eq!(expired.payload["error"]["service"]["code"], "SecurityTokenExpired");
    assert_eq!(application.app.call("state", json!({})).unwrap(), "Expire");
    application.handle_event(&expired);
    application.finish();
    assert_complete(&host, &application, id, &file);
    let expiries = application.events.iter().filter(|event| event.is("TokenExpired", id)).count();
    assert_eq!(expiries, 1);
    assert_eq!(host.sandbox.requests("RefreshUploadVideo"), 1);
    // Only rejected parts are sent again.
    let again = part_bytes_sent(&host) - file.size;
    assert!(again <= 3 * PART_BYTES, "{again} bytes were sent again");
}

#[test]
fn an_expired_upload_auth_is_refreshed_with_the_apps_token() {
    let host = AppHost::start();
    let mut application = host.application(Mode::Sts, &json!({}));
    let file = OfferedFile::new("film.mp4", 2, 8 * PART_BYTES);
    let id = application.add(file.clone());
    let fault = json!({ "operation": "UploadPart", "part": 4, "kind": "expired-token" });
    host.sandbox.fault(&fault);
    application.start();
    application.finish();
    assert_complete(&host, &application, id, &file);
    assert_eq!(host.sandbox.fault_hits(), 1);
    assert_eq!(host.sandbox.requests("RefreshUploadVideo"), 1);
    assert_eq!(application.supplied.len(), 1, "the application was asked, too");
}

#[test]
fn an_upload_continues_with_a_new_sts_token_after_expiry() {
    let host = AppHost::start();
    let mut application = host.application(Mode::Sts, &json!({}));
    let file = OfferedFile::new("film.mp4", 3, 8 * PART_BYTES);
    let id = application.add(file.clone().pause_at(4 * PART_BYTES + 9));
    application.start();
    application.run_until_durable(id, 4 * PART_BYTES);
    // VOD rejects the refresh that OSS requires.
    host.sandbox.set_token_ttl(&application.supplied[0].1, 0);
    let fault = json!({ "operation": "UploadPart", "nth": 1, "kind": "expired-token" });
    host.sandbox.fault(&fault);
    application.release(id);
    application.finish();
    assert_complete(&host, &application, id, &file);
    assert_eq!(host.sandbox.fault_hits(), 1);
    assert_eq!(application.supplied.len(), 2);
    assert!(application.event_names(id).contains(&"TokenExpired"));
}

#[test]
fn an_upload_without_vod_continues_with_a_new_sts_token_after_expiry() {
    let host = AppHost::start();
    let mut application = host.application(Mode::Direct, &json!({}));
    let file = OfferedFile::new("film.mp4", 4, 8 * PART_BYTES);
    let id = application.add(file.clone().pause_at(4 * PART_BYTES + 9));
    application.start();
    application.run_until_durable(id, 4 * PART_BYTES);
    host.sandbox.set_token_ttl(&application.supplied[0].1, 0);
    application.release(id);
    application.finish();
    assert_complete(&host, &application, id, &file);
    assert_eq!(application.supplied.len(), 2);
}

#[test]
fn an_image_whose_credential_expires_restarts_with_a_new_image_id() {
    let host = AppHost::start();
    let mut application = host.application(Mode::Credential, &json!({}));
    let file = OfferedFile::new("poster.png", 5, 5 * PART_BYTES);
    let id = application.add(file.clone().pause_at(2 * PART_BYTES + 9));
    application.start();
    application.run_until_durable(id, 2 * PART_BYTES);
    host.sandbox.set_token_ttl(&application.supplied[0].1, 0);
    application.release(id);
    let expired = application.run_up_to(|event| event.is("TokenExpired", id));
    assert_eq!(expired.text("media_id"), None, "{expired}");
    let first = host.sandbox.media()[0]["id"].as_str().unwrap().to_owned();
    application.handle_event(&expired);
    application.finish();
    assert_complete(&host, &application, id, &file);
    let second = application.last("Succeeded", id).text("media_id").unwrap();
    assert_ne!(second, first);
    assert_eq!(host.sandbox.media().len(), 2);
}

#[test]
fn a_credential_is_requested_before_it_expires() {
    let host = AppHost::start();
    // It is requested a fifth of its TTL before it expires.
    host.sandbox.set_default_token_ttl(5);
    let mut application = host.application(Mode::Credential, &json!({ "parallel": 1 }));
    let file = OfferedFile::new("film.mp4", 6, 300 * PART_BYTES);
    let id = application.add(file.clone());
    let slow = json!({ "operation": "UploadPart", "times": 0, "kind": "delay", "delay_ms": 50 });
    host.sandbox.fault(&slow);
    application.start();
    let expiring = application.run_up_to(|event| event.is("TokenExpiring", id));
    assert_eq!(expiring.payload["media_id"], host.sandbox.media()[0]["id"]);
    assert!(expiring.payload["error"].is_null(), "{expiring}");
    host.sandbox.set_default_token_ttl(3_600);
    application.handle_event(&expiring);
    host.sandbox.clear_faults();
    application.finish();
    assert_complete(&host, &application, id, &file);
    assert_eq!(host.sandbox.counts("UploadPart")["errors"], 0);
    assert!(!application.event_names(id).contains(&"TokenExpired"));
}
