//! tus: concatenation of partial uploads.

use std::thread;

use serde_json::json;
use vod_uploader_component_tests::body::Body;
use vod_uploader_component_tests::edge::{Edge, Setup};
use vod_uploader_component_tests::key_value;
use vod_uploader_component_tests::random::Random;
use vod_uploader_component_tests::source::{KIB, MIB, Source, sha256};
use vod_uploader_component_tests::tus::{self, CHUNK_TYPE, Upload, VERSION};
use vod_uploader_component_tests::vod::create_upload_video;
use vod_uploader_component_tests::wait;
use vod_uploader_wire::Response;

const UNAVAILABLE: (u16, &str) = (403, "concatenation-unavailable");

#[test]
fn partial_uploads_of_any_size_are_concatenated_in_the_listed_order() {
    let edge = Setup::new().temporary_storage().start();
    let mut random = Random::new(560);
    let mut odd: Vec<u64> = (0..13).map(|_| 1 + random.below(300_000)).collect();
    odd.extend([0, 1, 2 * MIB + 7]);
    let lists: [&[u64]; 6] = [
        &[MIB + 500_001, 700_003],
        &[99_999, 1, 250_001],
        &[10, 0, 20],
        &[150 * KIB, 60 * KIB, 0],
        &[0, 60 * KIB, 120 * KIB, 300_001],
        &odd,
    ];
    for (seed, lengths) in (560..).zip(lists) {
        let source = Source::new(seed, lengths.iter().sum());
        // Created in the order of the file, and sent in reverse order.
        let partials: Vec<_> = lengths.iter().map(|length| partial(&edge, *length)).collect();
        send_in_reverse(&edge, &partials, &source, lengths);
        let created = concatenate(&edge, &partials);
        assert_eq!((created.status, created.offset()), (201, source.length()), "{lengths:?}");
        let final_upload = Upload::from_response(&created);
        assert_complete(&edge, &final_upload, &source);
        let head = final_upload.head(&edge);
        assert_eq!(head.header("upload-concat"), Some(final_value(&partials).as_str()));
        assert_eq!(head.header("upload-length"), Some(source.length().to_string().as_str()));
        assert_eq!(head.offset(), source.length());
        assert_nothing_remains(&edge, &partials);
    }
}

#[test]
fn partial_uploads_in_another_order_produce_another_file() {
    let edge = Setup::new().temporary_storage().start();
    let source = Source::new(570, MIB);
    let halves = [partial(&edge, MIB / 2), partial(&edge, MIB / 2)];
    send_in_reverse(&edge, &halves, &source, &[MIB / 2, MIB / 2]);
    let [first, second] = halves;
    let final_upload = Upload::from_response(&concatenate(&edge, &[second, first]));
    let status = final_upload.status(&edge);
    let bytes = edge.sandbox.object_bytes(status["object"].as_str().unwrap());
    let swapped = [source.bytes(MIB / 2..MIB), source.bytes(0..MIB / 2)].concat();
    assert_eq!(sha256(&bytes), sha256(&swapped));
}

#[test]
fn the_bytes_of_concatenated_uploads_are_sent_to_oss_once() {
    let edge = Setup::new().temporary_storage().start();
    let lengths = [8 * MIB + 1, 8 * MIB + 3, 8 * MIB - 4];
    let source = Source::new(571, lengths.iter().sum());
    let partials: Vec<_> = lengths.iter().map(|length| partial(&edge, *length)).collect();
    send_in_reverse(&edge, &partials, &source, &lengths);
    assert_eq!(bytes_sent(&edge), source.length());
    edge.sandbox.reset_requests();
    let final_upload = Upload::from_response(&concatenate(&edge, &partials));
    assert_complete(&edge, &final_upload, &source);
    assert_eq!(edge.sandbox.requests("UploadPartCopy"), 3);
    assert_eq!(bytes_sent(&edge), 0);
    assert_eq!(edge.sandbox.requests("GetObject"), 0);
    // Includes headers, signatures and XML bodies.
    let sent = edge.stats().count("outbound_bytes_sent");
    assert!(sent < source.length() + 64 * KIB, "{sent} bytes for {}", source.length());
}

