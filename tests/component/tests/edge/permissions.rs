//! Credentials with minimal permissions.

use serde_json::json;
use vod_uploader_component_tests::body::Body;
use vod_uploader_component_tests::edge::Setup;
use vod_uploader_component_tests::source::{MIB, Source, sha256};
use vod_uploader_component_tests::tus::Upload;
use vod_uploader_component_tests::wait;

#[test]
fn an_upload_completes_and_resumes_without_list_head_and_abort_permissions() {
    let mut edge = Setup::new().start();
    edge.sandbox.deny(&["ListParts", "HeadObject", "AbortMultipartUpload"]);
    let source = Source::new(91, 6 * MIB);
    let upload = Upload::create(&edge, source.length());
    let mut patch = upload.start_patch(&edge.client(), 0, source.length()).unwrap();
    patch.send(&source.bytes(0..3 * MIB + 7));
    wait::until("parts are acknowledged", || {
        (upload.bytes_durable(&edge) == 3 * MIB).then_some(())
    });
    edge.kill_host();
    edge.start_host();
    upload.finish(&edge, &source);
    assert!(edge.sandbox.requests("ListParts") > 0, "the checkpoint was compared");
    let object = edge.sandbox.only_object();
    assert_eq!(sha256(&edge.sandbox.object_bytes(&object.key)), source.sha256());
}

#[test]
fn a_lost_response_to_complete_is_reconciled_by_head_object() {
    let edge = Setup::new().with_fast_retries().start();
    let source = Source::new(92, 3 * MIB);
    let fault = json!({
        "operation": "CompleteMultipartUpload", "times": 0, "kind": "commit-then-reset"
    });
    edge.sandbox.fault(&fault);
    let created = edge.put(&[], &Body::Range(&source, source.all()));
    assert_eq!(created.status, 201, "{}", created.text());
    assert!(edge.sandbox.requests("HeadObject") > 0);
    assert_eq!(edge.sandbox.only_object().crc64, source.crc64());
}

#[test]
fn an_upload_whose_result_cannot_be_determined_ends_and_names_the_missing_permission() {
    let edge = Setup::new().with_fast_retries().start();
    edge.sandbox.deny(&["HeadObject"]);
    let source = Source::new(93, 3 * MIB);
    let fault = json!({
        "operation": "CompleteMultipartUpload", "times": 1, "kind": "commit-then-reset"
    });
    edge.sandbox.fault(&fault);
    let upload = Upload::create(&edge, source.length());
    let unknown = upload.patch(&edge, &source, source.all()).unwrap();
    assert_eq!((unknown.status, unknown.code().as_str()), (410, "completion-unknown"));
    assert!(unknown.text().contains("oss:GetObject"), "{}", unknown.text());
    assert_eq!(upload.state(&edge), "lost");
    assert_eq!(upload.head(&edge).status, 410);
}

#[test]
fn a_deletion_succeeds_also_if_aborting_is_denied() {
    let edge = Setup::new().start();
    edge.sandbox.deny(&["AbortMultipartUpload"]);
    let source = Source::new(94, 4 * MIB);
    let upload = Upload::create(&edge, source.length());
    assert_eq!(upload.patch(&edge, &source, 0..2 * MIB).unwrap().status, 204);
    assert_eq!(upload.delete(&edge).status, 204);
    assert_eq!(upload.head(&edge).status, 410);
    assert!(edge.sandbox.requests("AbortMultipartUpload") > 0);
}

#[test]
fn a_denied_operation_is_reported() {
    let edge = Setup::new().start();
    let source = Source::new(95, 3 * MIB);
    for operation in ["InitiateMultipartUpload", "UploadPart", "CompleteMultipartUpload"] {
        edge.sandbox.deny(&[operation]);
        let upload = Upload::create(&edge, source.length());
        let rejected = upload.patch(&edge, &source, source.all()).unwrap();
        assert_eq!((rejected.status, rejected.code().as_str()), (403, "access-denied"));
        let problem = rejected.json();
        assert_eq!(problem["store_code"], "AccessDenied");
        assert!(problem["detail"].as_str().unwrap().contains(operation), "{problem}");
        edge.sandbox.deny(&[]);
        upload.finish(&edge, &source);
    }
}
