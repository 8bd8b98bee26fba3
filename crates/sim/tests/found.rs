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
use vod_uploader_sim::{Credentials, Fault, Operation, Simulation};

const FILE: FileId = FileId(1);
const LEN: u64 = 250_000;

#[test]
fn a_crash_before_the_success_is_told_never_makes_a_second_media_of_the_file() {
    let mut crashes = 0;
    for seed in 0..20 {
        for step in 0.. {
            let mut simulation = one_file(Simulation::seeded(seed));
            simulation.run_until(|simulation| simulation.store.count(Operation::Complete) == 1);
            for _ in 0..step {
                simulation.step();
            }
            if simulation.state(FILE) == FileState::Success {
                break;
            }
            crashes += 1;
            simulation.crash();
            simulation.discard_late_writes();
            simulation.add(Simulation::file("a.mp4", LEN)).unwrap();
            simulation.start();
            simulation.run();
            assert_eq!(simulation.state(FILE), FileState::Success);
            assert_eq!(simulation.vod.media.len(), 1, "seed {seed}, step {step}");
        }
    }
    assert!(crashes > 60, "{crashes} crashes");
}

#[test]
fn a_crash_while_records_are_deleted_never_leaves_a_part_of_them_to_be_found() {
    for seed in 0..40 {
        for step in 0.. {
            let mut simulation = one_file(Simulation::seeded(seed));
            simulation.run_until(|simulation| simulation.store.count(Operation::UploadPart) == 2);
            simulation.stop();
            simulation.run();
            simulation.start();
            simulation.run_until(|simulation| simulation.state(FILE) == FileState::Success);
            if (0..step).any(|_| !simulation.step()) {
                break;
            }
            simulation.crash();
            simulation.discard_late_writes();
            simulation.add(Simulation::file("a.mp4", LEN)).unwrap();
            simulation.start();
            simulation.run();
            assert_eq!(simulation.state(FILE), FileState::Success, "seed {seed}, step {step}");
        }
    }
}

#[test]
fn an_upload_that_was_just_begun_when_its_file_is_canceled_is_dropped() {
    for seed in 0..200 {
        let mut simulation = one_file(Simulation::seeded(seed));
        // The upload is taken over, so that a checkpoint is being written when it is begun.
        simulation.run_until(|simulation| {
            matches!(simulation.events.last(), Some(Event::Progress { .. }))
        });
        simulation.stop();
        simulation.run();
        simulation.start();
        simulation.run_until(|simulation| simulation.store.count(Operation::Initiate) == 1);
        for _ in 0..1 + seed % 4 {
            simulation.step();
        }
        let is_known = simulation.has_begun_upload();
        drop(simulation.cancel(FILE));
        simulation.run();
        assert!(!is_known || simulation.store.uploads.is_empty(), "seed {seed}");
    }
}

#[test]
fn a_picture_never_bears_the_media_id_of_another_object() {
    let mut picture = Simulation::file("a.png", LEN);
    picture.new.kind = Some(MediaKind::Image);
    let mut simulation = Simulation::new();
    simulation.vod.life = Duration::from_secs(10);
    simulation.app.credentials = None;
    simulation.add(picture).unwrap();
    simulation.start();
    simulation.run();
    let first = simulation.created(MediaKind::Image);
    // The first is kept while the file is stopped, and has ended when it is used.
    simulation.stop();
    simulation.run();
    simulation.hand_in(FILE, &first).unwrap();
    simulation.now = simulation.now + Duration::from_secs(11);
    simulation.start();
    simulation.run();
    simulation.vod.life = Duration::from_secs(3_000);
    let third = simulation.created(MediaKind::Image);
    let now = simulation.now;
    simulation
        .call(|queue| {
            queue.set_upload_auth_and_address(now, FILE, &third.auth, &third.address, None)
        })
        .unwrap();
    simulation.run();
    let told = simulation.events.iter().find_map(|event| match event {
        Event::Succeeded(succeeded) => Some(succeeded.media_id.clone()),
        _ => None,
    });
    assert_eq!(told, Some(None));
}

#[test]
fn a_run_is_over_only_when_the_records_of_its_files_are_deleted() {
    for seed in 0..50 {
        let mut simulation = one_file(Simulation::seeded(seed));
        simulation.run_until(|simulation| simulation.queue_state() == QueueState::End);
        assert!(simulation.kv.values.is_empty(), "{:?}", simulation.kv.values.keys());
    }
}

