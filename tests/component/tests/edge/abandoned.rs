//! Uploads that receive no bytes expire and are cleaned up.

use serde_json::json;
use vod_uploader_component_tests::body::Body;
use vod_uploader_component_tests::edge::{Edge, Setup};
use vod_uploader_component_tests::key_value;
use vod_uploader_component_tests::source::{MIB, Source};
use vod_uploader_component_tests::tus::{self, Upload, VERSION};
use vod_uploader_component_tests::wait;
use vod_uploader_wire::Framing;

#[test]
fn an_open_upload_reports_when_it_expires() {
    let edge = Setup::new().variable("expire_after_s", "3600").start();
    let source = Source::new(740, 2 * MIB);
    let created =
        edge.request("POST", "/v1/files", &creation(&filename_metadata()), &Body::None).unwrap();
    let upload = Upload::from_response(&created);
    let stored = upload.patch(&edge, &source, 0..MIB).unwrap();
    for response in [&created, &stored, &upload.head(&edge)] {
        let wait_until_expired = response.header("upload-expires").expect("it expires");
        assert!(
            wait_until_expired.ends_with(" GMT") && wait_until_expired.len() == 29,
            "{wait_until_expired}"
        );
    }
    let limit = edge.request("HEAD", &upload.path, &[], &Body::None).unwrap();
    let limit = limit.header("upload-limit").unwrap().to_owned();
    let age = limit.split("max-age=").nth(1).unwrap().parse::<u64>().unwrap();
    assert!((3_500..=3_600).contains(&age), "{limit}");
    let last = upload.patch(&edge, &source, MIB..2 * MIB).unwrap();
    assert_eq!((last.status, last.header("upload-expires")), (204, None));
    assert_eq!(upload.head(&edge).header("upload-expires"), None);
    assert!(upload.status(&edge)["expires_at"].is_null());
    let edge = Setup::new().variable("expire_after_s", "0").start();
    let upload = Upload::create(&edge, 5);
    let head = upload.head(&edge);
    assert_eq!((head.status, head.header("upload-expires")), (200, None));
    assert!(upload.status(&edge)["expires_at"].is_null());
}

#[test]
fn an_expired_upload_returns_410_and_can_be_deleted() {
    let edge = Setup::new().variable("expire_after_s", "1").start();
    let source = Source::new(741, 2 * MIB);
    let upload = Upload::create(&edge, source.length());
    assert_eq!(upload.patch(&edge, &source, 0..MIB).unwrap().offset(), MIB);
    wait_until_expired(&edge, &upload);
    let rejected = upload.patch(&edge, &source, MIB..2 * MIB).unwrap();
    assert_eq!((rejected.status, rejected.code().as_str()), (410, "upload-expired"));
    let ietf = edge.request("HEAD", &upload.path, &[], &Body::None).unwrap();
    assert_eq!(ietf.status, 410);
    assert!(edge.sandbox.objects().is_empty());
    assert_eq!(upload.delete(&edge).status, 204);
    assert!(edge.sandbox.uploads().is_empty());
}

#[test]
fn a_creation_cleans_up_expired_uploads_only() {
    let edge = Setup::new().temporary_storage().variable("expire_after_s", "3").start();
    let source = Source::new(742, 2 * MIB);
    let [parts, tail, nothing, paused, complete, deleted] =
        [MIB + 9, 9, 0, MIB, 2 * MIB, MIB].map(|sent| create_with_bytes(&edge, &source, sent));
    let path = format!("{}/pause", paused.path);
    assert_eq!(edge.request("POST", &path, &[], &Body::Bytes(b"")).unwrap().status, 200);
    assert_eq!(deleted.delete(&edge).status, 204);
    let [open, complete_partial] = [MIB, 2 * MIB].map(|sent| {
        let headers = [VERSION, ("upload-concat", "partial"), ("upload-length", "2097152")];
        let created = edge.request("POST", "/v1/files", &headers, &Body::None).unwrap();
        let partial = Upload::from_response(&created);
        assert_eq!(partial.patch(&edge, &source, 0..sent).unwrap().offset(), sent);
        partial
    });
    let old = [&parts, &tail, &nothing, &paused, &complete, &deleted, &open, &complete_partial];
    assert!(old.iter().all(|upload| has_records(&edge, upload)));
    assert_eq!(edge.sandbox.temporary_objects().len(), 1);
    wait_until_expired(&edge, &parts);
    wait_until_expired(&edge, &open);
    let active = create_with_bytes(&edge, &source, MIB + 9);
    // Any later creation can trigger the cleanup.
    wait::until("the expired uploads are deleted", || {
        let remaining = old.iter().filter(|upload| has_records(&edge, upload)).count();
        if remaining > 0 {
            let _ = edge.request("POST", "/v1/files", &creation(&filename_metadata()), &Body::None);
        }
        (remaining == 0).then_some(())
    });
    assert_eq!(upload_states(&edge, &old), vec![404; old.len()]);
    assert_eq!(edge.sandbox.temporary_objects(), []);
    // That of `active`, which may also expire on a slow machine.
    let uploads = edge.sandbox.uploads();
    assert!(uploads.len() <= 1, "{uploads:?}");
    if has_records(&edge, &active) && active.head(&edge).status == 200 {
        assert_eq!(uploads.len(), 1);
        let stored = active.patch(&edge, &source, MIB + 9..2 * MIB).unwrap();
        assert_eq!((stored.status, stored.offset()), (204, 2 * MIB), "{}", stored.text());
    }
    let complete: Vec<_> = edge.sandbox.objects();
    assert!(complete.iter().all(|object| object.crc64 == source.crc64()), "objects are VOD's");
    assert!(!complete.is_empty());
}

