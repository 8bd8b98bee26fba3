#![allow(clippy::unwrap_used, reason = "a failed assumption fails the test")]

use serde_json::json;

use super::*;
use crate::error::ErrorKind;
use crate::vod::action::fixtures::{NOW, sent, success};

const FILE: UrlUploadSource<'_> = UrlUploadSource {
    source_url: "https://h.example.com/a,b 1.mp4?x=1&y=%2F",
    title: None,
    file_size: None,
    description: None,
    cover_url: None,
    cate_id: None,
    tags: None,
    template_group_id: None,
    workflow_id: None,
    file_extension: None,
};

#[test]
fn every_url_is_encoded_before_they_are_joined() {
    let files = [FILE, UrlUploadSource { source_url: "http://h/c.flv", ..FILE }];
    let call = UploadMediaByUrl { files: &files, ..UploadMediaByUrl::default() };
    assert_eq!(call.check(), Ok(()));
    let form = form(&call);
    assert_eq!(form.len(), 2, "{form:?}");
    let joined = decoded(form[1].strip_prefix("UploadURLs=").unwrap());
    assert_eq!(
        joined,
        "https%3A%2F%2Fh.example.com%2Fa%2Cb%201.mp4%3Fx%3D1%26y%3D%252F,http%3A%2F%2Fh%2Fc.flv"
    );
    let urls: Vec<_> = joined.split(',').map(decoded).collect();
    assert_eq!(urls, files.map(|file| file.source_url));
}

#[test]
fn metadata_is_sent_only_for_files_that_have_some() {
    let full = UrlUploadSource {
        source_url: "http://h/c",
        title: Some("片\"名"),
        file_size: Some(ByteCount(24)),
        description: Some("1"),
        cover_url: Some("2"),
        cate_id: Some("3"),
        tags: Some("4,5"),
        template_group_id: Some("6"),
        workflow_id: Some("7"),
        file_extension: Some("mp4"),
    };
    let call = UploadMediaByUrl { files: &[FILE, full], ..UploadMediaByUrl::default() };
    assert_eq!(call.check(), Ok(()));
    let form = form(&call);
    let metadata = form.iter().find_map(|pair| pair.strip_prefix("UploadMetadatas=")).unwrap();
    let metadata: Value = serde_json::from_str(&decoded(metadata)).unwrap();
    assert_eq!(
        metadata,
        json!([{
            "SourceURL": "http://h/c", "Title": "片\"名", "FileSize": "24", "Description": "1",
            "CoverURL": "2", "CateId": "3", "Tags": "4,5", "TemplateGroupId": "6",
            "WorkflowId": "7", "FileExtension": "mp4",
        }])
    );
}

#[test]
fn every_parameter_of_the_request_has_its_name_in_the_api() {
    let call = UploadMediaByUrl {
        files: &[UrlUploadSource { source_url: "http://h/c.flv", ..FILE }],
        template_group_id: Some("1"),
        workflow_id: Some("2"),
        storage_location: Some("3"),
        user_data: Some("{}"),
        app_id: Some("4"),
        session_id: Some("5"),
        enable_first_frame_cover: Some(false),
        generate_thumbnail: Some(true),
    };
    assert_eq!(call.check(), Ok(()));
    assert_eq!(
        form(&call),
        [
            "Action=UploadMediaByURL",
            "AppId=4",
            "EnableFirstFrameCover=false",
            "GenerateThumbnail=true",
            "SessionId=5",
            "StorageLocation=3",
            "TemplateGroupId=1",
            "UploadURLs=http%253A%252F%252Fh%252Fc.flv",
            "UserData=%7B%7D",
            "WorkflowId=2",
        ]
    );
}