#[test]
fn a_final_upload_can_be_created_before_its_partial_uploads_are_complete() {
    let edge = Setup::new().temporary_storage().start();
    let lengths = [MIB + 1, 40_000, 2 * MIB];
    let source = Source::new(572, lengths.iter().sum());
    let partials: Vec<_> = lengths.iter().map(|length| partial(&edge, *length)).collect();
    let created = concatenate(&edge, &partials);
    assert_eq!(created.header("upload-offset"), None);
    let final_upload = Upload::from_response(&created);
    let head = final_upload.head(&edge);
    assert_eq!((head.status, head.header("upload-offset")), (200, None));
    assert_eq!(head.header("upload-length"), Some(source.length().to_string().as_str()));
    assert_eq!(final_upload.state(&edge), "receiving");
    let status = final_upload.status(&edge);
    assert_eq!((&status["role"], &status["bytes_durable"]), (&json!("final"), &json!(0)));
    let rejected = final_upload.patch(&edge, &source, 0..5).unwrap();
    assert_eq!((rejected.status, rejected.code().as_str()), (403, "upload-is-final"));
    send_in_reverse(&edge, &partials, &source, &lengths);
    assert_eq!(final_upload.state(&edge), "completed");
    assert_complete(&edge, &final_upload, &source);
    assert_nothing_remains(&edge, &partials);
    let rejected = final_upload.patch(&edge, &source, 0..5).unwrap();
    assert_eq!((rejected.status, rejected.code().as_str()), (403, "upload-is-final"));
}

#[test]
fn partial_uploads_support_creation_with_upload_and_deferred_length() {
    let edge = Setup::new().temporary_storage().start();
    let source = Source::new(573, 300_000);
    let headers = [VERSION, CHUNK_TYPE, ("upload-concat", "partial"), ("upload-length", "100000")];
    let body = Body::Range(&source, 0..100_000);
    let created = edge.request("POST", "/v1/files", &headers, &body).unwrap();
    assert_eq!((created.status, created.offset()), (201, 100_000), "{}", created.text());
    let first = Upload::from_response(&created);
    let headers = [VERSION, ("upload-concat", "partial"), ("upload-defer-length", "1")];
    let created = edge.request("POST", "/v1/files", &headers, &Body::None).unwrap();
    let second = Upload::from_response(&created);
    assert_eq!(second.head(&edge).header("upload-concat"), Some("partial"));
    let final_upload = Upload::from_response(&concatenate(&edge, &[first, second.clone()]));
    assert_eq!(final_upload.head(&edge).header("upload-length"), None);
    let body = Body::Range(&source, 100_000..300_000);
    let stored = second.patch_with(&edge, &[("upload-length", "200000")], 0, &body).unwrap();
    assert_eq!((stored.status, stored.offset()), (204, 200_000), "{}", stored.text());
    assert_complete(&edge, &final_upload, &source);
}

#[test]
fn a_deleted_partial_upload_leaves_no_object() {
    let edge = Setup::new().temporary_storage().start();
    let source = Source::new(574, 2 * MIB);
    let open = partial(&edge, source.length());
    assert_eq!(open.patch(&edge, &source, 0..MIB).unwrap().offset(), MIB);
    assert_eq!(open.delete(&edge).status, 204);
    let rejected = concatenate(&edge, &[open]);
    assert_eq!((rejected.status, rejected.code().as_str()), (410, "upload-lost"));
    let complete = partial(&edge, source.length());
    complete.finish(&edge, &source);
    assert_eq!(edge.sandbox.temporary_objects().len(), 1);
    assert_eq!(complete.delete(&edge).status, 204);
    assert!(edge.sandbox.temporary_objects().is_empty());
    let rejected = concatenate(&edge, &[complete]);
    assert_eq!((rejected.status, rejected.code().as_str()), (400, "upload-concat-invalid"));
    assert!(edge.sandbox.uploads().is_empty());
    assert!(edge.sandbox.objects().is_empty());
    assert!(edge.sandbox.media().is_empty(), "no media for what is no file");
}

