//! Loading and instantiating components.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use tokio::sync::watch;
use wasmtime::component::{Component, Linker};
use wasmtime::{Cache, CacheConfig, Config, Engine, OptLevel, Store};
use wasmtime_wasi::WasiCtx;
use wasmtime_wasi_http::handler::{HandlerState, Instance, ProxyPre};
use wasmtime_wasi_http::p3::bindings::ServicePre;

use crate::guest_output::{GuestOutput, OutputStream};
use crate::instance::{
    IdleExpiration, InstanceRecord, InstanceReusePolicy, InstanceState, MemoryLimiter,
};
use crate::key_value::{self, Database, KeyValueAccess};
use crate::outbound::{AllowedHosts, OutboundClient, OutboundHooks};
use crate::stats::Stats;
use crate::variable_access;
use crate::variables::ComponentVariables;

/// An error of loading a component.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LoadError {
    #[error(
        "{path}: the component `{id}` is missing; build it with `cargo xtask up` or `spin build`"
    )]
    Missing { id: String, path: String },
    #[error("{path}: cannot be compiled as a component ({cause}); rebuild it")]
    Compile { path: String, cause: String },
    #[error(
        "{path}: incompatible with this host ({cause}); it must export wasi:http/handler@0.3.0 and \
         import only wasi:*, spin:key-value@3.0.0 and spin:variables@3.0.0"
    )]
    Link { path: String, cause: String },
    #[error("the WebAssembly engine cannot start: {0}")]
    Engine(String),
}

/// Compiles components. Caches the compiled code in a directory, so that later starts are fast.
pub(crate) struct Loader {
    engine: Engine,
    linker: Linker<InstanceState>,
}

impl Loader {
    /// An engine that optimizes for speed and caches compiled code in `cache_dir`.
    ///
    /// # Errors
    /// Returns an error if the cache directory cannot be used.
    pub(crate) fn new(cache_dir: &Path) -> Result<Self, LoadError> {
        Self::build(cache_dir).map_err(|cause| LoadError::Engine(one_line(&cause)))
    }

    fn build(cache_dir: &Path) -> wasmtime::Result<Self> {
        let mut cache = CacheConfig::new();
        cache.with_directory(cache_dir);
        let mut config = Config::new();
        config.cranelift_opt_level(OptLevel::Speed).cache(Some(Cache::new(cache)?));
        let engine = Engine::new(&config)?;
        let mut linker = Linker::new(&engine);
        wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
        wasmtime_wasi::p3::add_to_linker(&mut linker)?;
        wasmtime_wasi_http::p3::bindings::http::client::add_to_linker::<
            _,
            wasmtime_wasi_http::WasiHttp,
        >(&mut linker, InstanceState::http)?;
        wasmtime_wasi_http::p3::bindings::http::types::add_to_linker::<
            _,
            wasmtime_wasi_http::WasiHttp,
        >(&mut linker, InstanceState::http)?;
        key_value::add_to_linker(&mut linker, InstanceState::key_value)?;
        variable_access::add_to_linker(&mut linker, InstanceState::variables)?;
        Ok(Self { engine, linker })
    }

    /// Compiles the file and checks that this host provides all its imports.
    ///
    /// # Errors
    /// Returns an error if the file is missing, is not a component, or is incompatible with this
    /// host.
    pub(crate) fn load(
        &self,
        path: &Path,
        id: &str,
    ) -> Result<ServicePre<InstanceState>, LoadError> {
        let shown = path.display().to_string();
        if !path.is_file() {
            return Err(LoadError::Missing { id: id.to_owned(), path: shown });
        }
        let component = Component::from_file(&self.engine, path)
            .map_err(|cause| LoadError::Compile { path: shown.clone(), cause: one_line(&cause) })?;
        self.linker
            .instantiate_pre(&component)
            .and_then(ServicePre::new)
            .map_err(|cause| LoadError::Link { path: shown, cause: one_line(&cause) })
    }
}

/// The permissions and variables of one component.
pub(crate) struct Grants {
    /// The origins it may send requests to.
    pub(crate) outbound: Arc<AllowedHosts>,
    /// The key-value stores it may open.
    pub(crate) key_value_labels: Arc<BTreeSet<String>>,
    /// The variables it may read through `spin:variables`.
    pub(crate) variables: Arc<ComponentVariables>,
    /// The maximum linear memory of one instance, in bytes.
    pub(crate) memory_max_bytes: u64,
}

/// The state that all components share.
#[derive(Clone)]
pub(crate) struct ServerState {
    pub(crate) client: OutboundClient,
    pub(crate) database: Database,
    pub(crate) stats: Arc<Stats>,
    /// Becomes true when the host shuts down.
    pub(crate) shutdown: watch::Receiver<bool>,
}

/// A loaded component, instantiated on demand.
pub(crate) struct LoadedComponent {
    pre: ServicePre<InstanceState>,
    id: Arc<str>,
    grants: Grants,
    shared: ServerState,
}

impl LoadedComponent {
    /// A component with its grants and the shared state.
    pub(crate) fn new(
        pre: ServicePre<InstanceState>,
        id: &str,
        grants: Grants,
        shared: ServerState,
    ) -> Self {
        Self { pre, id: id.into(), grants, shared }
    }

    fn instance_state(&self, instance: u64) -> InstanceState {
        let ServerState { client, database, stats, .. } = self.shared.clone();
        let output = |stream| GuestOutput::new(self.id.clone(), instance, stream);
        let wasi = WasiCtx::builder()
            .stdout(output(OutputStream::Stdout))
            .stderr(output(OutputStream::Stderr))
            .build();
        let outbound = OutboundHooks { client, allowed: self.grants.outbound.clone() };
        let labels = self.grants.key_value_labels.clone();
        let key_value = KeyValueAccess { database, labels, stats: stats.clone() };
        let memory = MemoryLimiter::new(instance, self.grants.memory_max_bytes, stats);
        InstanceState::new(wasi, outbound, key_value, self.grants.variables.clone(), memory)
    }
}

impl HandlerState for LoadedComponent {
    type StoreData = InstanceState;
    type WorkerExpiration = IdleExpiration;
    type WorkerState = InstanceReusePolicy;

    async fn instantiate(
        &self,
    ) -> wasmtime::Result<Instance<InstanceState, IdleExpiration, InstanceReusePolicy>> {
        let id = NEXT_INSTANCE.fetch_add(1, Relaxed);
        let mut store = Store::new(self.pre.engine(), self.instance_state(id));
        store.limiter(|state| state.memory_limiter());
        let proxy = ProxyPre::P3(self.pre.clone()).instantiate_async(&mut store).await?;
        Ok(Instance {
            store,
            proxy,
            view: InstanceState::http,
            expiration: IdleExpiration::new(self.shared.shutdown.clone()),
            state: InstanceReusePolicy(Arc::new(InstanceRecord::new(id))),
        })
    }
}

/// The path of a component's `source`.
pub(crate) fn source_path(dir: &Path, source: &Path) -> PathBuf {
    dir.join(source)
}

fn one_line(error: &wasmtime::Error) -> String {
    format!("{error:#}").split_whitespace().collect::<Vec<_>>().join(" ")
}

static NEXT_INSTANCE: AtomicU64 = AtomicU64::new(1);
