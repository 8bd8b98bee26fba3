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
use vod_uploader_sim::{App, Credentials, Fault, PlannedFile, VOD_FAULTS, World};

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
enum Strays {
    ArriveAtOnce,
    ArriveAtAnyTime,
    NeverArrive,
}

#[test]
fn after_a_crash_at_any_step_every_story_ends_with_a_whole_object() {
    let mut crashes = 0;
    for plot in PLOTS {
        for strays in [Strays::ArriveAtOnce, Strays::ArriveAtAnyTime, Strays::NeverArrive] {
            for seed in [None, Some(1), Some(2)] {
                for step in 0.. {
                    let mut world = world(plot, seed);
                    if !play(&mut world, plot, step) {
                        break;
                    }
                    crash(&mut world, plot, strays);
                    assert_ends_well(&mut world, &format!("{plot:?} {strays:?} {seed:?} {step}"));
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
        let mut world = world(Plot::Parts, Some(3));
        if !play(&mut world, Plot::Parts, first) {
            break;
        }
        for second in (0..60).step_by(3) {
            let mut world = self::world(Plot::Parts, Some(3));
            assert!(play(&mut world, Plot::Parts, first));
            crash(&mut world, Plot::Parts, Strays::ArriveAtOnce);
            if !play(&mut world, Plot::Parts, second) {
                break;
            }
            crash(&mut world, Plot::Parts, Strays::ArriveAtAnyTime);
            assert_ends_well(&mut world, &format!("{first} {second}"));
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
                    let set = |world: &mut World| world.store.faults.plan_any(nth, fault);
                    let mut world = prepared(plot, retries, set);
                    play(&mut world, plot, u32::MAX);
                    if world.store.faults.is_due() {
                        break;
                    }
                    struck += 1;
                    let case = format!("{plot:?} {retries} {fault:?} {nth}");
                    assert_ends_well(&mut world, &case);
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
                    let mut world = prepared(plot, retries, |world| {
                        world.app.credentials = Some(Credentials::Sts);
                        world.vod.faults = vec![None; nth];
                        world.vod.faults.push(Some(fault));
                    });
                    play(&mut world, plot, u32::MAX);
                    assert_ends_well(&mut world, &format!("{plot:?} {retries} {fault:?} {nth}"));
                }
            }
        }
    }
}

#[test]
fn after_a_failure_of_any_key_value_operation_every_story_ends_with_a_whole_object() {
    for plot in PLOTS {
        for nth in 1.. {
            let mut world = prepared(plot, 3, |world| world.kv.fails_at = Some(nth));
            play(&mut world, plot, u32::MAX);
            if world.kv.fails_at.is_some() {
                break;
            }
            assert_ends_well(&mut world, &format!("{plot:?} {nth}"));
        }
    }
}

fn world(plot: Plot, seed: Option<u64>) -> World {
    let mut world = seed.map_or_else(World::new, World::seeded);
    begin(&mut world, plot);
    world
}

fn prepared(plot: Plot, retries: u32, prepare: impl FnOnce(&mut World)) -> World {
    let mut world = World::new().with_options(|options| options.retry_count = Some(retries));
    prepare(&mut world);
    begin(&mut world, plot);
    world
}

fn begin(world: &mut World, plot: Plot) {
    let credentials = match plot {
        Plot::Sts => Credentials::Sts,
        Plot::Direct => Credentials::Direct,
        _ => world.app.credentials.unwrap(),
    };
    world.app = App { credentials: Some(credentials), ..App::default() };
    if plot == Plot::Expiry {
        world.vod.life = Duration::from_secs(2);
        world.app.token_life = Duration::from_secs(4);
        world.pace = Duration::from_millis(150);
    }
    if plot == Plot::Pieces {
        world.app.piece = Some(70_000);
    }
    world.add(file(plot)).unwrap();
    world.start();
}

fn file(plot: Plot) -> PlannedFile {
    let len = if plot == Plot::Small { 5_000 } else { 250_000 };
    let name = if plot == Plot::Picture { "a.png" } else { "a.mp4" };
    let mut file = World::file(name, len);
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
fn play(world: &mut World, plot: Plot, steps: u32) -> bool {
    for step in 0..steps {
        match plot {
            Plot::StopAndStart(at) if at == step => drop(world.try_stop()),
            Plot::StopAndStart(at) if at + 6 == step => drop(world.try_start()),
            Plot::Cancel(at) if at == step => drop(world.cancel(FILE)),
            _ => {}
        }
        if !world.step() {
            if matches!(plot, Plot::Cancel(_)) && world.resume(FILE).is_ok() {
                drop(world.try_start());
                continue;
            }
            return false;
        }
    }
    true
}

fn crash(world: &mut World, plot: Plot, strays: Strays) {
    world.crash();
    match strays {
        Strays::ArriveAtOnce => world.land_strays(),
        Strays::ArriveAtAnyTime => {}
        Strays::NeverArrive => world.drop_strays(),
    }
    world.add(file(plot)).unwrap();
    world.start();
}

/// Nothing goes wrong any more: the file is uploaded in one more run, two where it was wrong in two
/// ways.
fn assert_ends_well(world: &mut World, case: &str) {
    world.calm_down();
    for _ in 0..2 {
        if world.is_all_uploaded() {
            break;
        }
        if world.resume(FILE).is_ok() {
            drop(world.try_start());
        }
        world.bring_to_end();
    }
    world.run();
    assert!(world.is_all_uploaded(), "{case}: {:#?}", world.queue.list_files());
}
