//! The worker under test: `edge.wasm` on the local host, with a separate sandbox.

use std::io;
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use vod_uploader_wire::{Client, Exchange, Framing, Headers, Request, Response, Transcript};

use crate::binaries::Binaries;
use crate::body::Body;
use crate::host::{self, Stats};
use crate::process::Server;
use crate::sandbox::{BUCKET, RAM_SECRET, Sandbox, TEMPORARY_BUCKET};

/// The key of [`Setup::sealed`]: Base64 of 32 bytes.
pub const SEAL_KEY: &str = "c2VhbC1rZXktb2YtMzItYnl0ZXMtZm9yLXRlc3RzISE=";

/// The configuration of a worker under test.
#[derive(Clone, Debug)]
pub struct Setup {
    variables: Vec<(String, String)>,
    sandbox_arguments: Vec<String>,
    /// The route of the worker.
    route: &'static str,
    /// Variables whose value is the sandbox's origin.
    origins: Vec<&'static str>,
}

/// A running worker with its sandbox. Dropping it kills the processes, deletes their files, and
/// asserts that no log or response contains a secret.
#[derive(Debug)]
pub struct Edge {
    /// The emulator of OSS and VOD.
    pub sandbox: Sandbox,
    host: Server,
    binaries: Binaries,
    variables: Vec<(String, String)>,
    transcript: Transcript,
    forbidden: Vec<String>,
    dir: TempDir,
}

impl Default for Setup {
    fn default() -> Self {
        Self::new()
    }
}

impl Setup {
    /// A worker with a RAM key and the manifest's defaults.
    #[must_use]
    pub fn new() -> Self {
        let origins = vec!["vod_endpoint", "store_origin"];
        let (variables, sandbox_arguments) = (Vec::new(), Vec::new());
        let setup = Self { variables, sandbox_arguments, route: "/...", origins };
        setup
            .variable("client_credentials", "on")
            .variable("vod_access_key_id", "sandbox-key")
            .variable("vod_access_key_secret", RAM_SECRET)
    }

    /// Sets a variable of the worker.
    #[must_use]
    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.retain(|(set, _)| set != name);
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sets the route of the worker in the manifest.
    #[must_use]
    pub fn route(self, route: &'static str) -> Self {
        Self { route, ..self }
    }

    /// Adds a seal key: the worker stores credentials and issues media tokens.
    #[must_use]
    pub fn sealed(self) -> Self {
        self.variable("seal_key", SEAL_KEY)
    }

    /// Removes the RAM key: the worker requires credentials of its clients.
    #[must_use]
    pub fn without_ram_key(mut self) -> Self {
        self.variables.retain(|(name, _)| !name.starts_with("vod_access_key"));
        self
    }

    /// Makes the sandbox store checksums instead of bodies.
    #[must_use]
    pub fn discard_bodies(mut self) -> Self {
        self.sandbox_arguments.push("--discard-bodies".to_owned());
        self
    }

    /// Adds temporary storage: the worker can concatenate uploads.
    #[must_use]
    pub fn temporary_storage(mut self) -> Self {
        self.origins.push("temporary_endpoint");
        for bucket in [BUCKET, TEMPORARY_BUCKET] {
            self.sandbox_arguments.extend(["--bucket".to_owned(), bucket.to_owned()]);
        }
        self.variable("temporary_bucket", TEMPORARY_BUCKET)
    }

    /// Few and short attempts, so that failures are quick.
    #[must_use]
    pub fn with_fast_retries(self) -> Self {
        self.variable("retry_attempts", "3").variable("request_timeout_ms", "700")
    }

    /// Starts the worker.
    #[must_use]
    pub fn start(self) -> Edge {
        let binaries = Binaries::find();
        let dir = tempfile::tempdir().expect("a temporary directory");
        let sandbox = Sandbox::start(&binaries, dir.path(), &self.sandbox_arguments);
        write_manifest(&binaries, self.route, dir.path());
        host::share_compiled(dir.path());
        let mut variables = self.variables;
        for name in self.origins {
            variables.push((name.to_owned(), sandbox.origin().to_owned()));
        }
        let host = host::start(&binaries, dir.path(), &variables);
        let forbidden = vec![RAM_SECRET.to_owned()];
        let transcript = Transcript::default();
        Edge { sandbox, host, binaries, variables, transcript, forbidden, dir }
    }
}

impl Edge {
    /// A client of the worker. Invalid after a restart of the host.
    #[must_use]
    pub fn client(&self) -> Client {
        Client::new(self.host.origin()).with_transcript(&self.transcript)
    }

