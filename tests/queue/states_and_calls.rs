//! Every call in every state: whether it is allowed as the table of `queue::state` specifies, and
//! its result.

use std::path::Path;

use vod_uploader::error::{ErrorKind, Result};
use vod_uploader::queue::state::{self, CallPolicy, FileCall, QueueCall};
use vod_uploader::queue::{Event, FileState, QueueState, UploadingPhase};
use vod_uploader::units::ByteCount;
use vod_uploader_sim::Grant;
use vod_uploader_sim::queue::Credentials;

use crate::actions::{
    checkpoint, info, renew, renew_token, requested_offset, run_to_completion, supply,
};
use crate::event_queries::{events_of, name};
use crate::fixture::{Fixture, file_fixtures, next_file, queue_fixture};

#[test]
fn every_file_state_handles_every_call_as_the_table_specifies() {
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
fn every_queue_state_handles_every_call_as_the_table_specifies() {
    for state in QueueState::ALL {
        for call in QueueCall::ALL {
            let fixture = queue_fixture(state);
            assert_eq!(fixture.simulation.queue_state(), state);
            check_queue_cell(fixture, call, call.policy(state));
        }
    }
}

#[test]
fn every_call_rejects_an_unlisted_file() {
    for call in FileCall::ALL {
        let mut fixture = file_fixtures(&FileState::Success, mode_of(call)).remove(0);
        let grant = fixture.grant();
        fixture.simulation.delete(fixture.file).unwrap();
        let before = format!("{:?}", fixture.simulation.queue());
        let rejected = make(&mut fixture, call, &grant).unwrap_err();
        assert_eq!(rejected.kind(), ErrorKind::FileUnknown, "{call:?}");
        assert_eq!(format!("{:?}", fixture.simulation.queue()), before, "{call:?}");
    }
}

#[test]
fn the_tables_in_architecture_md_match_the_code() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("ARCHITECTURE.md");
    let text = std::fs::read_to_string(path).unwrap();
    let (_, section) = text.split_once("\n## States and calls\n").expect("the section");
    let section = section.split("\n## ").next().unwrap();
    for table in [state::file_table(), state::queue_table()] {
        assert!(section.contains(&table), "ARCHITECTURE.md lacks this table:\n{table}");
    }
}

/// The credential mode in which a call is useful.
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
    let context = format!("{} in {}", call.name(), fixture.name);
    fixture.sync_clock();
    let state = fixture.state();
    let grant = fixture.grant();
    let seen = fixture.simulation.events.len();
    let before = format!("{:?}", fixture.simulation.queue());
    let result = make(&mut fixture, call, &grant);
    let unchanged = format!("{:?}", fixture.simulation.queue()) == before;
    if let Some(kind) = refusal(&fixture, call, call.policy(&state)) {
        assert_eq!(result.expect_err(&context).kind(), kind, "{context}");
        assert!(unchanged && fixture.simulation.events.len() == seen, "{context}");
        return ends_as_if_not_called(fixture, &context);
    }
    result.expect(&context);
    match call {
        FileCall::Delete => after_delete(fixture, &state, seen, &context),
        FileCall::Cancel => after_cancel(fixture, seen, &context),
        FileCall::Resume => after_resume(fixture, &context),
        FileCall::Checkpoint => {
            assert!(unchanged, "{context}");
            let stored = checkpoint(&fixture.simulation, fixture.file).unwrap();
            assert_eq!(stored.upload.is_some(), fixture.stored, "{context}");
            ends_as_if_not_called(fixture, &context);
        }
        FileCall::ClearCheckpoint => after_clear(fixture, &state, seen, &context),
        FileCall::SetAuthAndAddress
        | FileCall::ResumeWithAuth
        | FileCall::SetStsToken
        | FileCall::ResumeWithStsToken
        | FileCall::SetStsTokenDirectly => {
            let kept = call.policy(&state) == CallPolicy::Deferred;
            assert!(!kept || fixture.state() == state, "{context}");
            after_credential(fixture, &context);
        }
        FileCall::SupplySource => {
            assert_ne!(fixture.state().name(), "awaiting-source", "{context}");
            ends_as_if_not_called(fixture, &context);
        }
    }
}

