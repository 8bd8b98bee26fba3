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
            assert_eq!(fixture.sim.queue_state(), state);
            check_queue_cell(fixture, call, call.policy(state));
        }
    }
}

#[test]
fn every_call_rejects_an_unlisted_file() {
    for call in FileCall::ALL {
        let mut fixture = file_fixtures(&FileState::Success, mode_of(call)).remove(0);
        let grant = fixture.grant();
        fixture.sim.delete(fixture.file).unwrap();
        let before = format!("{:?}", fixture.sim.queue());
        let rejected = perform(&mut fixture, call, &grant).unwrap_err();
        assert_eq!(rejected.kind(), ErrorKind::FileUnknown, "{call:?}");
        assert_eq!(format!("{:?}", fixture.sim.queue()), before, "{call:?}");
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
    let seen = fixture.sim.events.len();
    let before = format!("{:?}", fixture.sim.queue());
    let result = perform(&mut fixture, call, &grant);
    let unchanged = format!("{:?}", fixture.sim.queue()) == before;
    if let Some(kind) = expected_rejection(&fixture, call, call.policy(&state)) {
        assert_eq!(result.expect_err(&context).kind(), kind, "{context}");
        assert!(unchanged && fixture.sim.events.len() == seen, "{context}");
        return ends_as_if_not_called(fixture, &context);
    }
    result.expect(&context);
    match call {
        FileCall::Delete => after_delete(fixture, &state, seen, &context),
        FileCall::Cancel => after_cancel(fixture, seen, &context),
        FileCall::Resume => after_resume(fixture, &context),
        FileCall::Checkpoint => {
            assert!(unchanged, "{context}");
            let stored = checkpoint(&fixture.sim, fixture.file).unwrap();
            assert_eq!(stored.upload.is_some(), fixture.stored, "{context}");
            ends_as_if_not_called(fixture, &context);
        }
        FileCall::ClearCheckpoint => after_clear(fixture, &state, seen, &context),
        FileCall::SetAuthAndAddress
        | FileCall::ResumeWithAuth
        | FileCall::SetStsToken
        | FileCall::ResumeWithStsToken
        | FileCall::SetStsTokenDirectly => {
            let is_deferred = call.policy(&state) == CallPolicy::Deferred;
            assert!(!is_deferred || fixture.state() == state, "{context}");
            after_credential(fixture, &context);
        }
        FileCall::SupplySource => {
            assert_ne!(fixture.state().name(), "awaiting-source", "{context}");
            ends_as_if_not_called(fixture, &context);
        }
    }
}

/// Why a call is rejected: by the state, or by another rule of the interface.
fn expected_rejection(fixture: &Fixture, call: FileCall, policy: CallPolicy) -> Option<ErrorKind> {
    match (policy, call) {
        (CallPolicy::Rejected, _) => Some(ErrorKind::FileStateWrong),
        (CallPolicy::IfSourceRequested, _) if !fixture.source_requested => {
            Some(ErrorKind::FileStateWrong)
        }
        (_, FileCall::ResumeWithAuth | FileCall::ResumeWithStsToken) if !fixture.credentialed => {
            Some(ErrorKind::CredentialRequired)
        }
        _ => None,
    }
}

fn perform(fixture: &mut Fixture, call: FileCall, grant: &Grant) -> Result<()> {
    let Fixture { sim, file, .. } = fixture;
    let file = *file;
    match call {
        FileCall::Delete => sim.delete(file),
        FileCall::Cancel => sim.cancel(file),
        FileCall::Resume => sim.resume(file),
        FileCall::Checkpoint => sim.queue().checkpoint(file).map(drop),
        FileCall::ClearCheckpoint => sim.clear_checkpoint(file),
        FileCall::SetAuthAndAddress => sim.set_credential(file, grant),
        FileCall::ResumeWithAuth => renew(sim, file, &grant.auth),
        FileCall::SetStsToken => sim.set_token(file),
        FileCall::ResumeWithStsToken => renew_token(sim, file),
        FileCall::SetStsTokenDirectly => sim.set_direct_token(file),
        FileCall::SupplySource => {
            let offset = requested_offset(sim, file);
            supply(sim, file, offset)
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
    run_to_completion(&mut fixture.sim);
    assert_eq!(fixture.state().name(), expected, "{context}");
    assert_final_state(&fixture, context);
}

fn after_delete(mut fixture: Fixture, before: &FileState, seen: usize, context: &str) {
    fixture.restore_app();
    run_to_completion(&mut fixture.sim);
    let listed = fixture.sim.queue().list_files();
    assert!(listed.iter().all(|info| info.id != fixture.file), "{context}");
    let of_file = |event: &&Event| event.file() == Some(fixture.file) && event.is_last_of_file();
    let ends: Vec<_> = fixture.sim.events[seen..].iter().filter(of_file).collect();
    match before {
        // Their terminal event was emitted before.
        FileState::Success | FileState::Canceled => assert!(ends.is_empty(), "{context}: {ends:?}"),
        _ => canceled_or_complete(&fixture, &ends, context),
    }
    assert_final_state(&fixture, context);
}

fn after_cancel(mut fixture: Fixture, seen: usize, context: &str) {
    fixture.restore_app();
    run_to_completion(&mut fixture.sim);
    let of_file = |event: &&Event| event.file() == Some(fixture.file) && event.is_last_of_file();
    let ends: Vec<_> = fixture.sim.events[seen..].iter().filter(of_file).collect();
    canceled_or_complete(&fixture, &ends, context);
    assert_final_state(&fixture, context);
    if fixture.state() == FileState::Canceled {
        fixture.sim.resume(fixture.file).unwrap();
        run_to_completion(&mut fixture.sim);
        assert_eq!(fixture.state(), FileState::Success, "{context}");
    }
}

/// One terminal event: canceled, with an error if parts remain; or succeeded, if the object was
/// complete already.
fn canceled_or_complete(fixture: &Fixture, ends: &[&Event], context: &str) {
    match ends {
        [Event::Canceled { leftover_error, .. }] => {
            assert_eq!(
                fixture.sim.world.store.uploads.is_empty(),
                leftover_error.is_none(),
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
    run_to_completion(&mut fixture.sim);
    assert_eq!(fixture.state(), FileState::Success, "{context}");
    assert_final_state(&fixture, context);
}

fn after_clear(mut fixture: Fixture, before: &FileState, seen: usize, context: &str) {
    fixture.restore_app();
    fixture.sim.app.credentials = None;
    let is_idle = !matches!(before, FileState::Uploading(_));
    let is_running = fixture.sim.queue_state() == QueueState::Start;
    fixture.sim.run();
    let stored = checkpoint(&fixture.sim, fixture.file).unwrap();
    assert!(stored.is_empty(), "{context}");
    assert_eq!(info(&fixture.sim, fixture.file).media_id, None, "{context}");
    if is_idle && !is_running {
        assert_eq!(fixture.state().name(), before.name(), "{context}");
    }
    if *before == FileState::Canceled {
        fixture.sim.resume(fixture.file).unwrap();
    }
    if is_idle {
        run_to_completion(&mut fixture.sim);
    }
    let later = fixture.sim.events[seen..].iter();
    let later: Vec<_> =
        later.filter(|event| event.file() == Some(fixture.file)).map(name).collect();
    assert_eq!(later, ["upload-started"], "{context}");
    fixture.restore_app();
    run_to_completion(&mut fixture.sim);
    assert_eq!(fixture.state(), FileState::Success, "{context}");
    fixture.sim.world.store.uploads.clear();
    assert_final_state(&fixture, context);
}

/// The credential is sufficient: the app is not asked for another.
fn after_credential(mut fixture: Fixture, context: &str) {
    fixture.restore_app();
    fixture.sim.app.credentials = None;
    run_to_completion(&mut fixture.sim);
    let events = events_of(&fixture.sim, fixture.file);
    assert_eq!(fixture.state(), FileState::Success, "{context}: {events:?}");
    assert_final_state(&fixture, context);
}

/// Asserts that the other file is uploaded, the run has finished, and nothing remains.
fn assert_final_state(fixture: &Fixture, context: &str) {
    let sim = &fixture.sim;
    let queue = sim.queue_state();
    assert_eq!(queue, QueueState::End, "{context}: {:?}", sim.queue().list_files());
    assert_eq!(sim.state(fixture.next), FileState::Success, "{context}");
    assert!(sim.world.kv.values.is_empty(), "{context}: {:?}", sim.world.kv.values.keys());
    let parts_remain = sim
        .events
        .iter()
        .any(|event| matches!(event, Event::Canceled { leftover_error: Some(_), .. }));
    assert!(sim.world.store.uploads.is_empty() || parts_remain, "{context}");
    assert_eq!(sim.events.last(), Some(&Event::UploadEnd), "{context}");
}

fn check_queue_cell(mut fixture: Fixture, call: QueueCall, policy: CallPolicy) {
    let context = format!("{} in {}", call.name(), fixture.name);
    fixture.sync_clock();
    let seen = fixture.sim.events.len();
    let before = format!("{:?}", fixture.sim.queue());
    let state = fixture.sim.queue_state();
    let durable = info(&fixture.sim, fixture.file).progress.durable;
    let now = fixture.sim.world.now();
    let result = match call {
        QueueCall::AddFile => fixture.sim.add(next_file("another.mp4")).map(drop),
        QueueCall::ListFiles => {
            let names: Vec<_> =
                fixture.sim.queue().list_files().into_iter().map(|info| info.name).collect();
            assert_eq!(names, ["a.mp4", "next.mp4"], "{context}");
            Ok(())
        }
        QueueCall::CleanList => {
            fixture.sim.clean();
            Ok(())
        }
        QueueCall::StartUpload if policy == CallPolicy::Rejected => {
            fixture.sim.call(|queue| queue.start_upload(now))
        }
        QueueCall::StartUpload => {
            fixture.sim.start();
            Ok(())
        }
        QueueCall::StopUpload => fixture.sim.call(|queue| queue.stop_upload(now)),
    };
    if policy == CallPolicy::Rejected {
        assert_eq!(result.expect_err(&context).kind(), ErrorKind::QueueStateWrong, "{context}");
        assert_eq!(format!("{:?}", fixture.sim.queue()), before, "{context}");
        assert_eq!(fixture.sim.events.len(), seen, "{context}");
        return ends_as_if_not_called(fixture, &context);
    }
    result.expect(&context);
    match call {
        QueueCall::AddFile => {
            let added = fixture.sim.queue().list_files().pop().unwrap();
            assert_eq!(name(&fixture.sim.events[seen]), "file-added", "{context}");
            fixture.restore_app();
            run_to_completion(&mut fixture.sim);
            assert_eq!(fixture.sim.state(added.id), FileState::Success, "{context}");
            assert_final_state(&fixture, &context);
        }
        QueueCall::ListFiles => {
            assert_eq!(format!("{:?}", fixture.sim.queue()), before, "{context}");
            ends_as_if_not_called(fixture, &context);
        }
        QueueCall::CleanList => after_clean(fixture, state, durable, seen, &context),
        QueueCall::StartUpload => {
            assert_ne!(fixture.sim.queue_state(), QueueState::Init, "{context}");
            ends_as_if_not_called(fixture, &context);
        }
        QueueCall::StopUpload => {
            assert_eq!(fixture.sim.queue_state(), QueueState::Stop, "{context}");
            fixture.sim.run();
            assert_eq!(fixture.state(), FileState::Stopped, "{context}");
            assert_eq!(fixture.sim.queue_state(), QueueState::Stop, "{context}");
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
    assert!(fixture.sim.queue().list_files().is_empty(), "{context}");
    assert_eq!(fixture.sim.queue_state(), QueueState::Init, "{context}");
    let durable = format!("stopped {}", durable.bytes());
    let later: Vec<_> = fixture.sim.events[seen..].iter().map(name).collect();
    let expected = match before {
        QueueState::Start | QueueState::Expire => &[durable.as_str(), "upload-end"][..],
        QueueState::Stop => &["upload-end"],
        QueueState::Init | QueueState::Failure | QueueState::End => &[],
    };
    assert_eq!(later, expected, "{context}");
    fixture.restore_app();
    fixture.file = fixture.sim.add(fixture.planned.clone()).unwrap();
    fixture.next = fixture.sim.add(next_file("next.mp4")).unwrap();
    run_to_completion(&mut fixture.sim);
    let events = events_of(&fixture.sim, fixture.file);
    assert_eq!(fixture.state(), FileState::Success, "{context}: {events:?}");
    if fixture.stored {
        assert!(events[1].starts_with("upload-started again at "), "{context}: {events:?}");
    }
    assert_final_state(&fixture, context);
}
