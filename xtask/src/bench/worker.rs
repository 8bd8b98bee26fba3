//! The worker, with the sandbox as its store.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use vod_uploader_wire::Client;

use super::store_requests::StoreRequests;
use super::target::BenchTarget;
use crate::command_error::CommandError;
use crate::components::Built;
use crate::data_dir;
use crate::ports::ANY_PORT;
use crate::server::{self, Bodies, HostSetup, Log, Server};

/// What the workers of all workloads have in common.
pub(super) struct Workers<'a> {
    built: &'a Built,
    sandbox: Server,
    host_data: PathBuf,
    host_log: PathBuf,
}

/// A host with a worker, for one workload.
pub(super) struct Worker<'a> {
    host: Server,
    workers: &'a Workers<'a>,
}

impl<'a> Workers<'a> {
    /// Starts the store.
    pub(super) fn start_store(built: &'a Built, data: &Path) -> Result<Self, CommandError> {
        let sandbox_data = data_dir::open(&data.join("sandbox"))?;
        let sandbox_log = data.join("sandbox.log");
        let log = Log::File(&sandbox_log);
        Ok(Self {
            built,
            sandbox: server::start_sandbox(built, ANY_PORT, &sandbox_data, Bodies::Discard, log)?,
            host_data: data_dir::open(&data.join("host"))?,
            host_log: data.join("host.log"),
        })
    }

    /// Starts a host with a worker.
    pub(super) fn start(&self) -> Result<Worker<'_>, CommandError> {
        let setup = HostSetup {
            listen: ANY_PORT,
            data: &self.host_data,
            sandbox_origin: &self.sandbox.origin,
            allow_outbound: &[],
            log: Log::File(&self.host_log),
        };
        let host = server::start_devhost(self.built, &setup)?;
        Ok(Worker { host, workers: self })
    }
}

impl BenchTarget for Worker<'_> {
    fn process(&self) -> u32 {
        self.host.child.id()
    }

    fn address(&self) -> Result<SocketAddr, CommandError> {
        self.host.address()
    }

    fn reset_counts(&self) -> Result<(), CommandError> {
        Client::new(&self.host.origin).post("/_host/stats/reset")?;
        Ok(Client::new(&self.workers.sandbox.origin).post("/_sandbox/requests/reset")?)
    }

    fn store_requests(&self) -> Result<StoreRequests, CommandError> {
        let counts = Client::new(&self.workers.sandbox.origin).get_json("/_sandbox/requests")?;
        Ok(StoreRequests::from_sandbox(&counts))
    }

    fn component_memory_peak_bytes(&self) -> Result<Option<u64>, CommandError> {
        let stats = Client::new(&self.host.origin).get_json("/_host/stats")?;
        Ok(stats["component_memory_peak_bytes"].as_u64())
    }

    fn watched_directory(&self) -> Option<&Path> {
        Some(&self.workers.host_data)
    }
}
