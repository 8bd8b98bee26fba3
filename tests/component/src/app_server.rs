//! The server of an application: it has VOD's access key, issues credentials to its clients, and
//! serves the files that they upload.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;

use serde_json::json;

use crate::application::OfferedFile;
use crate::sandbox::Sandbox;
use crate::vod;

/// Serves `files` and credentials of `sandbox` while `client` runs with the server's origin.
///
/// # Panics
/// If there is no free port.
pub fn serve<T>(sandbox: &Sandbox, files: &[OfferedFile], client: impl FnOnce(&str) -> T) -> T {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address");
    let server = AppServer { sandbox, files };
    let stopped = AtomicBool::new(false);
    thread::scope(|scope| {
        let _end = StopOnDrop { stopped: &stopped, address };
        let (server, stopped) = (&server, &stopped);
        scope.spawn(move || {
            while let Ok((stream, _)) = listener.accept() {
                if stopped.load(Relaxed) {
                    return;
                }
                // Errors of a disconnected client are ignored.
                scope.spawn(move || server.respond(stream).ok());
            }
        });
        client(&format!("http://{address}"))
    })
}

/// Stops the server when dropped, also if its client panics.
struct StopOnDrop<'a> {
    stopped: &'a AtomicBool,
    address: SocketAddr,
}

impl Drop for StopOnDrop<'_> {
    fn drop(&mut self) {
        self.stopped.store(true, Relaxed);
        // The connection wakes the acceptor.
        let _ = TcpStream::connect(self.address);
    }
}

struct AppServer<'a> {
    sandbox: &'a Sandbox,
    files: &'a [OfferedFile],
}

impl AppServer<'_> {
    fn respond(&self, mut stream: TcpStream) -> std::io::Result<()> {
        let mut lines = BufReader::new(stream.try_clone()?).lines();
        let request = lines.next().transpose()?.unwrap_or_default();
        let mut offset = 0;
        for line in lines {
            let line = line?.to_ascii_lowercase();
            if line.is_empty() {
                break;
            }
            if let Some(range) = line.strip_prefix("range: bytes=") {
                offset = range.trim_end_matches('-').parse().expect("an offset");
            }
        }
        let target = request.split(' ').nth(1).unwrap_or_default();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        if path == "/files" {
            let list =
                self.files.iter().map(|file| json!({ "name": file.name, "size": file.size }));
            return send(&mut stream, json!(list.collect::<Vec<_>>()).to_string().as_bytes());
        }
        if let Some(name) = path.strip_prefix("/credentials/") {
            let media_id = query.strip_prefix("media_id=");
            return send(&mut stream, self.credential(name, media_id).as_bytes());
        }
        let named = |file: &&OfferedFile| path.strip_prefix("/files/") == Some(&file.name);
        let file = self.files.iter().find(named).expect("a file that is listed");
        send_head(&mut stream, file.size - offset)?;
        let mut sent = Ok(());
        file.source().read(offset..file.size, |bytes| {
            sent = stream.write_all(bytes);
            sent.is_ok()
        });
        sent
    }

    fn credential(&self, name: &str, media_id: Option<&str>) -> String {
        let credential = vod::credential_for(self.sandbox, &self.sandbox.nonce(), name, media_id);
        json!({
            "media_id": credential.media_id,
            "auth": credential.auth,
            "address": credential.address,
        })
        .to_string()
    }
}

fn send(stream: &mut TcpStream, body: &[u8]) -> std::io::Result<()> {
    send_head(stream, body.len() as u64)?;
    stream.write_all(body)
}

fn send_head(stream: &mut TcpStream, length: u64) -> std::io::Result<()> {
    write!(stream, "HTTP/1.1 200 OK\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n")
}