#[test]
fn a_final_upload_deleted_early_is_not_concatenated() {
    let edge = Setup::new().temporary_storage().start();
    let source = Source::new(575, MIB);
    let part = partial(&edge, source.length());
    let final_upload = Upload::from_response(&concatenate(&edge, std::slice::from_ref(&part)));
    assert_eq!(final_upload.delete(&edge).status, 204);
    part.finish(&edge, &source);
    assert_eq!(final_upload.head(&edge).status, 410);
    assert!(edge.sandbox.objects().is_empty());
    assert!(edge.sandbox.uploads().is_empty());
    // The partial upload can be used for another file.
    let final_upload = Upload::from_response(&concatenate(&edge, &[part]));
    assert_complete(&edge, &final_upload, &source);
}

#[test]
fn a_final_upload_is_lost_if_its_partial_uploads_were_used_by_another() {
    let edge = Setup::new().temporary_storage().start();
    let source = Source::new(576, MIB);
    let part = partial(&edge, source.length());
    let [first, second] =
        [(); 2].map(|()| Upload::from_response(&concatenate(&edge, std::slice::from_ref(&part))));
    let stored = part.patch(&edge, &source, source.all()).unwrap();
    assert_eq!((stored.status, stored.offset()), (204, source.length()));
    let complete = [&first, &second].into_iter().filter(|upload| upload.head(&edge).status == 200);
    assert_eq!(complete.count(), 1);
    let lost = [&first, &second].into_iter().find(|upload| upload.head(&edge).status != 200);
    let lost = lost.unwrap();
    assert_eq!(lost.head(&edge).status, 410);
    assert_eq!(lost.delete(&edge).status, 204);
    assert_eq!(edge.sandbox.only_object().crc64, source.crc64());
    assert_nothing_remains(&edge, &[part]);
}

#[test]
fn a_partial_upload_is_at_most_as_large_as_one_part() {
    let edge = Setup::new().temporary_storage().start();
    for (length, status) in [("5368709120", 201), ("5368709121", 413)] {
        let headers = [VERSION, ("upload-concat", "partial"), ("upload-length", length)];
        let response = edge.request("POST", "/v1/files", &headers, &Body::None).unwrap();
        assert_eq!(response.status, status, "{length}");
    }
}

#[test]
fn concatenation_requires_an_access_key_and_temporary_storage() {
    for setup in [
        Setup::new(),
        Setup::new().temporary_storage().without_ram_key(),
        Setup::new().temporary_storage().variable("temporary_bucket", ""),
    ] {
        let edge = setup.start();
        let headers = [VERSION, ("upload-concat", "partial"), ("upload-length", "5")];
        let rejected = edge.request("POST", "/v1/files", &headers, &Body::None).unwrap();
        assert_eq!((rejected.status, rejected.code().as_str()), UNAVAILABLE);
        let unknown = Upload {
            path: "/v1/files/a1".to_owned(),
            media_id: String::new(),
            media_token: String::new(),
        };
        let rejected = concatenate(&edge, &[unknown]);
        assert_eq!((rejected.status, rejected.code().as_str()), UNAVAILABLE);
        let options = edge.request("OPTIONS", "/v1/files", &[], &Body::None).unwrap();
        assert!(!options.header("tus-extension").unwrap().contains("concatenation"));
        assert!(edge.sandbox.operations().is_empty());
    }
}

#[test]
fn concatenation_rejects_a_clients_credential() {
    let mut edge = Setup::new().temporary_storage().start();
    let own = create_upload_video(&edge.sandbox, "own");
    edge.forbid_secret(&own.auth);
    let part = partial(&edge, 5);
    let (metadata, value) = (named(), final_value(&[part]));
    let credential = [("upload-address", own.address.as_str()), ("upload-auth", &own.auth)];
    for concat in ["partial", &value] {
        let length = [("upload-length", "5")];
        let length = if concat == "partial" { &length[..] } else { &[] };
        let headers = [VERSION, ("upload-concat", concat), ("upload-metadata", &metadata)];
        let headers = [&headers[..], length, &credential].concat();
        let rejected = edge.request("POST", "/v1/files", &headers, &Body::None).unwrap();
        assert_eq!((rejected.status, rejected.code().as_str()), UNAVAILABLE, "{concat}");
    }
    assert_eq!(edge.sandbox.requests("CreateUploadVideo"), 1);
}

