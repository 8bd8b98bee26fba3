//! One run: the environment, the instances, and their crashes.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use futures::FutureExt as _;
use futures::channel::oneshot;
use vod_uploader::credential::SealKey;
use vod_uploader::upload::StoreOwner;
use vod_uploader_relay::engine::http::RequestHead;
use vod_uploader_relay::ports::Ports;
use vod_uploader_relay::{Config, Relay, Response, Variables};

use super::body::{ChannelBody, InstanceBody};
use super::environment::Environment;
use super::ports::InstancePorts;
use super::setting::Setting;
use super::variables::{SEAL_KEY, variables};
use crate::world::{Owner, TaskId, World};

/// Polls and timer events after which a run counts as endless.
const STEPS_MAX: u64 = 3_000_000;

/// How often the memory of the instances is compared with their budget, in steps.
const MEMORY_CHECK_STEPS: u64 = 32;

/// A run.
pub(crate) struct Simulation {
    pub(crate) environment: Rc<Environment>,
    /// The instance of each slot, if one is running.
    slots: RefCell<Vec<Option<usize>>>,
    instances: RefCell<Vec<Option<Relay>>>,
    variables: Variables,
    steps: Cell<u64>,
    crashes: Cell<u32>,
    requests: Cell<u64>,
}

impl Simulation {
    /// A run at its start, without instances and clients.
    pub(crate) fn new(setting: Setting) -> Rc<Self> {
        let mut world = World::default();
        let variables = variables(&mut world, &setting);
        if setting.seed.is_multiple_of(2) {
            // The deployment has run before.
            let seal_key = SealKey::parse(SEAL_KEY).unwrap();
            let owner = StoreOwner::worker(Some(&seal_key)).encode().unwrap();
            world.kv.values.insert(StoreOwner::KEY.to_owned(), owner);
        }
        Rc::new(Self {
            slots: RefCell::new(vec![None; setting.instances]),
            environment: Rc::new(Environment::new(setting, world)),
            instances: RefCell::default(),
            variables,
            steps: Cell::new(0),
            crashes: Cell::new(0),
            requests: Cell::new(0),
        })
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

    /// Starts to serve a request in the instance of any slot. The receiver fails if the instance
    /// crashes first.
    pub(crate) fn serve(
        &self,
        head: RequestHead,
        body: ChannelBody,
    ) -> (TaskId, oneshot::Receiver<Response>) {
        self.requests.set(self.requests.get() + 1);
        let environment = &self.environment;
        let slot = environment.below(environment.setting.instances as u64) as usize;
        let index = self.running_instance(slot);
        let relay = self.instances.borrow()[index].clone().unwrap();
        environment.trace(|| format!("instance {index}: {} {}", head.method(), head.path()));
        let (sender, receiver) = oneshot::channel();
        let body = Box::new(InstanceBody::new(body, Rc::clone(environment), index));
        let handled = async move {
            let response = relay.handle(head, body).await;
            let _ = sender.send(response);
        };
        (environment.executor.spawn(Owner::Instance(index), handled.boxed_local()), receiver)
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

    /// One step. Returns `false` if nothing can happen.
    pub(crate) fn step(&self) -> bool {
        self.steps.set(self.steps.get() + 1);
        assert!(self.steps.get() < STEPS_MAX, "the run does not end");
        let has_progressed = self.environment.executor.step();
        if self.steps.get().is_multiple_of(MEMORY_CHECK_STEPS) {
            self.check_instances();
        }
        for index in self.environment.take_crashing() {
            self.crash(index);
        }
        has_progressed
    }

    /// Drops all tasks: they refer to the simulation.
    pub(crate) fn end(&self) {
        self.environment.executor.clear();
        self.instances.borrow_mut().clear();
    }

    /// Checks the memory of each instance.
    pub(crate) fn check_instances(&self) {
        for (index, relay) in self.instances.borrow().iter().enumerate() {
            let Some(relay) = relay else { continue };
            let tasks = self.environment.executor.task_count(Owner::Instance(index)) as u64;
            self.environment.checker.borrow().check_memory(relay.held_buffer_bytes(), tasks);
        }
    }

    fn running_instance(&self, slot: usize) -> usize {
        if let Some(index) = self.slots.borrow()[slot] {
            return index;
        }
        let index = self.environment.add_instance();
        let port = Rc::new(InstancePorts::new(Rc::clone(&self.environment), index));
        let ports = Ports {
            key_value: port.clone(),
            http: port.clone(),
            clock: port.clone(),
            random: port.clone(),
            spawn: port.clone(),
            log: port,
        };
        let relay = Relay::new(ports, Config::new(&self.variables).unwrap());
        self.instances.borrow_mut().push(Some(relay));
        self.slots.borrow_mut()[slot] = Some(index);
        index
    }

    /// Drops all tasks and memory of an instance. A new instance serves the next request to its
    /// slot.
    fn crash(&self, index: usize) {
        let relay = self.instances.borrow_mut()[index].take();
        if relay.is_none() {
            return;
        }
        self.environment.remove_instance(index);
        self.environment.trace(|| format!("instance {index} crashes"));
        self.crashes.set(self.crashes.get() + 1);
        for slot in self.slots.borrow_mut().iter_mut().filter(|slot| **slot == Some(index)) {
            *slot = None;
        }
        self.environment.executor.cancel_all(Owner::Instance(index));
        drop(relay);
    }
}
