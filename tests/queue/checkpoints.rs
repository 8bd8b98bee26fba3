//! The stored records of a file: found, not found, deleted.

use std::collections::BTreeSet;
use std::time::Duration;

use vod_uploader::error::ErrorKind;
use vod_uploader::queue::{ContentSample, Event, FileId, FileState, SAMPLE_BYTES, UploadingPhase};
use vod_uploader::units::ByteCount;
use vod_uploader::vod::MediaKind;
use vod_uploader_sim::queue::{Credentials, PlannedFile, Simulation};
use vod_uploader_sim::{Content, Fault, Operation};

use crate::actions::{checkpoint, info, run_half_way, run_to, run_to_completion};
use crate::event_queries::{all_events, count, events_of, resumed_from};
use crate::fixture::LEN;

#[test]
fn a_file_resumes_after_a_crash_at_any_step() {
    for mode in [Credentials::Server, Credentials::Sts] {
        let mut phases = BTreeSet::new();
        for steps in 0.. {
            let mut simulation = Simulation::new();
            simulation.app.credentials = Some(mode);
            let file = simulation.add(Simulation::file("a.mp4", LEN)).unwrap();
            simulation.start();
            for _ in 0..steps {
                simulation.step();
            }
            let before = info(&simulation, file);
            phases.insert(before.state.name());
            if before.state == FileState::Success {
                break;
            }
            let file = crash(&mut simulation, Simulation::file("a.mp4", LEN));
            run_to_completion(&mut simulation);
            let context = format!("{mode:?}, step {steps}: {:?}", all_events(&simulation));
            assert_eq!(simulation.state(file), FileState::Success, "{context}");
            assert!(
                simulation.world.kv.values.is_empty(),
                "{context}: {:?}",
                simulation.world.kv.values.keys()
            );
            if before.progress.durable > ByteCount::ZERO {
                assert_eq!(info(&simulation, file).media_id, before.media_id, "{context}");
                assert_eq!(simulation.world.vod.media.len(), 1, "{context}");
                let sent = simulation.world.store.count(Operation::UploadPart) as u64;
                // Three may have been in flight, and three stored but not recorded.
                assert!(sent <= 10 + 6, "{context}: {sent}");
            }
            assert_eq!(count(&simulation, "upload-end"), 1, "{context}");
        }
        let mut expected = vec!["awaiting-source", "starting", "success", "transferring"];
        expected.push(match mode {
            Credentials::Server | Credentials::Direct => "awaiting-credential",
            Credentials::Sts => "requesting-media",
        });
        for phase in expected {
            assert!(phases.contains(phase), "{mode:?}: no crash in {phase}: {phases:?}");
        }
    }
}

#[test]
fn a_different_file_does_not_resume() {
    let named = Simulation::file("a.mp4", LEN);
    let with = |change: fn(&mut PlannedFile)| {
        let mut planned = named.clone();
        change(&mut planned);
        planned
    };
    let edges = |planned: &mut PlannedFile| {
        let bytes = planned.content.bytes();
        let last = bytes[bytes.len() - SAMPLE_BYTES..].to_vec();
        planned.new.content_sample =
            Some(ContentSample { first: bytes[..SAMPLE_BYTES].to_vec(), last });
    };
    for (what, other) in [
        ("name", with(|planned| planned.new.name = "b.mp4".into())),
        ("last-modified", with(|planned| planned.new.last_modified_ms = Some(8))),
        (
            "size",
            with(|planned| {
                planned.new.size = Some(ByteCount(LEN + 1));
                planned.content = Content::of_len(LEN + 1);
            }),
        ),
        ("edges", with(edges)),
        ("none", with(|planned| planned.new.last_modified_ms = None)),
    ] {
        let (mut simulation, _) = half_way(&named);
        simulation.set_checkpoints_expire();
        let file = crash(&mut simulation, other);
        run_to_completion(&mut simulation);
        assert_eq!(simulation.state(file), FileState::Success, "{what}");
        assert_eq!(resumed_from(&simulation, file), None, "{what}");
        assert_eq!(simulation.world.vod.media.len(), 2, "{what}");
        // The checkpoint of the first file is unchanged.
        let first = crash(&mut simulation, named.clone());
        run_to_completion(&mut simulation);
        assert!(resumed_from(&simulation, first).unwrap() > 0, "{what}");
    }
    // Nor does a file of another account.
    let (mut simulation, _) = half_way(&named);
    simulation.set_checkpoints_expire();
    simulation.options.user_id = Some("2".into());
    let file = crash(&mut simulation, named);
    run_to_completion(&mut simulation);
    assert_eq!(resumed_from(&simulation, file), None);
    assert_eq!(simulation.world.vod.media.len(), 2);
}

