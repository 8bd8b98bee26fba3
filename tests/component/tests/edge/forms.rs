//! HTML forms with files.

use serde_json::Value;
use vod_uploader_component_tests::body::Body;
use vod_uploader_component_tests::edge::{Edge, Setup};
use vod_uploader_component_tests::key_value;
use vod_uploader_component_tests::source::{KIB, MIB, Source};
use vod_uploader_component_tests::vod::{UploadCredential, create_upload_video};
use vod_uploader_component_tests::wait;
use vod_uploader_wire::{Framing, Headers, Response};

const TYPE: (&str, &str) = ("content-type", "multipart/form-data; boundary=----Form7x");

/// Five parts of 1 MiB in flight and one being filled, and 8 MiB for everything else.
const MEMORY_MAX_BYTES: u64 = (5 + 1) * MIB + 8 * MIB;

#[test]
fn the_files_of_a_form_are_stored_with_the_preceding_fields() {
    let edge = Setup::new().start();
    let (large, small) = (Source::new(1, 3 * MIB + 5), Source::new(2, 20 * KIB));
    let form = Form::new()
        .field("csrf", "x")
        .field("title", "Holiday 测试")
        .file("video", "holiday/large.mp4", &all(&large))
        .field("comment", "between the files")
        .file("more", "say %22hi%22.mp4", &all(&small));
    let response = form.send(&edge, &[]);
    assert_eq!(response.status, 201, "{}", response.text());
    let response = response.json();
    assert_eq!(response["complete"], true);
    let [first, second] = files(&response) else { panic!("{response}") };
    assert_eq!((&first["field"], &first["file_name"]), (&"video".into(), &"large.mp4".into()));
    assert_eq!(
        (&second["field"], &second["file_name"]),
        (&"more".into(), &"say \"hi\".mp4".into())
    );
    for (file, source) in [(first, &large), (second, &small)] {
        assert_eq!(
            (&file["size"], &file["crc64"]),
            (&source.length().into(), &source.crc64().into())
        );
        let bytes = edge.sandbox.object_bytes(file["object"].as_str().unwrap());
        assert!(bytes == all(source), "the bytes are others");
    }
    let titles: Vec<_> =
        edge.sandbox.media().iter().map(|media| media["parameters"]["Title"].clone()).collect();
    assert_eq!(titles, ["Holiday 测试", "say \"hi\""]);
    assert_eq!(uploads_kept(&edge), 0);
}

#[test]
fn a_form_with_a_file_of_40_mib_uses_the_memory_of_its_parts() {
    let edge = Setup::new().discard_bodies().start();
    let source = Source::new(3, 40 * MIB);
    let (before, after) = Form::new().around_file("v", "a.mp4");
    let length = before.len() as u64 + source.length() + after.len() as u64;
    for framing in [Framing::Length(length), Framing::Chunked] {
        edge.reset_stats();
        let mut request = edge.start("POST", "/v1/uploads", &[TYPE], framing);
        request.send(&before);
        source.read(source.all(), |chunk| request.send(chunk));
        request.send(&after);
        let response = request.finish().unwrap();
        assert_eq!(response.status, 201, "{}", response.text());
        assert_eq!(files(&response.json())[0]["crc64"], source.crc64().as_str());
        let peak = edge.stats().count("component_memory_peak_bytes");
        assert!(peak < MEMORY_MAX_BYTES, "{peak} bytes of memory");
    }
}

#[test]
fn a_form_split_at_any_byte_is_stored() {
    let edge = Setup::new().start();
    let bytes = b"\r\n------Form7\r\n--\r\r\n------Form7yy".to_vec();
    let form = Form::new().field("title", "t").file("v", "a.mp4", &bytes).file("v", "", b"");
    let body = form.end();
    for cut in [1, 2, 3, 5, 7, 11, 64] {
        let mut request = edge.start("POST", "/v1/uploads", &[TYPE], Framing::Chunked);
        for piece in body.chunks(cut) {
            request.send(piece);
        }
        let response = request.finish().unwrap();
        assert_eq!(response.status, 201, "{cut}: {}", response.text());
        let response = response.json();
        let [file] = files(&response) else { panic!("{response}") };
        assert_eq!(edge.sandbox.object_bytes(file["object"].as_str().unwrap()), bytes, "{cut}");
    }
}

#[test]
fn an_invalid_file_does_not_affect_others_and_changes_the_status() {
    let edge = Setup::new().variable("default_extension", "").start();
    let source = Source::new(4, 200 * KIB);
    let form = Form::new()
        .file("a", "no-extension", &all(&source))
        .file("b", "empty.mp4", b"")
        .file("c", "", b"")
        .file("d", "..", b"x")
        .file("e", r"C:\fakepath\good.mp4", &all(&source));
    let response = form.send(&edge, &[]);
    assert_eq!(response.status, 400, "{}", response.text());
    let response = response.json();
    assert_eq!(response["complete"], false);
    let outcomes: Vec<_> = files(&response)
        .iter()
        .map(|file| {
            let outcome = file["problem"]["code"].as_str().or(file["file_name"].as_str());
            (file["field"].as_str().unwrap(), outcome.unwrap())
        })
        .collect();
    let expected = [
        ("a", "file-name-invalid"),
        ("b", "file-empty"),
        ("d", "file-name-invalid"),
        ("e", "good.mp4"),
    ];
    assert_eq!(outcomes, expected);
    assert_eq!(edge.sandbox.requests("CreateUploadVideo"), 1);
    assert_eq!(edge.sandbox.only_object().crc64, source.crc64());
}

