//! Every state of a file, and every call in it: what the table of `queue::state` says, and what
//! comes of it.

use std::path::Path;

use vod_uploader::error::{ErrorKind, Result};
use vod_uploader::queue::state::{self, Answer, FileCall, QueueCall};
use vod_uploader::queue::{Event, FileState, QueueState, UploadingPhase};
use vod_uploader::units::ByteCount;
use vod_uploader_sim::{Credentials, Grant};

use crate::acting::{checkpoint, go_on, info, renew, renew_token, supply, wanted};
use crate::reading::{events_of, name};
use crate::scenes::{Scene, file_scenes, next_file, queue_scene};

#[test]
fn every_state_answers_every_call_as_the_table_says() {
    for state in FileState::examples() {
        for call in FileCall::ALL {
            for scene in file_scenes(&state, mode_of(call)) {
                assert_eq!(scene.state().name(), state.name(), "{}", scene.name);
                check_cell(scene, call);
            }
        }
    }
}

#[test]
fn every_state_of_the_queue_answers_every_call_as_the_table_says() {
    for state in QueueState::ALL {
        for call in QueueCall::ALL {
            let scene = queue_scene(state);
            assert_eq!(scene.world.queue_state(), state);
            check_queue_cell(scene, call, call.answer(state));
        }
    }
}

#[test]
fn a_file_that_the_list_does_not_have_is_unknown_to_every_call() {
    for call in FileCall::ALL {
        let mut scene = file_scenes(&FileState::Success, mode_of(call)).remove(0);
        let grant = scene.grant();
        scene.world.delete(scene.file).unwrap();
        let before = format!("{:?}", scene.world.queue);
        let refused = make(&mut scene, call, &grant).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::FileUnknown, "{call:?}");
        assert_eq!(format!("{:?}", scene.world.queue), before, "{call:?}");
    }
}

#[test]
fn the_tables_in_architecture_md_are_those_of_the_code() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("ARCHITECTURE.md");
    let text = std::fs::read_to_string(path).unwrap();
    let (_, section) = text.split_once("\n## States and calls\n").expect("the section");
    let section = section.split("\n## ").next().unwrap();
    for table in [state::file_table(), state::queue_table()] {
        assert!(section.contains(&table), "ARCHITECTURE.md lacks this table:\n{table}");
    }
}

/// The mode in which a call is of use.
fn mode_of(call: FileCall) -> Credentials {
    match call {
        FileCall::SetStsToken | FileCall::ResumeWithStsToken => Credentials::Sts,
        FileCall::SetStsTokenDirectly => Credentials::Direct,
        FileCall::Delete
        | FileCall::Cancel
        | FileCall::Resume
        | FileCall::Checkpoint
        | FileCall::ClearCheckpoint
        | FileCall::SetAuthAndAddress
        | FileCall::ResumeWithAuth
        | FileCall::SupplySource => Credentials::Server,
    }
}

fn check_cell(mut scene: Scene, call: FileCall) {
    let told = format!("{} in {}", call.name(), scene.name);
    scene.tell_the_time();
    let state = scene.state();
    let grant = scene.grant();
    let seen = scene.world.events.len();
    let before = format!("{:?}", scene.world.queue);
    let result = make(&mut scene, call, &grant);
    let unchanged = format!("{:?}", scene.world.queue) == before;
    if let Some(kind) = refusal(&scene, call, call.answer(&state)) {
        assert_eq!(result.expect_err(&told).kind(), kind, "{told}");
        assert!(unchanged && scene.world.events.len() == seen, "{told}");
        return ends_as_without_the_call(scene, &told);
    }
    result.expect(&told);
    match call {
        FileCall::Delete => after_delete(scene, &state, seen, &told),
        FileCall::Cancel => after_cancel(scene, seen, &told),
        FileCall::Resume => after_resume(scene, &told),
        FileCall::Checkpoint => {
            assert!(unchanged, "{told}");
            let stored = checkpoint(&scene.world, scene.file).unwrap();
            assert_eq!(stored.upload.is_some(), scene.stored, "{told}");
            ends_as_without_the_call(scene, &told);
        }
        FileCall::ClearCheckpoint => after_clear(scene, &state, seen, &told),
        FileCall::SetAuthAndAddress
        | FileCall::ResumeWithAuth
        | FileCall::SetStsToken
        | FileCall::ResumeWithStsToken
        | FileCall::SetStsTokenDirectly => {
            let kept = call.answer(&state) == Answer::Kept;
            assert!(!kept || scene.state() == state, "{told}");
            after_credential(scene, &told);
        }
        FileCall::SupplySource => {
            assert_ne!(scene.state().name(), "source-wanted", "{told}");
            ends_as_without_the_call(scene, &told);
        }
    }
}

/// Why a call is refused: for the state, or for what the interface says beside it.
fn refusal(scene: &Scene, call: FileCall, answer: Answer) -> Option<ErrorKind> {
    match (answer, call) {
        (Answer::Refused, _) => Some(ErrorKind::FileStateWrong),
        (Answer::IfWanted, _) if !scene.source_wanted => Some(ErrorKind::FileStateWrong),
        (_, FileCall::ResumeWithAuth | FileCall::ResumeWithStsToken) if !scene.credentialed => {
            Some(ErrorKind::CredentialRequired)
        }
        _ => None,
    }
}

