//! UploadMediaByURL jobs: queued, queried, canceled, and finished by a test.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failed assumption fails the test")]

mod common;

use common::rpc::{call, expect_error, send};
use common::sign::encode;
use common::{Keys, TestServer};
use serde_json::{Value, json};

const FIRST: &str = "https://h.example.com/a,b 1.mp4?x=%2F";
const SECOND: &str = "http://h.example.com/c.flv";

#[tokio::test]
async fn every_url_has_a_job_that_is_found_by_id_and_by_url() {
    let server = TestServer::new().await;
    let [first, second] = queue_both(&server).await;
    let server = server.restart().await;
    let found = infos(&server, &[("JobIds", &format!("{second},unknown"))]).await;
    assert_eq!(found["URLUploadInfoList"][0]["JobId"], second);
    assert_eq!(found["URLUploadInfoList"][0]["UploadURL"], SECOND);
    assert_eq!(found["URLUploadInfoList"][0]["Status"], "PENDING");
    assert_eq!(found["NonExists"], json!(["unknown"]));
    let urls = [encode(FIRST), encode("http://h.example.com/other.mp4")].join(",");
    let found = infos(&server, &[("UploadURLs", &urls)]).await;
    assert_eq!(found["URLUploadInfoList"][0]["JobId"], first);
    assert_eq!(found["URLUploadInfoList"].as_array().unwrap().len(), 1);
    assert_eq!(found["NonExists"], json!(["http://h.example.com/other.mp4"]));
}

#[tokio::test]
async fn a_job_has_the_status_that_the_test_sets() {
    let server = TestServer::new().await;
    let [good, bad] = queue_both(&server).await;
    finish_job(&server, &good, &json!({"status": "SUCCESS", "file_size": 24})).await;
    let failed = json!({
        "status": "FAIL", "error_code": "URLInvalidError", "error_message": "No.",
    });
    finish_job(&server, &bad, &failed).await;
    let found = infos(&server, &[("JobIds", &format!("{good},{bad}"))]).await;
    let of = |id: &str| {
        let list = found["URLUploadInfoList"].as_array().unwrap();
        list.iter().find(|info| info["JobId"] == id).unwrap().clone()
    };
    let (good, bad) = (of(&good), of(&bad));
    assert_eq!((&good["Status"], &good["FileSize"]), (&json!("SUCCESS"), &json!("24")));
    assert!(good["CompleteTime"].is_string());
    let refresh =
        [("Action", "RefreshUploadVideo"), ("VideoId", good["MediaId"].as_str().unwrap())];
    assert_eq!(call(&server, &Keys::owner(), &refresh).await.status, 200);
    assert_eq!((&bad["Status"], &bad["ErrorMessage"]), (&json!("FAIL"), &json!("No.")));
    assert_eq!((&bad["ErrorCode"], &bad["MediaId"]), (&json!("URLInvalidError"), &Value::Null));
}

#[tokio::test]
async fn only_pending_jobs_are_canceled() {
    let server = TestServer::new().await;
    let [pending, started] = queue_both(&server).await;
    finish_job(&server, &started, &json!({"status": "PROCESSING"})).await;
    let cancel = |by: String| {
        let server = &server;
        async move {
            let action = ("Action", "CancelUrlUploadJobs");
            let response = call(server, &Keys::owner(), &[action, ("JobIds", &by)]).await;
            response.json()
        }
    };
    let response = cancel(format!("{pending},{started},unknown")).await;
    assert_eq!(response["CanceledJobs"], json!([pending]));
    assert_eq!(response["NonExists"], json!(["unknown"]));
    assert_eq!(cancel(pending.clone()).await["CanceledJobs"], json!([]), "it has ended");
    let listed = server.control("GET", "url-jobs", "").await.json();
    let statuses = [&pending, &started].map(|id| status_of(&listed, id));
    assert_eq!(statuses, ["CANCELED", "PROCESSING"]);
    let by_url = [("Action", "CancelUrlUploadJobs"), ("UploadUrls", &encode(SECOND))];
    assert_eq!(call(&server, &Keys::owner(), &by_url).await.json()["CanceledJobs"], json!([]));
}

