//! A running host, a client to it, and upstream servers for it to call.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::OnceLock;
use std::thread::JoinHandle;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// The manifest of the test application.
pub(crate) const MANIFEST: &str = r#"
spin_manifest_version = 2

[application]
name = "test"

[variables]
greeting = { default = "hello" }
token = { required = true, secret = true }
store_origin = { default = "https://*.aliyuncs.com" }

[[trigger.http]]
route = "/..."
component = "guest"

[component.guest]
source = "guest.wasm"
allowed_outbound_hosts = ["{{ store_origin }}"]
key_value_stores = ["default"]

[component.guest.variables]
sentence = "{{ greeting }}, {{ token }}"
"#;

/// The secret that the output of the host must not contain.
pub(crate) const TOKEN: &str = "token-that-must-not-be-shown";

/// A directory with the test application, and a data directory for one or more hosts.
pub(crate) struct Application {
    dir: TempDir,
}

impl Application {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("spin.toml"), MANIFEST).unwrap();
        std::os::unix::fs::symlink(guest(), dir.path().join("guest.wasm")).unwrap();
        // All tests share the compiled components; other data is separate.
        let compiled = Path::new(env!("CARGO_TARGET_TMPDIR")).join("compiled");
        std::fs::create_dir_all(&compiled).unwrap();
        std::fs::create_dir(dir.path().join("data")).unwrap();
        std::os::unix::fs::symlink(compiled, dir.path().join("data/compiled")).unwrap();
        Self { dir }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// The command that runs the application on a free port.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_devhost"));
        command
            .arg("--manifest")
            .arg(self.path("spin.toml"))
            .arg("--data")
            .arg(self.path("data"))
            .args(["--listen", "127.0.0.1:0"])
            .env("SPIN_VARIABLE_TOKEN", TOKEN);
        command
    }

    pub(crate) fn start(&self) -> Host {
        Host::start(&mut self.command())
    }

    /// Starts the application with an allowed origin.
    pub(crate) fn start_allowing(&self, origin: &str) -> Host {
        Host::start(self.command().args(["--allow-outbound", origin]))
    }
}

/// A host process, killed when dropped.
pub(crate) struct Host {
    child: Child,
    log: Option<JoinHandle<String>>,
    pub(crate) origin: String,
}

impl Host {
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut errors = child.stderr.take().unwrap();
        let log = std::thread::spawn(move || {
            let mut log = String::new();
            errors.read_to_string(&mut log).unwrap();
            log
        });
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        match line.trim_end().strip_prefix("listening ") {
            Some(origin) => Self { child, log: Some(log), origin: origin.to_owned() },
            None => {
                child.kill().unwrap();
                panic!("no listening line but {line:?}; log: {}", log.join().unwrap());
            }
        }
    }

    /// Sends a request without a body.
    pub(crate) async fn get(&self, path: &str) -> Response {
        self.send("GET", path, &[], Vec::new()).await
    }

    pub(crate) async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Response {
        self.try_send(method, path, headers, body).await.unwrap()
    }

    /// As [`Host::send`]; returns an error if the connection is closed before the end of the
    /// response.
    pub(crate) async fn try_send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Result<Response, Box<dyn std::error::Error + Send + Sync>> {
        let client = Client::builder(TokioExecutor::new()).build_http();
        let mut request =
            http::Request::builder().method(method).uri(format!("{}{path}", self.origin));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(Bytes::from(body))).unwrap();
        let response = client.request(request).await?;
        let status = response.status().as_u16();
        let body = response.into_body().collect().await?.to_bytes();
        Ok(Response { status, text: String::from_utf8(body.to_vec()).unwrap() })
    }

    /// A raw connection, for requests that do not end normally.
    pub(crate) async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.origin.strip_prefix("http://").unwrap()).await.unwrap()
    }

    /// One of the host's counters.
    pub(crate) async fn stat(&self, name: &str) -> f64 {
        let stats: serde_json::Value =
            serde_json::from_str(&self.get("/_host/stats").await.text).unwrap();
        stats[name].as_f64().unwrap_or_else(|| panic!("{name} in {stats}"))
    }

    pub(crate) fn terminate(&self) {
        let process = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(process, rustix::process::Signal::TERM).unwrap();
    }

    /// Waits for the process to exit and returns its log.
    pub(crate) fn wait(mut self) -> (ExitStatus, String) {
        let status = self.child.wait().unwrap();
        (status, self.log.take().unwrap().join().unwrap())
    }

    /// Kills the process to simulate a crash.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        // Fails if the process has already exited.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A complete response.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) text: String,
}

impl Response {
    pub(crate) fn new(status: u16, text: &str) -> Self {
        Self { status, text: text.to_owned() }
    }
}

/// A server whose bytes the test controls.
pub(crate) struct Upstream {
    pub(crate) listener: TcpListener,
    pub(crate) origin: String,
}

impl Upstream {
    pub(crate) async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        Self { listener, origin }
    }

    /// Accepts a connection and reads the head of its first request.
    pub(crate) async fn accept(&self) -> (TcpStream, String) {
        let (mut stream, _) = self.listener.accept().await.unwrap();
        let head = read_head(&mut stream).await;
        (stream, head)
    }
}

/// Reads a head up to its empty line and no further, and converts it to lower case.
pub(crate) async fn read_head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.expect("the connection ended inside the head"));
    }
    String::from_utf8(head).unwrap().to_ascii_lowercase()
}

pub(crate) async fn respond_ok(stream: &mut TcpStream) {
    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.unwrap();
}

/// Builds the test component once and returns its path.
fn guest() -> &'static Path {
    static GUEST: OnceLock<PathBuf> = OnceLock::new();
    GUEST.get_or_init(|| {
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("guest");
        let built = Command::new(env!("CARGO"))
            .args(["build", "--release", "--locked", "--target", "wasm32-wasip2"])
            .arg("--manifest-path")
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/guest/Cargo.toml"))
            .arg("--target-dir")
            .arg(&target)
            .output()
            .unwrap();
        assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
        target.join("wasm32-wasip2/release/devhost_test_guest.wasm")
    })
}
