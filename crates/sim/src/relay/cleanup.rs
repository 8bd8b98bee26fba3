//! The end of a run: uploads expire, and nothing is left.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use futures::FutureExt as _;

use super::client::{Client, Request};
use super::known_exceptions::{KnownException, Leftover};
use super::simulation::Simulation;
use super::variables::{EXPIRE_AFTER, TEMPORARY_PREFIX};
use crate::world::Owner;

/// Cleanups after which everything is gone. A cleanup ends a bounded number of uploads.
const CLEANUPS_MAX: u32 = 3;

/// How long a cleanup may take.
const CLEANUP_TIME_MAX: Duration = Duration::from_secs(600);

/// Index of the client whose requests start cleanups.
const CLIENT: usize = 1_000;

/// Lets all uploads expire and cleans up. Returns what is left and why.
///
/// # Panics
/// If something is left that is not a [`KnownException`].
pub(super) fn clean_up(simulation: &Rc<Simulation>) -> BTreeMap<KnownException, u64> {
    for _ in 0..CLEANUPS_MAX {
        wait(simulation, EXPIRE_AFTER + CLEANUP_TIME_MAX);
        start_cleanup(simulation);
        wait(simulation, CLEANUP_TIME_MAX);
        if leftovers(simulation).is_empty() {
            break;
        }
    }
    simulation.check_instances();
    let mut exceptions = BTreeMap::new();
    let mut unknown = Vec::new();
    let left = leftovers(simulation);
    for leftover in &left {
        match KnownException::of(leftover, &left, simulation) {
            Some(exception) => *exceptions.entry(exception).or_default() += 1,
            None => unknown.push(leftover),
        }
    }
    let unknown: Vec<_> = unknown.iter().map(ToString::to_string).collect();
    assert!(unknown.is_empty(), "left after all uploads have expired: {}", unknown.join(", "));
    exceptions
}

/// What is left of uploads in the key-value store and on OSS.
fn leftovers(simulation: &Simulation) -> Vec<Leftover> {
    let world = simulation.environment.world.borrow();
    let store = &world.store;
    let keys = world.kv.values.keys().filter(|key| *key != LAST_CLEANUP_KEY);
    let keys = keys.map(|key| Leftover::Key(key.clone()));
    let uploads = store.uploads.values();
    let uploads = uploads.map(|parts| Leftover::MultipartUpload { part_count: parts.len() });
    let objects = store.objects.keys().filter(|key| key.starts_with(TEMPORARY_PREFIX));
    let objects = objects.map(|key| Leftover::TemporaryObject(key.clone()));
    keys.chain(uploads).chain(objects).collect()
}

/// A request that creates an upload starts a cleanup, even if it is rejected.
fn start_cleanup(simulation: &Rc<Simulation>) {
    let is_done = Rc::new(Cell::new(false));
    let (client, done) = (Client::new(simulation, CLIENT), Rc::clone(&is_done));
    let task = async move {
        let empty_file = Request::new("PUT", "/v1/uploads/clip.mp4").with_body(&[]);
        let reply = client.send(empty_file).await.expect("a response");
        assert_eq!(reply.status, 400, "{}", reply.text());
        done.set(true);
    };
    simulation.environment.executor.spawn(Owner::Environment, task.boxed_local());
    simulation.run_until(|| is_done.get());
}

/// Lets `duration` pass.
fn wait(simulation: &Rc<Simulation>, duration: Duration) {
    let is_over = Rc::new(Cell::new(false));
    let over = Rc::clone(&is_over);
    let sleep = simulation.environment.sleep(duration);
    let task = async move {
        sleep.await;
        over.set(true);
    };
    simulation.environment.executor.spawn(Owner::Environment, task.boxed_local());
    simulation.run_until(|| is_over.get());
}

/// The record of the last cleanup: one per deployment.
const LAST_CLEANUP_KEY: &str = "sweep";
