//! What a benchmark measures: a server that relays uploads into a store.

use std::path::{Path, PathBuf};

use vod_uploader_wire::Client;

use super::load::{self, Workload};
use super::measurement::StoreRequests;
use crate::command_error::CommandError;
use crate::components::Built;
use crate::data_dir;
use crate::ports::ANY_PORT;
use crate::server::{self, Bodies, HostSetup, Log, Server};

/// A running server.
#[derive(Debug)]
pub(super) struct Target<'a> {
    pub(super) server: Server,
    pub(super) protocol: Protocol,
    pub(super) store: &'a Server,
    /// Of the worker: the directory in which bodies must leave nothing.
    pub(super) host_data: Option<&'a Path>,
}

/// How clients upload to a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protocol {
    /// Single-request uploads and tus.
    Uploads,
    /// The same bodies to a proxy.
    Proxy,
}

impl Target<'_> {
    /// Sends a workload of `size_bytes` in total that repeats `block`.
    pub(super) fn send(
        &self,
        workload: Workload,
        size_bytes: u64,
        block: &[u8],
    ) -> Result<(), CommandError> {
        let origin = &self.server.origin;
        workload.send(size_bytes, block, &|upload, length_bytes, block| {
            let body = (upload, length_bytes, block);
            match self.protocol {
                Protocol::Uploads => load::upload(origin, workload.pattern, body),
                Protocol::Proxy => load::relay(origin, workload.pattern, body),
            }
        })
    }

    /// Resets the counts of the store and of the worker's host.
    pub(super) fn reset_counts(&self) -> Result<(), CommandError> {
        if self.host_data.is_some() {
            Client::new(&self.server.origin).post("/_host/stats/reset")?;
        }
        Ok(Client::new(&self.store.origin).post("/_sandbox/requests/reset")?)
    }

    /// The requests to the store since [`Self::reset_counts`].
    pub(super) fn store_requests(&self) -> Result<StoreRequests, CommandError> {
        let counts = Client::new(&self.store.origin).get_json("/_sandbox/requests")?;
        Ok(StoreRequests::from_json(&counts))
    }

    /// The largest linear memory of all instances together; `None` if there are no components.
    pub(super) fn component_memory_peak_bytes(&self) -> Result<Option<u64>, CommandError> {
        if self.host_data.is_none() {
            return Ok(None);
        }
        let stats = Client::new(&self.server.origin).get_json("/_host/stats")?;
        Ok(stats["component_memory_peak_bytes"].as_u64())
    }
}

/// The sandbox, and what starts workers in front of it.
pub(super) struct Workers<'a> {
    built: &'a Built,
    sandbox: Server,
    data: PathBuf,
    log: PathBuf,
}

impl<'a> Workers<'a> {
    /// Starts the sandbox.
    pub(super) fn new(built: &'a Built, data: &Path) -> Result<Self, CommandError> {
        let sandbox_data = data_dir::open(&data.join("sandbox"))?;
        let log = Log::File(&data.join("sandbox.log"));
        Ok(Self {
            built,
            sandbox: server::start_sandbox(built, ANY_PORT, &sandbox_data, Bodies::Discard, log)?,
            data: data_dir::open(&data.join("host"))?,
            log: data.join("host.log"),
        })
    }

    /// Starts a host with the worker.
    pub(super) fn start(&self) -> Result<Target<'_>, CommandError> {
        let setup = HostSetup {
            listen: ANY_PORT,
            data: &self.data,
            sandbox_origin: &self.sandbox.origin,
            cors_origins: "*",
            allow_outbound: &[],
            log: Log::File(&self.log),
        };
        Ok(Target {
            server: server::start_devhost(self.built, &setup)?,
            protocol: Protocol::Uploads,
            store: &self.sandbox,
            host_data: Some(&self.data),
        })
    }
}