#[test]
fn content_samples_identify_a_file_without_a_modification_time() {
    let mut planned = Simulation::file("a.mp4", LEN);
    planned.new.last_modified_ms = None;
    let bytes = planned.content.bytes();
    planned.new.content_sample = Some(ContentSample {
        first: bytes[..SAMPLE_BYTES].to_vec(),
        last: bytes[bytes.len() - SAMPLE_BYTES..].to_vec(),
    });
    let (mut simulation, _) = half_way(&planned);
    let file = crash(&mut simulation, planned);
    run_to_completion(&mut simulation);
    assert!(resumed_from(&simulation, file).unwrap() > 0);
}

#[test]
fn a_file_without_a_fingerprint_resumes_only_in_its_own_queue() {
    let mut planned = Simulation::file("a.mp4", LEN);
    planned.new.last_modified_ms = None;
    let (mut simulation, file) = half_way(&planned);
    simulation.stop();
    simulation.run();
    simulation.start();
    run_to(&mut simulation, file, UploadingPhase::AwaitingSource);
    assert!(resumed_from(&simulation, file).unwrap() > 0);
    let file = crash(&mut simulation, planned);
    assert!(checkpoint(&simulation, file).unwrap().is_empty());
    simulation.set_checkpoints_expire();
    run_to_completion(&mut simulation);
    assert_eq!(resumed_from(&simulation, file), None);
}

#[test]
fn a_checkpoint_can_be_resumed_until_its_ttl_has_passed() {
    for (secs, found) in [(59, true), (61, false)] {
        let mut simulation = Simulation::new().with_options(|options| {
            options.checkpoint_ttl_secs = Some(60);
        });
        let file = simulation.add(Simulation::file("a.mp4", LEN)).unwrap();
        simulation.start();
        run_half_way(&mut simulation, file);
        simulation.stop();
        simulation.run();
        simulation.world.clock.advance(Duration::from_secs(secs));
        if !found {
            simulation.set_checkpoints_expire();
        }
        let file = crash(&mut simulation, Simulation::file("a.mp4", LEN));
        run_to_completion(&mut simulation);
        assert_eq!(simulation.state(file), FileState::Success);
        assert_eq!(resumed_from(&simulation, file).is_some(), found, "{secs} s");
        assert!(
            simulation.world.kv.values.is_empty(),
            "{secs} s: {:?}",
            simulation.world.kv.values.keys()
        );
    }
}

#[test]
fn an_upload_that_oss_no_longer_has_restarts_with_the_same_media_id() {
    let (mut simulation, file) = half_way(&Simulation::file("a.mp4", LEN));
    let before = info(&simulation, file);
    simulation.world.store.faults.plan(Operation::UploadPart, 1, Fault::Forgets);
    simulation.run();
    assert_eq!(simulation.state(file), FileState::Success, "{:?}", events_of(&simulation, file));
    assert_eq!(info(&simulation, file).media_id, before.media_id);
    assert_eq!(simulation.world.vod.media.len(), 1);
    assert_eq!(count(&simulation, "upload-started"), 1);
    assert!(events_of(&simulation, file).contains(&"source-requested 0".into()));
    let back = |event: &String| *event == "progress 0";
    assert_eq!(events_of(&simulation, file).iter().filter(|event| back(event)).count(), 2);
}