#[test]
fn a_file_whose_deadline_passes_while_its_old_records_are_deleted_fails_and_stays_failed() {
    let mut failed = 0;
    for deadline_secs in 1..20 {
        let mut simulation = Simulation::new().with_options(|options| {
            options.deadline_secs = Some(deadline_secs);
            options.checkpoint_ttl_secs = Some(60);
        });
        simulation.forgets_old_files();
        simulation.add(Simulation::file("a.mp4", LEN)).unwrap();
        simulation.start();
        simulation.run_until(|simulation| simulation.store.count(Operation::UploadPart) == 3);
        simulation.stop();
        simulation.run();
        simulation.now = simulation.now + Duration::from_secs(120);
        simulation.pace = Duration::from_millis(300);
        let before = simulation.events.len();
        simulation.start();
        simulation.run();
        let told = &simulation.events[before..];
        let end = told.iter().position(Event::is_last_of_file).expect("an end");
        assert_eq!(told[end + 1..], [Event::UploadEnd], "{deadline_secs} s");
        failed += u32::from(matches!(told[end], Event::Failed { .. }));
    }
    assert!(failed > 10, "{failed} files failed");
}

#[test]
fn a_cancel_whose_credential_may_not_drop_the_parts_says_so() {
    let mut simulation = one_file(Simulation::new());
    simulation.store.faults.always(Operation::Abort, Fault::Refused(403, "AccessDenied"));
    simulation.run_until(|simulation| simulation.store.count(Operation::UploadPart) == 2);
    simulation.cancel(FILE).unwrap();
    simulation.run();
    assert_eq!(leftover_error(&simulation), Some(ErrorKind::AccessDenied));
    assert_eq!(simulation.store.uploads.len(), 1);
}

#[test]
fn a_list_that_is_cleaned_during_a_cancel_does_not_say_that_nothing_is_left() {
    let mut simulation = one_file(Simulation::new());
    simulation.run_until(|simulation| simulation.store.count(Operation::UploadPart) == 2);
    simulation.store.faults.always(Operation::Abort, Fault::Refused(400, "InvalidArgument"));
    simulation.cancel(FILE).unwrap();
    simulation.clean();
    assert_eq!(leftover_error(&simulation), Some(ErrorKind::UploadStopped));
    simulation.run();
    assert_eq!(simulation.store.uploads.len(), 1);
}

#[test]
fn a_picture_that_is_canceled_while_its_last_object_is_forgotten_says_what_is_left() {
    let picture = || {
        let mut picture = Simulation::file("a.png", LEN);
        picture.new.kind = Some(MediaKind::Image);
        picture
    };
    let mut simulation = Simulation::new();
    simulation.app.credentials = Some(Credentials::Sts);
    simulation.add(picture()).unwrap();
    simulation.start();
    simulation.run_until(|simulation| simulation.store.count(Operation::UploadPart) == 3);
    simulation.crash();
    simulation.add(picture()).unwrap();
    simulation.start();
    // VOD has made another object, and the records of the one before are being deleted.
    let starting = FileState::Uploading(UploadingPhase::Starting);
    simulation.run_until(|simulation| {
        simulation.vod.media.len() == 2 && simulation.state(FILE) == starting
    });
    simulation.cancel(FILE).unwrap();
    simulation.run();
    assert_eq!(leftover_error(&simulation), Some(ErrorKind::CredentialRequired));
}

#[test]
fn a_file_that_comes_again_while_its_records_are_written_is_found_after_a_crash() {
    let mut found = 0;
    for seed in 0..60 {
        for step in 0..16 {
            let mut simulation = one_file(Simulation::seeded(seed));
            for _ in 0..step {
                simulation.step();
            }
            simulation.clean();
            let again = simulation.add(Simulation::file("a.mp4", LEN)).unwrap();
            simulation.start();
            let is_on_its_way =
                |simulation: &Simulation| simulation.store.count(Operation::UploadPart) >= 2;
            simulation.run_until(|simulation| {
                is_on_its_way(simulation) || simulation.state(again) == FileState::Success
            });
            for _ in 0..8 {
                simulation.step();
            }
            let told = durable(&simulation);
            simulation.crash();
            simulation.apply_late_writes();
            simulation.add(Simulation::file("a.mp4", LEN)).unwrap();
            simulation.start();
            simulation.run();
            let continued = simulation.events.iter().find_map(|event| match event {
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

fn one_file(mut simulation: Simulation) -> Simulation {
    simulation.add(Simulation::file("a.mp4", LEN)).unwrap();
    simulation.start();
    simulation
}

/// The offset that was told last.
fn durable(simulation: &Simulation) -> u64 {
    let told = simulation.events.iter().rev().find_map(|event| match event {
        Event::Progress { progress, .. } if progress.fraction < Some(1.0) => Some(progress.durable),
        _ => None,
    });
    told.map_or(0, |durable| durable.bytes())
}

/// Why something may be left over, as the last cancel says.
fn leftover_error(simulation: &Simulation) -> Option<ErrorKind> {
    let canceled = simulation.events.iter().rev().find_map(|event| match event {
        Event::Canceled { leftover_error, .. } => Some(leftover_error.as_ref()),
        _ => None,
    });
    canceled.expect("a cancel").map(|error| error.kind())
}
