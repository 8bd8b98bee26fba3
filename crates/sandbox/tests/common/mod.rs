//! A raw client: it signs with separate code, sends requests byte for byte, and returns the
//! response or the error of the connection.

#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "each test program uses a part of it, and a failed assumption fails the test"
)]

pub(crate) mod rpc;
pub(crate) mod sign;

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;

use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use vod_uploader_sandbox::{Sandbox, SandboxConfig};

pub(crate) use sign::{Keys, SignedBy};

/// A separate sandbox for one test.
pub(crate) struct TestServer {
    pub(crate) sandbox: Sandbox,
    pub(crate) dir: TempDir,
}

impl TestServer {
    pub(crate) async fn new() -> Self {
        Self::with(|_config| {}).await
    }

    pub(crate) async fn with(change: impl FnOnce(&mut SandboxConfig)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut config = SandboxConfig::in_dir(dir.path());
        change(&mut config);
        let sandbox = Sandbox::start(config).await.unwrap();
        Self { sandbox, dir }
    }

    /// Stops the sandbox and starts another one on the same dir.
    pub(crate) async fn restart(self) -> Self {
        self.sandbox.stop().await;
        let config = SandboxConfig::in_dir(self.dir.path());
        let sandbox = Sandbox::start(config).await.unwrap();
        Self { sandbox, dir: self.dir }
    }

    /// A request for a key of the bucket, by default signed with V4 by the owner.
    pub(crate) fn request(&self, method: &str, key: &str) -> Call {
        Call::new(self.sandbox.address(), method, key)
    }

    /// A request to a control path.
    pub(crate) async fn control(&self, method: &str, path: &str, body: &str) -> Response {
        let mut call = self.request(method, "").signed(SignedBy::None).body(body);
        call.path = Some(format!("/_sandbox/{path}"));
        let response = call.send().await.unwrap();
        assert!(response.status < 300, "{method} {path}: {}", response.text());
        response
    }

    pub(crate) async fn fault(&self, fault: &str) {
        self.control("POST", "faults", fault).await;
    }

    /// The counts of an operation.
    pub(crate) async fn count(&self, operation: &str) -> Value {
        self.control("GET", "requests", "").await.json()["operations"][operation].clone()
    }

    pub(crate) async fn stored(&self, key: &str) -> Vec<u8> {
        self.control("GET", &format!("objects/{BUCKET}/{key}"), "").await.body
    }

    pub(crate) async fn initiate(&self, key: &str) -> String {
        let response = self.request("POST", key).query("uploads", "").send().await.unwrap();
        assert_eq!(response.status, 200, "{}", response.text());
        response.element("UploadId").unwrap()
    }

    pub(crate) fn part(&self, key: &str, upload_id: &str, number: u16, body: &[u8]) -> Call {
        self.request("PUT", key)
            .query("partNumber", &number.to_string())
            .query("uploadId", upload_id)
            .body(body)
    }

    /// Uploads a part and returns its ETag with the quotes.
    pub(crate) async fn upload_part(
        &self,
        key: &str,
        upload_id: &str,
        number: u16,
        body: &[u8],
    ) -> String {
        let response = self.part(key, upload_id, number, body).send().await.unwrap();
        assert_eq!(response.status, 200, "{}", response.text());
        response.headers["etag"].clone()
    }

    pub(crate) fn complete(&self, key: &str, upload_id: &str, parts: &[(u32, &str)]) -> Call {
        let list: String = parts
            .iter()
            .map(|(number, etag)| {
                format!("<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>")
            })
            .collect();
        self.request("POST", key)
            .query("uploadId", upload_id)
            .body(format!("<CompleteMultipartUpload>{list}</CompleteMultipartUpload>"))
    }
}

/// A request under construction.
#[derive(Clone)]
pub(crate) struct Call {
    pub(crate) address: SocketAddr,
    pub(crate) method: String,
    pub(crate) bucket: String,
    pub(crate) key: String,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    pub(crate) signed_by: SignedBy,
    pub(crate) keys: Keys,
    pub(crate) region: String,
    /// The offset of the client's clock in seconds.
    pub(crate) clock_secs: i64,
    /// Sent instead of the path-style path.
    pub(crate) path: Option<String>,
    pub(crate) content_length: bool,
}

