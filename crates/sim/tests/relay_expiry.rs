//! Uploads expire, and are cleaned up, while clients are active.

use std::borrow::Cow;
use std::time::Duration;

use vod_uploader_sim::relay::{EndCause, Scenario, Script, Setting, expiry_storm, run, run_all};

/// Runs with faults.
const STORMS: usize = if cfg!(debug_assertions) { 50 } else { 1_000 };

/// Runs without faults.
const CALM_RUNS: usize = if cfg!(debug_assertions) { 50 } else { 500 };

#[test]
fn every_expiry_storm_completes() {
    let summary = run_all(STORMS, |seed| {
        let (setting, scenario) = expiry_storm(seed as u64);
        run(setting, &scenario)
    });
    eprintln!("{STORMS} seeds: {:#?}", summary.total);
    summary.assert_no_failures(|seed| format!("relay --expiry-seed {seed}"));
    assert!(summary.total.restarts[&EndCause::Expired] > 0, "{summary:#?}");
}

/// A request that takes longer than the upload is kept renews it.
#[test]
fn clients_without_faults_restart_only_after_expiry() {
    let scenario =
        Scenario { name: "slow tus", scripts: Cow::Borrowed(&[(Script::SlowTus, 250_000)]) };
    let summary = run_all(CALM_RUNS, |seed| {
        let setting = Setting {
            seed: seed as u64,
            instances: 2,
            expire_after: Duration::from_secs(10),
            cleans_up_often: true,
            calm_after: Duration::from_secs(300),
            ..Setting::default()
        };
        run(setting, &scenario)
    });
    summary.assert_no_failures(|seed| format!("slow tus with seed {seed}"));
    let expired = [EndCause::Expired, EndCause::ExpiredDuringRequest];
    let is_expired = |cause: &EndCause| expired.contains(cause);
    assert!(summary.total.restarts.keys().all(is_expired), "{summary:#?}");
}
