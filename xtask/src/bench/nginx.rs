//! nginx as the yardstick: it relays bodies unbuffered and does nothing else with them.

use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::sink::Sink;
use crate::child::Child;
use crate::failure::Failure;

/// A running nginx in front of a sink.
#[derive(Debug)]
pub(super) struct Nginx {
    pub(super) child: Child,
    pub(super) address: SocketAddr,
    /// What it relays to.
    pub(super) sink: Sink,
}

/// The nginx of this machine.
pub(super) fn installed() -> Option<&'static str> {
    PROGRAMS.iter().copied().find(|program| {
        let version = Command::new(program).arg("-v").stderr(Stdio::null()).status();
        version.is_ok_and(|status| status.success())
    })
}

impl Nginx {
    /// Starts `program` with its files in `folder`.
    ///
    /// # Errors
    /// It does not start.
    pub(super) fn start(program: &str, folder: &Path) -> Result<Self, Failure> {
        let sink = Sink::start()?;
        let address = free_address()?;
        let configuration = folder.join("nginx.conf");
        fs::write(&configuration, configuration_text(folder, address, sink.address())).map_err(
            |cause| {
                Failure::new(format!("{}: cannot be written ({cause})", configuration.display()))
            },
        )?;
        let log = folder.join("error.log");
        let mut command = Command::new(program);
        command.arg("-e").arg(&log).arg("-p").arg(folder).arg("-c").arg(&configuration);
        let child = Child::start("nginx", command.stderr(Stdio::null()))?;
        let deadline = Instant::now() + START_LIMIT;
        while TcpStream::connect(address).is_err() {
            if child.has_ended() || Instant::now() > deadline {
                return Err(Failure::new(format!("nginx does not serve: see {}", log.display())));
            }
            thread::sleep(POLL_INTERVAL);
        }
        Ok(Self { child, address, sink })
    }
}

/// A single process, so that its CPU time and memory are those of one process id.
fn configuration_text(folder: &Path, listen: SocketAddr, sink: SocketAddr) -> String {
    let folder = folder.display();
    format!(
        "daemon off;
master_process off;
pid {folder}/nginx.pid;
events {{ worker_connections 64; }}
http {{
    access_log off;
    client_body_temp_path {folder}/client_body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
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

/// nginx cannot tell which port it took, so one is chosen for it.
fn free_address() -> Result<SocketAddr, Failure> {
    TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .map_err(|cause| Failure::new(format!("the system gives no free port ({cause})")))
}

/// Debian keeps it where the PATH of most users does not lead.
const PROGRAMS: [&str; 2] = ["nginx", "/usr/sbin/nginx"];

const START_LIMIT: Duration = Duration::from_secs(10);

const POLL_INTERVAL: Duration = Duration::from_millis(10);
