//! Every fault of OSS and VOD in every call of an upload, one at a time: once, and until it is
//! cleared.

use serde_json::json;
use vod_uploader_component_tests::body::Body;
use vod_uploader_component_tests::edge::{Edge, Setup};
use vod_uploader_component_tests::fault_case::{COMPLETE, FaultCase, rejection, unavailable};
use vod_uploader_component_tests::source::Source;
use vod_uploader_component_tests::tus::{self, Upload};
use vod_uploader_wire::Response;

#[test]
fn a_fault_of_create_upload_video_ends_in_a_file_or_its_cause() {
    let edge = small_parts().start();
    let source = Source::new(101, SEVERAL_PARTS);
    let mut cases = unavailable("vod-unavailable");
    cases.push(FaultCase::new(json!({ "kind": "skewed" }), COMPLETE, "vod-unavailable"));
    cases.push(FaultCase::new(json!({ "kind": "expired-token" }), EXPIRED, EXPIRED));
    cases.push(FaultCase::new(json!({ "kind": "access-denied" }), DENIED, DENIED));
    cases.push(FaultCase::new(
        json!({ "kind": "no-such-upload" }),
        "media-not-found",
        "media-not-found",
    ));
    cases.push(FaultCase::new(rejection(), "vod-rejected", "vod-rejected"));
    for case in &cases {
        put_once(&edge, "CreateUploadVideo", case, &source);
        case.inject(&edge.sandbox, "CreateUploadVideo", 0);
        let created = tus::create(&edge, source.length(), &[], &[]);
        assert_result(&created, case, case.lasting, "CreateUploadVideo");
        edge.sandbox.clear_faults();
    }
}

#[test]
fn a_fault_of_refresh_upload_video_ends_in_a_file_or_its_cause() {
    // Without a seal key, every request gets its own credential.
    let mut cases = unavailable("vod-unavailable");
    cases.push(FaultCase::new(json!({ "kind": "skewed" }), COMPLETE, "vod-unavailable"));
    cases.push(FaultCase::new(json!({ "kind": "expired-token" }), EXPIRED, EXPIRED));
    cases.push(FaultCase::new(json!({ "kind": "access-denied" }), DENIED, DENIED));
    cases.push(FaultCase::new(
        json!({ "kind": "no-such-upload" }),
        "media-not-found",
        "media-not-found",
    ));
    send_with_each("RefreshUploadVideo", &cases, SEVERAL_PARTS);
}

#[test]
fn a_fault_of_initiate_multipart_upload_ends_in_a_file_or_its_cause() {
    put_and_send_with_each("InitiateMultipartUpload", &store_cases(), SEVERAL_PARTS);
}

#[test]
fn a_fault_of_upload_part_ends_in_a_file_or_its_cause() {
    let mut cases = store_cases();
    cases.push(FaultCase::new(json!({ "kind": "wrong-crc" }), COMPLETE, MISMATCH));
    cases.push(FaultCase::new(json!({ "kind": "corrupt-body" }), COMPLETE, MISMATCH));
    put_and_send_with_each("UploadPart", &cases, SEVERAL_PARTS);
}

#[test]
fn a_fault_of_put_object_ends_in_a_file_or_its_cause() {
    let mut cases = store_cases();
    cases.push(FaultCase::new(json!({ "kind": "wrong-crc" }), COMPLETE, MISMATCH));
    cases.push(FaultCase::new(json!({ "kind": "corrupt-body" }), COMPLETE, MISMATCH));
    put_and_send_with_each("PutObject", &cases, LESS_THAN_A_PART);
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
    cases.push(FaultCase::new(json!({ "kind": "wrong-crc" }), MISMATCH, MISMATCH));
    cases.push(FaultCase::new(
        json!({ "kind": "corrupt-body" }),
        "store-rejected",
        "store-rejected",
    ));
    put_and_send_with_each("CompleteMultipartUpload", &cases, SEVERAL_PARTS);
}

