//! A running sandbox: the listener and its connections.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, JoinSet};

use crate::config::SandboxConfig;
use crate::http::serve_connection;
use crate::service;
use crate::state::SandboxState;

/// A running sandbox. Dropping it closes the listener and all connections; the data directory
/// remains.
#[derive(Debug)]
pub struct Sandbox {
    address: SocketAddr,
    /// Sending, or dropping, ends the task.
    end: oneshot::Sender<()>,
    accepting: JoinHandle<()>,
}

/// An error of starting a sandbox.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The address is not a loopback address. The control paths require no signature, so only
    /// 127.0.0.1 and `[::1]` are allowed.
    #[error("{0} is not a loopback address; use 127.0.0.1")]
    NotLoopback(SocketAddr),
    /// The configuration has no bucket.
    #[error("expected at least one bucket")]
    NoBucket,
    /// The address cannot be bound. Choose another port, or 0 for a free one.
    #[error("cannot listen on {0}: {1}")]
    Listen(SocketAddr, #[source] io::Error),
    /// The data directory cannot be read or written, or its journal is damaged.
    #[error("cannot use the data directory {}: {}", .0.display(), .1)]
    DataDirectory(PathBuf, #[source] io::Error),
}

impl Sandbox {
    /// Opens the data directory and starts to listen. Requires a Tokio runtime.
    ///
    /// # Errors
    /// Returns [`StartError`] if the configuration is invalid or the address or the data directory
    /// cannot be used.
    pub async fn start(config: SandboxConfig) -> Result<Self, StartError> {
        let listen = config.listen;
        if !listen.ip().is_loopback() {
            return Err(StartError::NotLoopback(listen));
        }
        if config.buckets.is_empty() {
            return Err(StartError::NoBucket);
        }
        let dir = config.data_dir.clone();
        let state = tokio::task::spawn_blocking(move || SandboxState::open(config))
            .await
            .map_err(io::Error::other)
            .flatten()
            .map_err(|error| StartError::DataDirectory(dir, error))?;
        let listener =
            TcpListener::bind(listen).await.map_err(|error| StartError::Listen(listen, error))?;
        let address = listener.local_addr().map_err(|error| StartError::Listen(listen, error))?;
        let (end, ended) = oneshot::channel();
        let accepting = tokio::spawn(accept(listener, Arc::new(state), ended));
        Ok(Self { address, end, accepting })
    }

    /// The address it listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `http://address`, without a slash at the end.
    pub fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Closes the listener and aborts all connections. Returns once the data directory is no longer
    /// in use.
    pub async fn stop(self) {
        drop(self.end);
        // The task has ended even if it panicked.
        drop(self.accepting.await);
    }
}

/// Accepts connections until `ended`, then aborts them and waits for their tasks.
async fn accept(listener: TcpListener, state: Arc<SandboxState>, mut ended: oneshot::Receiver<()>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                // An error of accept concerns one client, for example one that has disconnected.
                let Ok((stream, _peer)) = accepted else { continue };
                // Otherwise the response to a small request may wait for an acknowledgment.
                drop(stream.set_nodelay(true));
                let state = Arc::clone(&state);
                connections.spawn(serve_connection(stream, move |connection, request| {
                    service::handle(Arc::clone(&state), connection, request)
                }));
            }
            Some(_closed) = connections.join_next() => {}
            _ = &mut ended => break,
        }
    }
    connections.shutdown().await;
}
