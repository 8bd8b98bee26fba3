//! Thousands of scenarios, each of which follows from its seed.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed assumption fails the test")]

use std::panic::catch_unwind;

use vod_uploader_sim::queue::run_seed;

/// Number of scenarios: about half a minute of one core. With `SIM_SEED`, only that scenario runs.
const SEEDS: u64 = if cfg!(debug_assertions) { 2_000 } else { 12_000 };

#[test]
fn every_scenario_completes() {
    let only: Option<u64> = std::env::var("SIM_SEED").ok().map(|seed| seed.parse().unwrap());
    let seeds = only.map_or(0..SEEDS, |seed| seed..seed + 1);
    let failed: Vec<_> = seeds.filter(|seed| catch_unwind(|| run_seed(*seed)).is_err()).collect();
    let replay =
        failed.first().map(|seed| format!("cargo run -p vod-uploader-sim -- queue --seed {seed}"));
    assert!(failed.is_empty(), "{} fail, see {}: {failed:?}", failed.len(), replay.unwrap());
}
