//! A server on a free port, with a thread a connection: what the benches put behind what they
//! measure.

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use crate::failure::Failure;

/// A running server. It stops taking connections when dropped.
#[derive(Debug)]
pub(super) struct Listener {
    address: SocketAddr,
    stopped: Arc<AtomicBool>,
}

impl Listener {
    /// Starts a server called `name`, which answers a connection's requests with `serve`.
    ///
    /// # Errors
    /// The system gives no port.
    pub(super) fn start<S: Send + Sync + 'static>(
        name: &str,
        shared: &Arc<S>,
        serve: fn(TcpStream, &S) -> io::Result<()>,
    ) -> Result<Self, Failure> {
        let fail = |cause| Failure::new(format!("{name} cannot listen ({cause})"));
        let listener = TcpListener::bind("127.0.0.1:0").map_err(fail)?;
        let address = listener.local_addr().map_err(fail)?;
        let stopped = Arc::new(AtomicBool::new(false));
        let (is_over, shared) = (Arc::clone(&stopped), Arc::clone(shared));
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if is_over.load(Ordering::Relaxed) {
                    return;
                }
                let shared = Arc::clone(&shared);
                // A connection that breaks is the other side's to report.
                thread::spawn(move || drop(serve(stream, &shared)));
            }
        });
        Ok(Self { address, stopped })
    }

    /// Where it listens.
    pub(super) const fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::Relaxed);
        // Wakes the listener, which then sees that it is over.
        drop(TcpStream::connect(self.address));
    }
}
