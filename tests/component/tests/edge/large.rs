//! Large files, in the memory of a few parts.

use vod_uploader_component_tests::body::Body;
use vod_uploader_component_tests::edge::{Edge, Setup};
use vod_uploader_component_tests::source::{GIB, MIB, Source};
use vod_uploader_component_tests::tus::Upload;

/// Five parts of 1 MiB in flight and one being filled, and 8 MiB for everything else.
const MEMORY_MAX_BYTES: u64 = (5 + 1) * MIB + 8 * MIB;

#[test]
fn files_of_64_mib_use_the_memory_of_their_parts() {
    for known in [true, false] {
        put_within_memory(&Source::new(21, 64 * MIB), known);
    }
}

#[test]
fn a_file_of_3_gib_of_unknown_length_uses_the_memory_of_its_parts() {
    put_within_memory(&Source::new(22, 3 * GIB), false);
}

#[test]
fn a_file_of_3_gib_of_known_length_uses_the_memory_of_its_parts() {
    put_within_memory(&Source::new(23, 3 * GIB), true);
}

#[test]
fn four_concurrent_files_use_the_memory_of_four() {
    let edge = Setup::new().discard_bodies().start();
    std::thread::scope(|scope| {
        for seed in 0..4 {
            let edge = &edge;
            scope.spawn(move || {
                let source = Source::new(seed, 48 * MIB);
                let upload = Upload::create(edge, source.length());
                let stored = upload.patch(edge, &source, source.all()).unwrap();
                assert_eq!((stored.status, stored.offset()), (204, source.length()));
            });
        }
    });
    let peak = edge.stats().count("component_memory_peak_bytes");
    assert!(peak <= 4 * 6 * MIB + 8 * MIB, "{peak} bytes");
}

#[test]
fn sixteen_files_in_parts_of_16_mib_share_the_memory_budget() {
    // Without the budget, they would use 16 × 6 × 16 MiB.
    let setup = Setup::new().discard_bodies().variable("part_size_bytes", "16777216");
    let edge = setup.start();
    std::thread::scope(|scope| {
        for seed in 0..16 {
            let edge = &edge;
            scope.spawn(move || {
                let source = Source::new(seed, 64 * MIB);
                let upload = Upload::create(edge, source.length());
                let stored = upload.patch(edge, &source, source.all()).unwrap();
                assert_eq!((stored.status, stored.offset()), (204, source.length()));
            });
        }
    });
    let peak = edge.stats().count("instance_memory_peak_bytes");
    assert!(peak <= 200 * MIB, "{peak} bytes");
}

fn put_within_memory(source: &Source, known: bool) {
    let edge = Setup::new().discard_bodies().start();
    let body = match known {
        true => Body::Range(source, source.all()),
        false => Body::Chunked(source, source.all()),
    };
    let created = edge.put(&[], &body);
    assert_eq!(created.status, 201, "{}", created.text());
    assert_complete(&edge, source, &created.json());
    let stats = edge.stats();
    let peak = stats.count("component_memory_peak_bytes");
    assert!(peak < MEMORY_MAX_BYTES, "{peak} bytes of memory");
    assert_eq!(edge.sandbox.counts("UploadPart")["bytes"], source.length());
}

fn assert_complete(edge: &Edge, source: &Source, created: &serde_json::Value) {
    let object = edge.sandbox.only_object();
    assert_eq!((object.size, &object.crc64), (source.length(), &source.crc64()));
    assert_eq!(created["size"], source.length());
    assert_eq!(created["crc64"], object.crc64.as_str());
}