#[test]
fn a_fault_of_list_parts_ends_in_a_file_or_its_cause() {
    let mut edge = small_parts().sealed().start();
    let source = Source::new(102, SEVERAL_PARTS);
    let mut cases = store_cases();
    for case in &mut cases {
        // Without the permission, the checkpoint is used.
        if case.fault["kind"] == "access-denied" {
            (case.once, case.lasting) = (COMPLETE, COMPLETE);
        }
    }
    for case in &cases {
        for (times, expected) in [(1, case.once), (0, case.lasting)] {
            let upload = Upload::create(&edge, source.length());
            let mut hung = upload.start_patch(&edge.client(), 0, source.length()).unwrap();
            hung.send(&source.bytes(0..2 * PART_BYTES));
            vod_uploader_component_tests::wait::until("two parts are acknowledged", || {
                (upload.bytes_durable(&edge) == 2 * PART_BYTES).then_some(())
            });
            // The parts of a killed writer are compared with ListParts.
            edge.kill_host();
            edge.start_host();
            case.inject(&edge.sandbox, "ListParts", times);
            let response = upload.patch(&edge, &source, 2 * PART_BYTES..source.length()).unwrap();
            assert_result(&response, case, expected, "ListParts");
            assert!(edge.sandbox.fault_hits() > 0, "{}", case.fault);
            edge.sandbox.clear_faults();
            finish_after_fault(&edge, &upload, &source);
        }
    }
}

#[test]
fn a_fault_of_head_object_ends_in_a_file_or_its_cause() {
    let edge = small_parts().start();
    let source = Source::new(103, SEVERAL_PARTS);
    let mut open = Vec::new();
    for case in &store_cases() {
        let kind = case.fault["kind"].as_str().unwrap();
        // Responses to HEAD have no body, so only the status matters.
        let expected = match kind {
            // Once, CompleteMultipartUpload is sent again, and the object is found after that.
            "access-denied" => [COMPLETE, "store-unavailable"],
            "no-such-upload" | "status" | "commit-then-reset" | "truncated-reply" => continue,
            _ => [case.once, case.lasting],
        };
        for (times, expected) in [1, 0].into_iter().zip(expected) {
            let upload = Upload::create(&edge, source.length());
            let lost_response = json!({
                "operation": "CompleteMultipartUpload", "times": 0, "kind": "commit-then-reset"
            });
            edge.sandbox.fault(&lost_response);
            case.inject(&edge.sandbox, "HeadObject", times);
            let response = upload.patch(&edge, &source, source.all()).unwrap();
            let code = response.code();
            assert_eq!(code, if expected == COMPLETE { "" } else { expected }, "{kind} x{times}");
            edge.sandbox.clear_faults();
            open.push(upload);
        }
    }
    for upload in open {
        assert_eq!(upload.offset(&edge), source.length());
        finish_after_fault(&edge, &upload, &source);
    }
}

#[test]
fn a_fault_of_abort_multipart_upload_ends_in_an_abort_or_its_cause() {
    let edge = small_parts().start();
    let source = Source::new(104, SEVERAL_PARTS);
    for case in &store_cases() {
        let kind = case.fault["kind"].as_str().unwrap();
        // Parts that no longer exist, or that must not be deleted, do not block.
        let expected = match kind {
            "access-denied" | "no-such-upload" => [COMPLETE; 2],
            // The abort has succeeded: the next attempt receives NoSuchUpload.
            "commit-then-reset" | "truncated-reply" => continue,
            _ => [case.once, case.lasting],
        };
        for (times, expected) in [1, 0].into_iter().zip(expected) {
            let upload = Upload::create(&edge, source.length());
            assert_eq!(upload.patch(&edge, &source, 0..2 * PART_BYTES).unwrap().status, 204);
            case.inject(&edge.sandbox, "AbortMultipartUpload", times);
            let deleted = upload.delete(&edge);
            assert_result(&deleted, case, expected, "AbortMultipartUpload");
            edge.sandbox.clear_faults();
            if !deleted.is_success() {
                assert_eq!(upload.delete(&edge).status, 204, "{}", case.fault);
            }
            assert_eq!(upload.head(&edge).status, 410);
        }
        if kind != "access-denied" && kind != "no-such-upload" {
            assert!(edge.sandbox.uploads().is_empty(), "{}", case.fault);
        }
        edge.sandbox.delete_uploads();
    }
}

/// The fault hits once, by PUT and by tus; then until it is cleared, by tus.
fn put_and_send_with_each(operation: &str, cases: &[FaultCase], length: u64) {
    let edge = small_parts().start();
    let source = Source::new(105, length);
    for case in cases {
        put_once(&edge, operation, case, &source);
    }
    drop(edge);
    send_with_each(operation, cases, length);
}

fn send_with_each(operation: &str, cases: &[FaultCase], length: u64) {
    let edge = match operation {
        // A sealed credential would not be refreshed.
        "RefreshUploadVideo" => small_parts().start(),
        _ => small_parts().sealed().start(),
    };
    let source = Source::new(106, length);
    let mut open = Vec::new();
    for case in cases {
        for (times, expected) in [(1, case.once), (0, case.lasting)] {
            let upload = Upload::create(&edge, length);
            case.inject(&edge.sandbox, operation, times);
            let response = upload.patch(&edge, &source, source.all()).unwrap();
            assert!(edge.sandbox.fault_hits() > 0, "{operation}: {} did not hit", case.fault);
            assert_result(&response, case, expected, operation);
            edge.sandbox.clear_faults();
            open.push(upload);
        }
    }
    // After all faults, because each unknown completion is awaited for the same time.
    for upload in open {
        finish_after_fault(&edge, &upload, &source);
    }
}