#[test]
fn only_partial_uploads_of_this_worker_can_be_concatenated() {
    let edge = Setup::new().temporary_storage().start();
    let complete = Upload::create(&edge, 5);
    let unknown = Upload { path: format!("/v1/files/{}", "0".repeat(32)), ..complete.clone() };
    let part = partial(&edge, 5);
    edge.sandbox.reset_requests();
    for uploads in [vec![complete], vec![unknown], vec![]] {
        let rejected = concatenate(&edge, &uploads);
        assert_eq!((rejected.status, rejected.code().as_str()), (400, "upload-concat-invalid"));
    }
    for value in ["", "partially", "final", "final;/v1/files/", "final;https://x/y"] {
        let headers = [VERSION, ("upload-length", "5"), ("upload-concat", value)];
        let rejected = edge.request("POST", "/v1/files", &headers, &Body::None).unwrap();
        assert_eq!((rejected.status, rejected.code().as_str()), (400, "upload-concat-invalid"));
    }
    let (metadata, value) = (named(), final_value(&[part]));
    let made = [VERSION, ("upload-concat", &value), ("upload-metadata", &metadata)];
    let headers = [&made[..], &[("upload-length", "5")]].concat();
    let rejected = edge.request("POST", "/v1/files", &headers, &Body::None).unwrap();
    assert_eq!((rejected.status, rejected.code().as_str()), (400, "upload-length-invalid"));
    let headers = [&made[..], &[CHUNK_TYPE]].concat();
    let rejected = edge.request("POST", "/v1/files", &headers, &Body::Bytes(b"12345")).unwrap();
    assert_eq!((rejected.status, rejected.code().as_str()), (403, "upload-is-final"));
    assert!(edge.sandbox.operations().is_empty(), "{:?}", edge.sandbox.operations());
}

#[test]
fn concatenation_completes_after_a_kill_at_any_step() {
    let asks: [fn(&Edge, &Upload) -> bool; 2] = [
        |edge, final_upload| final_upload.head(edge).header("upload-offset").is_some(),
        |edge, final_upload| final_upload.state(edge) == "completed",
    ];
    let mut asks = asks.into_iter().cycle();
    // In the last PATCH, and in each step of the concatenation.
    for (operation, nth) in [
        ("CompleteMultipartUpload", 1),
        ("InitiateMultipartUpload", 2),
        ("UploadPartCopy", 1),
        ("UploadPartCopy", 2),
        ("CompleteMultipartUpload", 2),
        ("DeleteObject", 1),
        ("DeleteObject", 2),
    ] {
        let mut edge = Setup::new().temporary_storage().with_fast_retries().start();
        let lengths = [MIB + 3, 60_000, MIB + 9];
        let source = Source::new(580, lengths.iter().sum());
        let partials: Vec<_> = lengths.iter().map(|length| partial(&edge, *length)).collect();
        let final_upload = Upload::from_response(&concatenate(&edge, &partials));
        send_in_reverse(&edge, &partials[1..], &source, &lengths[1..]);
        edge.sandbox.reset_requests();
        let fault =
            json!({ "operation": operation, "nth": nth, "kind": "delay", "delay_ms": 60_000 });
        edge.sandbox.fault(&fault);
        let client = edge.client();
        thread::scope(|scope| {
            scope.spawn(|| {
                let patch = partials[0].start_patch(&client, 0, lengths[0]);
                let mut patch = patch.unwrap();
                patch.send(&source.bytes(0..lengths[0]));
                // There is no response.
                let _ = patch.finish();
            });
            wait::until("the call is in progress", || {
                (edge.sandbox.fault_hits() == 1).then_some(())
            });
            edge.kill_host();
        });
        edge.sandbox.clear_faults();
        edge.start_host();
        if operation == "CompleteMultipartUpload" && nth == 1 {
            finish_first(&edge, &partials[0], &source, lengths[0]);
        }
        // A request that may still be active is not interrupted for the duration of one call.
        let ask = asks.next().unwrap();
        wait::until(&format!("it is concatenated after {operation} {nth}"), || {
            ask(&edge, &final_upload).then_some(())
        });
        assert_complete(&edge, &final_upload, &source);
        assert_nothing_remains(&edge, &partials);
    }
}

