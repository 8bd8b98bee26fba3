//! The sandbox, and its control interface under `/_sandbox/`.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use serde_json::{Value, json};
use vod_uploader_wire::{Client, Request, Response};

use crate::binaries::Binaries;
use crate::process::Server;

/// A running sandbox.
#[derive(Debug)]
pub struct Sandbox {
    server: Server,
    client: Client,
    dir: PathBuf,
    nonces: AtomicU64,
}

/// An object as the sandbox describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredObject {
    /// Its key.
    pub key: String,
    /// Its size in bytes.
    pub size: u64,
    /// Its CRC-64 in decimal.
    pub crc64: String,
    /// Its ETag.
    pub etag: String,
}

impl Sandbox {
    /// Starts a sandbox with its files in `dir`.
    #[must_use]
    pub fn start(binaries: &Binaries, dir: &Path, arguments: &[String]) -> Self {
        let data = dir.join("sandbox");
        let mut command = Command::new(&binaries.sandbox);
        command.args(["--listen", "127.0.0.1:0", "--access-key-secret", RAM_SECRET]);
        command.arg("--data").arg(&data).args(arguments);
        let server = Server::start(&mut command, &dir.join("sandbox.log"));
        let client = Client::new(server.origin());
        Self { server, client, dir: data, nonces: AtomicU64::new(0) }
    }

    /// Its origin.
    #[must_use]
    pub fn origin(&self) -> &str {
        self.server.origin()
    }

    /// Injects a fault.
    pub fn fault(&self, fault: &Value) {
        self.command("POST", "faults", fault);
    }

    /// Removes all faults.
    pub fn clear_faults(&self) {
        self.command("DELETE", "faults", &Value::Null);
    }

    /// The number of requests that the faults have hit.
    #[must_use]
    pub fn fault_hits(&self) -> u64 {
        let faults = self.query("faults");
        let hits = faults.as_array().into_iter().flatten();
        hits.filter_map(|fault| fault["hits"].as_u64()).sum()
    }

    /// Sets the offset of its clock.
    pub fn shift_clock(&self, offset_ms: i64) {
        self.command("POST", "clock", &json!({ "offset_ms": offset_ms }));
    }

    /// Its time, in the format of VOD.
    #[must_use]
    pub fn now(&self) -> String {
        self.query("config")["now"].as_str().expect("a time").replace(".000Z", "Z")
    }

    /// Denies operations to STS credentials.
    pub fn deny(&self, operations: &[&str]) {
        self.command("POST", "policy", &json!({ "deny": operations }));
    }

    /// Sets the TTL of credentials that are issued from now on.
    pub fn set_default_token_ttl(&self, secs: i64) {
        self.command("POST", "token-life", &json!({ "secs": secs }));
    }

    /// The objects in the bucket.
    #[must_use]
    pub fn objects(&self) -> Vec<StoredObject> {
        self.objects_in(BUCKET)
    }

    /// The objects in the temporary bucket.
    #[must_use]
    pub fn temporary_objects(&self) -> Vec<StoredObject> {
        self.objects_in(TEMPORARY_BUCKET)
    }

    fn objects_in(&self, bucket: &str) -> Vec<StoredObject> {
        let objects = self.query(&format!("objects/{bucket}"));
        let objects = objects.as_array().expect("a list");
        let text = |object: &Value, name: &str| object[name].as_str().expect("a string").to_owned();
        let described = objects.iter().map(|object| StoredObject {
            key: text(object, "key"),
            size: object["size"].as_u64().expect("a size"),
            crc64: text(object, "crc64"),
            etag: text(object, "etag"),
        });
        described.collect()
    }

    /// The bytes of an object.
    #[must_use]
    pub fn object_bytes(&self, key: &str) -> Vec<u8> {
        self.control("GET", &format!("objects/{BUCKET}/{key}"), &Value::Null).body
    }

    /// The only object.
    #[must_use]
    pub fn only_object(&self) -> StoredObject {
        let mut objects = self.objects();
        assert_eq!(objects.len(), 1, "{objects:?}");
        objects.remove(0)
    }

