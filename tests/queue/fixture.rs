//! Simulations in every state of a file and of the queue.

use vod_uploader::queue::{FileId, FileState, Input, QueueState, UploadingPhase};
use vod_uploader::vod::MediaKind;
use vod_uploader_sim::queue::{App, Credentials, PlannedFile, Simulation};
use vod_uploader_sim::{Fault, Grant, Operation};

use crate::actions::{in_own_bucket, info, run_half_way, run_to, run_to_completion, video};

/// A simulation in which a file is in some state, with the facts that the tests check.
pub(crate) struct Fixture {
    pub(crate) name: String,
    pub(crate) sim: Simulation,
    /// The file, of ten parts.
    pub(crate) file: FileId,
    pub(crate) planned: PlannedFile,
    /// The next file, which waits for nothing.
    pub(crate) next: FileId,
    /// Whether a credential for the file was accepted and is still known.
    pub(crate) credentialed: bool,
    /// Whether the key-value store has an upload of the file.
    pub(crate) stored: bool,
    /// Whether the file's bytes are requested.
    pub(crate) source_requested: bool,
    mode: Credentials,
}

/// A file that is small enough for one request.
pub(crate) fn next_file(name: &str) -> PlannedFile {
    Simulation::file(name, 50_000)
}

/// All fixtures in which a file is in this state, with credentials of this mode.
pub(crate) fn file_fixtures(state: &FileState, mode: Credentials) -> Vec<Fixture> {
    match state {
        FileState::Ready => {
            vec![file_added(mode), ready_after_stop(mode), waiting_for_another_file(mode)]
        }
        FileState::Uploading(phase) => phase_fixtures(*phase, mode),
        FileState::Success => vec![uploaded(mode)],
        FileState::Failure(_) => vec![failed_half_way(mode), failed_immediately(mode)],
        FileState::Canceled => vec![canceled(mode), canceled_before_start(mode)],
        FileState::Stopped => vec![stopped(mode), stopped_before_upload(mode)],
    }
}

/// A fixture in which the queue is in this state.
pub(crate) fn queue_fixture(state: QueueState) -> Fixture {
    let mode = Credentials::Server;
    match state {
        QueueState::Init => file_added(mode),
        QueueState::Start => transferring(mode),
        QueueState::Expire => expired_half_way(mode),
        QueueState::Stop => stopped(mode),
        QueueState::Failure => failed_half_way(mode),
        QueueState::End => uploaded(mode),
    }
}

impl Fixture {
    pub(crate) fn state(&self) -> FileState {
        self.sim.state(self.file)
    }

    /// Advances the clock of the queue, so that a call without effect leaves it unchanged.
    pub(crate) fn sync_clock(&mut self) {
        self.sim.handle(Input::Tick);
    }

    /// From here on, the app supplies everything, and OSS and VOD work normally.
    pub(crate) fn restore_app(&mut self) {
        self.sim.app = App { credentials: Some(self.mode), ..App::default() };
        self.sim.world.store.faults.clear();
        self.sim.world.vod.faults.clear();
    }

    /// A credential for the media asset of the file, or for a new one if it has none.
    pub(crate) fn grant(&mut self) -> Grant {
        let known = info(&self.sim, self.file).media_id;
        let refreshed = known.and_then(|media_id| self.sim.world.refresh_media(&media_id));
        refreshed.unwrap_or_else(|| self.sim.world.create_media(MediaKind::Video))
    }

    fn new(name: &str, mode: Credentials) -> Self {
        let mut sim = Simulation::new();
        sim.app.credentials = Some(mode);
        let mut planned = video();
        if mode == Credentials::Direct {
            in_own_bucket(&mut planned, "mine/a.mp4");
        }
        let file = sim.add(planned.clone()).unwrap();
        let next = sim.add(next_file("next.mp4")).unwrap();
        let grant = sim.world.create_media(MediaKind::Video);
        sim.set_credential(next, &grant).unwrap();
        Self {
            name: format!("{name} ({mode:?})"),
            sim,
            file,
            planned,
            next,
            credentialed: false,
            stored: false,
            source_requested: false,
            mode,
        }
    }

    /// The key-value store and the queue have an upload of the file.
    fn known(self) -> Self {
        Self { stored: true, ..self.with_credential() }
    }

    fn with_credential(self) -> Self {
        Self { credentialed: true, ..self }
    }
}