#[test]
fn an_upload_lost_twice_fails_and_restarts_with_the_next_run() {
    let (mut simulation, file) = half_way(&Simulation::file("a.mp4", LEN));
    let media_id = info(&simulation, file).media_id;
    simulation.world.store.faults.plan(Operation::UploadPart, 3, Fault::Forgets);
    simulation.world.store.faults.plan(Operation::UploadPart, 9, Fault::Forgets);
    simulation.run();
    let FileState::Failure(error) = simulation.state(file) else {
        panic!("{:?}", all_events(&simulation))
    };
    assert_eq!(error.kind(), ErrorKind::UploadLost);
    let failed = simulation.events.iter().find_map(|event| match event {
        Event::Failed { durable, .. } => Some(*durable),
        _ => None,
    });
    assert_eq!(failed, Some(ByteCount::ZERO));
    let stored = checkpoint(&simulation, file).unwrap();
    assert_eq!(stored.media_id, media_id);
    assert!(stored.upload.is_none());
    // The next uploader finds the media id, too.
    let file = crash(&mut simulation, Simulation::file("a.mp4", LEN));
    run_to_completion(&mut simulation);
    assert_eq!(simulation.state(file), FileState::Success);
    assert_eq!(resumed_from(&simulation, file), Some(0));
    assert_eq!(info(&simulation, file).media_id, media_id);
    assert_eq!(simulation.world.vod.media.len(), 1);
}

#[test]
fn a_checkpoint_matches_the_progress_at_every_step() {
    let mut simulation = Simulation::new();
    let file = simulation.add(Simulation::file("a.mp4", LEN)).unwrap();
    assert!(checkpoint(&simulation, file).unwrap().is_empty());
    simulation.start();
    let mut offsets = BTreeSet::new();
    while simulation.state(file) != FileState::Success {
        simulation.step();
        let listed = info(&simulation, file);
        let stored = checkpoint(&simulation, file).unwrap();
        let Some(upload) = stored.upload else {
            let durable = listed.progress.durable;
            let complete = ByteCount(LEN);
            assert!(
                durable == ByteCount::ZERO || durable == complete,
                "{durable} and no checkpoint"
            );
            continue;
        };
        assert_eq!(
            stored.media_id,
            Some(simulation.world.vod.media.keys().next().unwrap().clone())
        );
        let target = &upload.record.target;
        assert_eq!(target.endpoint, "https://oss-cn-shanghai.aliyuncs.com");
        assert_eq!(target.bucket, "outin-test");
        assert_eq!(target.object, simulation.world.vod.media.values().next().unwrap().object);
        let durable = upload.checkpoint.durable();
        assert!(durable >= listed.progress.durable || listed.progress.fraction == Some(0.0));
        if let Some(upload_id) = &upload.checkpoint.upload_id {
            let on_the_store = simulation.world.store.uploads.contains_key(upload_id);
            assert!(on_the_store || simulation.world.store.objects.contains_key(&target.object));
            assert!(upload.checkpoint.written_at_ms <= simulation.world.now().0);
        }
        offsets.insert(durable);
    }
    assert!(offsets.len() >= 4, "{offsets:?}");
    assert!(offsets.contains(&ByteCount(LEN)));
    simulation.run();
    assert!(checkpoint(&simulation, file).unwrap().is_empty());
}

#[test]
fn a_corrupt_record_fails_the_file_until_it_is_cleared() {
    let (mut simulation, _) = half_way(&Simulation::file("a.mp4", LEN));
    let file = crash(&mut simulation, Simulation::file("a.mp4", LEN));
    simulation.run();
    let key = simulation.queue().checkpoint(file).unwrap().next_key().unwrap();
    simulation.world.kv.values.insert(key, b"no record".to_vec());
    assert_eq!(checkpoint(&simulation, file).unwrap_err().kind(), ErrorKind::CheckpointCorrupt);
    simulation.start();
    simulation.run();
    assert_eq!(events_of(&simulation, file).last().unwrap(), "failed checkpoint-corrupt");
    simulation.clear_checkpoint(file).unwrap();
    simulation.run();
    assert!(checkpoint(&simulation, file).unwrap().is_empty());
    run_to_completion(&mut simulation);
    assert_eq!(simulation.state(file), FileState::Success);
    assert_eq!(resumed_from(&simulation, file), None);
}

