//! The component under test: an app composed with `uploader.wasm`, on the local host, with a
//! separate sandbox.

use std::cell::RefCell;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;
use vod_uploader_wire::{Client, Transcript};

use crate::application::{Application, Mode};
use crate::binaries::Binaries;
use crate::conversation::Conversation;
use crate::host::{self, Stats};
use crate::key_value;
use crate::process::Server;
use crate::sandbox::{RAM_SECRET, Sandbox};

/// A running app with its sandbox. Dropping it kills the processes, deletes their files, and
/// asserts that no log, response, event or stored value contains a secret.
#[derive(Debug)]
pub struct AppHost {
    /// The emulator of OSS and VOD.
    pub sandbox: Sandbox,
    host: RefCell<Server>,
    binaries: Binaries,
    transcript: Transcript,
    dir: TempDir,
}

impl AppHost {
    /// Starts the test app.
    #[must_use]
    pub fn start() -> Self {
        Self::start_with(&Binaries::find().test_app_wasm, &[])
    }

    /// Starts the component of `app`, and a sandbox with more arguments.
    ///
    /// # Panics
    /// If `app` does not import `vod:uploader`.
    #[must_use]
    pub fn start_with(app: &Path, sandbox_arguments: &[&str]) -> Self {
        let binaries = Binaries::find();
        let dir = tempfile::tempdir().expect("a temporary directory");
        let arguments: Vec<_> = sandbox_arguments.iter().map(|text| (*text).to_owned()).collect();
        let sandbox = Sandbox::start(&binaries, dir.path(), &arguments);
        let composed = vod_uploader_compose::plugged(app, &binaries.uploader_wasm);
        let composed = composed.unwrap_or_else(|error| panic!("{error:#}"));
        std::fs::write(dir.path().join("composed.wasm"), composed).expect("it can be written");
        write_manifest(dir.path());
        host::share_compiled(dir.path());
        let host = RefCell::new(host::start(&binaries, dir.path(), &[]));
        Self { sandbox, host, binaries, transcript: Transcript::default(), dir }
    }

    /// A client of the app. Invalid after a restart of the host.
    #[must_use]
    pub fn client(&self) -> Client {
        Client::new(self.host.borrow().origin()).with_transcript(&self.transcript)
    }

    /// A conversation with the test app.
    #[must_use]
    pub fn converse(&self) -> Conversation {
        Conversation::connect(&self.client())
    }

    /// An application with small parts and immediate retries, unless `options` override them.
    #[must_use]
    pub fn application(&self, mode: Mode, options: &Value) -> Application<'_> {
        let mut all = json!({
            "part_size": PART_BYTES,
            "parallel": 3,
            "retry_duration": 0,
            "vod_endpoint": self.sandbox.origin(),
        });
        for (name, value) in options.as_object().into_iter().flatten() {
            all[name] = value.clone();
        }
        Application::new(self.converse(), &self.sandbox, mode, &all)
    }

    /// Kills the host with SIGKILL.
    pub fn kill_host(&self) {
        self.host.borrow_mut().kill();
    }

    /// Starts the host again in the same directory, after [`AppHost::kill_host`].
    pub fn start_host(&self) {
        *self.host.borrow_mut() = host::start(&self.binaries, self.dir.path(), &[]);
    }

    /// The counters of the host.
    #[must_use]
    pub fn stats(&self) -> Stats {
        Stats::new(&self.host.borrow())
    }

    /// The host's log so far.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("host.log")).unwrap_or_default()
    }

    /// The directory of the key-value store.
    #[must_use]
    pub fn host_dir(&self) -> PathBuf {
        self.dir.path().join("host")
    }
}

impl Drop for AppHost {
    fn drop(&mut self) {
        self.kill_host();
        if std::thread::panicking() {
            eprintln!("the host's log:\n{}", host::relevant_lines(&self.log()));
            return;
        }
        let log = self.log();
        assert!(!log.contains("component trapped"), "{}", host::relevant_lines(&log));
        let stored = key_value::files(&self.host_dir());
        let mut secrets = self.sandbox.issued_secrets();
        secrets.push(RAM_SECRET.to_owned());
        for secret in secrets {
            assert!(!log.contains(&secret), "the host's log has the secret {secret}");
            assert!(!self.transcript.contains(&secret), "the app received the secret {secret}");
            let kept = vod_uploader_wire::contains(&stored, secret.as_bytes());
            assert!(!kept, "the key-value store has the secret {secret}");
        }
    }
}

/// The manifest of an app: a key-value store and outbound HTTP.
fn write_manifest(dir: &Path) {
    let manifest = r#"
spin_manifest_version = 2

[application]
name = "app"
version = "0.1.0"

[[trigger.http]]
route = "/..."
component = "app"

[component.app]
source = "composed.wasm"
key_value_stores = ["default"]
allowed_outbound_hosts = ["http://127.0.0.1:*"]
"#;
    std::fs::write(dir.join("spin.toml"), manifest).expect("the manifest can be written");
}

/// The default part size: the smallest that OSS accepts.
pub const PART_BYTES: u64 = 102_400;