#[test]
fn a_file_rejected_by_oss_does_not_affect_the_next_one() {
    let edge = Setup::new().with_fast_retries().start();
    let source = Source::new(5, 4 * MIB + 9);
    edge.sandbox.fault(&serde_json::json!({
        "operation": "UploadPart", "nth": 2, "kind": "status", "status": 403,
        "code": "AccessDenied",
    }));
    let form =
        Form::new().file("a", "first.mp4", &all(&source)).file("b", "second.mp4", &all(&source));
    let response = form.send(&edge, &[]).json();
    let [first, second] = files(&response) else { panic!("{response}") };
    assert!(first["problem"]["code"].is_string(), "{response}");
    assert_eq!(second["crc64"], source.crc64().as_str(), "{response}");
    assert_eq!(edge.sandbox.only_object().crc64, source.crc64());
    wait::until("the first one's parts are dropped", || {
        edge.sandbox.uploads().is_empty().then_some(())
    });
    assert_eq!(uploads_kept(&edge), 0);
}

#[test]
fn an_interrupted_form_stores_nothing_of_its_current_file() {
    let edge = Setup::new().start();
    let source = Source::new(6, 3 * MIB);
    let body = Form::new().file("v", "a.mp4", &all(&source)).end();
    let length = Framing::Length(body.len() as u64);
    let mut request = edge.start("POST", "/v1/uploads", &[TYPE], length);
    request.send(&body[..body.len() - MIB as usize]);
    wait::until("a part is stored", || (edge.sandbox.requests("UploadPart") > 0).then_some(()));
    drop(request);
    wait::until("nothing remains", || {
        (edge.sandbox.uploads().is_empty() && uploads_kept(&edge) == 0).then_some(())
    });
    assert!(edge.sandbox.objects().is_empty());
    // The body is complete, but the form is not.
    let response = post(&edge, &[TYPE], &body[..body.len() - 20]);
    assert_eq!((response.status, &response.json()["complete"]), (400, &Value::Bool(false)));
    assert_eq!(response.json()["problem"]["code"], "length-mismatch");
    assert!(edge.sandbox.objects().is_empty());
}

#[test]
fn a_malformed_form_is_rejected_with_its_code() {
    let edge = Setup::new().start();
    let no_boundary = ("content-type", "multipart/form-data");
    let plain = ("content-type", "text/plain");
    let file = Form::new().file("v", "a.mp4", b"x").end();
    let without_head = b"------Form7x\r\n\r\nx\r\n------Form7x--".to_vec();
    for (headers, body, status, code) in [
        (no_boundary, file.clone(), 400, "content-type-invalid"),
        (plain, file.clone(), 415, "media-type-unsupported"),
        (TYPE, b"no form".to_vec(), 400, "boundary-invalid"),
        (TYPE, without_head, 400, "content-disposition-invalid"),
        (TYPE, Form::new().field("a", "b").end(), 400, "file-invalid"),
        (TYPE, Form::new().file("v", "", b"").end(), 400, "file-invalid"),
        (TYPE, Form::new().field("upload_auth", "e30=").end(), 400, "file-invalid"),
    ] {
        let response = post(&edge, &[headers], &body);
        assert_eq!(
            (response.status, response.code().as_str()),
            (status, code),
            "{}",
            response.text()
        );
    }
    assert!(edge.sandbox.media().is_empty());
}

#[test]
fn the_result_page_escapes_all_sent_values() {
    let edge = Setup::new().variable("default_extension", "").start();
    let browser = ("accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8");
    let name = "<img src=x onerror=alert(1)>.mp4";
    let form = Form::new().file("v", name, b"bytes").file("<b>", "<script>", b"bytes");
    let page = form.send(&edge, &[browser]);
    assert_eq!(page.status, 400);
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    assert_eq!(page.header("content-security-policy"), Some("default-src 'none'"));
    let text = page.text();
    assert!(text.contains("&#60;img src=x onerror=alert(1)&#62;.mp4</bdi>: stored"), "{text}");
    assert!(text.contains("&#60;script&#62;</bdi>: not stored"), "{text}");
    assert!(!text.contains("<img") && !text.contains("<script") && !text.contains("<b>"));
}