impl Call {
    pub(crate) fn new(address: SocketAddr, method: &str, key: &str) -> Self {
        Self {
            address,
            method: method.to_owned(),
            bucket: BUCKET.to_owned(),
            key: key.to_owned(),
            query: Vec::new(),
            headers: vec![("host".to_owned(), address.to_string())],
            body: Vec::new(),
            signed_by: SignedBy::V4Header,
            keys: Keys::owner(),
            region: "cn-shanghai".to_owned(),
            clock_secs: 0,
            path: None,
            content_length: true,
        }
    }

    pub(crate) fn query(mut self, name: &str, value: &str) -> Self {
        self.query.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Adds a header, or replaces the one of this lower-case name.
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.retain(|(found, _)| found != name);
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn body(mut self, body: impl AsRef<[u8]>) -> Self {
        self.body = body.as_ref().to_vec();
        self
    }

    pub(crate) fn signed(mut self, by: SignedBy) -> Self {
        self.signed_by = by;
        self
    }

    pub(crate) fn keys(mut self, keys: &Keys) -> Self {
        self.keys = keys.clone();
        self
    }

    pub(crate) fn clock(mut self, secs_ahead: i64) -> Self {
        self.clock_secs = secs_ahead;
        self
    }

    /// Signs and sends the request, and reads the response. Returns an error of the connection.
    pub(crate) async fn send(self) -> io::Result<Response> {
        let body = self.body.clone();
        let head = self.head();
        let mut stream = TcpStream::connect(self.address).await?;
        stream.write_all(head.as_bytes()).await?;
        // A server that rejects a request may close before the body is sent.
        let sent = stream.write_all(&body).await;
        let mut raw = Vec::new();
        stream.read_to_end(&mut raw).await?;
        if raw.is_empty() {
            sent?;
        }
        Response::parse(&raw).ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }

    /// Sends the request and expects an error.
    pub(crate) async fn expect_error(self, status: u16, code: &str) -> Response {
        let response = self.send().await.unwrap();
        assert_eq!(
            (response.status, response.element("Code").as_deref()),
            (status, Some(code)),
            "{}",
            response.text()
        );
        response
    }

    /// Sends the request and expects success.
    pub(crate) async fn expect_success(self) -> Response {
        let response = self.send().await.unwrap();
        assert!(response.status < 300, "{} {}", response.status, response.text());
        response
    }

    /// The head as it is sent.
    pub(crate) fn head(&self) -> String {
        let mut call = self.clone();
        if call.content_length && !call.headers.iter().any(|(name, _)| name == "content-length") {
            let length = call.body.len().to_string();
            call = call.header("content-length", &length);
        }
        sign::sign(&mut call);
        let path = call.path.clone().unwrap_or_else(|| {
            format!("/{}/{}", call.bucket, sign::encode(&call.key).replace("%2F", "/"))
        });
        let query: Vec<_> = call
            .query
            .iter()
            .map(|(name, value)| format!("{}={}", sign::encode(name), sign::encode(value)))
            .collect();
        let question = if query.is_empty() { "" } else { "?" };
        let mut head = format!("{} {path}{question}{} HTTP/1.1\r\n", call.method, query.join("&"));
        for (name, value) in &call.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("connection: close\r\n\r\n");
        head
    }
}

/// A response.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
}

impl Response {
    fn parse(raw: &[u8]) -> Option<Self> {
        let end = raw.windows(4).position(|window| window == b"\r\n\r\n")?;
        let head = String::from_utf8_lossy(&raw[..end]).into_owned();
        let mut lines = head.split("\r\n");
        let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
        let headers = lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect();
        Some(Self { status, headers, body: raw[end + 4..].to_vec() })
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// The text of the first XML element of this name, or the JSON field.
    pub(crate) fn element(&self, name: &str) -> Option<String> {
        let text = self.text();
        if text.starts_with('{') {
            return Some(self.json()[name].as_str()?.to_owned());
        }
        let (_, rest) = text.split_once(&format!("<{name}>"))?;
        let (value, _) = rest.split_once(&format!("</{name}>"))?;
        Some(value.to_owned())
    }

    /// Returns true if the body has the declared length.
    pub(crate) fn is_complete(&self) -> bool {
        self.headers["content-length"].parse() == Ok(self.body.len())
    }
}

/// Bytes that depend on their offset.
pub(crate) fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at * 31 % 251) as u8).collect()
}

pub(crate) const BUCKET: &str = "sandbox-bucket";
