//! The servers that the worker is compared with: nginx, and `@tus/server` with `@tus/s3-store`.

use std::fs::{self, File};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use super::target::{Protocol, Target};
use crate::child::{self, Child};
use crate::command_error::CommandError;
use crate::report;
use crate::server::{self, Log, Server};

/// Which server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PeerKind {
    Nginx,
    TusServer,
}

/// A peer, ready to start, in front of a store that discards bodies.
#[derive(Debug)]
pub(super) struct Peer {
    kind: PeerKind,
    store: Server,
    /// The directory of `tests/bench_servers`.
    scripts: PathBuf,
    /// The directory for its files.
    data: PathBuf,
}

impl Peer {
    /// Prepares the peer. `None`, with the reason on the terminal, if this machine lacks it.
    pub(super) fn find(
        kind: PeerKind,
        root: &Path,
        data: PathBuf,
    ) -> Result<Option<Self>, CommandError> {
        let scripts = root.join("tests/bench_servers");
        let missing = match (kind, node_version()) {
            (_, None) => Err("node is not installed: https://nodejs.org".to_owned()),
            (PeerKind::Nginx, _) if nginx().is_none() => {
                Err("nginx is not installed: on Debian, `apt-get install nginx-light`".to_owned())
            }
            (PeerKind::TusServer, Some(version)) if version < NODE_VERSION_MIN => {
                Err("node is older than 20.19".to_owned())
            }
            (PeerKind::TusServer, _) => {
                install_packages(&scripts, &data).map_err(|failure| failure.to_string())
            }
            (PeerKind::Nginx, _) => Ok(()),
        };
        if let Err(reason) = missing {
            report::progress(&format!("nothing to compare with: {reason}"));
            return Ok(None);
        }
        let mut store = Command::new("node");
        store.arg("store.mjs").current_dir(&scripts);
        let log = data.join("store.log");
        let store = server::start_announcing("the store", &mut store, Log::File(&log))?;
        Ok(Some(Self { kind, store, scripts, data }))
    }

    /// Starts a server.
    pub(super) fn start(&self) -> Result<Target<'_>, CommandError> {
        let (server, protocol) = match self.kind {
            PeerKind::Nginx => (self.start_nginx()?, Protocol::Proxy),
            PeerKind::TusServer => (self.start_tus_server()?, Protocol::Uploads),
        };
        Ok(Target { server, protocol, store: &self.store, host_data: None })
    }

    fn start_tus_server(&self) -> Result<Server, CommandError> {
        let mut command = Command::new("node");
        command.arg("server.mjs").current_dir(&self.scripts);
        command.env("STORE_ORIGIN", &self.store.origin);
        command.env("NODE_ENV", "production").env("TMPDIR", &self.data);
        let log = self.data.join("server.log");
        server::start_announcing("@tus/server", &mut command, Log::File(&log))
    }

    fn start_nginx(&self) -> Result<Server, CommandError> {
        // nginx does not report a port that the system selects, so it gets a free one.
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string();
        let file = self.data.join("nginx.conf");
        let sink = self.store.origin.trim_start_matches("http://");
        fs::write(&file, nginx_configuration(&self.data, &address, sink))
            .map_err(CommandError::file(&file, "cannot be written"))?;
        let log = self.data.join("error.log");
        let mut command = Command::new(nginx().unwrap_or("nginx"));
        command.arg("-e").arg(&log).arg("-p").arg(&self.data).arg("-c").arg(&file);
        let child = Child::start("nginx", command.stderr(Stdio::null()))?;
        let deadline = Instant::now() + START_LIMIT;
        while TcpStream::connect(&address).is_err() {
            if child.has_ended() || Instant::now() > deadline {
                let log = log.display();
                return Err(CommandError::new(format!("nginx does not respond: see {log}")));
            }
            thread::sleep(POLL_INTERVAL);
        }
        Ok(Server { child, origin: format!("http://{address}") })
    }
}

fn nginx() -> Option<&'static str> {
    // Debian installs it outside the PATH of most users.
    ["nginx", "/usr/sbin/nginx"].into_iter().find(|program| {
        let version = Command::new(program).arg("-v").stderr(Stdio::null()).status();
        version.is_ok_and(|status| status.success())
    })
}

/// A single process, so that its CPU time and memory are those of one process ID.
fn nginx_configuration(directory: &Path, listen: &str, sink: &str) -> String {
    let directory = directory.display();
    format!(
        "daemon off;
master_process off;
pid {directory}/nginx.pid;
events {{ worker_connections 64; }}
http {{
    access_log off;
    client_body_temp_path {directory}/client_body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
    client_max_body_size 0;
    keepalive_requests 1000000;
    upstream sink {{
        server {sink};
        keepalive 16;
    }}
    server {{
        listen {listen};
        location / {{
            proxy_pass http://sink;
            proxy_http_version 1.1;
            proxy_set_header Connection \"\";
            proxy_request_buffering off;
        }}
    }}
}}
"
    )
}

/// Installs `@tus/server` unless what npm last wrote is newer than the lock file.
fn install_packages(scripts: &Path, data: &Path) -> Result<(), CommandError> {
    let modified = |name: &str| -> Option<SystemTime> {
        fs::metadata(scripts.join(name)).and_then(|file| file.modified()).ok()
    };
    let installed = modified("node_modules/.package-lock.json");
    if installed.is_some() && installed >= modified("package-lock.json") {
        return Ok(());
    }
    report::progress("installing @tus/server and @tus/s3-store");
    let path = data.join("npm.log");
    let log = File::create(&path).map_err(CommandError::file(&path, "cannot be written"))?;
    let mut npm = Command::new("npm");
    npm.args(["ci", "--ignore-scripts"]).current_dir(scripts);
    npm.stdout(log.try_clone()?).stderr(log);
    child::run("npm", &mut npm, &format!("npm ci failed: see {}", path.display()))
}

/// The version of Node.js, as (20, 19).
fn node_version() -> Option<(u32, u32)> {
    let output = Command::new("node").arg("--version").stderr(Stdio::null()).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let mut numbers = text.strip_prefix('v')?.split('.');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

/// The requirement of `@tus/server`.
const NODE_VERSION_MIN: (u32, u32) = (20, 19);

const START_LIMIT: Duration = Duration::from_secs(10);

const POLL_INTERVAL: Duration = Duration::from_millis(10);
