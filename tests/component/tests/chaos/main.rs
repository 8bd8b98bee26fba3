//! Fifty concurrent uploads under all faults at once.
//!
//! Fifty clients, each with its own protocol, upload one file after another while the host is
//! killed and restarted, the store fails, and the clients close connections, stall, query the
//! offset and delete uploads in the middle of requests. All of it follows from a printed seed.
//! `CHAOS_SEED` selects another seed, and `CHAOS_LOG_DIR` a directory for the logs of the clients
//! and the host. Threads interleave freely: a seed reproduces the schedule, not the exact timing.

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
mod client_fault;
mod concatenated;
mod concurrent_requests;
mod context;
mod expected_state;
mod fault_schedule;
mod orphans;
mod protocol;
mod resumable;
mod single_request;
mod stalled_clients;
mod upload_handle;

use std::time::Duration;

use vod_uploader_component_tests::edge::{Edge, SEAL_KEY, Setup};
use vod_uploader_component_tests::random::Random;
use vod_uploader_component_tests::source::MIB;

use crate::client::Client;
use crate::context::ChaosContext;
use crate::fault_schedule::FaultSchedule;
use crate::orphans::AllowedOrphans;
use crate::protocol::Protocol;
use crate::stalled_clients::StalledClients;

const CLIENTS: u64 = 50;

/// 160 MiB of part buffers per instance (ARCHITECTURE.md), and the other memory of an instance.
const INSTANCE_MEMORY_MAX_BYTES: u64 = 200 * MIB;

/// From the start of the first client to the end of the last one.
const DEADLINE: Duration = Duration::from_secs(75);

#[test]
fn fifty_clients_under_faults_lose_no_acknowledged_byte_and_all_finish() {
    let seed = seed();
    eprintln!("CHAOS_SEED={seed}");
    let mut edge = Setup::new()
        .sealed()
        .variable("request_timeout_ms", "2000")
        .variable("retry_attempts", "3")
        .temporary_storage()
        .start();
    edge.forbid_secret(SEAL_KEY);
    let mut random = Random::new(seed);
    let schedule = FaultSchedule::new(&mut random);
    let context = ChaosContext::new(edge.client(), schedule.end_after, DEADLINE);
    let (memory_peak_bytes, stalled) = run_all(&mut edge, &context, &schedule, &mut random);
    eprintln!("after {:?}: {}, {:?}", context.elapsed(), context.counts, schedule.hits());
    let mut defects = context.failures();
    if context.clients_ended() == CLIENTS {
        stalled.assert_ended(&edge, context.stalled());
        orphans::wait_until_idle(&edge);
        defects.extend(audit::files(
            &context.expected,
            &edge.sandbox.media(),
            &edge.sandbox.objects(),
        ));
        defects.extend(remove_all(&mut edge, &context, &schedule));
    }
    eprintln!("after {:?}: {} MiB at most", context.elapsed(), memory_peak_bytes / MIB);
    if let Ok(dir) = std::env::var("CHAOS_LOG_DIR") {
        std::fs::write(format!("{dir}/clients.log"), context.log()).expect("it is writable");
        std::fs::write(format!("{dir}/host.log"), edge.log()).expect("it is writable");
    }
    assert!(defects.is_empty(), "CHAOS_SEED={seed}\n{}", defects.join("\n"));
    assert!(memory_peak_bytes <= INSTANCE_MEMORY_MAX_BYTES, "{memory_peak_bytes} bytes");
    schedule.assert_effective(&context);
}

/// Runs the clients and the fault schedule until all clients have finished or the deadline is over.
/// Returns the highest memory of an instance, in bytes, and the clients that are still stalled.
fn run_all(
    edge: &mut Edge,
    context: &ChaosContext,
    schedule: &FaultSchedule,
    random: &mut Random,
) -> (u64, StalledClients) {
    std::thread::scope(|scope| {
        for number in 0..CLIENTS {
            let (client_seed, protocol) = (random.next(), Protocol::for_client(number));
            scope.spawn(move || {
                Client::new(context, number, protocol, client_seed).run();
                context.client_ended();
            });
        }
        let peak = schedule.start(edge, context);
        let stalled = StalledClients::stall(edge, &context.expected);
        schedule.stop(edge, context);
        while context.clients_ended() < CLIENTS && !context.is_late() {
            std::thread::sleep(Duration::from_millis(20));
        }
        let peak = peak.max(edge.stats().count("instance_memory_peak_bytes"));
        if context.clients_ended() < CLIENTS {
            // Ends the requests that still wait for a response.
            edge.kill_host();
        }
        (peak, stalled)
    })
}

/// Deletes and cleans up all uploads. Returns the orphans without a cause.
fn remove_all(edge: &mut Edge, context: &ChaosContext, schedule: &FaultSchedule) -> Vec<String> {
    orphans::delete_all(edge, &context.expected);
    let mut allowed = AllowedOrphans {
        killed_at: schedule.killed_at(),
        unacknowledged_initiates: schedule.hits().unacknowledged_initiates,
        before_cleanup: true,
    };
    let deleted = orphans::audited(edge, &context.expected, &allowed);
    let remaining = orphans::clean_up(edge);
    allowed.before_cleanup = false;
    let cleaned = orphans::audited(edge, &context.expected, &allowed);
    eprintln!("orphans: {deleted}; after the cleanup: {cleaned}");
    [deleted.defects, remaining, cleaned.defects].concat()
}

/// The seed of this run.
fn seed() -> u64 {
    match std::env::var("CHAOS_SEED") {
        Ok(seed) => seed.parse().expect("CHAOS_SEED is a number"),
        Err(_) => 1,
    }
}