/// Why a call is rejected: by the state, or by another rule of the interface.
fn refusal(fixture: &Fixture, call: FileCall, answer: CallPolicy) -> Option<ErrorKind> {
    match (answer, call) {
        (CallPolicy::Rejected, _) => Some(ErrorKind::FileStateWrong),
        (CallPolicy::IfSourceRequested, _) if !fixture.source_wanted => {
            Some(ErrorKind::FileStateWrong)
        }
        (_, FileCall::ResumeWithAuth | FileCall::ResumeWithStsToken) if !fixture.credentialed => {
            Some(ErrorKind::CredentialRequired)
        }
        _ => None,
    }
}

fn make(fixture: &mut Fixture, call: FileCall, grant: &Grant) -> Result<()> {
    let Fixture { simulation, file, .. } = fixture;
    let file = *file;
    match call {
        FileCall::Delete => simulation.delete(file),
        FileCall::Cancel => simulation.cancel(file),
        FileCall::Resume => simulation.resume(file),
        FileCall::Checkpoint => simulation.queue().checkpoint(file).map(drop),
        FileCall::ClearCheckpoint => simulation.clear_checkpoint(file),
        FileCall::SetAuthAndAddress => simulation.set_credential(file, grant),
        FileCall::ResumeWithAuth => renew(simulation, file, &grant.auth),
        FileCall::SetStsToken => simulation.set_token(file),
        FileCall::ResumeWithStsToken => renew_token(simulation, file),
        FileCall::SetStsTokenDirectly => simulation.set_direct_token(file),
        FileCall::SupplySource => {
            let offset = requested_offset(simulation, file);
            supply(simulation, file, offset)
        }
    }
}

/// A rejected or read-only call does not change how the file ends.
fn ends_as_if_not_called(mut fixture: Fixture, context: &str) {
    let expected = match fixture.state() {
        FileState::Success => "success",
        FileState::Canceled => "canceled",
        FileState::Uploading(UploadingPhase::Canceling) => "canceled",
        _ => "success",
    };
    fixture.restore_app();
    run_to_completion(&mut fixture.simulation);
    assert_eq!(fixture.state().name(), expected, "{context}");
    assert_final_state(&fixture, context);
}

fn after_delete(mut fixture: Fixture, before: &FileState, seen: usize, context: &str) {
    fixture.restore_app();
    run_to_completion(&mut fixture.simulation);
    let listed = fixture.simulation.queue().list_files();
    assert!(listed.iter().all(|info| info.id != fixture.file), "{context}");
    let of_file = |event: &&Event| event.file() == Some(fixture.file) && event.is_last_of_file();
    let ends: Vec<_> = fixture.simulation.events[seen..].iter().filter(of_file).collect();
    match before {
        // Their terminal event was emitted before.
        FileState::Success | FileState::Canceled => assert!(ends.is_empty(), "{context}: {ends:?}"),
        _ => canceled_or_complete(&fixture, &ends, context),
    }
    assert_final_state(&fixture, context);
}

fn after_cancel(mut fixture: Fixture, seen: usize, context: &str) {
    fixture.restore_app();
    run_to_completion(&mut fixture.simulation);
    let of_file = |event: &&Event| event.file() == Some(fixture.file) && event.is_last_of_file();
    let ends: Vec<_> = fixture.simulation.events[seen..].iter().filter(of_file).collect();
    canceled_or_complete(&fixture, &ends, context);
    assert_final_state(&fixture, context);
    if fixture.state() == FileState::Canceled {
        fixture.simulation.resume(fixture.file).unwrap();
        run_to_completion(&mut fixture.simulation);
        assert_eq!(fixture.state(), FileState::Success, "{context}");
    }
}

