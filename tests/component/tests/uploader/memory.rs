//! The memory of uploads.

use serde_json::json;
use vod_uploader_component_tests::app_host::AppHost;
use vod_uploader_component_tests::application::{Mode, OfferedFile};
use vod_uploader_component_tests::binaries::Binaries;
use vod_uploader_component_tests::source::MIB;

#[test]
fn one_large_file_uses_the_memory_of_its_parts_in_flight() {
    let peak = peak_of(1, 96 * MIB);
    // Six part buffers of 1 MiB, and everything else of the uploader and the test app.
    assert!(peak < 20 * MIB, "{peak} bytes");
}

#[test]
fn eight_concurrent_files_use_the_memory_of_their_parts_in_flight() {
    let peak = peak_of(8, 24 * MIB);
    assert!(peak < 8 * 6 * MIB + 16 * MIB, "{peak} bytes");
}

/// The peak memory of uploading `files` files of `size` bytes concurrently, in parts of 1 MiB.
fn peak_of(files: u64, size: u64) -> u64 {
    let host = AppHost::start_with(&Binaries::find().test_app_wasm, &["--discard-bodies"]);
    let options = json!({ "part_size": null, "parallel": null, "parallel_files": files });
    let mut application = host.application(Mode::Credential, &options);
    let offered: Vec<_> =
        (0..files).map(|n| OfferedFile::new(&format!("{n}.mp4"), n, size)).collect();
    for file in &offered {
        application.add(file.clone());
    }
    application.start();
    application.finish();
    let mut stored: Vec<_> = host.sandbox.objects().into_iter().map(|o| o.crc64).collect();
    let mut expected: Vec<_> = offered.iter().map(|file| file.source().crc64()).collect();
    stored.sort();
    expected.sort();
    assert_eq!(stored, expected);
    host.stats().count("instance_memory_peak_bytes")
}
