//! Actions of an app.

use vod_uploader::error::Result;
use vod_uploader::queue::{
    CheckpointLookup, Event, FileId, FileInfo, FileState, QueueState, StoredFile, UploadingPhase,
};
use vod_uploader::units::ByteCount;
use vod_uploader_sim::{Credentials, Simulation, Supply};

/// Starts a run unless one is in progress, and continues until no file waits for anything that the
/// app supplies, including what the app did not supply when it was asked.
pub(crate) fn run_to_completion(world: &mut Simulation) {
    if !matches!(world.queue_state(), QueueState::Start | QueueState::Expire) {
        world.start();
    }
    for _ in 0..50 {
        world.run();
        let files = world.queue.list_files();
        if files.iter().filter(|file| supply_awaited(world, file)).count() == 0 {
            return;
        }
    }
    panic!("the files wait again and again: {:?}", world.queue.list_files());
}

/// `resume-upload-with-auth`
pub(crate) fn renew(world: &mut Simulation, file: FileId, auth: &str) -> Result<()> {
    let now = world.now;
    world.call(|queue| queue.resume_upload_with_auth(now, file, auth))
}

/// `resume-upload-with-sts-token`
pub(crate) fn renew_token(world: &mut Simulation, file: FileId) -> Result<()> {
    let (now, token) = (world.now, world.token());
    world.call(|queue| queue.resume_upload_with_sts_token(now, file, token))
}

/// `supply-source`, with all bytes from `offset` on.
pub(crate) fn supply(world: &mut Simulation, file: FileId, offset: u64) -> Result<()> {
    let content = world.content(file).clone();
    let to = content.len();
    world.supply(file, offset, Supply { content, to, broken: None })
}

/// `get-checkpoint`, from the key-value store.
pub(crate) fn checkpoint(world: &Simulation, file: FileId) -> Result<StoredFile> {
    let mut lookup: CheckpointLookup = world.queue.checkpoint(file)?;
    while let Some(key) = lookup.next_key() {
        lookup.feed(world.kv.values.get(&key).cloned())?;
    }
    Ok(lookup.finish())
}

/// The listed information about a file.
pub(crate) fn info(world: &Simulation, file: FileId) -> FileInfo {
    let mut listed = world.queue.list_files().into_iter();
    listed.find(|info| info.id == file).expect("a listed file")
}

/// The offset from which a file's bytes were last requested.
pub(crate) fn requested_offset(world: &Simulation, file: FileId) -> u64 {
    let wanted = world.events.iter().rev().find_map(|event| match event {
        Event::SourceRequested { file: of, offset } if *of == file => Some(*offset),
        _ => None,
    });
    wanted.unwrap_or(ByteCount::ZERO).bytes()
}

/// Runs until the file is in a phase.
pub(crate) fn run_to(world: &mut Simulation, file: FileId, phase: UploadingPhase) {
    world.run_until(|world| world.state(file) == FileState::Uploading(phase));
    assert_eq!(world.state(file), FileState::Uploading(phase));
}

/// Runs until some parts of the file are stored and recorded, and others are in flight.
pub(crate) fn run_half_way(world: &mut Simulation, file: FileId) {
    world.run_until(|world| {
        let info = info(world, file);
        info.progress.durable >= ByteCount(204_800) && world.kv.writes_with(".c.") >= 3
    });
    assert_eq!(world.state(file), FileState::Uploading(UploadingPhase::Transferring));
}

/// Supplies what the file waits for. Returns `false` if it waits for nothing or the app does not
/// supply it.
fn supply_awaited(world: &mut Simulation, info: &FileInfo) -> bool {
    use UploadingPhase::{AwaitingCredential, AwaitingSource, TokenExpired};
    let file = info.id;
    let FileState::Uploading(phase) = world.state(file) else { return false };
    match (phase, world.app.credentials) {
        (AwaitingSource, _) if world.app.supplies => {
            let offset = requested_offset(world, file);
            supply(world, file, offset).unwrap();
        }
        (AwaitingCredential | TokenExpired, Some(Credentials::Server)) => {
            let known = info.media_id.as_ref().filter(|_| info.kind.can_refresh());
            let grant = match known {
                Some(media_id) => world.refreshed(media_id).unwrap(),
                None => world.created(info.kind),
            };
            world.hand_in(file, &grant).unwrap();
        }
        (AwaitingCredential | TokenExpired, Some(Credentials::Sts)) => {
            world.hand_in_token(file).unwrap();
        }
        (AwaitingCredential | TokenExpired, Some(Credentials::Direct)) => {
            world.hand_in_direct_token(file).unwrap();
        }
        _ => return false,
    }
    true
}