/// Sends the bytes of the partial uploads in two requests each, starting with the last upload.
fn send_in_reverse(edge: &Edge, partials: &[Upload], source: &Source, lengths: &[u64]) {
    let mut end = source.length();
    for (partial, length) in partials.iter().zip(lengths).rev() {
        let begin = end - length;
        let middle = begin + length / 2;
        for (from, to) in [(begin, middle), (middle, end)] {
            if from == to {
                continue;
            }
            let body = Body::Range(source, from..to);
            let stored = partial.patch_with(edge, &[], from - begin, &body).unwrap();
            assert_eq!((stored.status, stored.offset()), (204, to - begin), "{}", stored.text());
        }
        end = begin;
    }
}

fn finish_first(edge: &Edge, partial: &Upload, source: &Source, length: u64) {
    let head = partial.head(edge);
    if head.status == 404 {
        // It was complete, and the query has triggered the concatenation.
        return;
    }
    let offset = head.offset();
    if offset < length {
        let stored = partial.patch(edge, source, offset..length).unwrap();
        assert_eq!((stored.status, stored.offset()), (204, length), "{}", stored.text());
    }
}

fn partial(edge: &Edge, length: u64) -> Upload {
    let length = length.to_string();
    let headers = [VERSION, ("upload-concat", "partial"), ("upload-length", length.as_str())];
    Upload::from_response(&edge.request("POST", "/v1/files", &headers, &Body::None).unwrap())
}

fn concatenate(edge: &Edge, partials: &[Upload]) -> Response {
    let (metadata, value) = (named(), final_value(partials));
    let headers = [VERSION, ("upload-concat", &value), ("upload-metadata", &metadata)];
    edge.request("POST", "/v1/files", &headers, &Body::None).unwrap()
}

fn named() -> String {
    tus::metadata(&[("filename", "clip.mp4")])
}

fn final_value(partials: &[Upload]) -> String {
    let paths: Vec<_> = partials.iter().map(|partial| partial.path.as_str()).collect();
    format!("final;{}", paths.join(" "))
}

/// Bytes of objects and parts that the worker sent to OSS.
fn bytes_sent(edge: &Edge) -> u64 {
    let of = |operation| edge.sandbox.counts(operation)["bytes"].as_u64().unwrap_or(0);
    of("PutObject") + of("UploadPart")
}

fn assert_complete(edge: &Edge, final_upload: &Upload, source: &Source) {
    let status = final_upload.status(edge);
    assert_eq!((&status["state"], &status["role"]), (&json!("completed"), &json!("final")));
    assert_eq!(status["crc64"], source.crc64());
    let object = status["object"].as_str().unwrap();
    assert_eq!(sha256(&edge.sandbox.object_bytes(object)), source.sha256());
    assert!(object.contains(&final_upload.media_id), "{object}");
}

/// Asserts that the partial uploads have no objects, parts or records.
fn assert_nothing_remains(edge: &Edge, partials: &[Upload]) {
    assert_eq!(edge.sandbox.temporary_objects(), []);
    assert!(edge.sandbox.uploads().is_empty(), "{:?}", edge.sandbox.uploads());
    let records = key_value::records(&edge.host_dir());
    for partial in partials {
        let id = partial.path.trim_start_matches("/v1/files/");
        let left: Vec<_> = records.iter().filter(|(key, _)| key.contains(id)).collect();
        assert!(left.is_empty(), "{left:?}");
        assert_eq!(partial.head(edge).status, 404);
    }
}
