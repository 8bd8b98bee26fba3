//! File names of clients that send none, or one without an extension.

use vod_uploader_component_tests::body::Body;
use vod_uploader_component_tests::edge::{Edge, Setup};
use vod_uploader_component_tests::source::{KIB, Source};
use vod_uploader_component_tests::tus::{self, VERSION};
use vod_uploader_wire::{Headers, Response};

#[test]
fn a_tus_upload_requires_no_file_name() {
    let edge = Setup::new().start();
    let length = ("upload-length", "5");
    for (metadata, name) in [
        (&[][..], "upload.mp4"),
        (&[("name", "a.mov")], "a.mov"),
        (&[("title", "Holiday 1/2"), ("filetype", "video/webm")], "Holiday 1_2.webm"),
        (&[("filename", "clip"), ("type", "video/quicktime")], "clip.mov"),
        (&[("filename", "clip")], "clip.mp4"),
    ] {
        let metadata = tus::metadata(metadata);
        let mut headers = vec![VERSION, length];
        if !metadata.is_empty() {
            headers.push(("upload-metadata", &metadata));
        }
        let created = send(&edge, "POST", "/v1/files", &headers, &Body::None);
        assert_eq!(file_name_of(&edge, &created), name);
    }
    let disposition = ("content-disposition", "inline; filename=\"b.flv\"");
    let created = send(&edge, "POST", "/v1/files", &[VERSION, length, disposition], &Body::None);
    assert_eq!(file_name_of(&edge, &created), "b.flv");
}

#[test]
fn an_ietf_upload_requires_no_file_name() {
    let edge = Setup::new().variable("default_extension", "ts").start();
    let complete = ("upload-complete", "?0");
    for (content_type, name) in
        [("video/mp4", "upload.mp4"), ("application/x-unknown", "upload.ts")]
    {
        let headers = [complete, ("content-type", content_type)];
        let created = send(&edge, "POST", "/v1/files", &headers, &Body::Bytes(b"12345"));
        assert_eq!(file_name_of(&edge, &created), name);
    }
    let created = send(&edge, "PUT", "/v1/uploads/camera%201", &[complete], &Body::Bytes(b"12345"));
    assert_eq!(file_name_of(&edge, &created), "camera 1.ts");
}

#[test]
fn plain_uploads_and_forms_require_no_extension() {
    let edge = Setup::new().start();
    let source = Source::new(81, 20 * KIB);
    let body = Body::Range(&source, source.all());
    let typed = [("content-type", "video/x-matroska")];
    for (path, headers) in [("/v1/uploads/camera", &typed[..]), ("/v1/uploads/", &[])] {
        let stored = send(&edge, "PUT", path, headers, &body);
        assert_eq!(stored.status, 201, "{path}: {}", stored.text());
    }
    let form = "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"blob\"\r\n\
                Content-Type: audio/mpeg\r\n\r\nbytes\r\n--b--\r\n";
    let headers = [("content-type", "multipart/form-data; boundary=b")];
    let stored = send(&edge, "POST", "/v1/uploads", &headers, &Body::Bytes(form.as_bytes()));
    assert_eq!(stored.status, 201, "{}", stored.text());
    let media = edge.sandbox.media();
    let names: Vec<_> = media.iter().map(|media| &media["parameters"]["FileName"]).collect();
    assert_eq!(names, ["camera.mkv", "upload.mp4", "blob.mp3"]);
}

#[test]
fn without_a_default_extension_an_unknown_format_is_rejected() {
    let edge = Setup::new().variable("default_extension", "").start();
    let length = ("upload-length", "5");
    let rejected = send(&edge, "POST", "/v1/files", &[VERSION, length], &Body::None);
    assert_eq!((rejected.status, &*rejected.code()), (400, "upload-metadata-invalid"));
    let body = Body::Bytes(b"12345");
    let rejected = send(&edge, "POST", "/v1/files", &[("upload-complete", "?1")], &body);
    assert_eq!((rejected.status, &*rejected.code()), (400, "content-disposition-invalid"));
    let rejected = send(&edge, "PUT", "/v1/uploads/camera", &[], &body);
    assert_eq!((rejected.status, &*rejected.code()), (400, "file-name-invalid"));
    assert_eq!(edge.sandbox.requests("CreateUploadVideo"), 0);
}

fn send(edge: &Edge, method: &str, path: &str, headers: Headers<'_>, body: &Body<'_>) -> Response {
    edge.request(method, path, headers, body).expect("a response")
}

/// The name of a new upload in its state.
fn file_name_of(edge: &Edge, created: &Response) -> String {
    assert_eq!(created.status, 201, "{}", created.text());
    let path = created.header("location").unwrap();
    let status = send(edge, "GET", path, &[], &Body::None).json();
    status["file_name"].as_str().unwrap().to_owned()
}
