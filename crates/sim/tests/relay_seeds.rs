//! Storms: runs that follow from a seed.

use vod_uploader_sim::relay::{EndCause, run, run_all, storm};

/// Runs without `SIM_SEEDS`.
const SEEDS: usize = if cfg!(debug_assertions) { 300 } else { 10_000 };

#[test]
fn every_storm_completes() {
    let seeds = std::env::var("SIM_SEEDS").ok().and_then(|seeds| seeds.parse().ok());
    let seeds = seeds.unwrap_or(SEEDS);
    let summary = run_all(seeds, |seed| {
        let (setting, scenario) = storm(seed as u64);
        let report = run(setting, &scenario);
        // The response to the creation of a final upload is lost, and the upload is complete.
        let is_final = |cause: &EndCause| *cause == EndCause::Concatenated;
        assert!(report.restarts.keys().all(is_final), "{report:#?}");
        report
    });
    eprintln!("{seeds} seeds: {:#?}", summary.total);
    summary.assert_no_failures(|seed| format!("relay --seed {seed}"));
}