/// One terminal event: canceled, with an error if parts remain; or succeeded, if the object was
/// complete already.
fn canceled_or_complete(fixture: &Fixture, ends: &[&Event], context: &str) {
    match ends {
        [Event::Canceled { leftover_error: left_over, .. }] => {
            assert_eq!(
                fixture.simulation.world.store.uploads.is_empty(),
                left_over.is_none(),
                "{context}"
            );
        }
        [Event::Succeeded(_)] => {}
        _ => panic!("{context}: {ends:?}"),
    }
}

fn after_resume(mut fixture: Fixture, context: &str) {
    assert_eq!(fixture.state(), FileState::Ready, "{context}");
    fixture.restore_app();
    run_to_completion(&mut fixture.simulation);
    assert_eq!(fixture.state(), FileState::Success, "{context}");
    assert_final_state(&fixture, context);
}

fn after_clear(mut fixture: Fixture, before: &FileState, seen: usize, context: &str) {
    fixture.restore_app();
    fixture.simulation.app.credentials = None;
    let idle = !matches!(before, FileState::Uploading(_));
    let runs = fixture.simulation.queue_state() == QueueState::Start;
    fixture.simulation.run();
    let stored = checkpoint(&fixture.simulation, fixture.file).unwrap();
    assert!(stored.is_empty(), "{context}");
    assert_eq!(info(&fixture.simulation, fixture.file).media_id, None, "{context}");
    if idle && !runs {
        assert_eq!(fixture.state().name(), before.name(), "{context}");
    }
    if *before == FileState::Canceled {
        fixture.simulation.resume(fixture.file).unwrap();
    }
    if idle {
        run_to_completion(&mut fixture.simulation);
    }
    let later = fixture.simulation.events[seen..].iter();
    let later: Vec<_> =
        later.filter(|event| event.file() == Some(fixture.file)).map(name).collect();
    assert_eq!(later, ["upload-started"], "{context}");
    fixture.restore_app();
    run_to_completion(&mut fixture.simulation);
    assert_eq!(fixture.state(), FileState::Success, "{context}");
    fixture.simulation.world.store.uploads.clear();
    assert_final_state(&fixture, context);
}

/// The credential is sufficient: the app is not asked for another.
fn after_credential(mut fixture: Fixture, context: &str) {
    fixture.restore_app();
    fixture.simulation.app.credentials = None;
    run_to_completion(&mut fixture.simulation);
    let events = events_of(&fixture.simulation, fixture.file);
    assert_eq!(fixture.state(), FileState::Success, "{context}: {events:?}");
    assert_final_state(&fixture, context);
}

/// Asserts that the other file is uploaded, the run has finished, and nothing remains.
fn assert_final_state(fixture: &Fixture, context: &str) {
    let simulation = &fixture.simulation;
    let queue = simulation.queue_state();
    assert_eq!(queue, QueueState::End, "{context}: {:?}", simulation.queue().list_files());
    assert_eq!(simulation.state(fixture.next), FileState::Success, "{context}");
    assert!(
        simulation.world.kv.values.is_empty(),
        "{context}: {:?}",
        simulation.world.kv.values.keys()
    );
    let canceled_left = simulation
        .events
        .iter()
        .any(|event| matches!(event, Event::Canceled { leftover_error: Some(_), .. }));
    assert!(simulation.world.store.uploads.is_empty() || canceled_left, "{context}");
    assert_eq!(simulation.events.last(), Some(&Event::UploadEnd), "{context}");
}

