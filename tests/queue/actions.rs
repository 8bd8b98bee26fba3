//! Actions of an app, and simulations in common initial states.

use vod_uploader::error::Result;
use vod_uploader::queue::{
    CheckpointLookup, Event, FileId, FileInfo, FileState, QueueState, StoredFile, UploadingPhase,
};
use vod_uploader::units::ByteCount;
use vod_uploader_sim::queue::{Credentials, PlannedFile, Simulation, Supply};

/// Size of the file in most tests: ten parts.
pub(crate) const LEN: u64 = 1_000_000;

pub(crate) fn video() -> PlannedFile {
    Simulation::file("a.mp4", LEN)
}

/// A simulation whose list has one video.
pub(crate) fn with_video() -> (Simulation, FileId) {
    let mut sim = Simulation::new();
    let file = sim.add(video()).unwrap();
    (sim, file)
}

/// A simulation in which one video is half uploaded.
pub(crate) fn half_way() -> (Simulation, FileId) {
    half_way_of(video(), Credentials::Server)
}

/// A simulation in which `planned` is half uploaded, with credentials of this mode.
pub(crate) fn half_way_of(planned: PlannedFile, mode: Credentials) -> (Simulation, FileId) {
    let mut sim = Simulation::new();
    sim.app.credentials = Some(mode);
    let file = sim.add(planned).unwrap();
    sim.start();
    run_half_way(&mut sim, file);
    (sim, file)
}

/// Adds the location of an object in the app's own bucket.
pub(crate) fn in_own_bucket(planned: &mut PlannedFile, object: &str) {
    planned.new.endpoint = Some("https://oss-cn-shanghai.aliyuncs.com".into());
    planned.new.bucket = Some("my-bucket".into());
    planned.new.object = Some(object.into());
}

/// Starts a run unless one is in progress, and continues until no file waits for anything that the
/// app supplies, including what the app did not supply when it was asked.
pub(crate) fn run_to_completion(sim: &mut Simulation) {
    if !matches!(sim.queue_state(), QueueState::Start | QueueState::Expire) {
        sim.start();
    }
    for _ in 0..50 {
        sim.run();
        let files = sim.queue().list_files();
        if files.iter().filter(|file| supply_awaited(sim, file)).count() == 0 {
            return;
        }
    }
    panic!("the files wait again and again: {:?}", sim.queue().list_files());
}

/// `resume-upload-with-auth`
pub(crate) fn renew(sim: &mut Simulation, file: FileId, auth: &str) -> Result<()> {
    let now = sim.world.now();
    sim.call(|queue| queue.resume_upload_with_auth(now, file, auth))
}

/// `resume-upload-with-sts-token`
pub(crate) fn renew_token(sim: &mut Simulation, file: FileId) -> Result<()> {
    let (now, token) = (sim.world.now(), sim.world.issue_token());
    sim.call(|queue| queue.resume_upload_with_sts_token(now, file, token))
}

/// `supply-source`, with all bytes from `offset` on.
pub(crate) fn supply(sim: &mut Simulation, file: FileId, offset: u64) -> Result<()> {
    let content = sim.content(file).clone();
    let to = content.len();
    sim.supply(file, offset, Supply { content, to, broken: None })
}

/// `get-checkpoint`, from the key-value store.
pub(crate) fn checkpoint(sim: &Simulation, file: FileId) -> Result<StoredFile> {
    let mut lookup: CheckpointLookup = sim.queue().checkpoint(file)?;
    while let Some(key) = lookup.next_key() {
        lookup.feed(sim.world.kv.values.get(&key).cloned())?;
    }
    Ok(lookup.finish())
}

#[track_caller]
pub(crate) fn assert_no_records(sim: &Simulation) {
    assert!(sim.world.kv.values.is_empty(), "{:?}", sim.world.kv.values.keys());
}

/// The listed information about a file.
pub(crate) fn info(sim: &Simulation, file: FileId) -> FileInfo {
    let mut listed = sim.queue().list_files().into_iter();
    listed.find(|info| info.id == file).expect("a listed file")
}

/// The offset from which a file's bytes were last requested.
pub(crate) fn requested_offset(sim: &Simulation, file: FileId) -> u64 {
    let offset = sim.events.iter().rev().find_map(|event| match event {
        Event::SourceRequested { file: of, offset } if *of == file => Some(*offset),
        _ => None,
    });
    offset.unwrap_or(ByteCount::ZERO).bytes()
}

/// Runs until the file is in a phase.
pub(crate) fn run_to(sim: &mut Simulation, file: FileId, phase: UploadingPhase) {
    sim.run_until(|sim| sim.state(file) == FileState::Uploading(phase));
    assert_eq!(sim.state(file), FileState::Uploading(phase));
}

/// Runs until some parts of the file are stored and recorded, and others are in flight.
pub(crate) fn run_half_way(sim: &mut Simulation, file: FileId) {
    sim.run_until(|sim| {
        let info = info(sim, file);
        info.progress.durable >= ByteCount(204_800) && sim.world.kv.writes_with(".c.") >= 3
    });
    assert_eq!(sim.state(file), FileState::Uploading(UploadingPhase::Transferring));
}

/// Supplies what the file waits for. Returns false if it waits for nothing or the app does not
/// supply it.
fn supply_awaited(sim: &mut Simulation, info: &FileInfo) -> bool {
    use UploadingPhase::{AwaitingCredential, AwaitingSource, TokenExpired};
    let file = info.id;
    let FileState::Uploading(phase) = sim.state(file) else { return false };
    match (phase, sim.app.credentials) {
        (AwaitingSource, _) if sim.app.supplies => {
            let offset = requested_offset(sim, file);
            supply(sim, file, offset).unwrap();
        }
        (AwaitingCredential | TokenExpired, Some(Credentials::Server)) => {
            let known = info.media_id.as_ref().filter(|_| info.kind.can_refresh());
            let grant = match known {
                Some(media_id) => sim.world.refresh_media(media_id).unwrap(),
                None => sim.world.create_media(info.kind),
            };
            sim.set_credential(file, &grant).unwrap();
        }
        (AwaitingCredential | TokenExpired, Some(Credentials::Sts)) => {
            sim.set_token(file).unwrap();
        }
        (AwaitingCredential | TokenExpired, Some(Credentials::Direct)) => {
            sim.set_direct_token(file).unwrap();
        }
        _ => return false,
    }
    true
}
