//! What a benchmark measures: a server that relays uploads, and how it is started.

use std::net::SocketAddr;
use std::path::Path;

use super::load::{self, Workload};
use super::store_requests::StoreRequests;
use crate::command_error::CommandError;

/// Is given the root of the checkout and an empty directory for what the peer writes.
pub(super) type FindPeer = fn(&Path, &Path) -> Result<Option<Box<dyn Peer>>, CommandError>;

/// What the worker is compared with.
pub(super) trait Peer {
    /// Starts a server.
    fn start(&self) -> Result<Box<dyn BenchTarget>, CommandError>;
}

/// A running server that relays uploads into a store.
pub(super) trait BenchTarget {
    /// The id of its process.
    fn process(&self) -> u32;

    /// Where it listens.
    fn address(&self) -> Result<SocketAddr, CommandError>;

    /// Sends a workload of `size_bytes` in all, which repeats `block`, to `/v1/files`.
    fn send(&self, workload: Workload, size_bytes: u64, block: &[u8]) -> Result<(), CommandError> {
        let address = self.address()?;
        workload.send(size_bytes, block, &|upload, length_bytes, block| {
            load::to_worker(address, workload.shape, (upload, length_bytes, block))
        })
    }

    /// Lets the store and the server count from zero.
    fn reset_counts(&self) -> Result<(), CommandError>;

    /// What reached the store since [`Self::reset_counts`].
    fn store_requests(&self) -> Result<StoreRequests, CommandError>;

    /// The most linear memory of all instances together, if it runs components.
    fn component_memory_peak_bytes(&self) -> Result<Option<u64>, CommandError> {
        Ok(None)
    }

    /// The directory in which bodies must leave nothing.
    fn watched_directory(&self) -> Option<&Path> {
        None
    }
}
