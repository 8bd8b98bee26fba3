//! The stored records of a file: found, not found, deleted.

use std::collections::BTreeSet;
use std::time::Duration;

use vod_uploader::error::ErrorKind;
use vod_uploader::queue::{ContentSample, Event, FileId, FileState, SAMPLE_BYTES, UploadingPhase};
use vod_uploader::units::ByteCount;
use vod_uploader::vod::MediaKind;
use vod_uploader_sim::queue::{Credentials, PlannedFile, Simulation};
use vod_uploader_sim::{Content, Fault, Operation};

use crate::actions::{
    LEN, assert_no_records, checkpoint, half_way, half_way_of, info, run_half_way, run_to,
    run_to_completion, video, with_video,
};
use crate::event_queries::{all_events, count, events_of, resumed_from};

#[test]
fn a_file_resumes_after_a_crash_at_any_step() {
    for mode in [Credentials::Server, Credentials::Sts] {
        let mut phases = BTreeSet::new();
        for steps in 0.. {
            let mut sim = Simulation::new();
            sim.app.credentials = Some(mode);
            let file = sim.add(video()).unwrap();
            sim.start();
            for _ in 0..steps {
                sim.step();
            }
            let before = info(&sim, file);
            phases.insert(before.state.name());
            if before.state == FileState::Success {
                break;
            }
            let file = crash(&mut sim, video());
            run_to_completion(&mut sim);
            let context = format!("{mode:?}, step {steps}: {:?}", all_events(&sim));
            assert_eq!(sim.state(file), FileState::Success, "{context}");
            assert!(sim.world.kv.values.is_empty(), "{context}: {:?}", sim.world.kv.values.keys());
            if before.progress.durable > ByteCount::ZERO {
                assert_eq!(info(&sim, file).media_id, before.media_id, "{context}");
                assert_eq!(sim.world.vod.media.len(), 1, "{context}");
                let sent = sim.world.store.count(Operation::UploadPart) as u64;
                // Three may have been in flight, and three stored but not recorded.
                assert!(sent <= 10 + 6, "{context}: {sent}");
            }
            assert_eq!(count(&sim, "upload-end"), 1, "{context}");
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
    let named = video();
    let with = |change: fn(&mut PlannedFile)| {
        let mut planned = named.clone();
        change(&mut planned);
        planned
    };
    let sample = |planned: &mut PlannedFile| {
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
        ("content sample", with(sample)),
        ("none", with(|planned| planned.new.last_modified_ms = None)),
    ] {
        let (mut sim, _) = half_way_of(named.clone(), Credentials::Server);
        sim.allow_losses();
        let file = crash(&mut sim, other);
        run_to_completion(&mut sim);
        assert_eq!(sim.state(file), FileState::Success, "{what}");
        assert_eq!(resumed_from(&sim, file), None, "{what}");
        assert_eq!(sim.world.vod.media.len(), 2, "{what}");
        // The checkpoint of the first file is unchanged.
        let first = crash(&mut sim, named.clone());
        run_to_completion(&mut sim);
        assert!(resumed_from(&sim, first).unwrap() > 0, "{what}");
    }
    // Nor does a file of another account.
    let (mut sim, _) = half_way_of(named.clone(), Credentials::Server);
    sim.allow_losses();
    sim.options.user_id = Some("2".into());
    let file = crash(&mut sim, named);
    run_to_completion(&mut sim);
    assert_eq!(resumed_from(&sim, file), None);
    assert_eq!(sim.world.vod.media.len(), 2);
}

#[test]
fn content_samples_identify_a_file_without_a_modification_time() {
    let mut planned = video();
    planned.new.last_modified_ms = None;
    let bytes = planned.content.bytes();
    planned.new.content_sample = Some(ContentSample {
        first: bytes[..SAMPLE_BYTES].to_vec(),
        last: bytes[bytes.len() - SAMPLE_BYTES..].to_vec(),
    });
    let (mut sim, _) = half_way_of(planned.clone(), Credentials::Server);
    let file = crash(&mut sim, planned);
    run_to_completion(&mut sim);
    assert!(resumed_from(&sim, file).unwrap() > 0);
}

#[test]
fn a_file_without_a_fingerprint_resumes_only_in_its_own_queue() {
    let mut planned = video();
    planned.new.last_modified_ms = None;
    let (mut sim, file) = half_way_of(planned.clone(), Credentials::Server);
    sim.stop();
    sim.run();
    sim.start();
    run_to(&mut sim, file, UploadingPhase::AwaitingSource);
    assert!(resumed_from(&sim, file).unwrap() > 0);
    let file = crash(&mut sim, planned);
    assert!(checkpoint(&sim, file).unwrap().is_empty());
    sim.allow_losses();
    run_to_completion(&mut sim);
    assert_eq!(resumed_from(&sim, file), None);
}

#[test]
fn a_checkpoint_can_be_resumed_until_its_ttl_has_passed() {
    for (secs, found) in [(59, true), (61, false)] {
        let mut sim = Simulation::new().with_options(|options| {
            options.checkpoint_ttl_secs = Some(60);
        });
        let file = sim.add(video()).unwrap();
        sim.start();
        run_half_way(&mut sim, file);
        sim.stop();
        sim.run();
        sim.world.clock.advance(Duration::from_secs(secs));
        if !found {
            sim.allow_losses();
        }
        let file = crash(&mut sim, video());
        run_to_completion(&mut sim);
        assert_eq!(sim.state(file), FileState::Success);
        assert_eq!(resumed_from(&sim, file).is_some(), found, "{secs} s");
        assert!(sim.world.kv.values.is_empty(), "{secs} s: {:?}", sim.world.kv.values.keys());
    }
}

#[test]
fn an_upload_that_oss_no_longer_has_restarts_with_the_same_media_id() {
    let (mut sim, file) = half_way();
    let before = info(&sim, file);
    sim.world.store.faults.plan(Operation::UploadPart, 1, Fault::Forgets);
    sim.run();
    assert_eq!(sim.state(file), FileState::Success, "{:?}", events_of(&sim, file));
    assert_eq!(info(&sim, file).media_id, before.media_id);
    assert_eq!(sim.world.vod.media.len(), 1);
    assert_eq!(count(&sim, "upload-started"), 1);
    assert!(events_of(&sim, file).contains(&"source-requested 0".into()));
    let back = |event: &String| *event == "progress 0";
    assert_eq!(events_of(&sim, file).iter().filter(|event| back(event)).count(), 2);
}

#[test]
fn an_upload_lost_twice_fails_and_restarts_with_the_next_run() {
    let (mut sim, file) = half_way();
    let media_id = info(&sim, file).media_id;
    sim.world.store.faults.plan(Operation::UploadPart, 1, Fault::Forgets);
    sim.world.store.faults.plan(Operation::UploadPart, 7, Fault::Forgets);
    sim.run();
    let FileState::Failure(error) = sim.state(file) else { panic!("{:?}", all_events(&sim)) };
    assert_eq!(error.kind(), ErrorKind::UploadLost);
    let failed = sim.events.iter().find_map(|event| match event {
        Event::Failed { durable, .. } => Some(*durable),
        _ => None,
    });
    assert_eq!(failed, Some(ByteCount::ZERO));
    let stored = checkpoint(&sim, file).unwrap();
    assert_eq!(stored.media_id, media_id);
    assert!(stored.upload.is_none());
    // The next uploader finds the media ID, too.
    let file = crash(&mut sim, video());
    run_to_completion(&mut sim);
    assert_eq!(sim.state(file), FileState::Success);
    assert_eq!(resumed_from(&sim, file), Some(0));
    assert_eq!(info(&sim, file).media_id, media_id);
    assert_eq!(sim.world.vod.media.len(), 1);
}

#[test]
fn a_checkpoint_matches_the_progress_at_every_step() {
    let (mut sim, file) = with_video();
    assert!(checkpoint(&sim, file).unwrap().is_empty());
    sim.start();
    let mut offsets = BTreeSet::new();
    while sim.state(file) != FileState::Success {
        sim.step();
        let listed = info(&sim, file);
        let stored = checkpoint(&sim, file).unwrap();
        let Some(upload) = stored.upload else {
            let durable = listed.progress.durable;
            let complete = ByteCount(LEN);
            assert!(
                durable == ByteCount::ZERO || durable == complete,
                "{durable} and no checkpoint"
            );
            continue;
        };
        assert_eq!(stored.media_id, Some(sim.world.vod.media.keys().next().unwrap().clone()));
        let target = &upload.record.target;
        assert_eq!(target.endpoint, "https://oss-cn-shanghai.aliyuncs.com");
        assert_eq!(target.bucket, "outin-test");
        assert_eq!(target.object, sim.world.vod.media.values().next().unwrap().object);
        let durable = upload.checkpoint.durable();
        assert!(durable >= listed.progress.durable || listed.progress.fraction == Some(0.0));
        if let Some(upload_id) = &upload.checkpoint.upload_id {
            let on_the_store = sim.world.store.uploads.contains_key(upload_id);
            assert!(on_the_store || sim.world.store.objects.contains_key(&target.object));
            assert!(upload.checkpoint.written_at_ms <= sim.world.now().0);
        }
        offsets.insert(durable);
    }
    assert!(offsets.len() >= 4, "{offsets:?}");
    assert!(offsets.contains(&ByteCount(LEN)));
    sim.run();
    assert!(checkpoint(&sim, file).unwrap().is_empty());
}

#[test]
fn a_corrupt_record_fails_the_file_until_it_is_cleared() {
    let (mut sim, _) = half_way();
    let file = crash(&mut sim, video());
    sim.run();
    let key = sim.queue().checkpoint(file).unwrap().next_key().unwrap();
    sim.world.kv.values.insert(key, b"no record".to_vec());
    assert_eq!(checkpoint(&sim, file).unwrap_err().kind(), ErrorKind::CheckpointCorrupt);
    sim.start();
    sim.run();
    assert_eq!(events_of(&sim, file).last().unwrap(), "failed checkpoint-corrupt");
    sim.clear_checkpoint(file).unwrap();
    sim.run();
    assert!(checkpoint(&sim, file).unwrap().is_empty());
    run_to_completion(&mut sim);
    assert_eq!(sim.state(file), FileState::Success);
    assert_eq!(resumed_from(&sim, file), None);
}

#[test]
fn a_file_accepts_any_object_after_clear_checkpoint() {
    for expires in [false, true] {
        let (mut sim, file) = half_way();
        if expires {
            sim.app.credentials = None;
            sim.world.store.keys.clear();
            run_to(&mut sim, file, UploadingPhase::TokenExpired);
        } else {
            sim.stop();
            sim.run();
        }
        let other = sim.world.create_media(MediaKind::Video);
        let rejected = sim.set_credential(file, &other).unwrap_err();
        assert_eq!(rejected.kind(), ErrorKind::CredentialForOtherObject);
        sim.clear_checkpoint(file).unwrap();
        sim.set_credential(file, &other).unwrap();
        sim.app.credentials = None;
        run_to_completion(&mut sim);
        assert_eq!(sim.state(file), FileState::Success, "{:?}", events_of(&sim, file));
        assert_eq!(resumed_from(&sim, file), None);
        let object = sim.world.vod.media[&other.media_id].object.clone();
        let objects: Vec<_> = sim.world.store.objects.keys().cloned().collect();
        assert_eq!(objects, [object]);
    }
}

#[test]
fn clear_checkpoint_completes_if_the_run_stops_immediately() {
    let (mut sim, file) = half_way();
    sim.app.credentials = None;
    sim.world.store.keys.clear();
    run_to(&mut sim, file, UploadingPhase::TokenExpired);
    sim.clear_checkpoint(file).unwrap();
    sim.stop();
    sim.run();
    assert_eq!(sim.state(file), FileState::Stopped);
    assert!(checkpoint(&sim, file).unwrap().is_empty());
    assert_no_records(&sim);
    sim.app.credentials = Some(Credentials::Server);
    run_to_completion(&mut sim);
    assert_eq!(sim.state(file), FileState::Success);
    assert_eq!(resumed_from(&sim, file), None);
}

#[test]
fn the_next_uploader_reports_an_unreported_completion() {
    let mut reported = 0;
    for steps in 0.. {
        let (mut sim, file) = with_video();
        sim.start();
        sim.run_until(|sim| sim.world.store.count(Operation::Complete) == 1);
        for _ in 0..steps {
            sim.step();
        }
        if sim.state(file) == FileState::Success {
            break;
        }
        let file = crash(&mut sim, video());
        run_to_completion(&mut sim);
        let events = events_of(&sim, file);
        assert_eq!(sim.state(file), FileState::Success, "step {steps}: {events:?}");
        if events == ["file-added", "progress complete", "succeeded"] {
            reported += 1;
        }
    }
    assert!(reported > 0);
}

/// Crashes the host. The next uploader lists this file.
fn crash(sim: &mut Simulation, planned: PlannedFile) -> FileId {
    sim.crash();
    sim.add(planned).unwrap()
}