    /// Sends a request to the worker and reads its response.
    ///
    /// # Errors
    /// Returns an error if no complete response arrives.
    pub fn request(
        &self,
        method: &str,
        path: &str,
        headers: Headers<'_>,
        body: &Body<'_>,
    ) -> io::Result<Response> {
        body.send(&self.client(), Request::new(method, path).headers(headers))
    }

    /// Sends the head of a request to the worker; the caller sends the body.
    ///
    /// # Panics
    /// If there is no connection.
    #[must_use]
    pub fn start(
        &self,
        method: &str,
        path: &str,
        headers: Headers<'_>,
        framing: Framing,
    ) -> Exchange {
        let request = Request::new(method, path).headers(headers).framing(framing);
        self.client().start(&request).expect("a connection")
    }

    /// `PUT /v1/uploads/clip.mp4`.
    ///
    /// # Panics
    /// If no complete response arrives.
    #[must_use]
    pub fn put(&self, headers: Headers<'_>, body: &Body<'_>) -> Response {
        self.request("PUT", "/v1/uploads/clip.mp4", headers, body).expect("a response")
    }

    /// Asserts that the worker serves requests, in the instance that was started first.
    ///
    /// # Panics
    /// If it does not.
    pub fn assert_serving(&self) {
        let health = self.request("GET", "/healthz", &[], &Body::None).expect("a response");
        assert_eq!(health.status, 200);
        let stats = self.stats();
        assert_eq!(stats.count("instances_started"), 1, "{stats:?}");
    }

    /// Sets a variable of the worker, from the next [`Edge::start_host`] on.
    pub fn set_variable(&mut self, name: &str, value: &str) {
        self.variables.retain(|(set, _)| set != name);
        self.variables.push((name.to_owned(), value.to_owned()));
    }

    /// Kills the host with SIGKILL.
    pub fn kill_host(&mut self) {
        self.host.kill();
    }

    /// Starts the host again in the same directory, after [`Edge::kill_host`].
    pub fn start_host(&mut self) {
        self.host = host::start(&self.binaries, self.dir.path(), &self.variables);
    }

    /// The directory of the key-value store.
    #[must_use]
    pub fn host_dir(&self) -> PathBuf {
        self.dir.path().join("host")
    }

    /// The counters of the host.
    #[must_use]
    pub fn stats(&self) -> Stats {
        Stats::new(&self.host)
    }

    /// Resets the counters and peaks.
    pub fn reset_stats(&self) {
        Stats::reset(&self.host);
    }

    /// The host's log so far.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("host.log")).unwrap_or_default()
    }

    /// Adds a secret that must not occur in a log or response.
    pub fn forbid_secret(&mut self, secret: &str) {
        self.forbidden.push(secret.to_owned());
    }

    /// Every secret of this run, including those of all credentials so far.
    #[must_use]
    pub fn secrets(&self) -> Vec<String> {
        let mut secrets = self.forbidden.clone();
        secrets.extend(self.sandbox.issued_secrets());
        secrets
    }
}

impl Drop for Edge {
    fn drop(&mut self) {
        self.host.kill();
        if std::thread::panicking() {
            eprintln!("the host's log:\n{}", host::relevant_lines(&self.log()));
            return;
        }
        let log = self.log();
        for secret in self.secrets() {
            assert!(!log.contains(&secret), "the host's log has the secret {secret}");
            assert!(!self.transcript.contains(&secret), "a response has the secret {secret}");
        }
        assert!(!log.contains("component trapped"), "{}", host::relevant_lines(&log));
    }
}

/// Writes a copy of the manifest that refers to the component under test, at this route.
fn write_manifest(binaries: &Binaries, route: &str, dir: &Path) {
    let manifest = std::fs::read_to_string(&binaries.manifest).expect("the manifest is readable");
    let mut sources = 0;
    let mut copy = String::new();
    for line in manifest.lines() {
        if line.starts_with("source = ") {
            sources += 1;
            copy.push_str(&format!("source = {:?}\n", binaries.edge_wasm));
        } else if line.starts_with("route = ") {
            copy.push_str(&format!("route = {route:?}\n"));
        } else {
            copy.push_str(&format!("{line}\n"));
        }
    }
    assert_eq!(sources, 1, "{} names one component", binaries.manifest.display());
    std::fs::write(dir.join("spin.toml"), copy).expect("the copy can be written");
}
