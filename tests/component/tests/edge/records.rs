//! The records of an upload, whose writes per part are constant.

use vod_uploader_component_tests::edge::{Edge, Setup};
use vod_uploader_component_tests::key_value;
use vod_uploader_component_tests::source::{MIB, Source};
use vod_uploader_component_tests::tus::Upload;
use vod_uploader_component_tests::wait;

/// The smallest part, so that 3,000 parts are 300 MB.
const PART_BYTES: u64 = 102_400;
/// ETags in the checkpoint before they move to a separate page, 16 bytes each.
const PAGE_PARTS: u64 = 256;
const PAGE_BYTES: u64 = PAGE_PARTS * 16;

/// Key-value writes while parts were sent one by one.
#[derive(Debug, PartialEq, Eq)]
struct Written {
    writes: u64,
    bytes: u64,
}

#[test]
fn a_part_requires_as_many_writes_at_part_3_000_as_at_part_10() {
    let edge = many_parts();
    let source = Source::new(31, 3_020 * PART_BYTES);
    let upload = Upload::create(&edge, source.length());
    let mut patch = upload.start_patch(&edge.client(), 0, source.length()).unwrap();
    let mut sent = 0;
    let mut send_to = |part: u64| {
        let end = part * PART_BYTES;
        source.read(sent..end, |chunk| patch.send(chunk));
        sent = end;
        wait::until("the part is acknowledged", || {
            (upload.bytes_durable(&edge) == end).then_some(())
        });
    };
    let mut measure = |first: u64| {
        send_to(first);
        let before = edge.stats();
        for part in first + 1..=first + 10 {
            send_to(part);
        }
        let after = edge.stats();
        let more = |name: &str| after.count(name) - before.count(name);
        Written { writes: more("kv_writes"), bytes: more("kv_bytes_written") }
    };
    let (early, late) = (measure(10), measure(3_000));
    assert_eq!(early.writes, late.writes);
    assert!(early.writes <= 10, "at most one a part: {early:?}");
    // The checkpoint contains the open page, and one reference per full page.
    let references = 3_000 / PAGE_PARTS * 16;
    let bound = late.writes * (PAGE_BYTES + references + 512);
    assert!(late.bytes <= bound, "{early:?} {late:?}, at most {bound}");
}

#[test]
fn an_upload_writes_at_most_once_per_part_and_page() {
    let edge = many_parts();
    for parts in [20, 40, 2_980, 3_000] {
        let source = Source::new(parts, parts * PART_BYTES);
        let upload = Upload::create(&edge, source.length());
        let before = edge.stats().count("kv_writes");
        let stored = upload.patch(&edge, &source, source.all()).unwrap();
        assert_eq!((stored.status, stored.offset()), (204, source.length()));
        let writes = edge.stats().count("kv_writes") - before;
        // A few more at the start and the end.
        let bound = parts + parts / PAGE_PARTS + 10;
        assert!(writes <= bound, "{parts} parts: {writes} writes, at most {bound}");
    }
}

#[test]
fn the_number_and_size_of_records_do_not_grow_with_the_parts() {
    let edge = many_parts();
    let source = Source::new(33, 3_000 * PART_BYTES);
    let upload = Upload::create(&edge, source.length());
    let stored = upload.patch(&edge, &source, 0..2_999 * PART_BYTES).unwrap();
    assert_eq!((stored.status, stored.offset()), (204, 2_999 * PART_BYTES));
    let entries = key_value::records(&edge.host_dir());
    let pages = usize::try_from(2_999 / PAGE_PARTS).unwrap();
    assert!(entries.len() <= pages + 8, "{} entries", entries.len());
    for (key, value) in &entries {
        assert!(key.len() <= 100, "{key}");
        assert!(value.len() <= 8 << 10, "{key}: {} bytes", value.len());
    }
    upload.finish(&edge, &source);
    assert_eq!(edge.sandbox.only_object().crc64, source.crc64());
    let entries = key_value::records(&edge.host_dir());
    assert!(entries.len() <= 8, "{:?}", entries.iter().map(|(key, _)| key).collect::<Vec<_>>());
}

fn many_parts() -> Edge {
    Setup::new().discard_bodies().variable("part_size_bytes", &PART_BYTES.to_string()).start()
}

#[test]
fn chunks_of_3_mib_require_one_call_each_and_no_list_or_head() {
    let edge = Setup::new().start();
    let chunk = 3 * MIB;
    let source = Source::new(131, 20 * chunk);
    let upload = Upload::create(&edge, source.length());
    edge.sandbox.reset_requests();
    for begin in (0..source.length()).step_by(chunk as usize) {
        let stored = upload.patch(&edge, &source, begin..begin + chunk).unwrap();
        assert_eq!((stored.status, stored.offset()), (204, begin + chunk));
    }
    let parts = edge.sandbox.counts("UploadPart");
    assert_eq!(parts["bytes"], source.length());
    assert!(edge.sandbox.requests("UploadPart") <= 22, "{parts}");
    for (operation, requested) in
        [("InitiateMultipartUpload", 1), ("CompleteMultipartUpload", 1), ("ListParts", 0)]
    {
        assert_eq!(edge.sandbox.requests(operation), requested, "{operation}");
    }
    for operation in ["HeadObject", "GetObject", "PutObject", "ListMultipartUploads"] {
        assert_eq!(edge.sandbox.requests(operation), 0, "{operation}");
    }
}
