//! The world that a host runs in: time, a key-value store, OSS, VOD and an application server.
//!
//! Every model executes a call at once. A host decides when a call takes effect and when its
//! result arrives, so that it can reorder calls, delay them, and crash between them.

mod app_server;
mod clock;
mod content;
mod executor;
mod fault;
mod key_value;
pub(crate) mod oss;
mod part_buffers;
mod random;
mod schedule;
mod service_call;
mod vod;

use std::time::Duration;

use vod_uploader::queue::StsToken;
use vod_uploader::units::UnixMillis;
use vod_uploader::vod::MediaKind;

pub use app_server::AppServer;
pub use clock::{Clock, START};
pub use content::{Content, crc64};
pub(crate) use executor::{Executor, Owner, Sleep, TaskId};
pub use fault::{Fault, Faults};
pub use key_value::KeyValueStore;
pub use oss::{Operation, Response, Store, StoredObject};
pub(crate) use part_buffers::PartBuffers;
pub use random::Random;
pub use schedule::Schedule;
pub(crate) use service_call::{ServiceCall, ServiceResult};
pub(crate) use vod::{ADDRESS_START, BUCKET, ENDPOINT, SECRET, TOKEN};
pub use vod::{Grant, Media, VOD_FAULTS, Vod};

/// The time and the services of one run.
#[derive(Debug, Default)]
pub struct World {
    /// The virtual time.
    pub clock: Clock,
    /// OSS.
    pub store: Store,
    /// VOD.
    pub vod: Vod,
    /// The key-value store.
    pub kv: KeyValueStore,
    /// The application server.
    pub app_server: AppServer,
    /// Whether every step is printed on standard error.
    pub is_traced: bool,
}

impl World {
    /// The virtual time.
    #[must_use]
    pub fn now(&self) -> UnixMillis {
        self.clock.now()
    }

    /// Creates a media asset on the application server. Returns its credential.
    pub fn create_media(&mut self, kind: MediaKind) -> Grant {
        self.app_server.create_media(&mut self.vod, &mut self.store, self.clock.now(), kind)
    }

    /// A new credential of a media asset from the application server; `None` if VOD has no such
    /// asset or does not refresh its credential.
    pub fn refresh_media(&mut self, media_id: &str) -> Option<Grant> {
        self.vod.refresh(&mut self.store, self.clock.now(), media_id)
    }

    /// An STS token from the application server.
    pub fn issue_token(&mut self) -> StsToken {
        self.vod.issue_token(&mut self.store, self.clock.now(), self.app_server.token_ttl)
    }

    /// Executes a call. Returns `None` if its result never arrives.
    pub(crate) fn execute(&mut self, call: &ServiceCall) -> Option<ServiceResult> {
        Some(match call {
            ServiceCall::KvGet { key } => ServiceResult::Kv(self.kv.read(key)),
            ServiceCall::KvSet { key, value } => ServiceResult::Kv(self.kv.write(key, value)),
            ServiceCall::KvDelete { key } => ServiceResult::Kv(self.kv.delete(key)),
            ServiceCall::Send { request, body } => {
                let is_vod = request.url.host_str().is_some_and(|host| host.starts_with("vod."));
                let response = if is_vod {
                    self.vod.call(&mut self.store, self.clock.now(), request)
                } else {
                    let body = body.as_ref().map(|body| body.as_slice());
                    self.store.call(self.clock.now(), request, body)
                };
                match response {
                    Response::Received(response) => ServiceResult::Http(Ok(response)),
                    Response::Interrupted => ServiceResult::Http(Err("connection reset".into())),
                    Response::Never => return None,
                }
            }
        })
    }

    /// Removes all faults. Credentials last long from now on.
    pub fn clear_faults(&mut self) {
        self.store.faults.clear();
        self.vod.clear_faults();
        self.kv.clear_faults();
        self.vod.credential_ttl = CALM_TTL;
        self.app_server.token_ttl = CALM_TTL;
    }

    /// Prints a line if the run is traced.
    pub(crate) fn trace(&self, line: impl FnOnce() -> String) {
        if self.is_traced {
            eprintln!("{:>9} ms  {}", self.clock.now().0 - START.0, line());
        }
    }
}

/// Lifetime of credentials after all faults are removed.
const CALM_TTL: Duration = Duration::from_secs(3_000);
