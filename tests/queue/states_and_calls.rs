//! Every state of a file, and every call in it: what the table of `queue::state` says, and what
//! comes of it.

use std::path::Path;

use vod_uploader::error::{ErrorKind, Result};
use vod_uploader::queue::state::{self, Answer, FileCall, QueueCall};
use vod_uploader::queue::{Event, FileState, QueueState, UploadingPhase};
use vod_uploader::units::ByteCount;
use vod_uploader_sim::{Credentials, Grant};

use crate::actions::{checkpoint, go_on, info, renew, renew_token, supply, wanted};
use crate::event_queries::{events_of, name};
use crate::fixture::{Fixture, file_fixtures, next_file, queue_fixture};

#[test]
fn every_state_answers_every_call_as_the_table_says() {
    for state in FileState::examples() {
        for call in FileCall::ALL {
            for fixture in file_fixtures(&state, mode_of(call)) {
                assert_eq!(fixture.state().name(), state.name(), "{}", fixture.name);
                check_cell(fixture, call);
            }
        }
    }
}

#[test]
fn every_state_of_the_queue_answers_every_call_as_the_table_says() {
    for state in QueueState::ALL {
        for call in QueueCall::ALL {
            let fixture = queue_fixture(state);
            assert_eq!(fixture.world.queue_state(), state);
            check_queue_cell(fixture, call, call.answer(state));
        }
    }
}

