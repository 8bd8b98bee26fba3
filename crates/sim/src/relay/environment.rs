//! What the instances and the clients of a run share: the world, the executor, faults and crashes.

use std::cell::{Cell, RefCell};
use std::future::pending;
use std::rc::Rc;
use std::time::Duration;

use futures::future::LocalBoxFuture;
use vod_uploader::units::UnixMillis;
use vod_uploader::vod::MediaKind;

use super::checker::InvariantChecker;
#[cfg(test)]
use super::costs::KeyValueCost;
use super::message::{Reply, Request};
use super::sent::SentRequest;
use super::setting::{OperationFault, Orphans, Rates, Setting};
use crate::world::{
    Content, Executor, Grant, Operation, Owner, Random, ServiceCall, ServiceResult, Sleep, World,
};

/// How long an operation takes in one direction, in milliseconds.
const LATENCY_MS_MAX: u64 = 8;

/// How long a slow operation takes in one direction, in milliseconds.
const SLOW_MS_MAX: u64 = 4_000;

/// How much longer an operation may take whose instance has crashed, in milliseconds: less than the
/// lease of the lock that elects who creates a FilePond upload (`retry_elapsed_max_ms` and
/// `request_timeout_ms`). The lock does not exclude a holder whose writes take effect after that.
const LINGER_MS_MAX: u64 = 15_000;

/// The environment of the instances and clients.
pub(crate) struct Environment {
    pub(crate) executor: Rc<Executor>,
    pub(crate) setting: Setting,
    pub(crate) world: RefCell<World>,
    pub(crate) checker: RefCell<InvariantChecker>,
    rates: Cell<Rates>,
    random: RefCell<Random>,
    /// Whether each instance is running.
    running: RefCell<Vec<bool>>,
    /// Instances that crash as soon as the task that is polled yields.
    crashing: RefCell<Vec<usize>>,
    crash_points: Cell<u64>,
    operations: Cell<u64>,
    /// The operations of the key-value store that have ended, once they are measured.
    #[cfg(test)]
    pub(super) costs: RefCell<Option<Vec<KeyValueCost>>>,
    /// When the crash or the fault occurred that the setting plans.
    planned_fault_at: Cell<Option<UnixMillis>>,
    is_calm: Cell<bool>,
}

impl Environment {
    /// An environment without instances, whose `world` has the faults of `setting`.
    pub(super) fn new(setting: Setting, mut world: World) -> Self {
        let mut random = Random::seeded(setting.seed);
        world.is_traced = setting.is_traced;
        world.store.list_page = 2;
        mix_faults(&mut world, &mut random, &setting.rates);
        world.vod.credential_ttl = setting.credential_lifetime;
        Self {
            executor: Rc::new(Executor::new(world.clock.clone(), random.below(u64::MAX))),
            world: RefCell::new(world),
            checker: RefCell::new(InvariantChecker::new(ttl_min(&setting))),
            rates: Cell::new(setting.rates),
            random: RefCell::new(random),
            running: RefCell::default(),
            crashing: RefCell::default(),
            crash_points: Cell::new(0),
            operations: Cell::new(0),
            #[cfg(test)]
            costs: RefCell::default(),
            planned_fault_at: Cell::new(None),
            is_calm: Cell::new(false),
            setting,
        }
    }

    pub(crate) fn now(&self) -> UnixMillis {
        self.executor.now()
    }

    pub(crate) fn sleep(&self, duration: Duration) -> Sleep {
        self.executor.sleep(duration)
    }

    /// Returns `true` in `per_mille` of a thousand cases.
    pub(crate) fn chance(&self, per_mille: u64) -> bool {
        per_mille > 0 && self.random.borrow_mut().chance(per_mille)
    }

    pub(crate) fn below(&self, bound: u64) -> u64 {
        self.random.borrow_mut().below(bound)
    }

    pub(crate) fn rates(&self) -> Rates {
        self.rates.get()
    }

    pub(super) fn crash_points(&self) -> u64 {
        self.crash_points.get()
    }

    pub(super) fn operations(&self) -> u64 {
        self.operations.get()
    }

    /// A new media asset and its credential from the application server.
    pub(crate) fn create_media(&self) -> Grant {
        self.world.borrow_mut().create_media(MediaKind::Video)
    }

    /// A new credential of a media asset from the application server.
    pub(crate) fn refresh_media(&self, media_id: &str) -> Grant {
        let grant = self.world.borrow_mut().refresh_media(media_id);
        grant.expect("the application server has created the media")
    }