#[test]
fn a_form_redirects_to_allowed_origins_only() {
    let edge = Setup::new().variable("redirect_origins", "https://shop.example").start();
    let redirected = |form: Form| form.send(&edge, &[]);
    let form = Form::new()
        .field("redirect", "https://shop.example/done?x=1")
        .file("a", "a.mp4", b"bytes")
        .file("b", "b.mp4", b"");
    let response = redirected(form);
    assert_eq!(response.status, 303, "{}", response.text());
    let media_id = edge.sandbox.media()[0]["id"].as_str().unwrap().to_owned();
    let location = format!("https://shop.example/done?x=1&media_id={media_id}&error=file-empty");
    assert_eq!(response.header("location"), Some(location.as_str()));
    for (url, code) in [
        ("https://evil.example/", "origin-not-allowed"),
        ("https://shop.example.evil.example/", "origin-not-allowed"),
        ("https://shop.example@evil.example/", "redirect-invalid"),
        ("//shop.example/", "redirect-invalid"),
    ] {
        let response = redirected(Form::new().field("redirect", url).file("a", "a.mp4", b"bytes"));
        assert_eq!(response.code(), code, "{url}: {}", response.text());
        assert_eq!(response.header("location"), None);
    }
    assert_eq!(edge.sandbox.media().len(), 1, "rejected before anything is created");
}

#[test]
fn each_file_uses_the_preceding_credential() {
    let mut edge = Setup::new().without_ram_key().start();
    let credentials = [client_credential(&mut edge, "one"), client_credential(&mut edge, "two")];
    let mut form = Form::new();
    for (credential, name) in credentials.iter().zip(["a.mp4", "b.mp4"]) {
        form = form
            .field("upload_address", &credential.address)
            .field("upload_auth", &credential.auth)
            .field("media_id", &credential.media_id)
            .file("v", name, name.as_bytes());
    }
    let response = form.file("v", "c.mp4", b"has none").send(&edge, &[]);
    assert_eq!(response.status, 401, "{}", response.text());
    let response = response.json();
    for (file, credential) in files(&response).iter().zip(&credentials) {
        assert_eq!(file["object"], credential.object().as_str());
        assert_eq!(file["media_id"], credential.media_id.as_str());
    }
    assert_eq!(files(&response)[2]["problem"]["code"], "credential-required");
    // A credential in the headers is for one object too.
    let credential = client_credential(&mut edge, "head");
    let headers = [
        ("upload-address", credential.address.as_str()),
        ("upload-auth", credential.auth.as_str()),
    ];
    let form = Form::new().file("v", "a.mp4", b"first").file("v", "b.mp4", b"second");
    let response = form.send(&edge, &headers).json();
    assert_eq!(files(&response)[1]["problem"]["code"], "credential-required");
    assert_eq!(edge.sandbox.object_bytes(&credential.object()), b"first");
}

/// A form under construction.
struct Form(Vec<u8>);

impl Form {
    fn new() -> Self {
        Self(Vec::new())
    }

    fn field(self, name: &str, value: &str) -> Self {
        self.part(&format!("name=\"{name}\""), value.as_bytes())
    }

    fn file(self, field: &str, name: &str, bytes: &[u8]) -> Self {
        self.part(&file_disposition(field, name), bytes)
    }

    fn part(mut self, disposition: &str, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(&head(disposition));
        self.0.extend_from_slice(bytes);
        self.0.extend_from_slice(b"\r\n");
        self
    }

    /// The bytes before and after those of a last file.
    fn around_file(mut self, field: &str, name: &str) -> (Vec<u8>, Vec<u8>) {
        self.0.extend_from_slice(&head(&file_disposition(field, name)));
        (self.0, b"\r\n------Form7x--\r\n".to_vec())
    }

    fn end(mut self) -> Vec<u8> {
        self.0.extend_from_slice(b"------Form7x--\r\n");
        self.0
    }

    fn send(self, edge: &Edge, more: Headers<'_>) -> Response {
        post(edge, &[&[TYPE], more].concat(), &self.end())
    }
}

fn head(disposition: &str) -> Vec<u8> {
    format!(
        "------Form7x\r\nContent-Disposition: form-data; {disposition}\r\n\
         Content-Type: application/octet-stream\r\n\r\n"
    )
    .into_bytes()
}

fn file_disposition(field: &str, name: &str) -> String {
    format!("name=\"{field}\"; filename=\"{name}\"")
}

fn post(edge: &Edge, headers: Headers<'_>, body: &[u8]) -> Response {
    edge.request("POST", "/v1/uploads", headers, &Body::Bytes(body)).expect("a response")
}

fn files(response: &Value) -> &[Value] {
    response["files"].as_array().expect("a list of files")
}

fn all(source: &Source) -> Vec<u8> {
    source.bytes(source.all())
}

fn uploads_kept(edge: &Edge) -> usize {
    let entries = key_value::entries(&edge.host_dir());
    entries.iter().filter(|(name, _)| name.starts_with("u.")).count()
}

fn client_credential(edge: &mut Edge, nonce: &str) -> UploadCredential {
    let credential = create_upload_video(&edge.sandbox, nonce);
    for secret in credential.secrets() {
        edge.forbid_secret(&secret);
    }
    credential
}
