//! What the key-value store knows of a file: found again, not found, forgotten.

use std::collections::BTreeSet;
use std::time::Duration;

use vod_uploader::error::ErrorKind;
use vod_uploader::queue::{EDGE_BYTES, Edges, Event, FileId, FileState, UploadingPhase};
use vod_uploader::units::ByteCount;
use vod_uploader::vod::MediaKind;
use vod_uploader_sim::{Content, Credentials, Fault, Operation, PlannedFile, World};

use crate::actions::{checkpoint, go_on, info, run_half_way, run_to};
use crate::event_queries::{all_events, continued_at, count, events_of};
use crate::fixture::LEN;

#[test]
fn a_file_is_continued_after_a_crash_at_any_step() {
    for mode in [Credentials::Server, Credentials::Sts] {
        let mut phases = BTreeSet::new();
        for steps in 0.. {
            let mut world = World::new();
            world.app.credentials = Some(mode);
            let file = world.add(World::file("a.mp4", LEN)).unwrap();
            world.start();
            for _ in 0..steps {
                world.step();
            }
            let before = info(&world, file);
            phases.insert(before.state.name());
            if before.state == FileState::Success {
                break;
            }
            let file = crash(&mut world, World::file("a.mp4", LEN));
            go_on(&mut world);
            let told = format!("{mode:?}, step {steps}: {:?}", all_events(&world));
            assert_eq!(world.state(file), FileState::Success, "{told}");
            assert!(world.kv.values.is_empty(), "{told}: {:?}", world.kv.values.keys());
            if before.progress.durable > ByteCount::ZERO {
                assert_eq!(info(&world, file).media_id, before.media_id, "{told}");
                assert_eq!(world.vod.media.len(), 1, "{told}");
                let sent = world.store.count(Operation::UploadPart) as u64;
                // Three may have been on their way, and three were stored and not noted.
                assert!(sent <= 10 + 6, "{told}: {sent}");
            }
            assert_eq!(count(&world, "upload-end"), 1, "{told}");
        }
        let mut expected = vec!["source-wanted", "starting", "success", "transferring"];
        expected.push(match mode {
            Credentials::Server | Credentials::Direct => "credential-wanted",
            Credentials::Sts => "media-wanted",
        });
        for phase in expected {
            assert!(phases.contains(phase), "{mode:?}: no crash in {phase}: {phases:?}");
        }
    }
}

#[test]
fn another_file_is_not_continued() {
    let named = World::file("a.mp4", LEN);
    let with = |change: fn(&mut PlannedFile)| {
        let mut planned = named.clone();
        change(&mut planned);
        planned
    };
    let edges = |planned: &mut PlannedFile| {
        let bytes = planned.content.bytes();
        let last = bytes[bytes.len() - EDGE_BYTES..].to_vec();
        planned.new.edges = Some(Edges { first: bytes[..EDGE_BYTES].to_vec(), last });
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
        let (mut world, _) = half_way(&named);
        world.forgets_old_files();
        let file = crash(&mut world, other);
        go_on(&mut world);
        assert_eq!(world.state(file), FileState::Success, "{what}");
        assert_eq!(continued_at(&world, file), None, "{what}");
        assert_eq!(world.vod.media.len(), 2, "{what}");
        // That of the first file is as it was.
        let first = crash(&mut world, named.clone());
        go_on(&mut world);
        assert!(continued_at(&world, first).unwrap() > 0, "{what}");
    }
    // Nor one of another account.
    let (mut world, _) = half_way(&named);
    world.forgets_old_files();
    world.options.user_id = Some("2".into());
    let file = crash(&mut world, named);
    go_on(&mut world);
    assert_eq!(continued_at(&world, file), None);
    assert_eq!(world.vod.media.len(), 2);
}

#[test]
fn a_file_is_known_by_its_edges_without_its_time() {
    let mut planned = World::file("a.mp4", LEN);
    planned.new.last_modified_ms = None;
    let bytes = planned.content.bytes();
    planned.new.edges = Some(Edges {
        first: bytes[..EDGE_BYTES].to_vec(),
        last: bytes[bytes.len() - EDGE_BYTES..].to_vec(),
    });
    let (mut world, _) = half_way(&planned);
    let file = crash(&mut world, planned);
    go_on(&mut world);
    assert!(continued_at(&world, file).unwrap() > 0);
}

