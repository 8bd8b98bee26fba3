//! Actions of an app.

use vod_uploader::error::Result;
use vod_uploader::queue::{
    CheckpointLookup, Event, FileId, FileInfo, FileState, QueueState, StoredFile, UploadingPhase,
};
use vod_uploader::units::ByteCount;
use vod_uploader_sim::queue::{Credentials, Simulation, Supply};

/// Starts a run unless one is in progress, and continues until no file waits for anything that the
/// app supplies, including what the app did not supply when it was asked.
pub(crate) fn run_to_completion(simulation: &mut Simulation) {
    if !matches!(simulation.queue_state(), QueueState::Start | QueueState::Expire) {
        simulation.start();
    }
    for _ in 0..50 {
        simulation.run();
        let files = simulation.queue().list_files();
        if files.iter().filter(|file| supply_awaited(simulation, file)).count() == 0 {
            return;
        }
    }
    panic!("the files wait again and again: {:?}", simulation.queue().list_files());
}

/// `resume-upload-with-auth`
pub(crate) fn renew(simulation: &mut Simulation, file: FileId, auth: &str) -> Result<()> {
    let now = simulation.world.now();
    simulation.call(|queue| queue.resume_upload_with_auth(now, file, auth))
}

/// `resume-upload-with-sts-token`
pub(crate) fn renew_token(simulation: &mut Simulation, file: FileId) -> Result<()> {
    let (now, token) = (simulation.world.now(), simulation.world.issue_token());
    simulation.call(|queue| queue.resume_upload_with_sts_token(now, file, token))
}

/// `supply-source`, with all bytes from `offset` on.
pub(crate) fn supply(simulation: &mut Simulation, file: FileId, offset: u64) -> Result<()> {
    let content = simulation.content(file).clone();
    let to = content.len();
    simulation.supply(file, offset, Supply { content, to, broken: None })
}

/// `get-checkpoint`, from the key-value store.
pub(crate) fn checkpoint(simulation: &Simulation, file: FileId) -> Result<StoredFile> {
    let mut lookup: CheckpointLookup = simulation.queue().checkpoint(file)?;
    while let Some(key) = lookup.next_key() {
        lookup.feed(simulation.world.kv.values.get(&key).cloned())?;
    }
    Ok(lookup.finish())
}

/// The listed information about a file.
pub(crate) fn info(simulation: &Simulation, file: FileId) -> FileInfo {
    let mut listed = simulation.queue().list_files().into_iter();
    listed.find(|info| info.id == file).expect("a listed file")
}

/// The offset from which a file's bytes were last requested.
pub(crate) fn requested_offset(simulation: &Simulation, file: FileId) -> u64 {
    let wanted = simulation.events.iter().rev().find_map(|event| match event {
        Event::SourceRequested { file: of, offset } if *of == file => Some(*offset),
        _ => None,
    });
    wanted.unwrap_or(ByteCount::ZERO).bytes()
}

/// Runs until the file is in a phase.
pub(crate) fn run_to(simulation: &mut Simulation, file: FileId, phase: UploadingPhase) {
    simulation.run_until(|simulation| simulation.state(file) == FileState::Uploading(phase));
    assert_eq!(simulation.state(file), FileState::Uploading(phase));
}

/// Runs until some parts of the file are stored and recorded, and others are in flight.
pub(crate) fn run_half_way(simulation: &mut Simulation, file: FileId) {
    simulation.run_until(|simulation| {
        let info = info(simulation, file);
        info.progress.durable >= ByteCount(204_800) && simulation.world.kv.writes_with(".c.") >= 3
    });
    assert_eq!(simulation.state(file), FileState::Uploading(UploadingPhase::Transferring));
}

/// Supplies what the file waits for. Returns `false` if it waits for nothing or the app does not
/// supply it.
fn supply_awaited(simulation: &mut Simulation, info: &FileInfo) -> bool {
    use UploadingPhase::{AwaitingCredential, AwaitingSource, TokenExpired};
    let file = info.id;
    let FileState::Uploading(phase) = simulation.state(file) else { return false };
    match (phase, simulation.app.credentials) {
        (AwaitingSource, _) if simulation.app.supplies => {
            let offset = requested_offset(simulation, file);
            supply(simulation, file, offset).unwrap();
        }
        (AwaitingCredential | TokenExpired, Some(Credentials::Server)) => {
            let known = info.media_id.as_ref().filter(|_| info.kind.can_refresh());
            let grant = match known {
                Some(media_id) => simulation.world.refresh_media(media_id).unwrap(),
                None => simulation.world.create_media(info.kind),
            };
            simulation.set_credential(file, &grant).unwrap();
        }
        (AwaitingCredential | TokenExpired, Some(Credentials::Sts)) => {
            simulation.set_token(file).unwrap();
        }
        (AwaitingCredential | TokenExpired, Some(Credentials::Direct)) => {
            simulation.set_direct_token(file).unwrap();
        }
        _ => return false,
    }
    true
}
