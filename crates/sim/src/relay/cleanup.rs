//! Cleanups: at the end of a run, uploads expire and nothing is left.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use futures::FutureExt as _;
use vod_uploader::upload::StoreOwner;

use super::client::Client;
use super::known_exceptions::{KnownException, Leftover, Leftovers};
use super::message::Request;
use super::setting::Rates;
use super::simulation::Simulation;
use super::variables::TEMPORARY_PREFIX;
use crate::world::{Owner, World};

/// Cleanups without faults after which everything is gone. A cleanup ends a bounded number of
/// uploads.
const CLEANUPS_MAX: u32 = 3;

/// Cleanups with the faults of the setting before them.
const FAULTY_CLEANUPS: u32 = 2;

/// How long a cleanup may take.
const CLEANUP_TIME_MAX: Duration = Duration::from_secs(600);

/// How often expired uploads are cleaned up while clients are active.
const CLEANUPS_PER_TTL: u64 = 20;

/// Index of the client whose requests start cleanups.
const CLIENT: usize = 1_000;

/// Lets all uploads expire and cleans up. Returns what is left and why.
///
/// # Panics
/// If something is left that is not a [`KnownException`].
pub(super) fn clean_up(simulation: &Rc<Simulation>) -> BTreeMap<KnownException, u64> {
    let environment = &simulation.environment;
    if environment.setting.cleanup_rates != Rates::default() {
        environment.set_rates(environment.setting.cleanup_rates);
        (0..FAULTY_CLEANUPS).for_each(|_| expire_and_clean_up(simulation));
        environment.calm_down();
    }
    for _ in 0..CLEANUPS_MAX {
        expire_and_clean_up(simulation);
        if leftovers(&environment.world.borrow()).is_empty() {
            break;
        }
    }
    simulation.check_instances();
    let (world, checker) = (environment.world.borrow(), environment.checker.borrow());
    Leftovers::new(leftovers(&world), checker.history(), &world).exceptions()
}

/// What is left of uploads in the key-value store and on OSS.
fn leftovers(world: &World) -> Vec<Leftover> {
    let store = &world.store;
    let keys = world.kv.values.keys();
    let keys = keys.filter(|key| !key.ends_with(CURSOR_SUFFIX) && *key != StoreOwner::KEY);
    let keys = keys.map(|key| Leftover::Key(key.clone()));
    let uploads = store.uploads.iter().map(|(id, parts)| Leftover::MultipartUpload {
        id: id.clone(),
        object: store.upload_keys[id].clone(),
        part_count: parts.len(),
    });
    let objects = store.objects.keys().filter(|key| key.starts_with(TEMPORARY_PREFIX));
    let objects = objects.map(|key| Leftover::TemporaryObject(key.clone()));
    keys.chain(uploads).chain(objects).collect()
}

/// Cleans up while clients are active, until all faults end.
pub(super) async fn clean_up_often(simulation: Rc<Simulation>) {
    let client = Client::new(&simulation, CLIENT);
    let environment = &simulation.environment;
    let interval_ms = environment.setting.expire_after.as_millis() as u64 / CLEANUPS_PER_TTL;
    loop {
        environment.sleep(Duration::from_millis(1 + client.below(interval_ms))).await;
        if environment.is_calm() {
            return;
        }
        client.send(empty_file()).await;
    }
}

fn expire_and_clean_up(simulation: &Rc<Simulation>) {
    wait(simulation, simulation.environment.setting.expire_after + CLEANUP_TIME_MAX);
    start_cleanup(simulation);
    wait(simulation, CLEANUP_TIME_MAX);
}

/// A request that creates an upload starts a cleanup, even if it is rejected. It is repeated if its
/// instance crashes.
fn start_cleanup(simulation: &Rc<Simulation>) {
    let is_done = Rc::new(Cell::new(false));
    let (client, done) = (Client::new(simulation, CLIENT), Rc::clone(&is_done));
    let task = async move {
        loop {
            if let Some(reply) = client.send(empty_file()).await {
                assert_eq!(reply.status, 400, "{}", reply.text());
                break;
            }
        }
        done.set(true);
    };
    simulation.environment.executor.spawn(Owner::Environment, task.boxed_local());
    simulation.run_until(|| is_done.get());
}

/// A request that is rejected.
fn empty_file() -> Request {
    Request::new("PUT", "/v1/uploads/clip.mp4").with_body(&[])
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

/// The position of the cleanup: one record per deployment.
const CURSOR_SUFFIX: &str = ".cursor";
