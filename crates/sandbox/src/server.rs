//! The running sandbox: a listener and its connections.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, JoinSet};

use crate::config::SandboxConfig;
use crate::http::serve_connection;
use crate::service;
use crate::state::SandboxState;

/// A running sandbox. Dropping it closes the listener and all connections; what it stored stays
/// in its data folder.
#[derive(Debug)]
pub struct Sandbox {
    address: SocketAddr,
    /// Sending, or dropping, ends the task.
    end: oneshot::Sender<()>,
    accepting: JoinHandle<()>,
}

/// Why a sandbox did not start.
#[derive(Debug)]
#[non_exhaustive]
pub enum StartError {
    /// The address is not of this machine only. Listen on 127.0.0.1 or `[::1]`: the control
    /// paths ask for no signature.
    NotLoopback(SocketAddr),
    /// There is no bucket to store into.
    NoBucket,
    /// The port is taken or not allowed. Choose another, or 0 for a free one.
    Listen(SocketAddr, io::Error),
    /// The data folder cannot be read or written, or its journal is damaged.
    DataFolder(std::path::PathBuf, io::Error),
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotLoopback(address) => {
                write!(f, "{address} is not a loopback address; use 127.0.0.1")
            }
            Self::NoBucket => write!(f, "at least one bucket is needed"),
            Self::Listen(address, error) => write!(f, "cannot listen on {address}: {error}"),
            Self::DataFolder(path, error) => {
                write!(f, "cannot use the data folder {}: {error}", path.display())
            }
        }
    }
}

impl std::error::Error for StartError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Listen(_, error) | Self::DataFolder(_, error) => Some(error),
            Self::NotLoopback(_) | Self::NoBucket => None,
        }
    }
}

impl Sandbox {
    /// Opens the data folder and begins to listen. Needs a Tokio runtime.
    ///
    /// # Errors
    ///
    /// [`StartError`] says which part of the configuration to change. Trying again helps only
    /// when a port was taken.
    pub async fn start(config: SandboxConfig) -> Result<Self, StartError> {
        let listen = config.listen;
        if !listen.ip().is_loopback() {
            return Err(StartError::NotLoopback(listen));
        }
        if config.buckets.is_empty() {
            return Err(StartError::NoBucket);
        }
        let folder = config.data_dir.clone();
        let state = tokio::task::spawn_blocking(move || SandboxState::open(config))
            .await
            .map_err(io::Error::other)
            .flatten()
            .map_err(|error| StartError::DataFolder(folder, error))?;
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

    /// Closes the listener and all connections, whatever they are doing, and returns once nothing
    /// uses the data folder any more.
    pub async fn stop(self) {
        drop(self.end);
        // The task ends by itself; were it to panic, it would be over as well.
        drop(self.accepting.await);
    }
}

/// Accepts until told to end, then drops the connections and waits for those on other threads.
async fn accept(listener: TcpListener, state: Arc<SandboxState>, mut ended: oneshot::Receiver<()>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                // An error of accept concerns one client, such as one that left in the queue.
                let Ok((stream, _peer)) = accepted else { continue };
                // Without it the reply to a small request may wait for an acknowledgement.
                drop(stream.set_nodelay(true));
                let state = Arc::clone(&state);
                connections.spawn(serve_connection(stream, move |connection, request| {
                    service::answer(Arc::clone(&state), connection, request)
                }));
            }
            Some(_closed) = connections.join_next() => {}
            _ = &mut ended => break,
        }
    }
    connections.shutdown().await;
}
