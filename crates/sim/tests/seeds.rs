//! Thousands of stories, each from its seed.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed assumption fails the test")]

use std::panic::catch_unwind;

use vod_uploader_sim::simulate;

/// How many stories are played: about as many as fit into half a minute of one core. With
/// `SIM_SEED`, only that one is.
const SEEDS: u64 = if cfg!(debug_assertions) { 2_000 } else { 12_000 };

#[test]
fn every_story_ends_well() {
    let only: Option<u64> = std::env::var("SIM_SEED").ok().map(|seed| seed.parse().unwrap());
    let seeds = only.map_or(0..SEEDS, |seed| seed..seed + 1);
    let failed: Vec<_> = seeds.filter(|seed| catch_unwind(|| simulate(*seed)).is_err()).collect();
    let replay =
        failed.first().map(|seed| format!("cargo run -p vod-uploader-sim -- queue --seed {seed}"));
    assert!(failed.is_empty(), "{} fail, see {}: {failed:?}", failed.len(), replay.unwrap());
}
