//! Small scenarios with a crash after every step, and with every fault at every call.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a failed assumption fails the test"
)]

use std::time::Duration;

use vod_uploader::queue::FileId;
use vod_uploader::vod::MediaKind;
use vod_uploader_sim::queue::{App, Credentials, PlannedFile, Simulation};
use vod_uploader_sim::{Fault, VOD_FAULTS};

const FILE: FileId = FileId(1);

/// A scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scenario {
    /// A file of three parts.
    Parts,
    /// A file that is stored by one PutObject.
    Small,
    /// The queue calls VOD with an STS token.
    Sts,
    /// An upload to the app's bucket.
    Direct,
    /// An image, whose credential cannot be refreshed.
    Image,
    /// Credentials expire after seconds.
    Expiry,
    /// The queue is stopped after this many steps, and started again.
    StopAndStart(u32),
    /// The file is canceled after this many steps, and resumed.
    Cancel(u32),
    /// The file is supplied in chunks.
    Chunks,
}

const SCENARIOS: [Scenario; 11] = [
    Scenario::Parts,
    Scenario::Small,
    Scenario::Sts,
    Scenario::Direct,
    Scenario::Image,
    Scenario::Expiry,
    Scenario::StopAndStart(12),
    Scenario::StopAndStart(40),
    Scenario::Cancel(10),
    Scenario::Cancel(36),
    Scenario::Chunks,
];

/// What becomes of the calls of a crashed queue that had not taken effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LateWrites {
    ArriveImmediately,
    ArriveAtAnyTime,
    NeverArrive,
}

#[test]
fn after_a_crash_at_any_step_every_scenario_completes() {
    let mut crashes = 0;
    for scenario in SCENARIOS {
        for late_writes in
            [LateWrites::ArriveImmediately, LateWrites::ArriveAtAnyTime, LateWrites::NeverArrive]
        {
            for seed in [None, Some(1), Some(2)] {
                for step in 0.. {
                    let mut simulation = simulation(scenario, seed);
                    if !take_steps(&mut simulation, scenario, step) {
                        break;
                    }
                    crash(&mut simulation, scenario, late_writes);
                    assert_completes(
                        &mut simulation,
                        &format!("{scenario:?} {late_writes:?} {seed:?} {step}"),
                    );
                    crashes += 1;
                }
            }
        }
    }
    assert!(crashes > 3_000, "{crashes} crashes");
}

#[test]
fn after_two_crashes_at_any_steps_a_scenario_completes() {
    for first in 0.. {
        let mut simulation = simulation(Scenario::Parts, Some(3));
        if !take_steps(&mut simulation, Scenario::Parts, first) {
            break;
        }
        for second in (0..60).step_by(3) {
            let mut simulation = self::simulation(Scenario::Parts, Some(3));
            assert!(take_steps(&mut simulation, Scenario::Parts, first));
            crash(&mut simulation, Scenario::Parts, LateWrites::ArriveImmediately);
            if !take_steps(&mut simulation, Scenario::Parts, second) {
                break;
            }
            crash(&mut simulation, Scenario::Parts, LateWrites::ArriveAtAnyTime);
            assert_completes(&mut simulation, &format!("{first} {second}"));
        }
    }
}

#[test]
fn after_any_fault_of_oss_at_any_call_every_scenario_completes() {
    let lasting = [
        Fault::Forgets,
        Fault::Corrupts,
        Fault::Refused(403, "SecurityTokenExpired"),
        Fault::Refused(403, "InvalidAccessKeyId"),
        Fault::Refused(403, "AccessDenied"),
        Fault::Refused(400, "InvalidArgument"),
    ];
    let mut faults = 0;
    for scenario in SCENARIOS {
        for retries in [0, 3] {
            for fault in Fault::TRANSIENT.into_iter().chain(lasting) {
                for nth in 1.. {
                    let set = |simulation: &mut Simulation| {
                        simulation.world.store.faults.plan_any(nth, fault)
                    };
                    let mut simulation = prepared(scenario, retries, set);
                    take_steps(&mut simulation, scenario, u32::MAX);
                    if simulation.world.store.faults.is_due() {
                        break;
                    }
                    faults += 1;
                    let case = format!("{scenario:?} {retries} {fault:?} {nth}");
                    assert_completes(&mut simulation, &case);
                }
            }
        }
    }
    assert!(faults > 1_000, "{faults} faults");
}

