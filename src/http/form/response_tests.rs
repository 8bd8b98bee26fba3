#![allow(clippy::unwrap_used, reason = "a failed assumption fails the test")]

use ::http::Method;
use serde_json::Value;

use super::*;
use crate::error::ErrorKind;
use crate::http::Origins;
use crate::http::fixtures::upload_record;

fn stored() -> FormResponse {
    let mut response = FormResponse::default();
    let record = UploadRecord { media_id: "m1".into(), ..upload_record() };
    let object = CompletedObject { size_bytes: 3, crc64: 5, etag: "E".into() };
    response.add_stored("video", &record, &object);
    response
}

fn mixed() -> FormResponse {
    let mut response = stored();
    let none = FailedMedia::default();
    response.add_failed("cover", "b.mp4", &Error::new(ErrorKind::FileEmpty, "no bytes"), none);
    let media = FailedMedia { media_id: "m3".into(), token: Some(Secret::new("t3")) };
    response.add_failed(
        "more",
        "c.mp4",
        &Error::new(ErrorKind::StoreUnavailable, "no response"),
        media,
    );
    response
}

fn head(accept: &str) -> RequestHead {
    RequestHead::new(Method::POST, "/v1/uploads", [("Accept", accept)])
}

fn json_of(response: FormResponse) -> (u16, Value) {
    let response = response.into_response(&head("*/*"), None);
    (response.status.as_u16(), serde_json::from_slice(&response.body.into_bytes()).unwrap())
}

#[test]
fn the_response_for_stored_files_has_status_201_and_their_properties() {
    let (status, body) = json_of(stored());
    assert_eq!((status, &body["complete"]), (201, &Value::Bool(true)));
    let file = &body["files"][0];
    assert_eq!((&file["field"], &file["file_name"]), (&"video".into(), &"a.mp4".into()));
    assert_eq!((&file["media_id"], &file["size"]), (&"m1".into(), &3.into()));
    for name in ["kind", "bucket", "object", "crc64", "etag"] {
        assert!(file[name].is_string(), "{name}");
    }
}

#[test]
fn a_failed_file_determines_the_status_and_is_in_the_body() {
    let (status, body) = json_of(mixed());
    assert_eq!((status, &body["complete"]), (400, &Value::Bool(false)));
    assert_eq!(body["files"][0]["media_id"], "m1");
    assert_eq!(body["files"][1]["problem"]["code"], "file-empty");
    assert_eq!(body["files"][2]["problem"]["media_id"], "m3");
    assert_eq!(body["files"][2]["problem"]["media_token"], "t3");
}

#[test]
fn a_truncated_form_has_a_problem_in_addition_to_its_stored_files() {
    let mut response = stored();
    response.set_truncated(&Error::new(ErrorKind::LengthMismatch, "truncated"));
    let (status, body) = json_of(response);
    assert_eq!((status, &body["complete"]), (400, &Value::Bool(false)));
    assert_eq!(body["problem"]["code"], "length-mismatch");
    assert_eq!(body["files"][0]["media_id"], "m1");
}

#[test]
fn a_browser_receives_a_page_with_the_same_status() {
    let response = mixed().into_response(&head("text/html,*/*;q=0.8"), None);
    assert_eq!(response.status, 400);
    assert_eq!(response.header("content-type"), Some("text/html; charset=utf-8"));
    let page = String::from_utf8(response.body.into_bytes()).unwrap();
    assert!(page.contains("<bdi>a.mp4</bdi>: stored") && page.contains("<bdi>m1</bdi>"));
    assert!(page.contains("<bdi>b.mp4</bdi>: not stored") && page.contains("file-empty"));
}

#[test]
fn a_redirect_contains_media_ids_and_codes_in_the_order_of_the_files() {
    let origins = Origins::parse("https://a.example").unwrap();
    let redirect = Redirect::parse("https://a.example/", &origins).unwrap();
    let response = mixed().into_response(&head("text/html"), Some(&redirect));
    assert_eq!(response.status, 303);
    let location = "https://a.example/?media_id=m1&error=file-empty&error=store-unavailable";
    assert_eq!(response.header("location"), Some(location));
}

#[test]
fn the_response_for_a_form_without_files_is_its_problem() {
    let response = || {
        let mut response = FormResponse::default();
        response.set_truncated(&missing_file());
        response
    };
    let (status, body) = json_of(response());
    assert_eq!(
        (status, &body["code"], &body["field"]),
        (400, &"file-invalid".into(), &"file".into())
    );
    let page = response().into_response(&head("text/html"), None);
    assert!(String::from_utf8(page.body.into_bytes()).unwrap().contains("file-invalid"));
}
