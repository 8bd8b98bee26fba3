//! One run: the time, the services, the instances, and the crashes.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use futures::FutureExt as _;
use futures::channel::oneshot;
use futures::future::LocalBoxFuture;
use vod_uploader::units::UnixMillis;
use vod_uploader_relay::engine::http::RequestHead;
use vod_uploader_relay::ports::{Body, Ports};
use vod_uploader_relay::{Config, Relay, Response, Variables};

use super::checker::InvariantChecker;
use super::executor::{Executor, Owner, Sleep, TaskId};
use super::ports::InstancePorts;
use super::setting::{OperationFault, Rates, Setting};
use crate::vod::Grant;
use crate::{Kv, Random, START, Store, Vod};

/// Polls and timer events after which a run counts as endless.
const STEPS_MAX: u64 = 3_000_000;

/// How often the memory of the instances is compared with their budget, in steps.
const MEMORY_CHECK_STEPS: u64 = 32;

/// Once nothing goes wrong any more, credentials live this long.
const CALM_CREDENTIAL_LIFETIME: Duration = Duration::from_secs(3_000);

/// How long an upload without new bytes is kept in all runs.
pub(crate) const EXPIRE_AFTER: Duration = Duration::from_secs(3_600);

/// Everything of one run.
pub(crate) struct Simulation {
    pub(crate) executor: Rc<Executor>,
    pub(crate) setting: Setting,
    pub(crate) store: RefCell<Store>,
    pub(crate) vod: RefCell<Vod>,
    pub(crate) kv: RefCell<Kv>,
    pub(crate) checker: RefCell<InvariantChecker>,
    pub(crate) rates: Cell<Rates>,
    random: RefCell<Random>,
    /// The instance of each slot, if one is running.
    slots: RefCell<Vec<Option<usize>>>,
    instances: RefCell<Vec<Option<Relay>>>,
    /// Instances that crash as soon as the task that is polled yields.
    crashing: RefCell<Vec<usize>>,
    variables: Variables,
    crash_points: Cell<u64>,
    operations: Cell<u64>,
    steps: Cell<u64>,
    crashes: Cell<u32>,
    requests: Cell<u64>,
    is_calm: Cell<bool>,
    has_client_credentials: Cell<bool>,
}

impl Simulation {
    /// A run at its start, without instances and clients.
    pub(crate) fn new(setting: Setting) -> Rc<Self> {
        let mut random = Random::seeded(setting.seed);
        let (mut store, mut vod, mut kv) = (Store::default(), Vod::default(), Kv::default());
        let variables = variables(&mut store, &mut vod);
        store.list_page = 2;
        store.faults.mix(random.below(u64::MAX), setting.rates.oss_failed);
        vod.mix = Some((Random::seeded(random.below(u64::MAX)), setting.rates.vod_failed));
        kv.mix = Some((Random::seeded(random.below(u64::MAX)), setting.rates.kv_failed));
        vod.life = setting.credential_lifetime;
        Rc::new(Self {
            executor: Rc::new(Executor::new(random.below(u64::MAX))),
            store: RefCell::new(store),
            vod: RefCell::new(vod),
            kv: RefCell::new(kv),
            checker: RefCell::default(),
            rates: Cell::new(setting.rates),
            random: RefCell::new(random),
            slots: RefCell::new(vec![None; setting.instances]),
            instances: RefCell::default(),
            crashing: RefCell::default(),
            variables,
            crash_points: Cell::new(0),
            operations: Cell::new(0),
            steps: Cell::new(0),
            crashes: Cell::new(0),
            requests: Cell::new(0),
            is_calm: Cell::new(false),
            has_client_credentials: Cell::new(false),
            setting,
        })
    }

    pub(crate) fn now(&self) -> UnixMillis {
        self.executor.now()
    }

    pub(crate) fn sleep(&self, duration: Duration) -> Sleep {
        self.executor.sleep(duration)
    }

    /// Returns true in `per_mille` of a thousand cases.
    pub(crate) fn chance(&self, per_mille: u64) -> bool {
        per_mille > 0 && self.random.borrow_mut().chance(per_mille)
    }

