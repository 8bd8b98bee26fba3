//! Small stories, with a crash after every step, and with every fault at every call.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a failed assumption fails the test"
)]

use std::time::Duration;

use vod_uploader::queue::FileId;
use vod_uploader::vod::MediaKind;
use vod_uploader_sim::{App, Credentials, Fault, PlannedFile, Simulation, VOD_FAULTS};

const FILE: FileId = FileId(1);

/// What happens in a story, besides the steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Plot {
    /// A file of three parts.
    Parts,
    /// A file that one PutObject takes.
    Small,
    /// VOD is called with a token.
    Sts,
    /// A bucket of one's own.
    Direct,
    /// A picture, for which there is no refresh.
    Picture,
    /// Credentials end all the time.
    Expiry,
    /// The list is stopped after so many steps, and started again.
    StopAndStart(u32),
    /// The file is canceled after so many steps, and then resumed.
    Cancel(u32),
    /// The bytes come in pieces.
    Pieces,
}

const PLOTS: [Plot; 11] = [
    Plot::Parts,
    Plot::Small,
    Plot::Sts,
    Plot::Direct,
    Plot::Picture,
    Plot::Expiry,
    Plot::StopAndStart(12),
    Plot::StopAndStart(40),
    Plot::Cancel(10),
    Plot::Cancel(36),
    Plot::Pieces,
];

/// What becomes of what a crashed queue has left on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LateWrites {
    ArriveAtOnce,
    ArriveAtAnyTime,
    NeverArrive,
}

#[test]
fn after_a_crash_at_any_step_every_story_ends_with_a_whole_object() {
    let mut crashes = 0;
    for plot in PLOTS {
        for strays in
            [LateWrites::ArriveAtOnce, LateWrites::ArriveAtAnyTime, LateWrites::NeverArrive]
        {
            for seed in [None, Some(1), Some(2)] {
                for step in 0.. {
                    let mut simulation = simulation(plot, seed);
                    if !play(&mut simulation, plot, step) {
                        break;
                    }
                    crash(&mut simulation, plot, strays);
                    assert_ends_well(
                        &mut simulation,
                        &format!("{plot:?} {strays:?} {seed:?} {step}"),
                    );
                    crashes += 1;
                }
            }
        }
    }
    assert!(crashes > 3_000, "{crashes} crashes");
}

#[test]
fn after_two_crashes_at_any_steps_a_story_ends_with_a_whole_object() {
    for first in 0.. {
        let mut simulation = simulation(Plot::Parts, Some(3));
        if !play(&mut simulation, Plot::Parts, first) {
            break;
        }
        for second in (0..60).step_by(3) {
            let mut simulation = self::simulation(Plot::Parts, Some(3));
            assert!(play(&mut simulation, Plot::Parts, first));
            crash(&mut simulation, Plot::Parts, LateWrites::ArriveAtOnce);
            if !play(&mut simulation, Plot::Parts, second) {
                break;
            }
            crash(&mut simulation, Plot::Parts, LateWrites::ArriveAtAnyTime);
            assert_ends_well(&mut simulation, &format!("{first} {second}"));
        }
    }
}

#[test]
fn after_any_fault_of_the_store_at_any_call_every_story_ends_with_a_whole_object() {
    let lasting = [
        Fault::Forgets,
        Fault::Corrupts,
        Fault::Refused(403, "SecurityTokenExpired"),
        Fault::Refused(403, "InvalidAccessKeyId"),
        Fault::Refused(403, "AccessDenied"),
        Fault::Refused(400, "InvalidArgument"),
    ];
    let mut struck = 0;
    for plot in PLOTS {
        for retries in [0, 3] {
            for fault in Fault::PASSING.into_iter().chain(lasting) {
                for nth in 1.. {
                    let set =
                        |simulation: &mut Simulation| simulation.store.faults.plan_any(nth, fault);
                    let mut simulation = prepared(plot, retries, set);
                    play(&mut simulation, plot, u32::MAX);
                    if simulation.store.faults.is_due() {
                        break;
                    }
                    struck += 1;
                    let case = format!("{plot:?} {retries} {fault:?} {nth}");
                    assert_ends_well(&mut simulation, &case);
                }
            }
        }
    }
    assert!(struck > 1_000, "{struck} faults");
}