#[test]
fn the_error_for_an_invalid_field_of_a_file_contains_its_name() {
    let url = |source_url| UrlUploadSource { source_url, ..FILE };
    let (title, text, tag) = ("标".repeat(43), "标".repeat(342), "标".repeat(11));
    let titled = UrlUploadSource { title: Some("T"), ..FILE };
    let larger = ByteCount(URL_UPLOAD_SIZE_MAX.bytes() + 1);
    for (file, expected) in [
        (url(""), "SourceURL must be a URL"),
        (url("h/a.mp4"), "SourceURL must be a URL"),
        (url("data:a.mp4"), "SourceURL must be a URL"),
        (url("http://h.mp4"), "FileExtension must be present"),
        (url("http://h/a?name=b.mp4"), "FileExtension must be present"),
        (UrlUploadSource { cate_id: Some("1"), ..FILE }, "Title must be specified"),
        (
            UrlUploadSource { file_extension: Some("mp4"), ..url("http://h/a") },
            "Title must be specified",
        ),
        (UrlUploadSource { title: Some(&title), ..FILE }, "Title must be at most 128 bytes"),
        (
            UrlUploadSource { description: Some(&text), ..titled },
            "Description must be at most 1024 bytes",
        ),
        (UrlUploadSource { tags: Some(&tag), ..titled }, "Tags must be of at most 32 bytes"),
        (UrlUploadSource { file_size: Some(larger), ..titled }, "FileSize must be at most"),
    ] {
        let files = [UrlUploadSource { source_url: "http://h/first.mp4", ..FILE }, file];
        let error = UploadMediaByUrl { files: &files, ..UploadMediaByUrl::default() };
        let error = error.check().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::RequestInvalid);
        let expected = format!("file 2 of UploadURLs: {expected}");
        assert!(error.message().starts_with(&expected), "{error}");
    }
}

#[test]
fn empty_oversized_and_duplicate_url_lists_are_rejected() {
    let of = |files: &[UrlUploadSource<'_>]| {
        let call = UploadMediaByUrl { files, ..UploadMediaByUrl::default() };
        call.check().map_err(|error| error.message().to_owned())
    };
    let urls: Vec<_> = (0..21).map(|n| format!("http://h/{n}.mp4")).collect();
    let files: Vec<_> =
        urls.iter().map(|url| UrlUploadSource { source_url: url, ..FILE }).collect();
    assert_eq!(of(&files[..20]), Ok(()));
    assert_eq!(of(&files), Err("UploadURLs must be 1 to 20 URLs".into()));
    assert_eq!(of(&[]), Err("UploadURLs must be 1 to 20 URLs".into()));
    assert_eq!(
        of(&[FILE, FILE]),
        Err("file 2 of UploadURLs: SourceURL must be specified once".into())
    );
    let session_id = "s".repeat(51);
    let call = UploadMediaByUrl {
        files: &[FILE],
        session_id: Some(&session_id),
        ..UploadMediaByUrl::default()
    };
    assert_eq!(call.check().unwrap_err().message(), "SessionId must be at most 50 characters");
}

#[test]
fn only_a_session_id_makes_a_repetition_safe() {
    for (session_id, can_repeat) in [(None, false), (Some(""), false), (Some("s"), true)] {
        let call = UploadMediaByUrl { session_id, ..UploadMediaByUrl::default() };
        assert_eq!(call.can_repeat(), can_repeat, "{session_id:?}");
    }
}

#[test]
fn queued_jobs_are_parsed() {
    let jobs = parse(&json!({
        "RequestId": "R",
        "UploadJobs": [{"JobId": "a", "SourceURL": "http://h/a"}, {"JobId": "b"}],
    }));
    let job = |job_id: &str, url: &str| QueuedUrlJob {
        job_id: job_id.to_owned(),
        source_url: url.to_owned(),
    };
    let expected =
        QueuedUrlJobs { jobs: vec![job("a", "http://h/a"), job("b", "")], request_id: "R".into() };
    assert_eq!(jobs, Ok(expected));
}

#[test]
fn a_response_without_jobs_is_an_error() {
    for (body, field) in [
        (json!({}), "UploadJobs"),
        (json!({"UploadJobs": "a"}), "UploadJobs"),
        (json!({"UploadJobs": [{"SourceURL": "http://h/a"}]}), "JobId"),
        (json!({"UploadJobs": [{"JobId": ""}]}), "JobId"),
    ] {
        let error = parse(&body).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::VodRejected);
        assert_eq!(error.message(), format!("UploadMediaByURL: the response lacks {field}"));
    }
}

fn form(call: &UploadMediaByUrl<'_>) -> Vec<String> {
    sent(call)
}

fn parse(body: &Value) -> Result<QueuedUrlJobs> {
    UploadMediaByUrl::default().parse(&success(body), NOW)
}

fn decoded(text: &str) -> String {
    percent_encoding::percent_decode_str(text).decode_utf8().unwrap().into_owned()
}