fn put_once(edge: &Edge, operation: &str, case: &FaultCase, source: &Source) {
    case.inject(&edge.sandbox, operation, 1);
    let before = edge.sandbox.objects().len();
    let response = edge.put(&[], &Body::Range(source, source.all()));
    assert_eq!(edge.sandbox.fault_hits(), 1, "{operation}: {} did not hit", case.fault);
    assert_result(&response, case, case.once, operation);
    if response.is_success() {
        assert_eq!(response.json()["crc64"], source.crc64());
        assert_complete(edge, response.json()["media_id"].as_str().unwrap(), source);
    } else if operation != "CompleteMultipartUpload" {
        assert_eq!(edge.sandbox.objects().len(), before, "{operation}: {}", case.fault);
    }
    edge.sandbox.clear_faults();
    assert!(edge.sandbox.uploads().len() <= lost_initiations(case), "{operation}: {}", case.fault);
    edge.sandbox.delete_uploads();
}

/// Multipart uploads that OSS created without a response.
fn lost_initiations(case: &FaultCase) -> usize {
    let unknown = ["commit-then-reset", "truncated-reply"];
    usize::from(unknown.iter().any(|kind| case.fault["kind"] == *kind))
}

/// Completes the upload without the fault. A lost upload restarts with the same media ID.
fn finish_after_fault(edge: &Edge, upload: &Upload, source: &Source) {
    if upload.head(edge).status == 410 {
        let next = upload.continued(edge, source.length());
        assert_eq!(next.media_id, upload.media_id);
        next.finish(edge, source);
    } else {
        upload.finish(edge, source);
    }
    assert_complete(edge, &upload.media_id, source);
}

fn assert_complete(edge: &Edge, media_id: &str, source: &Source) {
    let objects = edge.sandbox.objects();
    let object = objects.iter().find(|object| object.key.contains(media_id));
    let object = object.unwrap_or_else(|| panic!("there is no object of {media_id}"));
    assert_eq!((object.size, &object.crc64), (source.length(), &source.crc64()));
}

/// Asserts that the response is a success, or a problem with the expected code.
fn assert_result(response: &Response, case: &FaultCase, expected: &str, operation: &str) {
    let what = format!("{operation}: {}: {} {}", case.fault, response.status, response.text());
    if expected == COMPLETE {
        assert!(response.is_success(), "{what}");
        return;
    }
    assert!(!response.is_success(), "{what}");
    assert_eq!(response.code(), expected, "{what}");
    let problem = response.json();
    if let Some(code) = case.fault["code"].as_str() {
        assert_eq!(problem["store_code"], code, "{what}");
    }
    if problem["store_code"].is_string() {
        assert!(problem["store_request_id"].is_string(), "{what}");
    }
    assert!(!problem["detail"].as_str().unwrap().is_empty(), "{what}");
}

/// Faults of a call to OSS.
fn store_cases() -> Vec<FaultCase> {
    let mut cases = unavailable("store-unavailable");
    cases.push(FaultCase::new(json!({ "kind": "skewed" }), COMPLETE, "store-unavailable"));
    cases.push(FaultCase::new(json!({ "kind": "expired-token" }), COMPLETE, EXPIRED));
    cases.push(FaultCase::new(json!({ "kind": "access-denied" }), DENIED, DENIED));
    cases.push(FaultCase::new(json!({ "kind": "no-such-upload" }), "upload-lost", "upload-lost"));
    cases.push(FaultCase::new(rejection(), "store-rejected", "store-rejected"));
    cases
}

/// Small parts, because the time limit of a part grows with its size.
fn small_parts() -> Setup {
    Setup::new()
        .variable("part_size_bytes", &PART_BYTES.to_string())
        .variable("request_timeout_ms", "150")
        .variable("retry_attempts", "2")
}

const PART_BYTES: u64 = 102_400;
const SEVERAL_PARTS: u64 = 3 * PART_BYTES + 10_000;
const LESS_THAN_A_PART: u64 = 60_000;

const EXPIRED: &str = "credential-expired";
const DENIED: &str = "access-denied";
const MISMATCH: &str = "checksum-mismatch";
