//! The state and the limits of one component instance.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::time::{Sleep, sleep};
use wasmtime::component::ResourceTable;
use wasmtime::{ResourceLimiter, Store, StoreContextMut};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::handler::{ShouldAccept, WorkerExpiration, WorkerState, WorkerStatus};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView};

use crate::key_value::{KeyValueAccess, KeyValueView};
use crate::outbound::OutboundHooks;
use crate::stats::Stats;
use crate::variable_access::VariablesView;
use crate::variables::ComponentVariables;

/// The host state of one instance: the `T` of its `Store<T>`.
pub(crate) struct InstanceState {
    table: ResourceTable,
    wasi: WasiCtx,
    http: WasiHttpCtx,
    outbound: OutboundHooks,
    key_value: KeyValueAccess,
    variables: Arc<ComponentVariables>,
    memory: MemoryLimiter,
}

impl InstanceState {
    /// The state of a new instance.
    pub(crate) fn new(
        wasi: WasiCtx,
        outbound: OutboundHooks,
        key_value: KeyValueAccess,
        variables: Arc<ComponentVariables>,
        memory: MemoryLimiter,
    ) -> Self {
        let (table, http) = (ResourceTable::new(), WasiHttpCtx::new());
        Self { table, wasi, http, outbound, key_value, variables, memory }
    }

    /// The limiter of the instance's memory.
    pub(crate) fn memory_limiter(&mut self) -> &mut MemoryLimiter {
        &mut self.memory
    }

    /// The view of `wasi:http`.
    pub(crate) fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { hooks: &mut self.outbound, table: &mut self.table, ctx: &mut self.http }
    }

    /// The view of `spin:key-value`.
    pub(crate) fn key_value(&mut self) -> KeyValueView<'_> {
        KeyValueView { table: &mut self.table, access: &self.key_value }
    }

    /// The view of `spin:variables`.
    pub(crate) fn variables(&mut self) -> VariablesView<'_> {
        VariablesView(&self.variables)
    }
}

impl WasiView for InstanceState {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

/// The part of an instance's state that its requests share.
#[derive(Debug)]
pub(crate) struct InstanceRecord {
    /// Unique within the process.
    pub(crate) id: u64,
    trapped: AtomicBool,
}

impl InstanceRecord {
    /// The record of a new instance.
    pub(crate) fn new(id: u64) -> Self {
        Self { id, trapped: AtomicBool::new(false) }
    }

    /// Returns true if the instance trapped, so that its unfinished responses are truncated.
    pub(crate) fn trapped(&self) -> bool {
        self.trapped.load(Relaxed)
    }
}

/// Limits the linear memory of an instance: growth above the limit fails in the guest.
pub(crate) struct MemoryLimiter {
    instance: u64,
    max_bytes: u64,
    live_bytes: u64,
    stats: Arc<Stats>,
}

impl MemoryLimiter {
    /// The limiter of a new instance. The instance counts as live until the limiter is dropped.
    pub(crate) fn new(instance: u64, max_bytes: u64, stats: Arc<Stats>) -> Self {
        stats.instance_started(instance);
        Self { instance, max_bytes, live_bytes: 0, stats }
    }
}

impl ResourceLimiter for MemoryLimiter {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let live_bytes = self.live_bytes + desired.saturating_sub(current) as u64;
        if live_bytes > self.max_bytes {
            tracing::warn!(
                instance = self.instance,
                requested_bytes = live_bytes,
                max_bytes = self.max_bytes,
                "component memory limit reached; raise --component-memory-max-bytes"
            );
            return Ok(false);
        }
        self.live_bytes = live_bytes;
        self.stats.instance_memory(self.instance, live_bytes);
        Ok(true)
    }

    fn table_growing(
        &mut self,
        _current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        Ok(desired <= TABLE_ELEMENTS_MAX)
    }
}

impl Drop for MemoryLimiter {
    fn drop(&mut self) {
        self.stats.instance_ended(self.instance);
    }
}

/// How many requests an instance serves, and how it ends.
pub(crate) struct InstanceReusePolicy(pub(crate) Arc<InstanceRecord>);

impl WorkerState for InstanceReusePolicy {
    type StoreData = InstanceState;
    /// Receives the record of the instance that serves a request.
    type RequestData = Arc<OnceLock<Arc<InstanceRecord>>>;

    fn should_accept_request(&self, concurrent: usize, total: usize) -> ShouldAccept {
        match (concurrent, total) {
            (_, REQUESTS_PER_INSTANCE..) => ShouldAccept::Never,
            (CONCURRENT_REQUESTS_PER_INSTANCE.., _) => ShouldAccept::No,
            _ => ShouldAccept::Yes,
        }
    }

    fn on_request_start(
        &self,
        _store: StoreContextMut<'_, InstanceState>,
        served_by: Self::RequestData,
        _task: wasmtime::component::GuestTaskId,
    ) -> Pin<Box<dyn Future<Output = ()> + 'static + Send + Sync>> {
        // Each request is assigned to one instance only, so the cell is empty.
        let _ = served_by.set(self.0.clone());
        // An upload takes as long as its client sends, so requests have no deadline.
        Box::pin(std::future::pending())
    }

    fn drop(&self, store: Store<InstanceState>, result: Result<(), wasmtime::Error>) {
        if let Err(trap) = result {
            // Set before the store is dropped: that ends the bodies the guest was sending, which
            // must not look complete.
            self.0.trapped.store(true, Relaxed);
            let trap = format!("{trap:#}").replace('\n', " |");
            tracing::error!(instance = self.0.id, trap, "component trapped");
        }
        drop(store);
    }
}

