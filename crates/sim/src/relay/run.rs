//! One run from its start to its end.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use futures::FutureExt as _;

use super::checker::EndCause;
use super::cleanup::{clean_up, clean_up_often};
use super::known_exceptions::KnownException;
use super::scenario::Scenario;
use super::setting::Setting;
use super::simulation::Simulation;
use crate::world::{Owner, START};

/// How long clients may take after the last fault.
const COMPLETION_TIME_MAX: Duration = Duration::from_secs(600);

/// How long clients may take after a single crash or fault.
const RECOVERY_TIME_MAX: Duration = Duration::from_secs(40);

/// Requests that clients may send after a single crash or fault.
const RECOVERY_REQUESTS_MAX: u64 = 30;

/// The result of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunReport {
    /// Points at which an instance could crash, until all clients had completed.
    pub crash_points: u64,
    /// Operations of ports, until all clients had completed.
    pub operations: u64,
    /// Points at which an instance could crash in the cleanup at the end.
    pub cleanup_crash_points: u64,
    /// Operations of ports in that cleanup.
    pub cleanup_operations: u64,
    /// Instances that crashed.
    pub crashes: u32,
    /// Requests of clients.
    pub requests: u64,
    /// Polls and timer events.
    pub steps: u64,
    /// Virtual duration in milliseconds, until all clients had completed.
    pub completed_after_ms: u64,
    /// Virtual time that clients took after the last fault, in milliseconds.
    pub calm_ms: u64,
    /// Virtual time that clients took after the planned crash or fault, in milliseconds.
    pub recovery_ms: u64,
    /// Requests of clients after the planned crash or fault.
    pub recovery_requests: u64,
    /// How often clients have started again because an upload was gone, by cause.
    pub restarts: BTreeMap<EndCause, u64>,
    /// Number of leftovers by known reason.
    pub exceptions: BTreeMap<KnownException, u64>,
}

impl RunReport {
    /// Checks that the clients have completed soon after the planned crash or fault.
    pub(super) fn check_recovery(&self) {
        let (time, requests) = (Duration::from_millis(self.recovery_ms), self.recovery_requests);
        assert!(time <= RECOVERY_TIME_MAX, "clients complete {time:?} after the fault");
        assert!(
            requests <= RECOVERY_REQUESTS_MAX,
            "clients send {requests} requests after the fault"
        );
    }

    /// Adds the numbers of another run; of those after the last fault the larger ones are kept.
    pub(super) fn add(&mut self, other: &Self) {
        self.crash_points += other.crash_points;
        self.operations += other.operations;
        self.cleanup_crash_points += other.cleanup_crash_points;
        self.cleanup_operations += other.cleanup_operations;
        self.crashes += other.crashes;
        self.requests += other.requests;
        self.steps += other.steps;
        self.completed_after_ms += other.completed_after_ms;
        self.calm_ms = self.calm_ms.max(other.calm_ms);
        self.recovery_ms = self.recovery_ms.max(other.recovery_ms);
        self.recovery_requests = self.recovery_requests.max(other.recovery_requests);
        for (cause, count) in &other.restarts {
            *self.restarts.entry(*cause).or_default() += count;
        }
        for (exception, count) in &other.exceptions {
            *self.exceptions.entry(*exception).or_default() += count;
        }
    }
}

/// Runs `scenario` with `setting`.
///
/// # Panics
/// If an invariant is violated, a client does not complete, or something is left that is not a
/// [`KnownException`].
#[must_use]
pub fn run(setting: Setting, scenario: &Scenario) -> RunReport {
    let simulation = Simulation::new(setting);
    let environment = &simulation.environment;
    environment.trace(|| format!("{scenario:?} {:#?}", environment.setting));
    let running = start_clients(&simulation, scenario);
    if environment.setting.cleans_up_often {
        let cleanup = clean_up_often(Rc::clone(&simulation)).boxed_local();
        environment.executor.spawn(Owner::Environment, cleanup);
    }
    let calm_at = START + environment.setting.calm_after;
    let is_over = || running.get() == 0 || environment.now() >= calm_at;
    simulation.run_until(|| is_over() || environment.planned_fault_at().is_some());
    let requests_before = simulation.requests();
    simulation.run_until(is_over);
    environment.calm_down();
    let calm_since = environment.now();
    let deadline = calm_since + COMPLETION_TIME_MAX;
    simulation.run_until(|| {
        assert!(environment.now() < deadline, "{} clients do not complete", running.get());
        running.get() == 0
    });
    environment.check_known_uploads();
    let mut report = RunReport {
        crash_points: environment.crash_points(),
        operations: environment.operations(),
        requests: simulation.requests(),
        completed_after_ms: environment.now().0 - START.0,
        calm_ms: environment.now().0 - calm_since.0,
        restarts: environment.checker.borrow().restarts().clone(),
        ..RunReport::default()
    };
    if let Some(at) = environment.planned_fault_at() {
        report.recovery_ms = environment.now().since(at).as_millis() as u64;
        report.recovery_requests = simulation.requests() - requests_before;
        report.check_recovery();
    }
    report.exceptions = clean_up(&simulation);
    report.cleanup_crash_points = environment.crash_points() - report.crash_points;
    report.cleanup_operations = environment.operations() - report.operations;
    report.crashes = simulation.crashes();
    report.steps = simulation.steps();
    simulation.end();
    report
}

/// Starts the clients of a scenario. The cell has the number of those that have not completed.
fn start_clients(simulation: &Rc<Simulation>, scenario: &Scenario) -> Rc<Cell<usize>> {
    let running = Rc::new(Cell::new(0));
    let mut index = 0;
    for (script, len) in scenario.scripts.iter() {
        // Scripts have two clients at most.
        for task in script.clients(simulation, index, *len) {
            running.set(running.get() + 1);
            let ended = Rc::clone(&running);
            let task = async move {
                task.await;
                ended.set(ended.get() - 1);
            };
            simulation.environment.executor.spawn(Owner::Client(index), task.boxed_local());
        }
        index += 2;
    }
    running
}
