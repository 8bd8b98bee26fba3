//! Regression tests for defects that the scenarios have found.

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
use vod_uploader_sim::queue::{Credentials, Simulation};
use vod_uploader_sim::{Fault, Operation};

const FILE: FileId = FileId(1);
const LEN: u64 = 250_000;

#[test]
fn a_crash_before_the_success_event_never_creates_a_second_media() {
    let mut crashes = 0;
    for seed in 0..20 {
        for step in 0.. {
            let mut simulation = one_file(Simulation::seeded(seed));
            simulation
                .run_until(|simulation| simulation.world.store.count(Operation::Complete) == 1);
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
            assert_eq!(simulation.world.vod.media.len(), 1, "seed {seed}, step {step}");
        }
    }
    assert!(crashes > 60, "{crashes} crashes");
}

#[test]
fn a_crash_while_records_are_deleted_leaves_no_findable_remainder() {
    for seed in 0..40 {
        for step in 0.. {
            let mut simulation = one_file(Simulation::seeded(seed));
            simulation
                .run_until(|simulation| simulation.world.store.count(Operation::UploadPart) == 2);
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
fn a_multipart_upload_created_just_before_a_cancel_is_aborted() {
    for seed in 0..200 {
        let mut simulation = one_file(Simulation::seeded(seed));
        // The upload is resumed, so that a checkpoint is in flight when it is created.
        simulation.run_until(|simulation| {
            matches!(simulation.events.last(), Some(Event::Progress { .. }))
        });
        simulation.stop();
        simulation.run();
        simulation.start();
        simulation.run_until(|simulation| simulation.world.store.count(Operation::Initiate) == 1);
        for _ in 0..1 + seed % 4 {
            simulation.step();
        }
        let is_known = simulation.has_created_upload();
        drop(simulation.cancel(FILE));
        simulation.run();
        assert!(!is_known || simulation.world.store.uploads.is_empty(), "seed {seed}");
    }
}

#[test]
fn an_image_upload_never_reuses_the_media_id_of_another_object() {
    let mut image = Simulation::file("a.png", LEN);
    image.new.kind = Some(MediaKind::Image);
    let mut simulation = Simulation::new();
    simulation.world.vod.credential_ttl = Duration::from_secs(10);
    simulation.app.credentials = None;
    simulation.add(image).unwrap();
    simulation.start();
    simulation.run();
    let first = simulation.world.create_media(MediaKind::Image);
    // The first credential is stored while the file is stopped, and expired when it is used.
    simulation.stop();
    simulation.run();
    simulation.set_credential(FILE, &first).unwrap();
    simulation.world.clock.advance(Duration::from_secs(11));
    simulation.start();
    simulation.run();
    simulation.world.vod.credential_ttl = Duration::from_secs(3_000);
    let third = simulation.world.create_media(MediaKind::Image);
    let now = simulation.world.now();
    simulation
        .call(|queue| {
            queue.set_upload_auth_and_address(now, FILE, &third.auth, &third.address, None)
        })
        .unwrap();
    simulation.run();
    let reported = simulation.events.iter().find_map(|event| match event {
        Event::Succeeded(succeeded) => Some(succeeded.media_id.clone()),
        _ => None,
    });
    assert_eq!(reported, Some(None));
}

#[test]
fn a_run_ends_only_after_the_records_of_its_files_are_deleted() {
    for seed in 0..50 {
        let mut simulation = one_file(Simulation::seeded(seed));
        simulation.run_until(|simulation| simulation.queue_state() == QueueState::End);
        assert!(simulation.world.kv.values.is_empty(), "{:?}", simulation.world.kv.values.keys());
    }
}

#[test]
fn a_deadline_that_passes_while_old_records_are_deleted_fails_the_file_once() {
    let mut failed = 0;
    for deadline_secs in 1..20 {
        let mut simulation = Simulation::new().with_options(|options| {
            options.deadline_secs = Some(deadline_secs);
            options.checkpoint_ttl_secs = Some(60);
        });
        simulation.set_checkpoints_expire();
        simulation.add(Simulation::file("a.mp4", LEN)).unwrap();
        simulation.start();
        simulation.run_until(|simulation| simulation.world.store.count(Operation::UploadPart) == 3);
        simulation.stop();
        simulation.run();
        simulation.world.clock.advance(Duration::from_secs(120));
        simulation.pace = Duration::from_millis(300);
        let before = simulation.events.len();
        simulation.start();
        simulation.run();
        let reported = &simulation.events[before..];
        let end = reported.iter().position(Event::is_last_of_file).expect("an end");
        assert_eq!(reported[end + 1..], [Event::UploadEnd], "{deadline_secs} s");
        failed += u32::from(matches!(reported[end], Event::Failed { .. }));
    }
    assert!(failed > 10, "{failed} files failed");
}

#[test]
fn a_cancel_without_permission_to_abort_reports_what_is_left() {
    let mut simulation = one_file(Simulation::new());
    simulation.world.store.faults.always(Operation::Abort, Fault::Refused(403, "AccessDenied"));
    simulation.run_until(|simulation| simulation.world.store.count(Operation::UploadPart) == 2);
    simulation.cancel(FILE).unwrap();
    simulation.run();
    assert_eq!(leftovers(&simulation), Some(ErrorKind::AccessDenied));
    assert_eq!(simulation.world.store.uploads.len(), 1);
}

#[test]
fn cleaning_the_list_during_a_cancel_reports_what_is_left() {
    let mut simulation = one_file(Simulation::new());
    simulation.run_until(|simulation| simulation.world.store.count(Operation::UploadPart) == 2);
    simulation.world.store.faults.always(Operation::Abort, Fault::Refused(400, "InvalidArgument"));
    simulation.cancel(FILE).unwrap();
    simulation.clean();
    assert_eq!(leftovers(&simulation), Some(ErrorKind::UploadStopped));
    simulation.run();
    assert_eq!(simulation.world.store.uploads.len(), 1);
}

#[test]
fn a_canceled_image_with_an_earlier_object_reports_what_is_left() {
    let image = || {
        let mut image = Simulation::file("a.png", LEN);
        image.new.kind = Some(MediaKind::Image);
        image
    };
    let mut simulation = Simulation::new();
    simulation.app.credentials = Some(Credentials::Sts);
    simulation.add(image()).unwrap();
    simulation.start();
    simulation.run_until(|simulation| simulation.world.store.count(Operation::UploadPart) == 3);
    simulation.crash();
    simulation.add(image()).unwrap();
    simulation.start();
    // VOD has created another object, and the records of the earlier one are being deleted.
    let starting = FileState::Uploading(UploadingPhase::Starting);
    simulation.run_until(|simulation| {
        simulation.world.vod.media.len() == 2 && simulation.state(FILE) == starting
    });
    simulation.cancel(FILE).unwrap();
    simulation.run();
    assert_eq!(leftovers(&simulation), Some(ErrorKind::CredentialRequired));
}

#[test]
fn a_file_added_again_while_its_records_are_written_is_found_after_a_crash() {
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
            simulation.run_until(|simulation| {
                durable(simulation) > 0 || simulation.state(again) == FileState::Success
            });
            for _ in 0..step % 4 {
                simulation.step();
            }
            let reported = durable(&simulation);
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
                continued.is_none_or(|at| at >= reported),
                "{seed} {step}: {continued:?} of {reported}"
            );
            found += u32::from(reported > 0);
        }
    }
    assert!(found > 100, "{found} files were in progress");
}

fn one_file(mut simulation: Simulation) -> Simulation {
    simulation.add(Simulation::file("a.mp4", LEN)).unwrap();
    simulation.start();
    simulation
}

/// The durable offset that was reported last.
fn durable(simulation: &Simulation) -> u64 {
    let reported = simulation.events.iter().rev().find_map(|event| match event {
        Event::Progress { progress, .. } if progress.fraction < Some(1.0) => Some(progress.durable),
        _ => None,
    });
    reported.map_or(0, |durable| durable.bytes())
}

/// Why something may be left after the last cancellation.
fn leftovers(simulation: &Simulation) -> Option<ErrorKind> {
    let canceled = simulation.events.iter().rev().find_map(|event| match event {
        Event::Canceled { leftover_error: leftovers, .. } => Some(leftovers.as_ref()),
        _ => None,
    });
    canceled.expect("a cancel").map(|error| error.kind())
}