fn phase_fixtures(phase: UploadingPhase, mode: Credentials) -> Vec<Fixture> {
    match phase {
        UploadingPhase::Starting => vec![searching_records(mode), writing_records(mode)],
        UploadingPhase::AwaitingCredential => {
            vec![awaiting_credential(mode), awaiting_credential_to_resume(mode)]
        }
        UploadingPhase::RequestingMedia => vec![requesting_media(mode)],
        UploadingPhase::AwaitingSource => {
            vec![source_requested(mode), awaiting_source_half_way(mode)]
        }
        UploadingPhase::Transferring => vec![transferring(mode), completing(mode)],
        UploadingPhase::TokenExpired => {
            vec![
                expired_half_way(mode),
                expired_while_awaiting_source(mode),
                expired_before_start(mode),
            ]
        }
        UploadingPhase::Stopping => vec![stopping(mode)],
        UploadingPhase::Canceling => vec![canceling(mode)],
    }
}

fn file_added(mode: Credentials) -> Fixture {
    Fixture::new("a file that was added", mode)
}

fn ready_after_stop(mode: Credentials) -> Fixture {
    let mut fixture = stopped(mode);
    fixture.sim.resume(fixture.file).unwrap();
    Fixture { name: format!("a file that was stopped and is ready again ({mode:?})"), ..fixture }
}

fn waiting_for_another_file(mode: Credentials) -> Fixture {
    let mut fixture = Fixture::new("a file that waits for an active file", mode);
    fixture.sim.cancel(fixture.file).unwrap();
    fixture.sim.run();
    fixture.sim.app.credentials = None;
    fixture.sim.app.supplies = false;
    fixture.sim.start();
    run_to(&mut fixture.sim, fixture.next, UploadingPhase::AwaitingSource);
    fixture.sim.resume(fixture.file).unwrap();
    fixture
}

fn searching_records(mode: Credentials) -> Fixture {
    let mut fixture = Fixture::new("a file whose records are searched", mode);
    fixture.sim.app.credentials = None;
    fixture.sim.start();
    fixture
}

fn writing_records(mode: Credentials) -> Fixture {
    let mut fixture = Fixture::new("a file whose records are written", mode);
    fixture.sim.start();
    run_to(&mut fixture.sim, fixture.file, UploadingPhase::AwaitingCredential);
    run_to(&mut fixture.sim, fixture.file, UploadingPhase::Starting);
    fixture.with_credential()
}

fn awaiting_credential(mode: Credentials) -> Fixture {
    let mut fixture = Fixture::new("a file that waits for its first credential", mode);
    fixture.sim.app.credentials = None;
    fixture.sim.start();
    fixture.sim.run();
    fixture
}

fn awaiting_credential_to_resume(mode: Credentials) -> Fixture {
    let mut fixture = stopped(mode);
    fixture.sim.app.credentials = None;
    fixture.sim.start();
    fixture.sim.run();
    Fixture {
        name: format!("a file that continues and waits for a credential ({mode:?})"),
        ..fixture
    }
}

fn requesting_media(mode: Credentials) -> Fixture {
    let mut fixture = Fixture::new("a file that waits for VOD", mode);
    fixture.sim.app.credentials = Some(Credentials::Sts);
    fixture.sim.start();
    run_to(&mut fixture.sim, fixture.file, UploadingPhase::RequestingMedia);
    // A token is known, but no address.
    Fixture { credentialed: mode != Credentials::Server, ..fixture }
}

fn source_requested(mode: Credentials) -> Fixture {
    let mut fixture = Fixture::new("a file that waits for its bytes", mode);
    fixture.sim.app.supplies = false;
    fixture.sim.start();
    fixture.sim.run();
    Fixture { source_requested: true, ..fixture.known() }
}

fn awaiting_source_half_way(mode: Credentials) -> Fixture {
    let mut fixture = Fixture::new("a file that waits for more bytes", mode);
    fixture.sim.app.chunk_bytes = Some(450_000);
    fixture.sim.start();
    run_half_way(&mut fixture.sim, fixture.file);
    fixture.sim.app.supplies = false;
    fixture.sim.run();
    Fixture { source_requested: true, ..fixture.known() }
}

fn transferring(mode: Credentials) -> Fixture {
    let mut fixture = Fixture::new("a file half-way", mode);
    fixture.sim.start();
    run_half_way(&mut fixture.sim, fixture.file);
    fixture.known()
}

fn completing(mode: Credentials) -> Fixture {
    let mut fixture = Fixture::new("a file whose object is being completed", mode);
    fixture.sim.world.store.faults.plan(Operation::Complete, 1, Fault::HangAfter);
    fixture.sim.start();
    fixture.sim.run_until(|sim| sim.world.store.count(Operation::Complete) == 1);
    fixture.known()
}

