//! Storms: everything follows from a seed.

use vod_uploader_sim::relay::{run, run_all, storm};

/// Runs without `SIM_SEEDS`.
const SEEDS: usize = if cfg!(debug_assertions) { 300 } else { 10_000 };

#[test]
fn every_storm_ends_well() {
    let seeds = std::env::var("SIM_SEEDS").ok().and_then(|seeds| seeds.parse().ok());
    let seeds = seeds.unwrap_or(SEEDS);
    let summary = run_all(seeds, |seed| {
        let (setting, scenario) = storm(seed as u64);
        run(setting, &scenario)
    });
    eprintln!("{seeds} seeds: {:#?}", summary.total);
    let failures = summary.failures.iter().map(|(seed, message)| {
        let first_line = message.lines().next().unwrap_or_default();
        format!("cargo run -p vod-uploader-sim -- relay --seed {seed}: {first_line}")
    });
    let failures: Vec<_> = failures.collect();
    assert!(failures.is_empty(), "{} of {seeds} fail:\n{}", failures.len(), failures.join("\n"));
}
