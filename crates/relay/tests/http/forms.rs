//! Forms and file names.

use crate::support::Worker;

/// A form of these parts: the head of each and its content.
fn form(parts: &[(&str, &str)]) -> String {
    let parts = parts.iter().map(|(head, content)| format!("--b\r\n{head}\r\n\r\n{content}\r\n"));
    format!("{}--b--\r\n", parts.collect::<String>())
}

const FORM: (&str, &str) = ("content-type", "Multipart/Form-Data; boundary=\"b\"");
const FILE: (&str, &str) =
    ("Content-Disposition: form-data; name=\"f\"; filename=\"a.mp4\"", "bytes");

#[test]
fn a_file_is_stored_under_every_form_of_its_name() {
    for (disposition, name) in [
        ("name=f; filename=a.mov", "a.mov"),
        ("name=f; filename*=UTF-8''%E6%B5%8B.mov", "测.mov"),
        ("name=f; filename=x.mov; filename*=utf-8'zh'%E6%B5%8B.mov", "测.mov"),
        ("name=f; filename*0=\"a \"; filename*1=\"b.mov\"", "a b.mov"),
        ("name=f; filename=\"C:\\fakepath\\a.mov\"", "a.mov"),
        ("name=f", "upload.mov"),
    ] {
        let worker = Worker::new(&[]);
        let head = format!(
            "Content-Disposition: form-data; {disposition}\r\nContent-Type: video/quicktime"
        );
        let reply =
            worker.send("POST", "/v1/uploads", &[FORM], form(&[(&head, "bytes")]).as_bytes());
        assert_eq!(reply.status, 201, "{disposition}: {}", reply.text());
        assert_eq!(worker.services.parameters("FileName"), [name]);
        assert_eq!(worker.only_object(), b"bytes");
    }
}

#[test]
fn a_field_for_a_file_is_refused_behind_the_last_file() {
    for name in ["title", "media_id", "media_token", "upload_address", "upload_auth"] {
        let worker = Worker::new(&[]);
        let field = format!("Content-Disposition: form-data; name={name}");
        let parts = [FILE, (field.as_str(), "x")];
        let reply = worker.send("POST", "/v1/uploads", &[FORM], form(&parts).as_bytes());
        assert_eq!(reply.status, 400, "{}", reply.text());
        assert_eq!(reply.json()["problem"]["code"], format!("{name}-invalid"));
        assert_eq!(reply.json()["files"][0]["media_id"], "media1", "the file is stored");
        // Before the file, it is accepted, and so is a field that is for no file.
        let other = ("Content-Disposition: form-data; name=csrf", "x");
        let parts = [other, FILE, other];
        let reply = worker.send("POST", "/v1/uploads", &[FORM], form(&parts).as_bytes());
        assert_eq!(reply.status, 201, "{}", reply.text());
    }
}

#[test]
fn a_redirect_may_be_anywhere_in_the_form() {
    let worker = Worker::new(&[("redirect_origins", "https://*.a.example")]);
    let redirect = ("Content-Disposition: form-data; name=redirect", "https://x.a.example/done");
    for parts in [[redirect, FILE], [FILE, redirect]] {
        let reply = worker.send("POST", "/v1/uploads", &[FORM], form(&parts).as_bytes());
        assert_eq!(reply.status, 303);
        assert!(reply.location().starts_with("https://x.a.example/done?media_id=media"));
    }
}

#[test]
fn long_names_and_titles_of_any_script_are_stored() {
    for letter in ["x", "测", "ф"] {
        let worker = Worker::new(&[]);
        let name = format!("{}.mov", letter.repeat(300));
        let file = format!("Content-Disposition: form-data; name=f; filename=\"{name}\"");
        let title = letter.repeat(200);
        let parts =
            [("Content-Disposition: form-data; name=title", title.as_str()), (&file, "bytes")];
        let reply = worker.send("POST", "/v1/uploads", &[FORM], form(&parts).as_bytes());
        assert_eq!(reply.status, 201, "{}", reply.text());
        let expected = format!("{}.mov", letter.repeat(251));
        assert_eq!(worker.services.parameters("FileName"), [expected]);
        assert_eq!(worker.services.parameters("Title"), [letter.repeat(128)]);
    }
}

#[test]
fn a_long_title_in_metadata_is_shortened() {
    let worker = Worker::new(&[]);
    // 200 times `a` in base64.
    let title = format!("title {}", "YWFh".repeat(66) + "YWE=");
    let headers =
        [("tus-resumable", "1.0.0"), ("upload-length", "5"), ("upload-metadata", title.as_str())];
    let reply = worker.send("POST", "/v1/files", &headers, b"");
    assert_eq!(reply.status, 201, "{}", reply.text());
    assert_eq!(worker.services.parameters("Title"), ["a".repeat(128)]);
}

#[test]
fn the_type_of_a_request_is_not_that_of_the_object() {
    for (method, path, headers, expected) in [
        (
            "PUT",
            "/v1/uploads/a.mp4",
            [("content-type", "Video/MP4; a=b"), FORM],
            Some("Video/MP4; a=b"),
        ),
        (
            "PUT",
            "/v1/uploads/a.mp4",
            [("content-type", "Application/Offset+Octet-Stream"), FORM],
            None,
        ),
        (
            "PUT",
            "/v1/uploads/a.mp4",
            [("content-type", "application/partial-upload; a=b"), ("upload-complete", "?1")],
            None,
        ),
        (
            "POST",
            "/v1/uploads/a.mp4",
            [("content-type", "application/x-www-form-urlencoded; charset=utf-8"), FORM],
            None,
        ),
    ] {
        let worker = Worker::new(&[]);
        let headers = if headers[1] == FORM { &headers[..1] } else { &headers[..] };
        let reply = worker.send(method, path, headers, b"bytes");
        assert_eq!(reply.status, 201, "{headers:?}: {}", reply.text());
        let types = worker.services.types.borrow();
        assert_eq!(types.values().next().unwrap().as_deref(), expected, "{headers:?}");
    }
}

#[test]
fn filepond_chunks_have_a_media_type_without_regard_to_case_and_parameters() {
    let worker = Worker::new(&[]);
    let created = worker.send("POST", "/v1/filepond", &[("upload-length", "5")], b"");
    let chunk = [
        ("content-type", "Application/Offset+Octet-Stream; charset=utf-8"),
        ("upload-offset", "0"),
        ("upload-length", "5"),
        ("upload-name", "a.mp4"),
    ];
    let stored = worker.send("PATCH", created.location(), &chunk, b"12345");
    assert_eq!(stored.status, 204, "{}", stored.text());
    assert_eq!(worker.only_object(), b"12345");
}
