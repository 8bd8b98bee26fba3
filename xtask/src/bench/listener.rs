//! A server on a free port, with a thread a connection: what the benchmarks put behind what they
//! measure.

use std::io::{self, BufReader};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use crate::command_error::CommandError;

/// A running server. It stops taking connections when dropped.
#[derive(Debug)]
pub(super) struct Listener {
    address: SocketAddr,
    stopped: Arc<AtomicBool>,
}

impl Listener {
    /// Starts a server called `name`, which answers a connection's requests with `serve`.
    pub(super) fn start<S: Send + Sync + 'static>(
        name: &str,
        shared: &Arc<S>,
        serve: fn(BufReader<TcpStream>, &S) -> io::Result<()>,
    ) -> Result<Self, CommandError> {
        let fail = |cause| CommandError::new(format!("{name} cannot listen ({cause})"));
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
                thread::spawn(move || {
                    let stream = BufReader::with_capacity(BUFFER_BYTES, stream);
                    // A connection that breaks is the other side's to report.
                    stream.get_ref().set_nodelay(true).and_then(|()| serve(stream, &shared))
                });
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

/// Locks what the connections of a server share.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A panic elsewhere leaves counts and objects as they were.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

const BUFFER_BYTES: usize = 256 * 1024;
