//! Every fault of OSS and VOD in every call of an upload, one at a time: once, and until it is
//! cleared.

use serde_json::{Value, json};
use vod_uploader_component_tests::app_host::{AppHost, PART_BYTES};
use vod_uploader_component_tests::application::{Application, Mode, OfferedFile};
use vod_uploader_component_tests::fault_case::{COMPLETE, FaultCase, rejection, unavailable};

use crate::support::assert_complete;

#[test]
fn a_fault_of_create_upload_video_ends_in_a_file_or_its_cause() {
    upload_with_each("CreateUploadVideo", Mode::Sts, &vod_cases(), SEVERAL_PARTS);
}

#[test]
fn a_fault_of_the_calls_for_images_and_auxiliary_media_ends_in_a_file_or_its_cause() {
    for (operation, extension) in
        [("CreateUploadImage", "png"), ("CreateUploadAttachedMedia", "srt")]
    {
        let host = AppHost::start();
        let mut application = with_fast_retries(&host, Mode::Sts);
        for case in &vod_cases() {
            for (times, expected) in [(1, case.once), (0, case.lasting)] {
                let (id, file) = offer_kind(&mut application, extension, LESS_THAN_A_PART);
                case.inject(&host.sandbox, operation, times);
                run_with_fault(&host, &mut application, (id, &file), &case.fault, expected);
            }
        }
    }
}

#[test]
fn a_fault_of_initiate_multipart_upload_ends_in_a_file_or_its_cause() {
    let mut cases = store_cases();
    without_lost_uploads(&mut cases);
    upload_with_each("InitiateMultipartUpload", Mode::Credential, &cases, SEVERAL_PARTS);
}

#[test]
fn a_fault_of_upload_part_ends_in_a_file_or_its_cause() {
    let mut cases = store_cases();
    cases.push(FaultCase::new(json!({ "kind": "wrong-crc" }), COMPLETE, "ChecksumMismatch"));
    cases.push(FaultCase::new(json!({ "kind": "corrupt-body" }), COMPLETE, "ChecksumMismatch"));
    upload_with_each("UploadPart", Mode::Credential, &cases, SEVERAL_PARTS);
}

#[test]
fn a_fault_of_put_object_ends_in_a_file_or_its_cause() {
    let mut cases = store_cases();
    cases.push(FaultCase::new(json!({ "kind": "wrong-crc" }), COMPLETE, "ChecksumMismatch"));
    cases.push(FaultCase::new(json!({ "kind": "corrupt-body" }), COMPLETE, "ChecksumMismatch"));
    without_lost_uploads(&mut cases);
    upload_with_each("PutObject", Mode::Credential, &cases, LESS_THAN_A_PART);
}

#[test]
fn a_fault_of_complete_multipart_upload_ends_in_a_file_or_its_cause() {
    let mut cases = store_cases();
    for case in &mut cases {
        // The object is complete, which HeadObject shows.
        if ["commit-then-reset", "truncated-reply"].iter().any(|kind| case.fault["kind"] == *kind) {
            case.lasting = COMPLETE;
        }
    }
    cases.push(FaultCase::new(
        json!({ "kind": "wrong-crc" }),
        "ChecksumMismatch",
        "ChecksumMismatch",
    ));
    upload_with_each("CompleteMultipartUpload", Mode::Credential, &cases, SEVERAL_PARTS);
}

#[test]
fn a_fault_of_refresh_upload_video_ends_in_a_file_or_its_cause() {
    let host = AppHost::start();
    let mut application = with_fast_retries(&host, Mode::Sts);
    let mut cases = vod_cases();
    for case in &mut cases {
        // The media asset was deleted at VOD: the file restarts with a new one.
        if case.fault["kind"] == "no-such-upload" {
            (case.once, case.lasting) = (COMPLETE, COMPLETE);
        }
    }
    for case in &cases {
        for (times, expected) in [(1, case.once), (0, case.lasting)] {
            let (id, file) = offer(&mut application, SEVERAL_PARTS);
            // The UploadAuth expires, and the fault hits its refresh.
            let end = json!({ "operation": "UploadPart", "nth": 2, "kind": "expired-token" });
            host.sandbox.fault(&end);
            case.inject(&host.sandbox, "RefreshUploadVideo", times);
            run_with_fault(&host, &mut application, (id, &file), &case.fault, expected);
        }
    }
}

#[test]
fn a_fault_of_abort_multipart_upload_ends_in_an_abort_or_reported_leftovers() {
    let host = AppHost::start();
    let mut application = with_fast_retries(&host, Mode::Credential);
    for case in &store_cases() {
        let kind = case.fault["kind"].as_str().unwrap();
        let (id, _) = offer(&mut application, SEVERAL_PARTS);
        let pause_offset = application.pause(id, 2 * PART_BYTES);
        application.start();
        application.run_until_durable(id, pause_offset);
        case.inject(&host.sandbox, "AbortMultipartUpload", 1);
        application.call_file("cancel-file", id);
        let canceled = application.run_until(|event| event.is("Canceled", id));
        application.finish();
        assert_eq!(host.sandbox.fault_hits(), 1, "{kind}");
        host.sandbox.clear_faults();
        let left = host.sandbox.uploads().len();
        // Leftovers are reported. No credential is requested for a file that is removed.
        assert!(left == 0 || !canceled.payload["leftover_error"].is_null(), "{kind}: {canceled}");
        let is_final = case.once != COMPLETE || kind == "expired-token";
        assert!(left == 0 || is_final, "{kind} is worth another try");
        host.sandbox.delete_uploads();
    }
}

