//! A server that reads bodies and discards them: what nginx relays to.

use std::io::{self, BufReader, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex};

use super::listener::{Listener, lock};
use super::request::{Head, discard_body};
use super::store_requests::StoreRequests;
use crate::command_error::CommandError;

/// A running sink on a free port. It accepts no more connections once dropped.
#[derive(Debug)]
pub(super) struct Sink {
    listener: Listener,
    requests: Arc<Mutex<StoreRequests>>,
}

impl Sink {
    /// Starts it.
    pub(super) fn start() -> Result<Self, CommandError> {
        let requests = Arc::default();
        let listener = Listener::start("the sink", &requests, serve)?;
        Ok(Self { listener, requests })
    }

    /// Where it listens.
    pub(super) const fn address(&self) -> SocketAddr {
        self.listener.address()
    }

    /// The requests that it answered, which count as objects.
    pub(super) fn requests(&self) -> StoreRequests {
        *lock(&self.requests)
    }

    /// Counts from zero.
    pub(super) fn reset_requests(&self) {
        *lock(&self.requests) = StoreRequests::default();
    }
}

/// Answers requests until the connection ends.
fn serve(mut stream: BufReader<TcpStream>, requests: &Mutex<StoreRequests>) -> io::Result<()> {
    while let Some(head) = Head::read(&mut stream)? {
        discard_body(&mut stream, &head)?;
        lock(requests).count("PutObject", 1, head.content_length);
        stream.get_mut().write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")?;
    }
    Ok(())
}