#[test]
fn an_upload_with_an_active_writer_does_not_expire() {
    let edge = Setup::new().variable("expire_after_s", "2").start();
    let source = Source::new(743, 3 * MIB);
    let other = Upload::create(&edge, 5);
    let upload = Upload::create(&edge, source.length());
    let mut patch = upload.start_patch(&edge.client(), 0, source.length()).unwrap();
    patch.send(&source.bytes(0..MIB));
    wait::until("a part is acknowledged", || (upload.bytes_durable(&edge) == MIB).then_some(()));
    wait_until_expired(&edge, &other);
    patch.send(&source.bytes(MIB..2 * MIB));
    wait::until("another part is acknowledged", || {
        (upload.bytes_durable(&edge) == 2 * MIB).then_some(())
    });
    // Any later creation can clean up the other one.
    wait::until("the other upload is deleted", || {
        let _ = edge.request("POST", "/v1/files", &creation(&filename_metadata()), &Body::None);
        (!has_records(&edge, &other)).then_some(())
    });
    patch.send(&source.bytes(2 * MIB..source.length()));
    let stored = patch.finish().unwrap();
    assert_eq!((stored.status, stored.offset()), (204, source.length()), "{}", stored.text());
    assert_eq!(edge.sandbox.only_object().crc64, source.crc64());
}

#[test]
fn the_records_of_an_expired_upload_are_deleted_if_aborting_is_denied() {
    let edge = Setup::new().with_fast_retries().variable("expire_after_s", "1").start();
    let source = Source::new(744, 2 * MIB);
    let upload = create_with_bytes(&edge, &source, MIB);
    wait_until_expired(&edge, &upload);
    let fault = json!({ "operation": "AbortMultipartUpload", "times": 0, "kind": "access-denied" });
    edge.sandbox.fault(&fault);
    wait::until("it is forgotten", || {
        let gone = !has_records(&edge, &upload);
        if !gone {
            let _ = edge.request("POST", "/v1/files", &creation(&filename_metadata()), &Body::None);
        }
        gone.then_some(())
    });
    assert!(edge.sandbox.requests("AbortMultipartUpload") > 0);
}

/// An upload of the length of `source` with its first `sent` bytes.
fn create_with_bytes(edge: &Edge, source: &Source, sent: u64) -> Upload {
    let upload = Upload::create(edge, source.length());
    if sent > 0 {
        assert_eq!(upload.patch(edge, source, 0..sent).unwrap().offset(), sent);
    }
    upload
}

fn wait_until_expired(edge: &Edge, upload: &Upload) {
    wait::until("the upload has expired", || (upload.head(edge).status == 410).then_some(()));
}

fn has_records(edge: &Edge, upload: &Upload) -> bool {
    let id = upload.path.trim_start_matches("/v1/files/");
    key_value::records(&edge.host_dir()).iter().any(|(key, _)| key.contains(id))
}

fn upload_states(edge: &Edge, uploads: &[&Upload]) -> Vec<u16> {
    uploads.iter().map(|upload| upload.head(edge).status).collect()
}

fn filename_metadata() -> String {
    tus::metadata(&[("filename", "clip.mp4")])
}

fn creation(metadata: &str) -> [(&str, &str); 3] {
    [VERSION, ("upload-length", "2097152"), ("upload-metadata", metadata)]
}

#[test]
fn a_failed_abort_of_an_expired_upload_is_retried_by_the_next_cleanup() {
    let edge = Setup::new().with_fast_retries().variable("expire_after_s", "1").start();
    let source = Source::new(749, 4 * MIB);
    let fault = json!({ "operation": "AbortMultipartUpload", "times": 0, "kind": "status",
        "status": 503 });
    edge.sandbox.fault(&fault);
    let framing = Framing::Length(source.length());
    let mut put = edge.start("PUT", "/v1/uploads/a.mp4", &[], framing);
    put.send(&source.bytes(0..3 * MIB));
    wait::until("parts are stored", || (edge.sandbox.requests("UploadPart") > 1).then_some(()));
    drop(put);
    wait::until("it was tried", || {
        (edge.sandbox.requests("AbortMultipartUpload") > 0).then_some(())
    });
    edge.sandbox.clear_faults();
    wait::until("a cleanup has deleted them", || {
        let _ = Upload::create(&edge, 5);
        edge.sandbox.uploads().is_empty().then_some(())
    });
}