#[tokio::test]
async fn an_invalid_parameter_has_its_error_code() {
    let server = TestServer::new().await;
    let (first, second) = (encode(FIRST), encode(SECOND));
    let (both, trailing) = (format!("{first},{second}"), format!("{first},"));
    let many = vec![second.clone(); 21].join(",");
    let eleven = ["a"; 11].join(",");
    let other = json!([{"SourceURL": "http://h.example.com/other.mp4", "Title": "T"}]).to_string();
    let untitled = json!([{"SourceURL": SECOND}]).to_string();
    let bare = encode("http://h.example.com/c");
    let long = "s".repeat(51);
    let upload = "UploadMediaByURL";
    for (action, parameters, code) in [
        (upload, &[("UploadURLs", "")][..], "MissingUploadURLs"),
        (upload, &[("UploadURLs", SECOND)], "InvalidParameter"),
        (upload, &[("UploadURLs", "%zz")], "InvalidParameter"),
        (upload, &[("UploadURLs", &many)], "InvalidParameter"),
        (upload, &[("UploadURLs", &trailing)], "InvalidParameter"),
        (upload, &[("UploadURLs", &bare)], "InvalidParameter"),
        (upload, &[("UploadURLs", &both), ("UploadMetadatas", &other)], "InvalidParameter"),
        (upload, &[("UploadURLs", &both), ("UploadMetadatas", &untitled)], "InvalidParameter"),
        (upload, &[("UploadURLs", &both), ("UploadMetadatas", "{}")], "InvalidParameter"),
        (upload, &[("UploadURLs", &both), ("SessionId", &long)], "InvalidParameter"),
        ("GetURLUploadInfos", &[("UploadUrls", &first)], "MissingUploadURLs"),
        ("GetURLUploadInfos", &[("JobIds", &eleven)], "InvalidParameter"),
        ("CancelUrlUploadJobs", &[("UploadURLs", &first)], "MissingUploadUrls"),
        ("CancelUrlUploadJobs", &[("JobIds", &eleven)], "InvalidParameter"),
    ] {
        let parameters = [&[("Action", action)], parameters].concat();
        let response = send(&server, "POST", &Keys::owner(), &parameters).await;
        expect_error(&response, 400, code);
    }
    assert_eq!(server.control("GET", "url-jobs", "").await.json(), json!([]));
}

#[tokio::test]
async fn metadata_can_replace_an_extension_and_is_stored() {
    let server = TestServer::new().await;
    let url = "http://h.example.com/c";
    let metadata = json!([{"SourceURL": url, "Title": "T", "FileExtension": "mp4"}]).to_string();
    let parameters = [
        ("Action", "UploadMediaByURL"),
        ("UploadURLs", &encode(url)),
        ("UploadMetadatas", &metadata),
    ];
    assert_eq!(call(&server, &Keys::owner(), &parameters).await.status, 200);
    let listed = server.control("GET", "url-jobs", "").await.json();
    assert_eq!(listed[0]["parameters"]["UploadMetadatas"], metadata);
}

#[tokio::test]
async fn a_session_id_is_valid_for_one_request_in_ten_minutes() {
    let server = TestServer::new().await;
    let url = encode(SECOND);
    let parameters = [("Action", "UploadMediaByURL"), ("UploadURLs", &url), ("SessionId", "once")];
    assert_eq!(call(&server, &Keys::owner(), &parameters).await.status, 200);
    expect_error(&call(&server, &Keys::owner(), &parameters).await, 400, "InvalidParameter");
    // Within the quarter of an hour that a timestamp may be off.
    server.control("POST", "clock", r#"{"offset_ms": 601000}"#).await;
    assert_eq!(call(&server, &Keys::owner(), &parameters).await.status, 200);
}

/// The IDs of two jobs, one for each URL.
async fn queue_both(server: &TestServer) -> [String; 2] {
    let urls = [FIRST, SECOND].map(encode).join(",");
    let parameters = [("Action", "UploadMediaByURL"), ("UploadURLs", urls.as_str())];
    let response = call(server, &Keys::owner(), &parameters).await;
    assert_eq!(response.status, 200, "{}", response.text());
    let jobs = response.json()["UploadJobs"].clone();
    let sources = [0, 1].map(|at| jobs[at]["SourceURL"].clone());
    assert_eq!(sources, [FIRST, SECOND]);
    [0, 1].map(|at| jobs[at]["JobId"].as_str().unwrap().to_owned())
}

async fn infos(server: &TestServer, by: &[(&str, &str)]) -> Value {
    let parameters = [&[("Action", "GetURLUploadInfos")], by].concat();
    let response = call(server, &Keys::owner(), &parameters).await;
    assert_eq!(response.status, 200, "{}", response.text());
    response.json()
}

async fn finish_job(server: &TestServer, job: &str, status: &Value) {
    server.control("POST", &format!("url-jobs/{job}"), &status.to_string()).await;
}

fn status_of(listed: &Value, id: &str) -> Value {
    listed.as_array().unwrap().iter().find(|job| job["id"] == id).unwrap()["status"].clone()
}
