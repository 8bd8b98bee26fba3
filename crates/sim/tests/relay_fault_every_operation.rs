//! A fault of every operation of a port, of every base scenario.

use vod_uploader_sim::relay::{BASE_SCENARIOS, OperationFault, Scenario, Setting, run, run_all};

const FAULTS: [OperationFault; 3] =
    [OperationFault::Failed, OperationFault::Unconfirmed, OperationFault::Silent];

/// Uploads of which something may be left after a single crash or fault.
const EXCEPTIONS_MAX: u64 = 3;

#[test]
fn every_base_scenario_survives_a_fault_of_every_operation() {
    let mut cases: Vec<(&Scenario, u64, OperationFault)> = Vec::new();
    for scenario in BASE_SCENARIOS {
        let report = run(Setting::default(), scenario);
        let (operations, all) = (report.operations, report.operations + report.cleanup_operations);
        for fault in FAULTS {
            cases.extend((1..=operations).map(|operation| (scenario, operation, fault)));
        }
        // Each operation of the cleanup with one of the faults.
        let cleanup = operations + 1..=all;
        cases
            .extend(cleanup.map(|operation| (scenario, operation, FAULTS[operation as usize % 3])));
    }
    let summary = run_all(cases.len(), |index| {
        let (scenario, operation, fault) = cases[index];
        let report =
            run(Setting { fault_at: Some((operation, fault)), ..Setting::default() }, scenario);
        assert!(report.restarts.is_empty(), "{report:#?}");
        assert!(report.exceptions.values().sum::<u64>() <= EXCEPTIONS_MAX, "{report:#?}");
        report
    });
    eprintln!("{} runs: {:#?}", cases.len(), summary.total);
    summary.assert_no_failures(|index| {
        let (scenario, operation, fault) = cases[index];
        let fault = format!("{fault:?}").to_lowercase();
        format!("relay --scenario '{}' --fault-at {operation} --fault {fault}", scenario.name)
    });
}
