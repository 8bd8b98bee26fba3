//! After the last fault, every client completes soon, and a run follows from its seed alone.

use std::time::Duration;

use vod_uploader_sim::relay::{
    BASE_SCENARIOS, Orphans, Rates, Scenario, Setting, run, run_all, storm,
};

/// Runs of each test.
const RUNS: usize = if cfg!(debug_assertions) { 50 } else { 500 };

#[test]
fn a_seed_determines_a_run() {
    for seed in 0..20 {
        let replay = || {
            let (setting, scenario) = storm(seed);
            run(setting, &scenario)
        };
        assert_eq!(replay(), replay(), "seed {seed}");
    }
}

/// For a minute, every operation of the key-value store and every request to OSS and VOD fails.
#[test]
fn every_client_completes_after_a_total_outage() {
    let rates =
        Rates { kv_failed: 1_000, oss_failed: 1_000, vod_failed: 1_000, ..Rates::default() };
    let calm_after = Duration::from_secs(60);
    assert_all_complete(&Setting { rates, calm_after, ..Setting::default() });
}

/// Every operation takes seconds.
#[test]
fn every_client_completes_after_slow_operations() {
    let rates = Rates { slow: 1_000, ..Rates::default() };
    let calm_after = Duration::from_secs(120);
    assert_all_complete(&Setting { rates, calm_after, instances: 2, ..Setting::default() });
}

/// Instances crash within a few operations.
#[test]
fn every_client_completes_after_continual_crashes() {
    let rates = Rates { crashes: 100, ..Rates::default() };
    let calm_after = Duration::from_secs(60);
    let orphans = Orphans::Mixed;
    assert_all_complete(&Setting {
        rates,
        calm_after,
        orphans,
        instances: 3,
        ..Setting::default()
    });
}

fn assert_all_complete(setting: &Setting) {
    let case = |index: usize| -> (&Scenario, u64) {
        (&BASE_SCENARIOS[index % BASE_SCENARIOS.len()], index as u64)
    };
    let summary = run_all(RUNS, |index| {
        let (scenario, seed) = case(index);
        run(Setting { seed, ..setting.clone() }, scenario)
    });
    summary.assert_no_failures(|index| format!("{} with seed {index}", case(index).0.name));
}