#[test]
fn a_file_that_the_list_does_not_have_is_unknown_to_every_call() {
    for call in FileCall::ALL {
        let mut fixture = file_fixtures(&FileState::Success, mode_of(call)).remove(0);
        let grant = fixture.grant();
        fixture.world.delete(fixture.file).unwrap();
        let before = format!("{:?}", fixture.world.queue);
        let refused = make(&mut fixture, call, &grant).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::FileUnknown, "{call:?}");
        assert_eq!(format!("{:?}", fixture.world.queue), before, "{call:?}");
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

fn check_cell(mut fixture: Fixture, call: FileCall) {
    let told = format!("{} in {}", call.name(), fixture.name);
    fixture.tell_the_time();
    let state = fixture.state();
    let grant = fixture.grant();
    let seen = fixture.world.events.len();
    let before = format!("{:?}", fixture.world.queue);
    let result = make(&mut fixture, call, &grant);
    let unchanged = format!("{:?}", fixture.world.queue) == before;
    if let Some(kind) = refusal(&fixture, call, call.answer(&state)) {
        assert_eq!(result.expect_err(&told).kind(), kind, "{told}");
        assert!(unchanged && fixture.world.events.len() == seen, "{told}");
        return ends_as_without_the_call(fixture, &told);
    }
    result.expect(&told);
    match call {
        FileCall::Delete => after_delete(fixture, &state, seen, &told),
        FileCall::Cancel => after_cancel(fixture, seen, &told),
        FileCall::Resume => after_resume(fixture, &told),
        FileCall::Checkpoint => {
            assert!(unchanged, "{told}");
            let stored = checkpoint(&fixture.world, fixture.file).unwrap();
            assert_eq!(stored.upload.is_some(), fixture.stored, "{told}");
            ends_as_without_the_call(fixture, &told);
        }
        FileCall::ClearCheckpoint => after_clear(fixture, &state, seen, &told),
        FileCall::SetAuthAndAddress
        | FileCall::ResumeWithAuth
        | FileCall::SetStsToken
        | FileCall::ResumeWithStsToken
        | FileCall::SetStsTokenDirectly => {
            let kept = call.answer(&state) == Answer::Kept;
            assert!(!kept || fixture.state() == state, "{told}");
            after_credential(fixture, &told);
        }
        FileCall::SupplySource => {
            assert_ne!(fixture.state().name(), "source-wanted", "{told}");
            ends_as_without_the_call(fixture, &told);
        }
    }
}

/// Why a call is refused: for the state, or for what the interface says beside it.
fn refusal(fixture: &Fixture, call: FileCall, answer: Answer) -> Option<ErrorKind> {
    match (answer, call) {
        (Answer::Refused, _) => Some(ErrorKind::FileStateWrong),
        (Answer::IfWanted, _) if !fixture.source_wanted => Some(ErrorKind::FileStateWrong),
        (_, FileCall::ResumeWithAuth | FileCall::ResumeWithStsToken) if !fixture.credentialed => {
            Some(ErrorKind::CredentialRequired)
        }
        _ => None,
    }
}

fn make(fixture: &mut Fixture, call: FileCall, grant: &Grant) -> Result<()> {
    let Fixture { world, file, .. } = fixture;
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
fn ends_as_without_the_call(mut fixture: Fixture, told: &str) {
    let expected = match fixture.state() {
        FileState::Success => "success",
        FileState::Canceled => "canceled",
        FileState::Uploading(UploadingPhase::Canceling) => "canceled",
        _ => "success",
    };
    fixture.app_is_back();
    go_on(&mut fixture.world);
    assert_eq!(fixture.state().name(), expected, "{told}");
    ends_well(&fixture, told);
}

fn after_delete(mut fixture: Fixture, before: &FileState, seen: usize, told: &str) {
    fixture.app_is_back();
    go_on(&mut fixture.world);
    let listed = fixture.world.queue.list_files();
    assert!(listed.iter().all(|info| info.id != fixture.file), "{told}");
    let of_file = |event: &&Event| event.file() == Some(fixture.file) && event.is_last_of_file();
    let ends: Vec<_> = fixture.world.events[seen..].iter().filter(of_file).collect();
    match before {
        // They have had their last event.
        FileState::Success | FileState::Canceled => assert!(ends.is_empty(), "{told}: {ends:?}"),
        _ => dropped_or_whole(&fixture, &ends, told),
    }
    ends_well(&fixture, told);
}

fn after_cancel(mut fixture: Fixture, seen: usize, told: &str) {
    fixture.app_is_back();
    go_on(&mut fixture.world);
    let of_file = |event: &&Event| event.file() == Some(fixture.file) && event.is_last_of_file();
    let ends: Vec<_> = fixture.world.events[seen..].iter().filter(of_file).collect();
    dropped_or_whole(&fixture, &ends, told);
    ends_well(&fixture, told);
    if fixture.state() == FileState::Canceled {
        fixture.world.resume(fixture.file).unwrap();
        go_on(&mut fixture.world);
        assert_eq!(fixture.state(), FileState::Success, "{told}");
    }
}

/// One last event: canceled, with a word where parts are left; or the object was whole already.
fn dropped_or_whole(fixture: &Fixture, ends: &[&Event], told: &str) {
    match ends {
        [Event::Canceled { left_over, .. }] => {
            assert_eq!(fixture.world.store.uploads.is_empty(), left_over.is_none(), "{told}");
        }
        [Event::Succeeded(_)] => {}
        _ => panic!("{told}: {ends:?}"),
    }
}

fn after_resume(mut fixture: Fixture, told: &str) {
    assert_eq!(fixture.state(), FileState::Ready, "{told}");
    fixture.app_is_back();
    go_on(&mut fixture.world);
    assert_eq!(fixture.state(), FileState::Success, "{told}");
    ends_well(&fixture, told);
}

fn after_clear(mut fixture: Fixture, before: &FileState, seen: usize, told: &str) {
    fixture.app_is_back();
    fixture.world.app.credentials = None;
    let idle = !matches!(before, FileState::Uploading(_));
    let runs = fixture.world.queue_state() == QueueState::Start;
    fixture.world.run();
    let stored = checkpoint(&fixture.world, fixture.file).unwrap();
    assert!(stored.is_empty(), "{told}");
    assert_eq!(info(&fixture.world, fixture.file).media_id, None, "{told}");
    if idle && !runs {
        assert_eq!(fixture.state().name(), before.name(), "{told}");
    }
    if *before == FileState::Canceled {
        fixture.world.resume(fixture.file).unwrap();
    }
    if idle {
        go_on(&mut fixture.world);
    }
    let later = fixture.world.events[seen..].iter();
    let later: Vec<_> =
        later.filter(|event| event.file() == Some(fixture.file)).map(name).collect();
    assert_eq!(later, ["upload-started"], "{told}");
    fixture.app_is_back();
    go_on(&mut fixture.world);
    assert_eq!(fixture.state(), FileState::Success, "{told}");
    fixture.world.store.uploads.clear();
    ends_well(&fixture, told);
}

/// The credential does: nobody is asked for another.
fn after_credential(mut fixture: Fixture, told: &str) {
    fixture.app_is_back();
    fixture.world.app.credentials = None;
    go_on(&mut fixture.world);
    let events = events_of(&fixture.world, fixture.file);
    assert_eq!(fixture.state(), FileState::Success, "{told}: {events:?}");
    ends_well(&fixture, told);
}

/// The other file of the list is uploaded too, the run has ended, and nothing is left.
fn ends_well(fixture: &Fixture, told: &str) {
    let world = &fixture.world;
    let queue = world.queue_state();
    assert_eq!(queue, QueueState::End, "{told}: {:?}", world.queue.list_files());
    assert_eq!(world.state(fixture.next), FileState::Success, "{told}");
    assert!(world.kv.values.is_empty(), "{told}: {:?}", world.kv.values.keys());
    let canceled_left = world
        .events
        .iter()
        .any(|event| matches!(event, Event::Canceled { left_over: Some(_), .. }));
    assert!(world.store.uploads.is_empty() || canceled_left, "{told}");
    assert_eq!(world.events.last(), Some(&Event::UploadEnd), "{told}");
}

fn check_queue_cell(mut fixture: Fixture, call: QueueCall, answer: Answer) {
    let told = format!("{} in {}", call.name(), fixture.name);
    fixture.tell_the_time();
    let seen = fixture.world.events.len();
    let before = format!("{:?}", fixture.world.queue);
    let state = fixture.world.queue_state();
    let durable = info(&fixture.world, fixture.file).progress.durable;
    let now = fixture.world.now;
    let result = match call {
        QueueCall::AddFile => fixture.world.add(next_file("another.mp4")).map(drop),
        QueueCall::ListFiles => {
            let names: Vec<_> =
                fixture.world.queue.list_files().into_iter().map(|info| info.name).collect();
            assert_eq!(names, ["a.mp4", "next.mp4"], "{told}");
            Ok(())
        }
        QueueCall::CleanList => {
            fixture.world.clean();
            Ok(())
        }
        QueueCall::StartUpload if answer == Answer::Refused => {
            fixture.world.call(|queue| queue.start_upload(now))
        }
        QueueCall::StartUpload => {
            fixture.world.start();
            Ok(())
        }
        QueueCall::StopUpload => fixture.world.call(|queue| queue.stop_upload(now)),
    };
    if answer == Answer::Refused {
        assert_eq!(result.expect_err(&told).kind(), ErrorKind::QueueStateWrong, "{told}");
        assert_eq!(format!("{:?}", fixture.world.queue), before, "{told}");
        assert_eq!(fixture.world.events.len(), seen, "{told}");
        return ends_as_without_the_call(fixture, &told);
    }
    result.expect(&told);
    match call {
        QueueCall::AddFile => {
            let added = fixture.world.queue.list_files().pop().unwrap();
            assert_eq!(name(&fixture.world.events[seen]), "file-added", "{told}");
            fixture.app_is_back();
            go_on(&mut fixture.world);
            assert_eq!(fixture.world.state(added.id), FileState::Success, "{told}");
            ends_well(&fixture, &told);
        }
        QueueCall::ListFiles => {
            assert_eq!(format!("{:?}", fixture.world.queue), before, "{told}");
            ends_as_without_the_call(fixture, &told);
        }
        QueueCall::CleanList => after_clean(fixture, state, durable, seen, &told),
        QueueCall::StartUpload => {
            assert_ne!(fixture.world.queue_state(), QueueState::Init, "{told}");
            ends_as_without_the_call(fixture, &told);
        }
        QueueCall::StopUpload => {
            assert_eq!(fixture.world.queue_state(), QueueState::Stop, "{told}");
            fixture.world.run();
            assert_eq!(fixture.state(), FileState::Stopped, "{told}");
            assert_eq!(fixture.world.queue_state(), QueueState::Stop, "{told}");
            ends_as_without_the_call(fixture, &told);
        }
    }
}

fn after_clean(
    mut fixture: Fixture,
    before: QueueState,
    durable: ByteCount,
    seen: usize,
    told: &str,
) {
    assert!(fixture.world.queue.list_files().is_empty(), "{told}");
    assert_eq!(fixture.world.queue_state(), QueueState::Init, "{told}");
    let durable = format!("stopped {}", durable.bytes());
    let later: Vec<_> = fixture.world.events[seen..].iter().map(name).collect();
    let expected = match before {
        QueueState::Start | QueueState::Expire => &[durable.as_str(), "upload-end"][..],
        QueueState::Stop => &["upload-end"],
        QueueState::Init | QueueState::Failure | QueueState::End => &[],
    };
    assert_eq!(later, expected, "{told}");
    fixture.app_is_back();
    fixture.file = fixture.world.add(fixture.planned.clone()).unwrap();
    fixture.next = fixture.world.add(next_file("next.mp4")).unwrap();
    go_on(&mut fixture.world);
    let events = events_of(&fixture.world, fixture.file);
    assert_eq!(fixture.state(), FileState::Success, "{told}: {events:?}");
    if fixture.stored {
        assert!(events[1].starts_with("upload-started again at "), "{told}: {events:?}");
    }
    ends_well(&fixture, told);
}