    /// Checks the object of a media asset that a response has reported as complete.
    pub(crate) fn check_object(&self, media_id: &str, content: &Content) {
        let world = self.world.borrow();
        let media = world.vod.media.get(media_id);
        let media = media.unwrap_or_else(|| panic!("no media has the id {media_id:?}"));
        let stored = world.store.objects.get(&media.object);
        let stored = stored.unwrap_or_else(|| panic!("{media_id} is complete without an object"));
        assert_eq!(stored.bytes.len() as u64, content.len(), "{media_id} has another length");
        assert!(stored.bytes == content.bytes(), "{media_id} has other bytes");
    }

    /// A client sends a request.
    pub(super) fn observe_request(&self, request: &Request) -> SentRequest {
        let mut checker = self.checker.borrow_mut();
        checker.observe_request(request);
        let mut sent = SentRequest::new(request, self.now());
        sent.floor = sent.upload.as_deref().map_or(0, |id| checker.acknowledged(id));
        sent
    }

    /// A client receives a response.
    pub(super) fn observe_response(&self, sent: &SentRequest, reply: &Reply) {
        let (mut checker, world) = (self.checker.borrow_mut(), self.world.borrow());
        checker.observe_response(sent, reply, &world.kv, self.now());
    }

    /// An instance crashes, an operation fails or is slow, or a request is aborted.
    pub(super) fn observe_disturbance(&self) {
        self.checker.borrow_mut().observe_disturbance();
    }

    /// Checks that no upload that a client knows has disappeared.
    pub(super) fn check_known_uploads(&self) {
        self.checker.borrow().check_known_uploads(&self.world.borrow().kv, self.now());
    }

    /// Counts an operation of a port. Returns its fault, if it is the one that fails.
    pub(super) fn next_operation_fault(&self) -> Option<OperationFault> {
        let number = self.operations.get() + 1;
        self.operations.set(number);
        let (_, fault) = self.setting.fault_at.filter(|(at, _)| *at == number)?;
        self.planned_fault_at.set(Some(self.now()));
        Some(fault)
    }

    /// Counts a point at which `instance` can crash. Returns `true` if it does.
    pub(super) fn is_crash_point(&self, instance: usize) -> bool {
        if !self.is_running(instance) {
            return true;
        }
        let point = self.crash_points.get() + 1;
        self.crash_points.set(point);
        let is_planned = self.setting.crash_at == Some(point);
        if is_planned {
            self.planned_fault_at.set(Some(self.now()));
        }
        let crashes = is_planned || self.chance(self.rates().crashes);
        if crashes {
            self.crashing.borrow_mut().push(instance);
        }
        crashes
    }

    /// Waits forever if `instance` crashes at this point.
    pub(super) async fn survive(&self, instance: usize) {
        if self.is_crash_point(instance) {
            pending::<()>().await;
        }
    }

    /// When the crash or the fault occurred that the setting plans.
    pub(super) fn planned_fault_at(&self) -> Option<UnixMillis> {
        self.planned_fault_at.get()
    }

    /// Adds a running instance. Returns its index.
    pub(super) fn add_instance(&self) -> usize {
        self.running.borrow_mut().push(true);
        self.running.borrow().len() - 1
    }

    pub(super) fn is_running(&self, instance: usize) -> bool {
        self.running.borrow()[instance]
    }

    /// Marks an instance as crashed.
    pub(super) fn remove_instance(&self, instance: usize) {
        self.running.borrow_mut()[instance] = false;
        self.observe_disturbance();
    }

    /// The instances that crash now.
    pub(super) fn take_crashing(&self) -> Vec<usize> {
        self.crashing.take()
    }

    /// Runs work of an instance that outlives its request.
    pub(super) fn spawn_in(&self, instance: usize, task: LocalBoxFuture<'static, ()>) {
        // A task that is dropped in a crash may start others while it is dropped.
        if self.is_running(instance) {
            self.executor.spawn(Owner::Instance(instance), task);
        }
    }

    /// Waits for the arrival of an operation of `instance`. Returns `false` if it never arrives.
    pub(super) async fn arrives(&self, instance: usize) -> bool {
        self.sleep(self.latency()).await;
        if self.is_running(instance) {
            return true;
        }
        let orphans = match self.setting.orphans {
            Orphans::Mixed => {
                [Orphans::Land, Orphans::Lost, Orphans::Linger][self.below(3) as usize]
            }
            orphans => orphans,
        };
        if orphans == Orphans::Linger {
            self.sleep(Duration::from_millis(self.below(LINGER_MS_MAX))).await;
        }
        orphans != Orphans::Lost
    }

