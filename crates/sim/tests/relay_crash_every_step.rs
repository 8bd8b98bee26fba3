//! A crash at every crash point of every base scenario, with each outcome of the operations in
//! flight.

use vod_uploader_sim::relay::{BASE_SCENARIOS, EndCause, Orphans, Scenario, Setting, run, run_all};

const ORPHANS: [Orphans; 3] = [Orphans::Land, Orphans::Lost, Orphans::Linger];

/// Uploads of which something may be left after a single crash or fault.
const EXCEPTIONS_MAX: u64 = 3;

#[test]
fn every_base_scenario_completes_without_faults() {
    let summary =
        run_all(BASE_SCENARIOS.len(), |index| run(Setting::default(), &BASE_SCENARIOS[index]));
    assert!(summary.failures.is_empty(), "{summary:#?}");
    assert!(summary.total.exceptions.is_empty(), "{summary:#?}");
    assert!(summary.total.restarts.is_empty(), "{summary:#?}");
}

#[test]
fn every_base_scenario_survives_a_crash_at_every_step() {
    let mut cases: Vec<(&Scenario, u64, Orphans)> = Vec::new();
    for scenario in BASE_SCENARIOS {
        let report = run(Setting::default(), scenario);
        let (points, all) =
            (report.crash_points, report.crash_points + report.cleanup_crash_points);
        for orphans in ORPHANS {
            cases.extend((1..=points).map(|point| (scenario, point, orphans)));
        }
        // Each step of the cleanup with one of the outcomes.
        cases
            .extend((points + 1..=all).map(|point| (scenario, point, ORPHANS[point as usize % 3])));
    }
    let summary = run_all(cases.len(), |index| {
        let (scenario, point, orphans) = cases[index];
        let report =
            run(Setting { crash_at: Some(point), orphans, ..Setting::default() }, scenario);
        // The response to the creation of a final upload is lost, and the upload is complete.
        let is_final = |cause: &EndCause| *cause == EndCause::Concatenated;
        assert!(report.restarts.keys().all(is_final), "{report:#?}");
        assert!(report.restarts.values().sum::<u64>() <= 1, "{report:#?}");
        assert!(report.exceptions.values().sum::<u64>() <= EXCEPTIONS_MAX, "{report:#?}");
        report
    });
    eprintln!("{} runs: {:#?}", cases.len(), summary.total);
    summary.assert_no_failures(|index| {
        let (scenario, point, orphans) = cases[index];
        let orphans = format!("{orphans:?}").to_lowercase();
        format!("relay --scenario '{}' --crash-at {point} --orphans {orphans}", scenario.name)
    });
}

/// One of two instances crashes while the other one serves.
#[test]
fn every_base_scenario_survives_a_crash_of_one_of_two_instances() {
    let setting = Setting { instances: 2, ..Setting::default() };
    let mut cases: Vec<(&Scenario, u64)> = Vec::new();
    for scenario in BASE_SCENARIOS {
        let report = run(setting.clone(), scenario);
        let points = report.crash_points + report.cleanup_crash_points;
        cases.extend((1..=points).map(|point| (scenario, point)));
    }
    let summary = run_all(cases.len(), |index| {
        let (scenario, point) = cases[index];
        let orphans = ORPHANS[point as usize % ORPHANS.len()];
        let report = run(Setting { crash_at: Some(point), orphans, ..setting.clone() }, scenario);
        assert!(report.exceptions.values().sum::<u64>() <= EXCEPTIONS_MAX, "{report:#?}");
        report
    });
    eprintln!("{} runs: {:#?}", cases.len(), summary.total);
    summary.assert_no_failures(|index| {
        let (scenario, point) = cases[index];
        format!("relay --instances 2 --scenario '{}' --crash-at {point}", scenario.name)
    });
}