/// Ends an instance after an idle time, or immediately when the host shuts down.
pub(crate) struct IdleExpiration {
    since: Option<Instant>,
    timer: Pin<Box<Sleep>>,
    shutdown: Pin<Box<dyn Future<Output = ()> + Send + Sync>>,
}

impl IdleExpiration {
    /// An expiration that also observes the host's shutdown.
    pub(crate) fn new(mut shutdown: watch::Receiver<bool>) -> Self {
        let shutdown = Box::pin(async move {
            // An error means that the host has dropped the sender.
            let _ = shutdown.wait_for(|shutdown| *shutdown).await;
        });
        Self { since: None, timer: Box::pin(sleep(IDLE_INSTANCE)), shutdown }
    }
}

impl WorkerExpiration for IdleExpiration {
    fn poll(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        status: WorkerStatus,
        start: Instant,
    ) -> Poll<()> {
        if status != WorkerStatus::Idle {
            self.since = None;
            return Poll::Pending;
        }
        if self.since != Some(start) {
            self.since = Some(start);
            let deadline = tokio::time::Instant::from_std(start + IDLE_INSTANCE);
            self.timer.as_mut().reset(deadline);
        }
        if self.timer.as_mut().poll(cx).is_ready() {
            return Poll::Ready(());
        }
        self.shutdown.as_mut().poll(cx)
    }
}

/// How many requests an instance serves before it is replaced, as in Spin.
const REQUESTS_PER_INSTANCE: usize = 128;
/// How many requests an instance serves at the same time, as in Spin.
const CONCURRENT_REQUESTS_PER_INSTANCE: usize = 16;
/// How long an instance may be idle, as in Spin.
const IDLE_INSTANCE: Duration = Duration::from_secs(1);
/// Generous for any component: its function table has one element per indirect callee.
const TABLE_ELEMENTS_MAX: usize = 1_000_000;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed assumption fails the test")]

    use std::future::poll_fn;

    use super::*;

    #[test]
    fn an_instance_accepts_16_concurrent_requests_and_128_in_total() {
        let reuse = InstanceReusePolicy(Arc::new(InstanceRecord::new(1)));
        assert!(matches!(reuse.should_accept_request(0, 0), ShouldAccept::Yes));
        assert!(matches!(reuse.should_accept_request(15, 127), ShouldAccept::Yes));
        assert!(matches!(reuse.should_accept_request(16, 127), ShouldAccept::No));
        assert!(matches!(reuse.should_accept_request(0, 128), ShouldAccept::Never));
        assert!(matches!(reuse.should_accept_request(16, 128), ShouldAccept::Never));
    }

    #[test]
    fn the_limit_applies_to_the_sum_of_an_instances_memories() {
        let stats = Arc::new(Stats::default());
        let mut memory = MemoryLimiter::new(1, 300, stats.clone());
        assert!(memory.memory_growing(0, 100, None).unwrap());
        assert!(memory.memory_growing(0, 150, None).unwrap());
        assert!(!memory.memory_growing(100, 151, None).unwrap());
        assert!(memory.memory_growing(100, 150, None).unwrap());
        assert_eq!(stats.instances_live(), 1);
        drop(memory);
        assert_eq!(stats.instances_live(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn an_idle_instance_ends_after_the_idle_time() {
        let (_shutdown, seen) = watch::channel(false);
        let mut expiration = Box::pin(IdleExpiration::new(seen));
        let idle_since = Instant::now();
        let before = tokio::time::Instant::now();
        poll_fn(|cx| expiration.as_mut().poll(cx, WorkerStatus::Idle, idle_since)).await;
        let waited = before.elapsed();
        assert!(waited < IDLE_INSTANCE * 2 && waited > IDLE_INSTANCE / 2, "{waited:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn an_active_instance_does_not_end() {
        let (shutdown, seen) = watch::channel(false);
        shutdown.send(true).unwrap();
        let mut expiration = Box::pin(IdleExpiration::new(seen));
        let long_ago = Instant::now();
        tokio::time::advance(IDLE_INSTANCE * 10).await;
        for status in [WorkerStatus::Requests, WorkerStatus::PostReturn] {
            let mut context = Context::from_waker(std::task::Waker::noop());
            assert!(expiration.as_mut().poll(&mut context, status, long_ago).is_pending());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_shutdown_ends_an_idle_instance_immediately() {
        let (shutdown, seen) = watch::channel(false);
        let mut expiration = Box::pin(IdleExpiration::new(seen));
        let before = tokio::time::Instant::now();
        shutdown.send(true).unwrap();
        let idle_since = Instant::now();
        poll_fn(|cx| expiration.as_mut().poll(cx, WorkerStatus::Idle, idle_since)).await;
        assert_eq!(before.elapsed(), Duration::ZERO);
    }
}