#[test]
fn after_any_fault_of_vod_at_any_call_every_story_ends_with_a_whole_object() {
    for plot in [Plot::Sts, Plot::Picture, Plot::Expiry] {
        for retries in [0, 3] {
            for fault in VOD_FAULTS {
                for nth in 0..4 {
                    let mut simulation = prepared(plot, retries, |simulation| {
                        simulation.app.credentials = Some(Credentials::Sts);
                        simulation.vod.faults = vec![None; nth];
                        simulation.vod.faults.push(Some(fault));
                    });
                    play(&mut simulation, plot, u32::MAX);
                    assert_ends_well(
                        &mut simulation,
                        &format!("{plot:?} {retries} {fault:?} {nth}"),
                    );
                }
            }
        }
    }
}

#[test]
fn after_a_failure_of_any_key_value_operation_every_story_ends_with_a_whole_object() {
    for plot in PLOTS {
        for nth in 1.. {
            let mut simulation = prepared(plot, 3, |simulation| simulation.kv.fails_at = Some(nth));
            play(&mut simulation, plot, u32::MAX);
            if simulation.kv.fails_at.is_some() {
                break;
            }
            assert_ends_well(&mut simulation, &format!("{plot:?} {nth}"));
        }
    }
}

fn simulation(plot: Plot, seed: Option<u64>) -> Simulation {
    let mut simulation = seed.map_or_else(Simulation::new, Simulation::seeded);
    begin(&mut simulation, plot);
    simulation
}

fn prepared(plot: Plot, retries: u32, prepare: impl FnOnce(&mut Simulation)) -> Simulation {
    let mut simulation =
        Simulation::new().with_options(|options| options.retry_count = Some(retries));
    prepare(&mut simulation);
    begin(&mut simulation, plot);
    simulation
}

fn begin(simulation: &mut Simulation, plot: Plot) {
    let credentials = match plot {
        Plot::Sts => Credentials::Sts,
        Plot::Direct => Credentials::Direct,
        _ => simulation.app.credentials.unwrap(),
    };
    simulation.app = App { credentials: Some(credentials), ..App::default() };
    if plot == Plot::Expiry {
        simulation.vod.life = Duration::from_secs(2);
        simulation.app.token_life = Duration::from_secs(4);
        simulation.pace = Duration::from_millis(150);
    }
    if plot == Plot::Pieces {
        simulation.app.piece = Some(70_000);
    }
    simulation.add(file(plot)).unwrap();
    simulation.start();
}

fn file(plot: Plot) -> PlannedFile {
    let len = if plot == Plot::Small { 5_000 } else { 250_000 };
    let name = if plot == Plot::Picture { "a.png" } else { "a.mp4" };
    let mut file = Simulation::file(name, len);
    if plot == Plot::Picture {
        file.new.kind = Some(MediaKind::Image);
    }
    if plot == Plot::Direct {
        file.new.endpoint = Some("https://oss-cn-shanghai.aliyuncs.com".into());
        file.new.bucket = Some("my-bucket".into());
        file.new.object = Some("mine/a.mp4".into());
    }
    file
}

/// Goes on for so many steps; false where the story ends before.
fn play(simulation: &mut Simulation, plot: Plot, steps: u32) -> bool {
    for step in 0..steps {
        match plot {
            Plot::StopAndStart(at) if at == step => drop(simulation.try_stop()),
            Plot::StopAndStart(at) if at + 6 == step => drop(simulation.try_start()),
            Plot::Cancel(at) if at == step => drop(simulation.cancel(FILE)),
            _ => {}
        }
        if !simulation.step() {
            if matches!(plot, Plot::Cancel(_)) && simulation.resume(FILE).is_ok() {
                drop(simulation.try_start());
                continue;
            }
            return false;
        }
    }
    true
}

fn crash(simulation: &mut Simulation, plot: Plot, strays: LateWrites) {
    simulation.crash();
    match strays {
        LateWrites::ArriveAtOnce => simulation.apply_late_writes(),
        LateWrites::ArriveAtAnyTime => {}
        LateWrites::NeverArrive => simulation.discard_late_writes(),
    }
    simulation.add(file(plot)).unwrap();
    simulation.start();
}

/// Nothing goes wrong any more: the file is uploaded in one more run, two where it was wrong in two
/// ways.
fn assert_ends_well(simulation: &mut Simulation, case: &str) {
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
    assert!(simulation.is_all_uploaded(), "{case}: {:#?}", simulation.queue.list_files());
}
