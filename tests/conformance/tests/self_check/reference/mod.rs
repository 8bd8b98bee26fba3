//! A server of both protocols, correct or with one fault.

mod append;
mod ietf;
mod ietf_append;
mod problem;
mod tus;
mod tus_creation;
mod tus_head;
mod tus_patch;
mod upload;
mod wire;

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use url::Url;

pub(crate) use self::tus::EXTENSIONS;
use self::upload::Uploads;
use self::wire::{Incoming, Response};
use crate::fault::Fault;

/// A running server, stopped when dropped.
pub(crate) struct Reference {
    pub(crate) url: Url,
    address: SocketAddr,
    is_stopped: Arc<AtomicBool>,
    acceptor: Option<JoinHandle<()>>,
}

/// The state that its threads share.
struct Server {
    origin: String,
    fault: Option<Fault>,
    /// The omitted tus extensions.
    without: &'static [&'static str],
    uploads: Mutex<Uploads>,
    created: AtomicU64,
}

impl Reference {
    /// Starts a server with this fault.
    pub(crate) fn start(fault: Option<Fault>) -> Self {
        Self::start_without(fault, &[])
    }

    /// Starts a server with this fault and without these tus extensions.
    pub(crate) fn start_without(fault: Option<Fault>, without: &'static [&'static str]) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let origin = format!("http://{address}");
        let url = Url::parse(&format!("{origin}/files")).unwrap();
        let (uploads, created) = (Mutex::default(), AtomicU64::new(1));
        let server = Arc::new(Server { origin, fault, without, uploads, created });
        let is_stopped = Arc::new(AtomicBool::new(false));
        let over = Arc::clone(&is_stopped);
        let acceptor = thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if over.load(Ordering::Relaxed) {
                    return;
                }
                let server = Arc::clone(&server);
                thread::spawn(move || server.serve(stream));
            }
        });
        Self { url, address, is_stopped, acceptor: Some(acceptor) }
    }
}

impl Drop for Reference {
    fn drop(&mut self) {
        self.is_stopped.store(true, Ordering::Relaxed);
        // Wakes the acceptor, which then stops.
        let _ = TcpStream::connect(self.address);
        let _ = self.acceptor.take().map(JoinHandle::join);
    }
}

impl Server {
    fn serve(&self, stream: TcpStream) {
        let Ok(mut request) = Incoming::read(stream) else { return };
        let response = if request.method == "OPTIONS" {
            Some(self.options(&request))
        } else if request.field("Tus-Resumable").is_some() {
            self.tus(&mut request)
        } else if request.method == "GET" {
            Some(self.read_back(&request))
        } else {
            self.ietf(&mut request)
        };
        if let Some(response) = response {
            request.respond(&response);
        }
    }

    fn has(&self, fault: Fault) -> bool {
        self.fault == Some(fault)
    }

    fn uploads(&self) -> MutexGuard<'_, Uploads> {
        self.uploads.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The ID in a path below that of creations.
    fn id(path: &str) -> Option<&str> {
        path.strip_prefix("/files/").filter(|id| !id.is_empty())
    }

    fn new_id(&self) -> String {
        let number = self.created.fetch_add(1, Ordering::Relaxed);
        if self.has(Fault::UrlsInSequence) {
            return format!("{number:032x}");
        }
        // splitmix64, Steele et al. 2014: only the appearance of hard-to-guess URLs is required.
        let mix = |mut z: u64| {
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            z ^ (z >> 31)
        };
        let seed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        format!("{:016x}{:016x}", mix(seed), mix(seed ^ 0x5555_5555_5555_5555))
    }

    /// Waits while another request is writing, like a server with a lock.
    fn wait_for_writer(&self, id: &str) {
        let deadline = Instant::now() + Duration::from_secs(5);
        let is_writing = || self.uploads().get(id).is_some_and(|upload| upload.writer.is_some());
        while is_writing() && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// GET on an upload, for either protocol: its bytes.
    fn read_back(&self, request: &Incoming) -> Response {
        let uploads = self.uploads();
        let upload = Self::id(&request.path).and_then(|id| uploads.get(id));
        let Some(upload) = upload.filter(|upload| !upload.is_gone) else {
            return Response::new(404);
        };
        let bytes = if upload.parts.is_empty() {
            upload.bytes.clone()
        } else {
            let mut parts = upload.parts.clone();
            if self.has(Fault::PartsInOtherOrder) {
                parts.reverse();
            }
            upload::concatenated(&uploads, &parts).unwrap_or_default()
        };
        let reported = if self.has(Fault::GetIsStale) { 0 } else { upload.offset() };
        Response::new(200).field("Upload-Offset", reported).body("video/mp4", bytes)
    }
}