    /// How long an operation takes in one direction.
    pub(crate) fn latency(&self) -> Duration {
        let slow = self.chance(self.rates().slow);
        if slow {
            // The deadline of the operation may pass.
            self.observe_disturbance();
        }
        Duration::from_millis(1 + self.below(if slow { SLOW_MS_MAX } else { LATENCY_MS_MAX }))
    }

    /// Executes a call, sent at `sent_at`, with a fault. Returns `None` if no result arrives.
    pub(super) fn execute(
        &self,
        call: &ServiceCall,
        sent_at: UnixMillis,
        fault: Option<OperationFault>,
    ) -> Option<ServiceResult> {
        let result = self.execute_call(call, sent_at, fault);
        if !result.as_ref().is_some_and(ServiceResult::is_ok) {
            self.observe_disturbance();
        }
        result
    }

    fn execute_call(
        &self,
        call: &ServiceCall,
        sent_at: UnixMillis,
        fault: Option<OperationFault>,
    ) -> Option<ServiceResult> {
        if fault == Some(OperationFault::Failed) {
            return Some(call.failure());
        }
        if let ServiceCall::Send { request, .. } = call {
            self.checker.borrow().check_request(request);
        }
        let mut world = self.world.borrow_mut();
        if let ServiceCall::KvDelete { key } = call {
            self.checker.borrow_mut().observe_deletion_attempt(key, world.now());
        }
        let is_deletion =
            matches!(call, ServiceCall::KvDelete { key } if world.kv.values.contains_key(key));
        let result = world.execute(call);
        match call {
            ServiceCall::KvSet { key, value } if world.kv.values.get(key) == Some(value) => {
                self.checker.borrow_mut().observe_write(key, value, world.now());
            }
            ServiceCall::KvDelete { key } if is_deletion && !world.kv.values.contains_key(key) => {
                self.checker.borrow_mut().observe_deletion(key, &world.kv, world.now());
            }
            ServiceCall::Send { request, .. }
                if matches!(call.operation(), Some(Operation::Complete | Operation::PutObject)) =>
            {
                let key = request.url.path().trim_start_matches('/');
                if let Some(stored) = world.store.objects.get(key) {
                    self.checker.borrow_mut().observe_object(key, &stored.bytes, sent_at);
                }
            }
            ServiceCall::Send { request, .. }
                if call.operation() == Some(Operation::DeleteObject) =>
            {
                let key = request.url.path().trim_start_matches('/');
                self.checker.borrow_mut().observe_object_deletion(key, world.now());
            }
            _ => {}
        }
        match fault {
            Some(OperationFault::Unconfirmed) => Some(call.failure()),
            Some(OperationFault::Silent) => None,
            _ => result,
        }
    }

    pub(crate) fn is_calm(&self) -> bool {
        self.is_calm.get()
    }

    /// Faults occur at these rates from now on.
    pub(super) fn set_rates(&self, rates: Rates) {
        self.rates.set(rates);
        mix_faults(&mut self.world.borrow_mut(), &mut self.random.borrow_mut(), &rates);
    }

    /// Removes all faults.
    pub(super) fn calm_down(&self) {
        self.is_calm.set(true);
        self.trace(|| "no faults from now on".to_owned());
        self.rates.set(Rates::default());
        self.world.borrow_mut().clear_faults();
    }

    /// Prints a line if the run is traced.
    pub(crate) fn trace(&self, line: impl FnOnce() -> String) {
        self.world.borrow().trace(line);
    }
}

/// How long an upload without new bytes is kept at least: the clocks of two instances may differ.
fn ttl_min(setting: &Setting) -> Duration {
    setting.expire_after.saturating_sub(Duration::from_millis(2 * setting.clock_skew_ms_max))
}

fn mix_faults(world: &mut World, random: &mut Random, rates: &Rates) {
    world.store.faults.mix(random.below(u64::MAX), rates.oss_failed);
    world.vod.mix = Some((Random::seeded(random.below(u64::MAX)), rates.vod_failed));
    world.kv.mix = Some((Random::seeded(random.below(u64::MAX)), rates.kv_failed));
}
