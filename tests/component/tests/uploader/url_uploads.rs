//! UploadMediaByURL and its jobs.

use serde_json::{Value, json};
use vod_uploader_component_tests::app_host::AppHost;

const URLS: [&str; 2] = ["https://origin.example/a.mp4", "https://origin.example/b%20c.mp4?x=1"];

#[test]
fn url_uploads_are_submitted_queried_and_canceled() {
    let host = AppHost::start();
    let mut app = host.converse();
    let files: Vec<_> = URLS.iter().map(|url| json!({ "source_url": url, "tags": [] })).collect();
    let submission = json!({ "access": access(&host), "submission": { "files": files } });
    let jobs = app.call("upload-media-by-url", submission).unwrap();
    let ids: Vec<_> =
        jobs.as_array().unwrap().iter().map(|job| job["job_id"].as_str().unwrap()).collect();
    let urls: Vec<_> =
        jobs.as_array().unwrap().iter().map(|job| job["source_url"].as_str().unwrap()).collect();
    assert_eq!(urls, URLS);

    host.sandbox.finish_url_job(ids[0], &json!({ "status": "SUCCESS", "file_size": 77 }));
    let selection = json!({ "access": access(&host), "jobs": { "JobIds": [ids[1]] } });
    app.call("cancel-url-upload-jobs", selection).unwrap();
    let selection =
        json!({ "access": access(&host), "jobs": { "JobIds": [ids[0], ids[1], "no"] } });
    let report = app.call("get-url-upload-infos", selection).unwrap();
    assert_eq!(report["unknown"], json!(["no"]));
    let info = |id: &str| {
        let infos = report["jobs"].as_array().unwrap();
        infos.iter().find(|info| info["job_id"] == id).unwrap().clone()
    };
    let fetched = info(ids[0]);
    assert_eq!((&fetched["status"], &fetched["file_size"]), (&json!("Success"), &json!(77)));
    assert!(fetched["media_id"].is_string());
    assert_ne!(info(ids[1])["status"], "Pending");
}

#[test]
fn a_submission_rejected_by_vod_reports_its_code() {
    let host = AppHost::start();
    let mut app = host.converse();
    host.sandbox.fault(&json!({
        "operation": "UploadMediaByURL",
        "kind": "status",
        "status": 400,
        "code": "InvalidParameter",
    }));
    let files = json!([{ "source_url": URLS[0], "tags": [] }]);
    let submission = json!({ "access": access(&host), "submission": { "files": files } });
    let rejection = app.call("upload-media-by-url", submission).unwrap_err();
    assert_eq!(rejection.code(), "VodRejected");
    assert_eq!(rejection.0["service"]["code"], "InvalidParameter");
    assert_eq!(rejection.0["service"]["status"], 400);
    let nothing = json!({ "access": access(&host), "submission": { "files": [] } });
    let rejection = app.call("upload-media-by-url", nothing).unwrap_err();
    assert_eq!(rejection.code(), "FieldInvalid");
    assert_eq!(host.sandbox.requests("UploadMediaByURL"), 1);
}

fn access(host: &AppHost) -> Value {
    let token = host.sandbox.sts(600);
    json!({
        "token": {
            "access_key_id": token["AccessKeyId"],
            "access_key_secret": token["AccessKeySecret"],
            "security_token": token["SecurityToken"],
        },
        "vod_endpoint": host.sandbox.origin(),
    })
}
