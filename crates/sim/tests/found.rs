//! What the stories have found, each as small as it can be told.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a failed assumption fails the test"
)]

use std::time::Duration;

use vod_uploader::error::ErrorKind;
use vod_uploader::queue::{Event, FileId, FileState, QueueState, UploadingPhase};
use vod_uploader::vod::MediaKind;
use vod_uploader_sim::{Credentials, Fault, Operation, World};

const FILE: FileId = FileId(1);
const LEN: u64 = 250_000;

#[test]
fn a_crash_before_the_success_is_told_never_makes_a_second_media_of_the_file() {
    let mut crashes = 0;
    for seed in 0..20 {
        for step in 0.. {
            let mut world = one_file(World::seeded(seed));
            world.run_until(|world| world.store.count(Operation::Complete) == 1);
            for _ in 0..step {
                world.step();
            }
            if world.state(FILE) == FileState::Success {
                break;
            }
            crashes += 1;
            world.crash();
            world.drop_strays();
            world.add(World::file("a.mp4", LEN)).unwrap();
            world.start();
            world.run();
            assert_eq!(world.state(FILE), FileState::Success);
            assert_eq!(world.vod.media.len(), 1, "seed {seed}, step {step}");
        }
    }
    assert!(crashes > 60, "{crashes} crashes");
}

#[test]
fn a_crash_while_records_are_deleted_never_leaves_a_part_of_them_to_be_found() {
    for seed in 0..40 {
        for step in 0.. {
            let mut world = one_file(World::seeded(seed));
            world.run_until(|world| world.store.count(Operation::UploadPart) == 2);
            world.stop();
            world.run();
            world.start();
            world.run_until(|world| world.state(FILE) == FileState::Success);
            if (0..step).any(|_| !world.step()) {
                break;
            }
            world.crash();
            world.drop_strays();
            world.add(World::file("a.mp4", LEN)).unwrap();
            world.start();
            world.run();
            assert_eq!(world.state(FILE), FileState::Success, "seed {seed}, step {step}");
        }
    }
}

#[test]
fn an_upload_that_was_just_begun_when_its_file_is_canceled_is_dropped() {
    for seed in 0..200 {
        let mut world = one_file(World::seeded(seed));
        // The upload is taken over, so that a checkpoint is being written when it is begun.
        world.run_until(|world| matches!(world.events.last(), Some(Event::Progress { .. })));
        world.stop();
        world.run();
        world.start();
        world.run_until(|world| world.store.count(Operation::Initiate) == 1);
        for _ in 0..1 + seed % 4 {
            world.step();
        }
        let is_known = world.has_begun_upload();
        drop(world.cancel(FILE));
        world.run();
        assert!(!is_known || world.store.uploads.is_empty(), "seed {seed}");
    }
}

#[test]
fn a_picture_never_bears_the_media_id_of_another_object() {
    let mut picture = World::file("a.png", LEN);
    picture.new.kind = Some(MediaKind::Image);
    let mut world = World::new();
    world.vod.life = Duration::from_secs(10);
    world.app.credentials = None;
    world.add(picture).unwrap();
    world.start();
    world.run();
    let first = world.created(MediaKind::Image);
    // The first is kept while the file is stopped, and has ended when it is used.
    world.stop();
    world.run();
    world.hand_in(FILE, &first).unwrap();
    world.now = world.now + Duration::from_secs(11);
    world.start();
    world.run();
    world.vod.life = Duration::from_secs(3_000);
    let third = world.created(MediaKind::Image);
    let now = world.now;
    world
        .call(|queue| {
            queue.set_upload_auth_and_address(now, FILE, &third.auth, &third.address, None)
        })
        .unwrap();
    world.run();
    let told = world.events.iter().find_map(|event| match event {
        Event::Succeeded(succeeded) => Some(succeeded.media_id.clone()),
        _ => None,
    });
    assert_eq!(told, Some(None));
}

#[test]
fn a_run_is_over_only_when_the_records_of_its_files_are_deleted() {
    for seed in 0..50 {
        let mut world = one_file(World::seeded(seed));
        world.run_until(|world| world.queue_state() == QueueState::End);
        assert!(world.kv.values.is_empty(), "{:?}", world.kv.values.keys());
    }
}