fn expired_half_way(mode: Credentials) -> Fixture {
    let mut fixture = transferring(mode);
    expire(&mut fixture);
    Fixture { name: format!("a file whose credential was rejected half-way ({mode:?})"), ..fixture }
}

fn expired_while_awaiting_source(mode: Credentials) -> Fixture {
    let mut fixture =
        Fixture::new("a file whose credential was rejected while it waits for bytes", mode);
    fixture.sim.app.chunk_bytes = Some(450_000);
    fixture.sim.start();
    run_half_way(&mut fixture.sim, fixture.file);
    fixture.sim.app.supplies = false;
    expire(&mut fixture);
    Fixture { source_requested: true, ..fixture.known() }
}

/// Revokes the keys. The app supplies no others.
fn expire(fixture: &mut Fixture) {
    fixture.sim.app.credentials = None;
    fixture.sim.world.store.keys.clear();
    fixture.sim.world.vod.tokens.clear();
    fixture.sim.run();
    // The credential of the next file is supplied again.
    let grant = fixture.sim.world.create_media(MediaKind::Video);
    fixture.sim.set_credential(fixture.next, &grant).unwrap();
}

fn expired_before_start(mode: Credentials) -> Fixture {
    let mut fixture = Fixture::new("a file whose credential expired before it started", mode);
    let ttl = std::time::Duration::from_secs(60);
    fixture.sim.world.vod.credential_ttl = ttl;
    fixture.sim.world.app_server.token_ttl = ttl;
    match mode {
        Credentials::Server => {
            let grant = fixture.sim.world.create_media(MediaKind::Video);
            fixture.sim.set_credential(fixture.file, &grant).unwrap();
        }
        Credentials::Sts => fixture.sim.set_token(fixture.file).unwrap(),
        Credentials::Direct => fixture.sim.set_direct_token(fixture.file).unwrap(),
    }
    fixture.sim.world.clock.advance(ttl);
    fixture.sim.world.vod.credential_ttl = 50 * ttl;
    fixture.sim.world.app_server.token_ttl = 60 * ttl;
    fixture.sim.app.credentials = None;
    fixture.sim.start();
    fixture.sim.run();
    fixture.with_credential()
}

fn stopping(mode: Credentials) -> Fixture {
    let mut fixture = transferring(mode);
    fixture.sim.stop();
    Fixture { name: format!("a file that is being stopped ({mode:?})"), ..fixture }
}

fn canceling(mode: Credentials) -> Fixture {
    let mut fixture = transferring(mode);
    fixture.sim.cancel(fixture.file).unwrap();
    Fixture { name: format!("a file that is being canceled ({mode:?})"), ..fixture }
}

fn uploaded(mode: Credentials) -> Fixture {
    let mut fixture = Fixture::new("a file that is uploaded", mode);
    run_to_completion(&mut fixture.sim);
    fixture
}

fn failed_half_way(mode: Credentials) -> Fixture {
    let mut fixture = transferring(mode);
    fixture
        .sim
        .world
        .store
        .faults
        .always(Operation::UploadPart, Fault::Refused(400, "InvalidArgument"));
    fixture.sim.run();
    Fixture { name: format!("a file that failed half-way ({mode:?})"), ..fixture }
}

fn failed_immediately(mode: Credentials) -> Fixture {
    let mut fixture = Fixture::new("a file that failed before anything was stored", mode);
    fixture.sim.world.kv.fails_at = Some(1);
    fixture.sim.start();
    fixture.sim.run();
    fixture
}

fn canceled(mode: Credentials) -> Fixture {
    let mut fixture = transferring(mode);
    fixture.sim.cancel(fixture.file).unwrap();
    fixture.sim.run();
    let name = format!("a file that was canceled half-way ({mode:?})");
    Fixture { name, credentialed: false, stored: false, ..fixture }
}

fn canceled_before_start(mode: Credentials) -> Fixture {
    let mut fixture = Fixture::new("a file that was canceled before it started", mode);
    fixture.sim.cancel(fixture.file).unwrap();
    fixture.sim.run();
    fixture
}

fn stopped(mode: Credentials) -> Fixture {
    let mut fixture = transferring(mode);
    fixture.sim.stop();
    fixture.sim.run();
    Fixture { name: format!("a file that was stopped half-way ({mode:?})"), ..fixture }
}

fn stopped_before_upload(mode: Credentials) -> Fixture {
    let mut fixture = awaiting_credential(mode);
    fixture.sim.stop();
    fixture.sim.run();
    Fixture {
        name: format!("a file that was stopped before its upload was created ({mode:?})"),
        ..fixture
    }
}