#[test]
fn a_file_is_uploaded_under_random_faults_of_every_kind() {
    for seed in 0..6 {
        let host = AppHost::start();
        let options = json!({ "retry_count": 20, "timeout": 300 });
        let mut application = host.application(Mode::Sts, &options);
        let kinds = [
            "reset-before-body",
            "reset-mid-body",
            "reset-after-body",
            "commit-then-reset",
            "truncated-reply",
            "hang",
            "wrong-crc",
            "corrupt-body",
            "expired-token",
            "skewed",
        ];
        for (n, kind) in kinds.iter().enumerate() {
            let operation = if n < 6 { "*" } else { "UploadPart" };
            host.sandbox.fault(&json!({
                "operation": operation, "kind": kind, "times": 0,
                "probability": 0.03, "seed": seed * 100 + n as u64,
            }));
        }
        let file = OfferedFile::new("film.mp4", seed, 30 * PART_BYTES + seed);
        let id = application.add(file.clone());
        application.start();
        application.finish();
        assert_complete(&host, &application, id, &file);
    }
}

fn upload_with_each(operation: &str, mode: Mode, cases: &[FaultCase], size: u64) {
    let host = AppHost::start();
    let mut application = with_fast_retries(&host, mode);
    for case in cases {
        for (times, expected) in [(1, case.once), (0, case.lasting)] {
            let (id, file) = offer(&mut application, size);
            case.inject(&host.sandbox, operation, times);
            run_with_fault(&host, &mut application, (id, &file), &case.fault, expected);
        }
    }
}

/// Runs with the injected fault, and again without it if the first run failed.
fn run_with_fault(
    host: &AppHost,
    application: &mut Application<'_>,
    (id, file): (u64, &OfferedFile),
    fault: &Value,
    expected: &str,
) {
    application.start();
    application.finish_or_stop_after_expiries(id);
    assert!(host.sandbox.fault_hits() > 0, "{fault} did not hit");
    host.sandbox.clear_faults();
    let events = application.event_names(id).join(", ");
    match *application.event_names(id).last().unwrap() {
        "Succeeded" => assert_eq!(expected, COMPLETE, "{fault}: {events}"),
        "Failed" => {
            let failed = application.last("Failed", id);
            let error = failed.error();
            assert_eq!(error.code(), expected, "{fault}: {failed}");
            assert!(!error.0["action"].as_str().unwrap().is_empty(), "{failed}");
            if let Some(code) = fault["code"].as_str() {
                assert_eq!(error.0["service"]["code"], code, "{failed}");
            }
        }
        // It waits for a credential while it is rejected.
        "Stopped" => assert_eq!(expected, EXPIRED, "{fault}: {events}"),
        _ => panic!("{fault}: {events}"),
    }
    if application.event_names(id).last() != Some(&"Succeeded") {
        application.start();
        application.finish();
    }
    assert_complete(host, application, id, file);
}

fn with_fast_retries(host: &AppHost, mode: Mode) -> Application<'_> {
    host.application(mode, &json!({ "retry_count": 1, "timeout": 150 }))
}

fn offer(application: &mut Application<'_>, size: u64) -> (u64, OfferedFile) {
    offer_kind(application, "mp4", size)
}

fn offer_kind(application: &mut Application<'_>, extension: &str, size: u64) -> (u64, OfferedFile) {
    let number = application.events.len() as u64;
    let file = OfferedFile::new(&format!("{number}.{extension}"), number, size);
    (application.add(file.clone()), file)
}

/// Faults of a call to VOD.
fn vod_cases() -> Vec<FaultCase> {
    let mut cases = unavailable("VodUnavailable");
    cases.push(FaultCase::new(json!({ "kind": "skewed" }), COMPLETE, "VodUnavailable"));
    cases.push(FaultCase::new(json!({ "kind": "expired-token" }), COMPLETE, EXPIRED));
    cases.push(FaultCase::new(json!({ "kind": "access-denied" }), DENIED, DENIED));
    cases.push(FaultCase::new(
        json!({ "kind": "no-such-upload" }),
        "MediaNotFound",
        "MediaNotFound",
    ));
    cases.push(FaultCase::new(rejection(), "VodRejected", "VodRejected"));
    cases
}

/// Faults of a call to OSS.
fn store_cases() -> Vec<FaultCase> {
    let mut cases = unavailable("StoreUnavailable");
    cases.push(FaultCase::new(json!({ "kind": "skewed" }), COMPLETE, "StoreUnavailable"));
    cases.push(FaultCase::new(json!({ "kind": "expired-token" }), COMPLETE, EXPIRED));
    cases.push(FaultCase::new(json!({ "kind": "access-denied" }), DENIED, DENIED));
    cases.push(FaultCase::new(json!({ "kind": "no-such-upload" }), COMPLETE, "UploadLost"));
    cases.push(FaultCase::new(rejection(), "StoreRejected", "StoreRejected"));
    cases
}

/// A call without a multipart upload cannot restart it.
fn without_lost_uploads(cases: &mut [FaultCase]) {
    let lost = cases.iter_mut().filter(|case| case.fault["kind"] == "no-such-upload");
    lost.for_each(|case| case.once = case.lasting);
}

const SEVERAL_PARTS: u64 = 3 * PART_BYTES + 10_000;
const LESS_THAN_A_PART: u64 = 60_000;

const EXPIRED: &str = "CredentialExpired";
const DENIED: &str = "AccessDenied";