fn make(scene: &mut Scene, call: FileCall, grant: &Grant) -> Result<()> {
    let Scene { world, file, .. } = scene;
    let file = *file;
    match call {
        FileCall::Delete => world.delete(file),
        FileCall::Cancel => world.cancel(file),
        FileCall::Resume => world.resume(file),
        FileCall::Checkpoint => world.queue.checkpoint(file).map(drop),
        FileCall::ClearCheckpoint => world.clear_checkpoint(file),
        FileCall::SetAuthAndAddress => world.hand_in(file, grant),
        FileCall::ResumeWithAuth => renew(world, file, &grant.auth),
        FileCall::SetStsToken => world.hand_in_token(file),
        FileCall::ResumeWithStsToken => renew_token(world, file),
        FileCall::SetStsTokenDirectly => world.hand_in_direct_token(file),
        FileCall::SupplySource => {
            let offset = wanted(world, file);
            supply(world, file, offset)
        }
    }
}

/// What was refused, or only looked, changes nothing about how it ends.
fn ends_as_without_the_call(mut scene: Scene, told: &str) {
    let expected = match scene.state() {
        FileState::Success => "success",
        FileState::Canceled => "canceled",
        FileState::Uploading(UploadingPhase::Canceling) => "canceled",
        _ => "success",
    };
    scene.app_is_back();
    go_on(&mut scene.world);
    assert_eq!(scene.state().name(), expected, "{told}");
    ends_well(&scene, told);
}

fn after_delete(mut scene: Scene, before: &FileState, seen: usize, told: &str) {
    scene.app_is_back();
    go_on(&mut scene.world);
    let listed = scene.world.queue.list_files();
    assert!(listed.iter().all(|info| info.id != scene.file), "{told}");
    let of_file = |event: &&Event| event.file() == Some(scene.file) && event.is_last_of_file();
    let ends: Vec<_> = scene.world.events[seen..].iter().filter(of_file).collect();
    match before {
        // They have had their last event.
        FileState::Success | FileState::Canceled => assert!(ends.is_empty(), "{told}: {ends:?}"),
        _ => dropped_or_whole(&scene, &ends, told),
    }
    ends_well(&scene, told);
}

fn after_cancel(mut scene: Scene, seen: usize, told: &str) {
    scene.app_is_back();
    go_on(&mut scene.world);
    let of_file = |event: &&Event| event.file() == Some(scene.file) && event.is_last_of_file();
    let ends: Vec<_> = scene.world.events[seen..].iter().filter(of_file).collect();
    dropped_or_whole(&scene, &ends, told);
    ends_well(&scene, told);
    if scene.state() == FileState::Canceled {
        scene.world.resume(scene.file).unwrap();
        go_on(&mut scene.world);
        assert_eq!(scene.state(), FileState::Success, "{told}");
    }
}

/// One last event: canceled, with a word where parts are left; or the object was whole already.
fn dropped_or_whole(scene: &Scene, ends: &[&Event], told: &str) {
    match ends {
        [Event::Canceled { left_over, .. }] => {
            assert_eq!(scene.world.store.uploads.is_empty(), left_over.is_none(), "{told}");
        }
        [Event::Succeeded(_)] => {}
        _ => panic!("{told}: {ends:?}"),
    }
}

fn after_resume(mut scene: Scene, told: &str) {
    assert_eq!(scene.state(), FileState::Ready, "{told}");
    scene.app_is_back();
    go_on(&mut scene.world);
    assert_eq!(scene.state(), FileState::Success, "{told}");
    ends_well(&scene, told);
}

fn after_clear(mut scene: Scene, before: &FileState, seen: usize, told: &str) {
    scene.app_is_back();
    scene.world.app.credentials = None;
    let idle = !matches!(before, FileState::Uploading(_));
    let runs = scene.world.queue_state() == QueueState::Start;
    scene.world.run();
    let stored = checkpoint(&scene.world, scene.file).unwrap();
    assert!(stored.is_empty(), "{told}");
    assert_eq!(info(&scene.world, scene.file).media_id, None, "{told}");
    if idle && !runs {
        assert_eq!(scene.state().name(), before.name(), "{told}");
    }
    if *before == FileState::Canceled {
        scene.world.resume(scene.file).unwrap();
    }
    if idle {
        go_on(&mut scene.world);
    }
    let later = scene.world.events[seen..].iter();
    let later: Vec<_> = later.filter(|event| event.file() == Some(scene.file)).map(name).collect();
    assert_eq!(later, ["upload-started"], "{told}");
    scene.app_is_back();
    go_on(&mut scene.world);
    assert_eq!(scene.state(), FileState::Success, "{told}");
    scene.world.store.uploads.clear();
    ends_well(&scene, told);
}