#[test]
fn a_file_that_nothing_tells_from_another_is_continued_by_its_own_uploader_alone() {
    let mut planned = World::file("a.mp4", LEN);
    planned.new.last_modified_ms = None;
    let (mut world, file) = half_way(&planned);
    world.stop();
    world.run();
    world.start();
    run_to(&mut world, file, UploadingPhase::SourceWanted);
    assert!(continued_at(&world, file).unwrap() > 0);
    let file = crash(&mut world, planned);
    assert!(checkpoint(&world, file).unwrap().is_empty());
    world.forgets_old_files();
    go_on(&mut world);
    assert_eq!(continued_at(&world, file), None);
}

#[test]
fn a_checkpoint_is_continued_for_its_life_and_not_longer() {
    for (secs, found) in [(59, true), (61, false)] {
        let mut world = World::new().with_options(|options| {
            options.checkpoint_life_secs = Some(60);
        });
        let file = world.add(World::file("a.mp4", LEN)).unwrap();
        world.start();
        run_half_way(&mut world, file);
        world.stop();
        world.run();
        world.now = world.now + Duration::from_secs(secs);
        if !found {
            world.forgets_old_files();
        }
        let file = crash(&mut world, World::file("a.mp4", LEN));
        go_on(&mut world);
        assert_eq!(world.state(file), FileState::Success);
        assert_eq!(continued_at(&world, file).is_some(), found, "{secs} s");
        assert!(world.kv.values.is_empty(), "{secs} s: {:?}", world.kv.values.keys());
    }
}

#[test]
fn an_upload_that_the_store_forgot_begins_once_more_under_the_same_media_id() {
    let (mut world, file) = half_way(&World::file("a.mp4", LEN));
    let before = info(&world, file);
    world.store.faults.plan(Operation::UploadPart, 1, Fault::Forgets);
    world.run();
    assert_eq!(world.state(file), FileState::Success, "{:?}", events_of(&world, file));
    assert_eq!(info(&world, file).media_id, before.media_id);
    assert_eq!(world.vod.media.len(), 1);
    assert_eq!(count(&world, "upload-started"), 1);
    assert!(events_of(&world, file).contains(&"source-wanted 0".into()));
    let back = |event: &String| *event == "progress 0";
    assert_eq!(events_of(&world, file).iter().filter(|event| back(event)).count(), 2);
}

#[test]
fn an_upload_that_the_store_forgets_again_fails_and_begins_anew_when_it_is_started_again() {
    let (mut world, file) = half_way(&World::file("a.mp4", LEN));
    let media_id = info(&world, file).media_id;
    world.store.faults.plan(Operation::UploadPart, 3, Fault::Forgets);
    world.store.faults.plan(Operation::UploadPart, 9, Fault::Forgets);
    world.run();
    let FileState::Failure(error) = world.state(file) else { panic!("{:?}", all_events(&world)) };
    assert_eq!(error.kind(), ErrorKind::UploadLost);
    let failed = world.events.iter().find_map(|event| match event {
        Event::Failed { durable, .. } => Some(*durable),
        _ => None,
    });
    assert_eq!(failed, Some(ByteCount::ZERO));
    let stored = checkpoint(&world, file).unwrap();
    assert_eq!(stored.media_id, media_id);
    assert!(stored.upload.is_none());
    // Also to an uploader that comes later.
    let file = crash(&mut world, World::file("a.mp4", LEN));
    go_on(&mut world);
    assert_eq!(world.state(file), FileState::Success);
    assert_eq!(continued_at(&world, file), Some(0));
    assert_eq!(info(&world, file).media_id, media_id);
    assert_eq!(world.vod.media.len(), 1);
}

#[test]
fn a_checkpoint_says_where_the_file_stands_at_every_step() {
    let mut world = World::new();
    let file = world.add(World::file("a.mp4", LEN)).unwrap();
    assert!(checkpoint(&world, file).unwrap().is_empty());
    world.start();
    let mut offsets = BTreeSet::new();
    while world.state(file) != FileState::Success {
        world.step();
        let listed = info(&world, file);
        let stored = checkpoint(&world, file).unwrap();
        let Some(upload) = stored.upload else {
            let durable = listed.progress.durable;
            let whole = ByteCount(LEN);
            assert!(durable == ByteCount::ZERO || durable == whole, "{durable} and no checkpoint");
            continue;
        };
        assert_eq!(stored.media_id, Some(world.vod.media.keys().next().unwrap().clone()));
        let target = &upload.record.target;
        assert_eq!(target.endpoint, "https://oss-cn-shanghai.aliyuncs.com");
        assert_eq!(target.bucket, "outin-test");
        assert_eq!(target.object, world.vod.media.values().next().unwrap().object);
        let durable = upload.checkpoint.durable();
        assert!(durable >= listed.progress.durable || listed.progress.fraction == Some(0.0));
        if let Some(upload_id) = &upload.checkpoint.upload_id {
            let on_the_store = world.store.uploads.contains_key(upload_id);
            assert!(on_the_store || world.store.objects.contains_key(&target.object));
            assert!(upload.checkpoint.written_at_ms <= world.now.0);
        }
        offsets.insert(durable);
    }
    assert!(offsets.len() >= 4, "{offsets:?}");
    assert!(offsets.contains(&ByteCount(LEN)));
    world.run();
    assert!(checkpoint(&world, file).unwrap().is_empty());
}