    pub(crate) fn below(&self, bound: u64) -> u64 {
        self.random.borrow_mut().below(bound)
    }

    pub(crate) fn crash_points(&self) -> u64 {
        self.crash_points.get()
    }

    pub(crate) fn operations(&self) -> u64 {
        self.operations.get()
    }

    pub(crate) fn steps(&self) -> u64 {
        self.steps.get()
    }

    pub(crate) fn crashes(&self) -> u32 {
        self.crashes.get()
    }

    pub(crate) fn requests(&self) -> u64 {
        self.requests.get()
    }

    /// A new media and its credential, as the application server passes them on.
    pub(crate) fn create_media(&self) -> Grant {
        self.has_client_credentials.set(true);
        self.vod.borrow_mut().create(&mut self.store.borrow_mut(), self.now(), true)
    }

    /// A new credential of a media, as the application server passes it on.
    pub(crate) fn refresh_media(&self, media_id: &str) -> Grant {
        let grant =
            self.vod.borrow_mut().refresh(&mut self.store.borrow_mut(), self.now(), media_id);
        grant.expect("the application server has created the media")
    }

    /// Starts to serve a request in the instance of any slot. The receiver fails if the instance
    /// crashes first.
    pub(crate) fn serve(
        self: &Rc<Self>,
        head: RequestHead,
        body: Box<dyn Body>,
    ) -> (TaskId, oneshot::Receiver<Response>) {
        self.requests.set(self.requests.get() + 1);
        let slot = self.below(self.setting.instances as u64) as usize;
        let index = self.running_instance(slot);
        let relay = self.instances.borrow()[index].clone().unwrap();
        self.trace(|| format!("instance {index}: {} {}", head.method(), head.path()));
        let (sender, receiver) = oneshot::channel();
        let handled = async move {
            let response = relay.handle(head, body).await;
            let _ = sender.send(response);
        };
        (self.executor.spawn(Owner::Instance(index), handled.boxed_local()), receiver)
    }

    /// Runs until `is_done`.
    ///
    /// # Panics
    /// If nothing more can happen before, or if it takes too many steps.
    pub(crate) fn run_until(&self, is_done: impl Fn() -> bool) {
        while !is_done() {
            assert!(self.step(), "nothing more can happen, and the run is not done");
        }
    }

    /// One step. Returns false if nothing can happen.
    pub(crate) fn step(&self) -> bool {
        self.steps.set(self.steps.get() + 1);
        assert!(self.steps.get() < STEPS_MAX, "the run does not end");
        let has_progressed = self.executor.step();
        if self.steps.get().is_multiple_of(MEMORY_CHECK_STEPS) {
            self.check_instances();
        }
        for index in self.crashing.take() {
            self.crash(index);
        }
        has_progressed
    }

    /// Counts an operation of a port. Returns how it fails, if it is the one that does.
    pub(crate) fn next_operation_fault(&self) -> Option<OperationFault> {
        let number = self.operations.get() + 1;
        self.operations.set(number);
        self.setting.fault_at.filter(|(at, _)| *at == number).map(|(_, fault)| fault)
    }

    /// Counts a point at which `instance` can crash. Returns true if it does.
    pub(crate) fn is_crash_point(&self, instance: usize) -> bool {
        if !self.is_alive(instance) {
            return true;
        }
        let point = self.crash_points.get() + 1;
        self.crash_points.set(point);
        let crashes = self.setting.crash_at == Some(point) || self.chance(self.rates.get().crashes);
        if crashes {
            self.crashing.borrow_mut().push(instance);
        }
        crashes
    }

    pub(crate) fn is_alive(&self, instance: usize) -> bool {
        self.instances.borrow()[instance].is_some()
    }

    /// Runs work of an instance that outlives its request.
    pub(crate) fn spawn_in(&self, instance: usize, task: LocalBoxFuture<'static, ()>) {
        // A task that is dropped in a crash may start others while it is dropped.
        if self.is_alive(instance) {
            self.executor.spawn(Owner::Instance(instance), task);
        }
    }

