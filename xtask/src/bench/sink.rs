//! A server that reads bodies and forgets them: what nginx relays to.

use std::io::{self, BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::listener::Listener;
use crate::failure::Failure;

/// A running sink on a free port. It stops taking connections when dropped.
#[derive(Debug)]
pub(super) struct Sink {
    listener: Listener,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    received_bytes: AtomicU64,
}

impl Sink {
    /// Starts it.
    ///
    /// # Errors
    /// The system gives no port.
    pub(super) fn start() -> Result<Self, Failure> {
        let shared = Arc::default();
        let listener = Listener::start("the sink", &shared, serve)?;
        Ok(Self { listener, shared })
    }

    /// Where it listens.
    pub(super) const fn address(&self) -> SocketAddr {
        self.listener.address()
    }

    /// Body bytes of the requests it answered.
    pub(super) fn received_bytes(&self) -> u64 {
        self.shared.received_bytes.load(Ordering::Relaxed)
    }
}

/// Answers requests with a Content-Length until the connection ends.
fn serve(stream: TcpStream, shared: &Shared) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut stream = BufReader::with_capacity(BUFFER_BYTES, stream);
    loop {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if stream.read_line(&mut head)? == 0 {
                return Ok(());
            }
        }
        let length = content_length(&head);
        let mut left = length;
        while left > 0 {
            let available = stream.fill_buf()?.len() as u64;
            if available == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let taken = available.min(left);
            stream.consume(usize::try_from(taken).unwrap_or(usize::MAX));
            left -= taken;
        }
        shared.received_bytes.fetch_add(length, Ordering::Relaxed);
        stream.get_mut().write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")?;
    }
}

fn content_length(head: &str) -> u64 {
    head.lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .and_then(|(_, value)| value.trim().parse().ok())
        .unwrap_or(0)
}

const BUFFER_BYTES: usize = 256 * 1024;