#[test]
fn a_record_that_cannot_be_read_fails_the_file_until_it_is_cleared() {
    let (mut world, _) = half_way(&World::file("a.mp4", LEN));
    let file = crash(&mut world, World::file("a.mp4", LEN));
    world.run();
    let key = world.queue.checkpoint(file).unwrap().next_key().unwrap();
    world.kv.values.insert(key, b"no record".to_vec());
    assert_eq!(checkpoint(&world, file).unwrap_err().kind(), ErrorKind::CheckpointCorrupt);
    world.start();
    world.run();
    assert_eq!(events_of(&world, file).last().unwrap(), "failed checkpoint-corrupt");
    world.clear_checkpoint(file).unwrap();
    world.run();
    assert!(checkpoint(&world, file).unwrap().is_empty());
    go_on(&mut world);
    assert_eq!(world.state(file), FileState::Success);
    assert_eq!(continued_at(&world, file), None);
}

#[test]
fn a_file_whose_checkpoint_was_cleared_takes_any_object_from_the_next_call_on() {
    for expires in [false, true] {
        let (mut world, file) = half_way(&World::file("a.mp4", LEN));
        if expires {
            world.app.credentials = None;
            world.store.keys.clear();
            run_to(&mut world, file, UploadingPhase::TokenExpired);
        } else {
            world.stop();
            world.run();
        }
        let other = world.created(MediaKind::Video);
        let refused = world.hand_in(file, &other).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::CredentialForOtherObject);
        world.clear_checkpoint(file).unwrap();
        world.hand_in(file, &other).unwrap();
        world.app.credentials = None;
        go_on(&mut world);
        assert_eq!(world.state(file), FileState::Success, "{:?}", events_of(&world, file));
        assert_eq!(continued_at(&world, file), None);
        let object = world.vod.media[&other.media_id].object.clone();
        let objects: Vec<_> = world.store.objects.keys().cloned().collect();
        assert_eq!(objects, [object]);
    }
}

#[test]
fn what_was_cleared_stays_so_where_the_run_is_stopped_at_once() {
    let (mut world, file) = half_way(&World::file("a.mp4", LEN));
    world.app.credentials = None;
    world.store.keys.clear();
    run_to(&mut world, file, UploadingPhase::TokenExpired);
    world.clear_checkpoint(file).unwrap();
    world.stop();
    world.run();
    assert_eq!(world.state(file), FileState::Stopped);
    assert!(checkpoint(&world, file).unwrap().is_empty());
    assert!(world.kv.values.is_empty(), "{:?}", world.kv.values.keys());
    world.app.credentials = Some(Credentials::Server);
    go_on(&mut world);
    assert_eq!(world.state(file), FileState::Success);
    assert_eq!(continued_at(&world, file), None);
}

#[test]
fn what_was_completed_and_not_told_is_told_by_the_next_uploader() {
    let mut told = 0;
    for steps in 0.. {
        let mut world = World::new();
        let file = world.add(World::file("a.mp4", LEN)).unwrap();
        world.start();
        world.run_until(|world| world.store.count(Operation::Complete) == 1);
        for _ in 0..steps {
            world.step();
        }
        if world.state(file) == FileState::Success {
            break;
        }
        let file = crash(&mut world, World::file("a.mp4", LEN));
        go_on(&mut world);
        let events = events_of(&world, file);
        assert_eq!(world.state(file), FileState::Success, "step {steps}: {events:?}");
        if events == ["file-added", "progress whole", "succeeded"] {
            told += 1;
        }
    }
    assert!(told > 0);
}

fn half_way(planned: &PlannedFile) -> (World, FileId) {
    let mut world = World::new();
    let file = world.add(planned.clone()).unwrap();
    world.start();
    run_half_way(&mut world, file);
    (world, file)
}

/// The host is killed; the next uploader has this file in its list.
fn crash(world: &mut World, planned: PlannedFile) -> FileId {
    world.crash();
    world.add(planned).unwrap()
}