    /// Returns true if a client has a credential of the application server.
    pub(crate) fn has_client_credentials(&self) -> bool {
        self.has_client_credentials.get()
    }

    pub(crate) fn is_calm(&self) -> bool {
        self.is_calm.get()
    }

    /// Nothing goes wrong from now on.
    pub(crate) fn calm_down(&self) {
        self.is_calm.set(true);
        self.trace(|| "nothing goes wrong from now on".to_owned());
        self.rates.set(Rates::default());
        self.store.borrow_mut().faults.clear();
        self.vod.borrow_mut().mix = None;
        self.vod.borrow_mut().life = CALM_CREDENTIAL_LIFETIME;
        self.kv.borrow_mut().mix = None;
    }

    /// Drops all tasks: they refer to the simulation.
    pub(crate) fn end(&self) {
        self.executor.clear();
        self.instances.borrow_mut().clear();
    }

    /// Checks what must hold of each instance at any time.
    pub(crate) fn check_instances(&self) {
        for (index, relay) in self.instances.borrow().iter().enumerate() {
            let Some(relay) = relay else { continue };
            let tasks = self.executor.task_count(Owner::Instance(index)) as u64;
            self.checker.borrow().check_memory(relay.held_buffer_bytes(), tasks);
        }
    }

    /// Prints a line if the run is traced.
    pub(crate) fn trace(&self, line: impl FnOnce() -> String) {
        if self.setting.is_traced {
            eprintln!("{:>9} ms  {}", self.now().0 - START.0, line());
        }
    }

    fn running_instance(self: &Rc<Self>, slot: usize) -> usize {
        if let Some(index) = self.slots.borrow()[slot] {
            return index;
        }
        let index = self.instances.borrow().len();
        let port = Rc::new(InstancePorts::new(Rc::clone(self), index));
        let ports = Ports {
            key_value: port.clone(),
            http: port.clone(),
            clock: port.clone(),
            random: port.clone(),
            spawn: port,
        };
        let relay = Relay::new(ports, Config::new(&self.variables).unwrap());
        self.instances.borrow_mut().push(Some(relay));
        self.slots.borrow_mut()[slot] = Some(index);
        index
    }

    /// Drops everything of an instance; another one serves the next request to its slot.
    fn crash(&self, index: usize) {
        let relay = self.instances.borrow_mut()[index].take();
        if relay.is_none() {
            return;
        }
        self.trace(|| format!("instance {index} crashes"));
        self.crashes.set(self.crashes.get() + 1);
        for slot in self.slots.borrow_mut().iter_mut().filter(|slot| **slot == Some(index)) {
            *slot = None;
        }
        self.executor.cancel_all(Owner::Instance(index));
        drop(relay);
    }
}

/// A worker with its own access key, small parts and short deadlines.
fn variables(store: &mut Store, vod: &mut Vod) -> Variables {
    let token = vod.token(store, START, Duration::from_secs(10 * 365 * 24 * 3_600));
    let mut variables = Variables::default();
    for (name, value) in [
        ("vod_access_key_id", token.credential.access_key_id.as_str()),
        ("vod_access_key_secret", crate::vod::SECRET),
        ("vod_security_token", crate::vod::TOKEN),
        ("part_size_bytes", "102400"),
        ("parallel", "3"),
        ("request_timeout_ms", "2000"),
        ("retry_attempts", "4"),
        ("retry_elapsed_max_ms", "20000"),
        ("seal_key", SEAL_KEY),
        ("expire_after_s", &EXPIRE_AFTER.as_secs().to_string()),
        ("temporary_bucket", "temporary"),
        ("temporary_prefix", TEMPORARY_PREFIX),
    ] {
        assert!(Variables::NAMES.contains(&name), "{name}");
        variables.set(name, value);
    }
    variables
}

/// The start of the keys of temporary objects.
pub(crate) const TEMPORARY_PREFIX: &str = "temporary/";

/// Base64 of 32 bytes.
pub(crate) const SEAL_KEY: &str = "c2VhbC1rZXktc2VhbC1rZXktc2VhbC1rZXktc2VhbCE=";
