//! nginx in front of a sink, as the peer of the relay benchmark.

use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::load::{self, Workload};
use super::sink::Sink;
use super::store_requests::StoreRequests;
use super::target::{BenchTarget, Peer};
use crate::child::Child;
use crate::command_error::CommandError;
use crate::report;

/// Finds the nginx of this machine, which keeps its files in `directory`.
pub(super) fn find(_root: &Path, directory: &Path) -> Result<Option<Box<dyn Peer>>, CommandError> {
    let program = PROGRAMS.iter().copied().find(|program| {
        let version = Command::new(program).arg("-v").stderr(Stdio::null()).status();
        version.is_ok_and(|status| status.success())
    });
    let Some(program) = program else {
        report::progress("no nginx to compare with: on Debian, `apt-get install nginx-light`");
        return Ok(None);
    };
    Ok(Some(Box::new(Install { program, directory: directory.to_owned() })))
}

/// The installed program.
#[derive(Debug)]
struct Install {
    program: &'static str,
    directory: PathBuf,
}

/// A running nginx in front of a sink.
#[derive(Debug)]
struct Nginx {
    child: Child,
    address: SocketAddr,
    sink: Sink,
}

impl Peer for Install {
    fn start(&self) -> Result<Box<dyn BenchTarget>, CommandError> {
        let sink = Sink::start()?;
        let address = free_address()?;
        let configuration = self.directory.join("nginx.conf");
        let text = configuration_text(&self.directory, address, sink.address());
        fs::write(&configuration, text)
            .map_err(CommandError::file(&configuration, "cannot be written"))?;
        let log = self.directory.join("error.log");
        let mut command = Command::new(self.program);
        command.arg("-e").arg(&log).arg("-p").arg(&self.directory).arg("-c").arg(&configuration);
        let child = Child::start("nginx", command.stderr(Stdio::null()))?;
        let deadline = Instant::now() + START_LIMIT;
        while TcpStream::connect(address).is_err() {
            if child.has_ended() || Instant::now() > deadline {
                return Err(CommandError::new(format!(
                    "nginx does not serve: see {}",
                    log.display()
                )));
            }
            thread::sleep(POLL_INTERVAL);
        }
        Ok(Box::new(Nginx { child, address, sink }))
    }
}

impl BenchTarget for Nginx {
    fn process(&self) -> u32 {
        self.child.id()
    }

    fn address(&self) -> Result<SocketAddr, CommandError> {
        Ok(self.address)
    }

    fn send(&self, workload: Workload, size_bytes: u64, block: &[u8]) -> Result<(), CommandError> {
        workload.send(size_bytes, block, &|upload, length_bytes, block| {
            load::to_nginx(self.address, workload.shape, (upload, length_bytes, block))
        })
    }

    fn reset_counts(&self) -> Result<(), CommandError> {
        self.sink.reset_requests();
        Ok(())
    }

    fn store_requests(&self) -> Result<StoreRequests, CommandError> {
        Ok(self.sink.requests())
    }
}

/// A single process, so that its CPU time and memory are those of one process id.
fn configuration_text(directory: &Path, listen: SocketAddr, sink: SocketAddr) -> String {
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

/// nginx cannot tell which port it took, so one is chosen for it.
fn free_address() -> Result<SocketAddr, CommandError> {
    TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .map_err(|cause| CommandError::new(format!("the system gives no free port ({cause})")))
}

/// Debian keeps it where the PATH of most users does not lead.
const PROGRAMS: [&str; 2] = ["nginx", "/usr/sbin/nginx"];

const START_LIMIT: Duration = Duration::from_secs(10);

const POLL_INTERVAL: Duration = Duration::from_millis(10);