#[test]
fn a_file_accepts_any_object_after_clear_checkpoint() {
    for expires in [false, true] {
        let (mut simulation, file) = half_way(&Simulation::file("a.mp4", LEN));
        if expires {
            simulation.app.credentials = None;
            simulation.world.store.keys.clear();
            run_to(&mut simulation, file, UploadingPhase::TokenExpired);
        } else {
            simulation.stop();
            simulation.run();
        }
        let other = simulation.world.create_media(MediaKind::Video);
        let rejected = simulation.set_credential(file, &other).unwrap_err();
        assert_eq!(rejected.kind(), ErrorKind::CredentialForOtherObject);
        simulation.clear_checkpoint(file).unwrap();
        simulation.set_credential(file, &other).unwrap();
        simulation.app.credentials = None;
        run_to_completion(&mut simulation);
        assert_eq!(
            simulation.state(file),
            FileState::Success,
            "{:?}",
            events_of(&simulation, file)
        );
        assert_eq!(resumed_from(&simulation, file), None);
        let object = simulation.world.vod.media[&other.media_id].object.clone();
        let objects: Vec<_> = simulation.world.store.objects.keys().cloned().collect();
        assert_eq!(objects, [object]);
    }
}

#[test]
fn clear_checkpoint_completes_if_the_run_stops_immediately() {
    let (mut simulation, file) = half_way(&Simulation::file("a.mp4", LEN));
    simulation.app.credentials = None;
    simulation.world.store.keys.clear();
    run_to(&mut simulation, file, UploadingPhase::TokenExpired);
    simulation.clear_checkpoint(file).unwrap();
    simulation.stop();
    simulation.run();
    assert_eq!(simulation.state(file), FileState::Stopped);
    assert!(checkpoint(&simulation, file).unwrap().is_empty());
    assert!(simulation.world.kv.values.is_empty(), "{:?}", simulation.world.kv.values.keys());
    simulation.app.credentials = Some(Credentials::Server);
    run_to_completion(&mut simulation);
    assert_eq!(simulation.state(file), FileState::Success);
    assert_eq!(resumed_from(&simulation, file), None);
}

#[test]
fn the_next_uploader_reports_an_unreported_completion() {
    let mut reported = 0;
    for steps in 0.. {
        let mut simulation = Simulation::new();
        let file = simulation.add(Simulation::file("a.mp4", LEN)).unwrap();
        simulation.start();
        simulation.run_until(|simulation| simulation.world.store.count(Operation::Complete) == 1);
        for _ in 0..steps {
            simulation.step();
        }
        if simulation.state(file) == FileState::Success {
            break;
        }
        let file = crash(&mut simulation, Simulation::file("a.mp4", LEN));
        run_to_completion(&mut simulation);
        let events = events_of(&simulation, file);
        assert_eq!(simulation.state(file), FileState::Success, "step {steps}: {events:?}");
        if events == ["file-added", "progress complete", "succeeded"] {
            reported += 1;
        }
    }
    assert!(reported > 0);
}

fn half_way(planned: &PlannedFile) -> (Simulation, FileId) {
    let mut simulation = Simulation::new();
    let file = simulation.add(planned.clone()).unwrap();
    simulation.start();
    run_half_way(&mut simulation, file);
    (simulation, file)
}

/// Crashes the host. The next uploader lists this file.
fn crash(simulation: &mut Simulation, planned: PlannedFile) -> FileId {
    simulation.crash();
    simulation.add(planned).unwrap()
}