#[test]
fn after_any_fault_of_vod_at_any_call_every_scenario_completes() {
    for scenario in [Scenario::Sts, Scenario::Image, Scenario::Expiry] {
        for retries in [0, 3] {
            for fault in VOD_FAULTS {
                for nth in 0..4 {
                    let mut simulation = prepared(scenario, retries, |simulation| {
                        simulation.app.credentials = Some(Credentials::Sts);
                        simulation.world.vod.faults = vec![None; nth];
                        simulation.world.vod.faults.push(Some(fault));
                    });
                    take_steps(&mut simulation, scenario, u32::MAX);
                    assert_completes(
                        &mut simulation,
                        &format!("{scenario:?} {retries} {fault:?} {nth}"),
                    );
                }
            }
        }
    }
}

#[test]
fn after_a_failure_of_any_key_value_operation_every_scenario_completes() {
    for scenario in SCENARIOS {
        for nth in 1.. {
            let mut simulation =
                prepared(scenario, 3, |simulation| simulation.world.kv.fails_at = Some(nth));
            take_steps(&mut simulation, scenario, u32::MAX);
            if simulation.world.kv.fails_at.is_some() {
                break;
            }
            assert_completes(&mut simulation, &format!("{scenario:?} {nth}"));
        }
    }
}

fn simulation(scenario: Scenario, seed: Option<u64>) -> Simulation {
    let mut simulation = seed.map_or_else(Simulation::new, Simulation::seeded);
    begin(&mut simulation, scenario);
    simulation
}

fn prepared(scenario: Scenario, retries: u32, prepare: impl FnOnce(&mut Simulation)) -> Simulation {
    let mut simulation =
        Simulation::new().with_options(|options| options.retry_count = Some(retries));
    prepare(&mut simulation);
    begin(&mut simulation, scenario);
    simulation
}

fn begin(simulation: &mut Simulation, scenario: Scenario) {
    let credentials = match scenario {
        Scenario::Sts => Credentials::Sts,
        Scenario::Direct => Credentials::Direct,
        _ => simulation.app.credentials.unwrap(),
    };
    simulation.app = App { credentials: Some(credentials), ..App::default() };
    if scenario == Scenario::Expiry {
        simulation.world.vod.credential_ttl = Duration::from_secs(2);
        simulation.world.app_server.token_ttl = Duration::from_secs(4);
        simulation.pace = Duration::from_millis(150);
    }
    if scenario == Scenario::Chunks {
        simulation.app.chunk_bytes = Some(70_000);
    }
    simulation.add(file(scenario)).unwrap();
    simulation.start();
}

fn file(scenario: Scenario) -> PlannedFile {
    let len = if scenario == Scenario::Small { 5_000 } else { 250_000 };
    let name = if scenario == Scenario::Image { "a.png" } else { "a.mp4" };
    let mut file = Simulation::file(name, len);
    if scenario == Scenario::Image {
        file.new.kind = Some(MediaKind::Image);
    }
    if scenario == Scenario::Direct {
        file.new.endpoint = Some("https://oss-cn-shanghai.aliyuncs.com".into());
        file.new.bucket = Some("my-bucket".into());
        file.new.object = Some("mine/a.mp4".into());
    }
    file
}

/// Takes this many steps. Returns `false` if the scenario ends before.
fn take_steps(simulation: &mut Simulation, scenario: Scenario, steps: u32) -> bool {
    for step in 0..steps {
        match scenario {
            Scenario::StopAndStart(at) if at == step => drop(simulation.try_stop()),
            Scenario::StopAndStart(at) if at + 6 == step => drop(simulation.try_start()),
            Scenario::Cancel(at) if at == step => drop(simulation.cancel(FILE)),
            _ => {}
        }
        if !simulation.step() {
            if matches!(scenario, Scenario::Cancel(_)) && simulation.resume(FILE).is_ok() {
                drop(simulation.try_start());
                continue;
            }
            return false;
        }
    }
    true
}

fn crash(simulation: &mut Simulation, scenario: Scenario, late_writes: LateWrites) {
    simulation.crash();
    match late_writes {
        LateWrites::ArriveImmediately => simulation.apply_late_writes(),
        LateWrites::ArriveAtAnyTime => {}
        LateWrites::NeverArrive => simulation.discard_late_writes(),
    }
    simulation.add(file(scenario)).unwrap();
    simulation.start();
}

/// Removes all faults. The file is uploaded in one more run, or two if it had two defects.
fn assert_completes(simulation: &mut Simulation, case: &str) {
    simulation.clear_faults();
    for _ in 0..2 {
        if simulation.is_all_uploaded() {
            break;
        }
        if simulation.resume(FILE).is_ok() {
            drop(simulation.try_start());
        }
        simulation.run_to_completion();
    }
    simulation.run();
    assert!(simulation.is_all_uploaded(), "{case}: {:#?}", simulation.queue().list_files());
}
