//! Fifty uploads at once, and everything that can go wrong at once.
//!
//! Fifty clients, each with a protocol of its own, upload one file after the other while the host
//! is killed and started again, the store fails, and the clients themselves cut their connections,
//! fall silent, ask and delete in the middle of requests. All of that is drawn from one seed, which
//! is printed; `CHAOS_SEED` runs another one, and `CHAOS_DIARY` names a folder for what happened.
//! How the threads meet is the machine's choice: a seed gives the same plan, not the same moments.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a failed assumption fails the test"
)]

mod append;
mod audit;
mod auditor_tests;
mod client;
mod concatenated;
mod in_one_request;
mod ledger;
mod leftovers;
mod meanwhile;
mod protocol;
mod remote;
mod resumable;
mod sleepers;
mod storm;
mod trouble;
mod world;

use std::time::Duration;

use vod_uploader_component_tests::edge::{Edge, SEAL_KEY, Setup};
use vod_uploader_component_tests::random::Random;
use vod_uploader_component_tests::source::MIB;

use crate::client::Client;
use crate::leftovers::Excuses;
use crate::protocol::Protocol;
use crate::sleepers::Sleepers;
use crate::storm::Storm;
use crate::world::World;

const CLIENTS: u64 = 50;

/// 160 MiB of part buffers an instance (ARCHITECTURE.md), and what else an instance needs.
const INSTANCE_MEMORY_MAX_BYTES: u64 = 200 * MIB;

/// From the first client's start to the last one's end.
const DEADLINE: Duration = Duration::from_secs(75);

#[test]
fn of_fifty_uploads_in_a_storm_nothing_acknowledged_is_lost_and_nothing_is_stuck() {
    let seed = seed();
    eprintln!("CHAOS_SEED={seed}");
    let mut edge = Setup::new()
        .sealed()
        .variable("request_timeout_ms", "2000")
        .variable("retry_attempts", "3")
        .temporary_storage()
        .start();
    edge.plant_secret(SEAL_KEY);
    let mut random = Random::new(seed);
    let storm = Storm::drawn(&mut random);
    let world = World::new(edge.client(), storm.calm_after, DEADLINE);
    let (memory_peak_bytes, sleepers) = all_at_once(&mut edge, &world, &storm, &mut random);
    eprintln!("after {:?}: {}, {:?}", world.elapsed(), world.counts, storm.hits());
    let mut defects = world.failures();
    if world.clients_ended() == CLIENTS {
        sleepers.were_ended(&edge, world.asleep());
        leftovers::nothing_runs(&edge);
        defects.extend(audit::files(&world.ledger, &edge.sandbox.media(), &edge.sandbox.objects()));
        defects.extend(leave_nothing(&mut edge, &world, &storm));
    }
    eprintln!("after {:?}: {} MiB at most", world.elapsed(), memory_peak_bytes / MIB);
    if let Ok(folder) = std::env::var("CHAOS_DIARY") {
        std::fs::write(format!("{folder}/clients.log"), world.diary()).expect("it is writable");
        std::fs::write(format!("{folder}/host.log"), edge.log()).expect("it is writable");
    }
    assert!(defects.is_empty(), "CHAOS_SEED={seed}\n{}", defects.join("\n"));
    assert!(memory_peak_bytes <= INSTANCE_MEMORY_MAX_BYTES, "{memory_peak_bytes} bytes");
    storm.was_one(&world);
}

/// Runs the clients and the storm until all clients have ended, or should have. Returns the highest
/// memory of an instance, in bytes, and who is still asleep then.
fn all_at_once(
    edge: &mut Edge,
    world: &World,
    storm: &Storm,
    random: &mut Random,
) -> (u64, Sleepers) {
    std::thread::scope(|scope| {
        for number in 0..CLIENTS {
            let (client_seed, protocol) = (random.next(), Protocol::of_client(number));
            scope.spawn(move || {
                Client::new(world, number, protocol, client_seed).run();
                world.client_ended();
            });
        }
        let peak = storm.rage(edge, world);
        let sleepers = Sleepers::lie_down(edge, &world.ledger);
        storm.subside(edge, world);
        while world.clients_ended() < CLIENTS && !world.is_late() {
            std::thread::sleep(Duration::from_millis(20));
        }
        let peak = peak.max(edge.stats().count("instance_memory_peak_bytes"));
        if world.clients_ended() < CLIENTS {
            // Whoever still waits for an answer is told that it does not come.
            edge.kill_host();
        }
        (peak, sleepers)
    })
}

/// Deletes and sweeps all uploads. Returns what is wrong with what is left.
fn leave_nothing(edge: &mut Edge, world: &World, storm: &Storm) -> Vec<String> {
    leftovers::delete_all(edge, &world.ledger);
    let mut excuses = Excuses {
        killed_at: storm.killed_at(),
        untold_initiates: storm.hits().untold_initiates,
        unswept: true,
    };
    let deleted = leftovers::audited(edge, &world.ledger, &excuses);
    let unswept = leftovers::sweep(edge);
    excuses.unswept = false;
    let swept = leftovers::audited(edge, &world.ledger, &excuses);
    eprintln!("left: {deleted}; after the sweep: {swept}");
    [deleted.defects, unswept, swept.defects].concat()
}

/// The seed of this run.
fn seed() -> u64 {
    match std::env::var("CHAOS_SEED") {
        Ok(seed) => seed.parse().expect("CHAOS_SEED is a number"),
        Err(_) => 1,
    }
}
