//! Several random faults, with clients that retry.

use serde_json::{Value, json};
use vod_uploader_component_tests::body::Body;
use vod_uploader_component_tests::edge::{Edge, Setup};
use vod_uploader_component_tests::random::Random;
use vod_uploader_component_tests::source::Source;
use vod_uploader_component_tests::tus::Upload;
use vod_uploader_wire::Response;

const PART_BYTES: u64 = 102_400;

const OPERATIONS: [&str; 7] = [
    "UploadPart",
    "UploadPart",
    "InitiateMultipartUpload",
    "CompleteMultipartUpload",
    "HeadObject",
    "ListParts",
    "RefreshUploadVideo",
];

const KINDS: [&str; 12] = [
    "reset-before-body",
    "reset-mid-body",
    "reset-after-body",
    "commit-then-reset",
    "hang",
    "truncated-reply",
    "expired-token",
    "skewed",
    "wrong-crc",
    "corrupt-body",
    "access-denied",
    "no-such-upload",
];

#[test]
fn puts_under_mixed_faults_succeed_or_report_a_cause() {
    let edge = small_parts().start();
    let (mut hits, mut rejected) = (0, 0);
    for seed in 0..30 {
        let mut random = Random::new(seed);
        let source = Source::new(seed, 1 + random.below(8 * PART_BYTES));
        inject_some(&edge, &mut random);
        let body = match random.below(2) {
            0 => Body::Range(&source, source.all()),
            _ => Body::Chunked(&source, source.all()),
        };
        let response = edge.put(&[], &body);
        if response.is_success() {
            assert_complete(&edge, response.json()["media_id"].as_str().unwrap(), &source, seed);
        } else {
            assert_has_cause(&response, seed);
            rejected += 1;
        }
        hits += edge.sandbox.fault_hits();
        edge.sandbox.clear_faults();
    }
    assert!(hits > 20 && (1..30).contains(&rejected), "{hits} hits, {rejected} rejected");
}

#[test]
fn uploads_under_mixed_faults_never_lose_offset_and_complete_afterwards() {
    // Without a seal key, every request refreshes the credential; with one, the media of a lost
    // upload can be continued.
    let (refreshing, sealed) = (small_parts().start(), small_parts().sealed().start());
    for seed in 100..120 {
        let edge = if seed % 2 == 0 { &refreshing } else { &sealed };
        let mut random = Random::new(seed);
        let source = Source::new(seed, 1 + random.below(12 * PART_BYTES));
        let mut upload = Upload::create(edge, source.length());
        let mut acknowledged = 0;
        inject_some(edge, &mut random);
        for _ in 0..4 {
            let Some(offset) = offset(edge, &upload) else { break };
            assert!(offset >= acknowledged, "{offset} after {acknowledged}: seed {seed}");
            let end = offset + random.below(source.length() - offset + 1);
            let response = upload.patch(edge, &source, offset..end).unwrap();
            acknowledged = offset;
            if response.is_success() {
                assert_eq!(response.offset(), end, "seed {seed}");
                acknowledged = end;
            } else {
                assert_has_cause(&response, seed);
            }
        }
        edge.sandbox.clear_faults();
        match offset(edge, &upload) {
            Some(offset) => assert!(offset >= acknowledged, "seed {seed}"),
            None if seed % 2 == 0 => upload = Upload::create(edge, source.length()),
            None => upload = upload.continued(edge, source.length()),
        }
        upload.finish(edge, &source);
        assert_complete(edge, &upload.media_id, &source, seed);
    }
}

/// The acknowledged offset; `None` if the upload is lost. Retries while a fault prevents the query.
fn offset(edge: &Edge, upload: &Upload) -> Option<u64> {
    vod_uploader_component_tests::wait::until("the offset is available", || {
        let head = upload.head(edge);
        match head.status {
            200 => Some(Some(head.offset())),
            410 => Some(None),
            _ => {
                edge.sandbox.clear_faults();
                None
            }
        }
    })
}

/// Injects one to four faults that hit some of the next requests.
fn inject_some(edge: &Edge, random: &mut Random) {
    for _ in 0..=random.below(4) {
        let fault = json!({
            "operation": random.pick(&OPERATIONS),
            "kind": random.pick(&KINDS),
            "times": 1 + random.below(4),
            "probability": 0.6,
            "seed": random.below(1 << 32),
        });
        edge.sandbox.fault(&fault);
    }
}

fn assert_complete(edge: &Edge, media_id: &str, source: &Source, seed: u64) {
    let objects = edge.sandbox.objects();
    let object = objects.iter().find(|object| object.key.contains(media_id));
    let object = object.unwrap_or_else(|| panic!("there is no object: seed {seed}"));
    assert_eq!((object.size, &object.crc64), (source.length(), &source.crc64()), "seed {seed}");
}

fn assert_has_cause(response: &Response, seed: u64) {
    assert!(!response.code().is_empty(), "seed {seed}: {} {}", response.status, response.text());
    assert_ne!(response.code(), "internal", "seed {seed}: {}", response.text());
    assert_ne!(response.json()["detail"], Value::from(""), "seed {seed}");
}

fn small_parts() -> Setup {
    Setup::new()
        .variable("part_size_bytes", &PART_BYTES.to_string())
        .variable("request_timeout_ms", "150")
        .variable("retry_attempts", "3")
}