/// The credential does: nobody is asked for another.
fn after_credential(mut scene: Scene, told: &str) {
    scene.app_is_back();
    scene.world.app.credentials = None;
    go_on(&mut scene.world);
    let events = events_of(&scene.world, scene.file);
    assert_eq!(scene.state(), FileState::Success, "{told}: {events:?}");
    ends_well(&scene, told);
}

/// The other file of the list is uploaded too, the run has ended, and nothing is left.
fn ends_well(scene: &Scene, told: &str) {
    let world = &scene.world;
    let queue = world.queue_state();
    assert_eq!(queue, QueueState::End, "{told}: {:?}", world.queue.list_files());
    assert_eq!(world.state(scene.next), FileState::Success, "{told}");
    assert!(world.kv.values.is_empty(), "{told}: {:?}", world.kv.values.keys());
    let canceled_left = world
        .events
        .iter()
        .any(|event| matches!(event, Event::Canceled { left_over: Some(_), .. }));
    assert!(world.store.uploads.is_empty() || canceled_left, "{told}");
    assert_eq!(world.events.last(), Some(&Event::UploadEnd), "{told}");
}

fn check_queue_cell(mut scene: Scene, call: QueueCall, answer: Answer) {
    let told = format!("{} in {}", call.name(), scene.name);
    scene.tell_the_time();
    let seen = scene.world.events.len();
    let before = format!("{:?}", scene.world.queue);
    let state = scene.world.queue_state();
    let durable = info(&scene.world, scene.file).progress.durable;
    let now = scene.world.now;
    let result = match call {
        QueueCall::AddFile => scene.world.add(next_file("another.mp4")).map(drop),
        QueueCall::ListFiles => {
            let names: Vec<_> =
                scene.world.queue.list_files().into_iter().map(|info| info.name).collect();
            assert_eq!(names, ["a.mp4", "next.mp4"], "{told}");
            Ok(())
        }
        QueueCall::CleanList => {
            scene.world.clean();
            Ok(())
        }
        QueueCall::StartUpload if answer == Answer::Refused => {
            scene.world.call(|queue| queue.start_upload(now))
        }
        QueueCall::StartUpload => {
            scene.world.start();
            Ok(())
        }
        QueueCall::StopUpload => scene.world.call(|queue| queue.stop_upload(now)),
    };
    if answer == Answer::Refused {
        assert_eq!(result.expect_err(&told).kind(), ErrorKind::QueueStateWrong, "{told}");
        assert_eq!(format!("{:?}", scene.world.queue), before, "{told}");
        assert_eq!(scene.world.events.len(), seen, "{told}");
        return ends_as_without_the_call(scene, &told);
    }
    result.expect(&told);
    match call {
        QueueCall::AddFile => {
            let added = scene.world.queue.list_files().pop().unwrap();
            assert_eq!(name(&scene.world.events[seen]), "file-added", "{told}");
            scene.app_is_back();
            go_on(&mut scene.world);
            assert_eq!(scene.world.state(added.id), FileState::Success, "{told}");
            ends_well(&scene, &told);
        }
        QueueCall::ListFiles => {
            assert_eq!(format!("{:?}", scene.world.queue), before, "{told}");
            ends_as_without_the_call(scene, &told);
        }
        QueueCall::CleanList => after_clean(scene, state, durable, seen, &told),
        QueueCall::StartUpload => {
            assert_ne!(scene.world.queue_state(), QueueState::Init, "{told}");
            ends_as_without_the_call(scene, &told);
        }
        QueueCall::StopUpload => {
            assert_eq!(scene.world.queue_state(), QueueState::Stop, "{told}");
            scene.world.run();
            assert_eq!(scene.state(), FileState::Stopped, "{told}");
            assert_eq!(scene.world.queue_state(), QueueState::Stop, "{told}");
            ends_as_without_the_call(scene, &told);
        }
    }
}

fn after_clean(mut scene: Scene, before: QueueState, durable: ByteCount, seen: usize, told: &str) {
    assert!(scene.world.queue.list_files().is_empty(), "{told}");
    assert_eq!(scene.world.queue_state(), QueueState::Init, "{told}");
    let durable = format!("stopped {}", durable.bytes());
    let later: Vec<_> = scene.world.events[seen..].iter().map(name).collect();
    let expected = match before {
        QueueState::Start | QueueState::Expire => &[durable.as_str(), "upload-end"][..],
        QueueState::Stop => &["upload-end"],
        QueueState::Init | QueueState::Failure | QueueState::End => &[],
    };
    assert_eq!(later, expected, "{told}");
    scene.app_is_back();
    scene.file = scene.world.add(scene.planned.clone()).unwrap();
    scene.next = scene.world.add(next_file("next.mp4")).unwrap();
    go_on(&mut scene.world);
    let events = events_of(&scene.world, scene.file);
    assert_eq!(scene.state(), FileState::Success, "{told}: {events:?}");
    if scene.stored {
        assert!(events[1].starts_with("upload-started again at "), "{told}: {events:?}");
    }
    ends_well(&scene, told);
}