#[test]
fn a_file_whose_deadline_passes_while_its_old_records_are_deleted_fails_and_stays_failed() {
    let mut failed = 0;
    for deadline_secs in 1..20 {
        let mut world = World::new().with_options(|options| {
            options.deadline_secs = Some(deadline_secs);
            options.checkpoint_life_secs = Some(60);
        });
        world.forgets_old_files();
        world.add(World::file("a.mp4", LEN)).unwrap();
        world.start();
        world.run_until(|world| world.store.count(Operation::UploadPart) == 3);
        world.stop();
        world.run();
        world.now = world.now + Duration::from_secs(120);
        world.pace = Duration::from_millis(300);
        let before = world.events.len();
        world.start();
        world.run();
        let told = &world.events[before..];
        let end = told.iter().position(Event::is_last_of_file).expect("an end");
        assert_eq!(told[end + 1..], [Event::UploadEnd], "{deadline_secs} s");
        failed += u32::from(matches!(told[end], Event::Failed { .. }));
    }
    assert!(failed > 10, "{failed} files failed");
}

#[test]
fn a_cancel_whose_credential_may_not_drop_the_parts_says_so() {
    let mut world = one_file(World::new());
    world.store.faults.always(Operation::Abort, Fault::Refused(403, "AccessDenied"));
    world.run_until(|world| world.store.count(Operation::UploadPart) == 2);
    world.cancel(FILE).unwrap();
    world.run();
    assert_eq!(left_over(&world), Some(ErrorKind::AccessDenied));
    assert_eq!(world.store.uploads.len(), 1);
}

#[test]
fn a_list_that_is_cleaned_during_a_cancel_does_not_say_that_nothing_is_left() {
    let mut world = one_file(World::new());
    world.run_until(|world| world.store.count(Operation::UploadPart) == 2);
    world.store.faults.always(Operation::Abort, Fault::Refused(400, "InvalidArgument"));
    world.cancel(FILE).unwrap();
    world.clean();
    assert_eq!(left_over(&world), Some(ErrorKind::UploadStopped));
    world.run();
    assert_eq!(world.store.uploads.len(), 1);
}

#[test]
fn a_picture_that_is_canceled_while_its_last_object_is_forgotten_says_what_is_left() {
    let picture = || {
        let mut picture = World::file("a.png", LEN);
        picture.new.kind = Some(MediaKind::Image);
        picture
    };
    let mut world = World::new();
    world.app.credentials = Some(Credentials::Sts);
    world.add(picture()).unwrap();
    world.start();
    world.run_until(|world| world.store.count(Operation::UploadPart) == 3);
    world.crash();
    world.add(picture()).unwrap();
    world.start();
    // VOD has made another object, and the records of the one before are being deleted.
    let starting = FileState::Uploading(UploadingPhase::Starting);
    world.run_until(|world| world.vod.media.len() == 2 && world.state(FILE) == starting);
    world.cancel(FILE).unwrap();
    world.run();
    assert_eq!(left_over(&world), Some(ErrorKind::CredentialRequired));
}

#[test]
fn a_file_that_comes_again_while_its_records_are_written_is_found_after_a_crash() {
    let mut found = 0;
    for seed in 0..60 {
        for step in 0..16 {
            let mut world = one_file(World::seeded(seed));
            for _ in 0..step {
                world.step();
            }
            world.clean();
            let again = world.add(World::file("a.mp4", LEN)).unwrap();
            world.start();
            let is_on_its_way = |world: &World| world.store.count(Operation::UploadPart) >= 2;
            world.run_until(|world| {
                is_on_its_way(world) || world.state(again) == FileState::Success
            });
            for _ in 0..8 {
                world.step();
            }
            let told = durable(&world);
            world.crash();
            world.land_strays();
            world.add(World::file("a.mp4", LEN)).unwrap();
            world.start();
            world.run();
            let continued = world.events.iter().find_map(|event| match event {
                Event::UploadStarted { durable, .. } => Some(durable.bytes()),
                _ => None,
            });
            assert!(
                continued.is_none_or(|at| at >= told),
                "{seed} {step}: {continued:?} of {told}"
            );
            found += u32::from(told > 0);
        }
    }
    assert!(found > 100, "{found} files were on their way");
}

fn one_file(mut world: World) -> World {
    world.add(World::file("a.mp4", LEN)).unwrap();
    world.start();
    world
}

/// The offset that was told last.
fn durable(world: &World) -> u64 {
    let told = world.events.iter().rev().find_map(|event| match event {
        Event::Progress { progress, .. } if progress.fraction < Some(1.0) => Some(progress.durable),
        _ => None,
    });
    told.map_or(0, |durable| durable.bytes())
}

/// Why something may be left over, as the last cancel says.
fn left_over(world: &World) -> Option<ErrorKind> {
    let canceled = world.events.iter().rev().find_map(|event| match event {
        Event::Canceled { left_over, .. } => Some(left_over.as_ref()),
        _ => None,
    });
    canceled.expect("a cancel").map(|error| error.kind())
}