fn check_queue_cell(mut fixture: Fixture, call: QueueCall, answer: CallPolicy) {
    let context = format!("{} in {}", call.name(), fixture.name);
    fixture.sync_clock();
    let seen = fixture.simulation.events.len();
    let before = format!("{:?}", fixture.simulation.queue());
    let state = fixture.simulation.queue_state();
    let durable = info(&fixture.simulation, fixture.file).progress.durable;
    let now = fixture.simulation.world.now();
    let result = match call {
        QueueCall::AddFile => fixture.simulation.add(next_file("another.mp4")).map(drop),
        QueueCall::ListFiles => {
            let names: Vec<_> =
                fixture.simulation.queue().list_files().into_iter().map(|info| info.name).collect();
            assert_eq!(names, ["a.mp4", "next.mp4"], "{context}");
            Ok(())
        }
        QueueCall::CleanList => {
            fixture.simulation.clean();
            Ok(())
        }
        QueueCall::StartUpload if answer == CallPolicy::Rejected => {
            fixture.simulation.call(|queue| queue.start_upload(now))
        }
        QueueCall::StartUpload => {
            fixture.simulation.start();
            Ok(())
        }
        QueueCall::StopUpload => fixture.simulation.call(|queue| queue.stop_upload(now)),
    };
    if answer == CallPolicy::Rejected {
        assert_eq!(result.expect_err(&context).kind(), ErrorKind::QueueStateWrong, "{context}");
        assert_eq!(format!("{:?}", fixture.simulation.queue()), before, "{context}");
        assert_eq!(fixture.simulation.events.len(), seen, "{context}");
        return ends_as_if_not_called(fixture, &context);
    }
    result.expect(&context);
    match call {
        QueueCall::AddFile => {
            let added = fixture.simulation.queue().list_files().pop().unwrap();
            assert_eq!(name(&fixture.simulation.events[seen]), "file-added", "{context}");
            fixture.restore_app();
            run_to_completion(&mut fixture.simulation);
            assert_eq!(fixture.simulation.state(added.id), FileState::Success, "{context}");
            assert_final_state(&fixture, &context);
        }
        QueueCall::ListFiles => {
            assert_eq!(format!("{:?}", fixture.simulation.queue()), before, "{context}");
            ends_as_if_not_called(fixture, &context);
        }
        QueueCall::CleanList => after_clean(fixture, state, durable, seen, &context),
        QueueCall::StartUpload => {
            assert_ne!(fixture.simulation.queue_state(), QueueState::Init, "{context}");
            ends_as_if_not_called(fixture, &context);
        }
        QueueCall::StopUpload => {
            assert_eq!(fixture.simulation.queue_state(), QueueState::Stop, "{context}");
            fixture.simulation.run();
            assert_eq!(fixture.state(), FileState::Stopped, "{context}");
            assert_eq!(fixture.simulation.queue_state(), QueueState::Stop, "{context}");
            ends_as_if_not_called(fixture, &context);
        }
    }
}

fn after_clean(
    mut fixture: Fixture,
    before: QueueState,
    durable: ByteCount,
    seen: usize,
    context: &str,
) {
    assert!(fixture.simulation.queue().list_files().is_empty(), "{context}");
    assert_eq!(fixture.simulation.queue_state(), QueueState::Init, "{context}");
    let durable = format!("stopped {}", durable.bytes());
    let later: Vec<_> = fixture.simulation.events[seen..].iter().map(name).collect();
    let expected = match before {
        QueueState::Start | QueueState::Expire => &[durable.as_str(), "upload-end"][..],
        QueueState::Stop => &["upload-end"],
        QueueState::Init | QueueState::Failure | QueueState::End => &[],
    };
    assert_eq!(later, expected, "{context}");
    fixture.restore_app();
    fixture.file = fixture.simulation.add(fixture.planned.clone()).unwrap();
    fixture.next = fixture.simulation.add(next_file("next.mp4")).unwrap();
    run_to_completion(&mut fixture.simulation);
    let events = events_of(&fixture.simulation, fixture.file);
    assert_eq!(fixture.state(), FileState::Success, "{context}: {events:?}");
    if fixture.stored {
        assert!(events[1].starts_with("upload-started again at "), "{context}: {events:?}");
    }
    assert_final_state(&fixture, context);
}