    /// The open multipart uploads.
    #[must_use]
    pub fn uploads(&self) -> Vec<Value> {
        self.query("uploads").as_array().expect("a list").clone()
    }

    /// Deletes every open multipart upload.
    pub fn delete_uploads(&self) {
        for upload in self.uploads() {
            let id = upload["upload_id"].as_str().expect("an id");
            self.command("DELETE", &format!("uploads/{id}"), &Value::Null);
        }
    }

    /// The counters of one operation: `requests`, `bytes`, `by_part` and others.
    #[must_use]
    pub fn counts(&self, operation: &str) -> Value {
        self.query("requests")["operations"][operation].clone()
    }

    /// The number of requests for one operation.
    #[must_use]
    pub fn requests(&self, operation: &str) -> u64 {
        self.counts(operation)["requests"].as_u64().unwrap_or(0)
    }

    /// Every operation with at least one request, successful or not.
    #[must_use]
    pub fn operations(&self) -> Vec<String> {
        let requests = self.query("requests");
        requests["operations"].as_object().expect("a map").keys().cloned().collect()
    }

    /// Resets the counters.
    pub fn reset_requests(&self) {
        self.command("POST", "requests/reset", &Value::Null);
    }

    /// The secrets and tokens of every issued credential.
    #[must_use]
    pub fn issued_secrets(&self) -> Vec<String> {
        let journal = std::fs::read_to_string(self.dir.join("journal.jsonl"));
        let journal = journal.unwrap_or_default();
        let mut secrets = Vec::new();
        for line in journal.lines() {
            let entry: Value = serde_json::from_str(line).unwrap_or_default();
            for field in ["access_key_secret", "security_token"] {
                secrets.extend(entry["CredentialMinted"][field].as_str().map(str::to_owned));
            }
        }
        secrets
    }

    /// An unused nonce.
    #[must_use]
    pub fn nonce(&self) -> String {
        format!("nonce-{}", self.nonces.fetch_add(1, Relaxed))
    }

    /// An STS credential for everything, with this TTL in seconds.
    #[must_use]
    pub fn sts(&self, secs: i64) -> Value {
        self.control("POST", "sts", &json!({ "secs": secs })).json()
    }

    /// Sets the remaining TTL of a credential, regardless of its declared expiration.
    pub fn set_token_ttl(&self, access_key_id: &str, secs: i64) {
        self.command("POST", &format!("credentials/{access_key_id}"), &json!({ "secs": secs }));
    }

    /// The media of VOD: `id`, `kind`, `key`, `parameters`.
    #[must_use]
    pub fn media(&self) -> Vec<Value> {
        self.query("media").as_array().expect("a list").clone()
    }

    /// Deletes a media ID at VOD.
    pub fn delete_media(&self, media_id: &str) {
        self.command("DELETE", &format!("media/{media_id}"), &Value::Null);
    }

    /// Finishes a job of UploadMediaByURL.
    pub fn finish_url_job(&self, job_id: &str, status: &Value) {
        self.command("POST", &format!("url-jobs/{job_id}"), status);
    }

    /// Sends a signed request with a form as its body.
    pub fn post_form(&self, form: &str) -> Response {
        let post = Request::new("POST", "/")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form.as_bytes());
        self.client.send(&post).expect("a response")
    }

    fn query(&self, path: &str) -> Value {
        self.control("GET", path, &Value::Null).json()
    }

    fn command(&self, method: &str, path: &str, body: &Value) {
        self.control(method, path, body);
    }

    fn control(&self, method: &str, path: &str, body: &Value) -> Response {
        let mut request = Request::new(method, &format!("/_sandbox/{path}"));
        if !body.is_null() {
            request = request.body(body.to_string().as_bytes());
        }
        let response = self.client.send(&request).expect("a response");
        assert_eq!(response.status, 200, "{method} {path} {body}: {}", response.text());
        response
    }
}

/// The secret of the RAM key, which must not appear anywhere.
pub const RAM_SECRET: &str = "planted-ram-secret-0a7e41d9";

/// The temporary bucket.
pub const TEMPORARY_BUCKET: &str = "sandbox-temporary";

/// The bucket.
pub const BUCKET: &str = "sandbox-bucket";
