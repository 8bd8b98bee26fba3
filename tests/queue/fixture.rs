//! A world in every state that a file or the queue can be in.

use vod_uploader::queue::{FileId, FileState, Input, QueueState, UploadingPhase};
use vod_uploader::vod::MediaKind;
use vod_uploader_sim::{App, Credentials, Fault, Grant, Operation, PlannedFile, World};

use crate::actions::{go_on, info, run_half_way, run_to};

/// A world in which a file is in some state, and what is to be known of it.
pub(crate) struct Fixture {
    pub(crate) name: String,
    pub(crate) world: World,
    /// The file, of ten parts.
    pub(crate) file: FileId,
    pub(crate) planned: PlannedFile,
    /// One that comes after it, and waits for nothing.
    pub(crate) next: FileId,
    /// A credential for the file was taken before, and not forgotten since.
    pub(crate) credentialed: bool,
    /// The key-value store knows an upload of the file.
    pub(crate) stored: bool,
    /// The file's bytes are wanted.
    pub(crate) source_wanted: bool,
    mode: Credentials,
}

/// The file's size: ten parts.
pub(crate) const LEN: u64 = 1_000_000;

/// The file that comes next: small enough for one request.
pub(crate) fn next_file(name: &str) -> PlannedFile {
    World::file(name, 50_000)
}

/// Every situation in which a file is in this state, with credentials of this mode.
pub(crate) fn file_fixtures(state: &FileState, mode: Credentials) -> Vec<Fixture> {
    match state {
        FileState::Ready => vec![added(mode), ready_again(mode), behind_another(mode)],
        FileState::Uploading(phase) => phase_fixtures(*phase, mode),
        FileState::Success => vec![uploaded(mode)],
        FileState::Failure(_) => vec![failed_half_way(mode), failed_at_once(mode)],
        FileState::Canceled => vec![canceled(mode), canceled_before_its_turn(mode)],
        FileState::Stopped => vec![stopped(mode), stopped_before_its_upload(mode)],
    }
}

/// A situation in which the queue is in this state.
pub(crate) fn queue_fixture(state: QueueState) -> Fixture {
    let mode = Credentials::Server;
    match state {
        QueueState::Init => added(mode),
        QueueState::Start => transferring(mode),
        QueueState::Expire => expired_half_way(mode),
        QueueState::Stop => stopped(mode),
        QueueState::Failure => failed_half_way(mode),
        QueueState::End => uploaded(mode),
    }
}

impl Fixture {
    pub(crate) fn state(&self) -> FileState {
        self.world.state(self.file)
    }

    /// The queue knows the instant: a call that changes nothing then leaves it as it is.
    pub(crate) fn tell_the_time(&mut self) {
        let now = self.world.now;
        self.world.tell(now, Input::Tick);
    }

    /// From here on the app answers everything, the store and VOD do what they should.
    pub(crate) fn app_is_back(&mut self) {
        self.world.app = App { credentials: Some(self.mode), ..App::default() };
        self.world.store.faults.clear();
        self.world.vod.faults.clear();
    }

    /// A credential for the file: for its media, or for a new one where it has none.
    pub(crate) fn grant(&mut self) -> Grant {
        let known = info(&self.world, self.file).media_id;
        let refreshed = known.and_then(|media_id| self.world.refreshed(&media_id));
        refreshed.unwrap_or_else(|| self.world.created(MediaKind::Video))
    }

    fn new(name: &str, mode: Credentials) -> Self {
        let mut world = World::new();
        world.app.credentials = Some(mode);
        let mut planned = World::file("a.mp4", LEN);
        if mode == Credentials::Direct {
            planned.new.endpoint = Some("https://oss-cn-shanghai.aliyuncs.com".into());
            planned.new.bucket = Some("my-bucket".into());
            planned.new.object = Some("mine/a.mp4".into());
        }
        let file = world.add(planned.clone()).unwrap();
        let next = world.add(next_file("next.mp4")).unwrap();
        let grant = world.created(MediaKind::Video);
        world.hand_in(next, &grant).unwrap();
        Self {
            name: format!("{name} ({mode:?})"),
            world,
            file,
            planned,
            next,
            credentialed: false,
            stored: false,
            source_wanted: false,
            mode,
        }
    }

    /// Its upload is known, in the key-value store and to the queue.
    fn known(self) -> Self {
        Self { stored: true, ..self.with_credential() }
    }

    fn with_credential(self) -> Self {
        Self { credentialed: true, ..self }
    }
}

fn phase_fixtures(phase: UploadingPhase, mode: Credentials) -> Vec<Fixture> {
    match phase {
        UploadingPhase::Starting => vec![looking(mode), writing_records(mode)],
        UploadingPhase::CredentialWanted => {
            vec![credential_wanted(mode), credential_wanted_again(mode)]
        }
        UploadingPhase::MediaWanted => vec![media_wanted(mode)],
        UploadingPhase::SourceWanted => vec![source_wanted(mode), source_wanted_half_way(mode)],
        UploadingPhase::Transferring => vec![transferring(mode), completing(mode)],
        UploadingPhase::TokenExpired => {
            vec![
                expired_half_way(mode),
                expired_with_bytes_wanted(mode),
                expired_before_its_turn(mode),
            ]
        }
        UploadingPhase::Stopping => vec![stopping(mode)],
        UploadingPhase::Canceling => vec![canceling(mode)],
    }
}

fn added(mode: Credentials) -> Fixture {
    Fixture::new("a file that was added", mode)
}

fn ready_again(mode: Credentials) -> Fixture {
    let mut fixture = stopped(mode);
    fixture.world.resume(fixture.file).unwrap();
    Fixture { name: format!("a file that was stopped and is ready again ({mode:?})"), ..fixture }
}

fn behind_another(mode: Credentials) -> Fixture {
    let mut fixture = Fixture::new("a file behind another that has its turn", mode);
    fixture.world.cancel(fixture.file).unwrap();
    fixture.world.run();
    fixture.world.app.credentials = None;
    fixture.world.app.supplies = false;
    fixture.world.start();
    run_to(&mut fixture.world, fixture.next, UploadingPhase::SourceWanted);
    fixture.world.resume(fixture.file).unwrap();
    fixture
}

fn looking(mode: Credentials) -> Fixture {
    let mut fixture = Fixture::new("a file whose checkpoint is looked for", mode);
    fixture.world.app.credentials = None;
    fixture.world.start();
    fixture
}

fn writing_records(mode: Credentials) -> Fixture {
    let mut fixture = Fixture::new("a file whose records are written", mode);
    fixture.world.start();
    run_to(&mut fixture.world, fixture.file, UploadingPhase::CredentialWanted);
    run_to(&mut fixture.world, fixture.file, UploadingPhase::Starting);
    fixture.with_credential()
}

fn credential_wanted(mode: Credentials) -> Fixture {
    let mut fixture = Fixture::new("a file that waits for its first credential", mode);
    fixture.world.app.credentials = None;
    fixture.world.start();
    fixture.world.run();
    fixture
}

fn credential_wanted_again(mode: Credentials) -> Fixture {
    let mut fixture = stopped(mode);
    fixture.world.app.credentials = None;
    fixture.world.start();
    fixture.world.run();
    Fixture {
        name: format!("a file that continues and waits for a credential ({mode:?})"),
        ..fixture
    }
}

fn media_wanted(mode: Credentials) -> Fixture {
    let mut fixture = Fixture::new("a file for which VOD is asked", mode);
    fixture.world.app.credentials = Some(Credentials::Sts);
    fixture.world.start();
    run_to(&mut fixture.world, fixture.file, UploadingPhase::MediaWanted);
    // A token is known, and no address.
    Fixture { credentialed: mode != Credentials::Server, ..fixture }
}

fn source_wanted(mode: Credentials) -> Fixture {
    let mut fixture = Fixture::new("a file that waits for its bytes", mode);
    fixture.world.app.supplies = false;
    fixture.world.start();
    fixture.world.run();
    Fixture { source_wanted: true, ..fixture.known() }
}

fn source_wanted_half_way(mode: Credentials) -> Fixture {
    let mut fixture = Fixture::new("a file that waits for more bytes", mode);
    fixture.world.app.piece = Some(450_000);
    fixture.world.start();
    run_half_way(&mut fixture.world, fixture.file);
    fixture.world.app.supplies = false;
    fixture.world.run();
    Fixture { source_wanted: true, ..fixture.known() }
}

fn transferring(mode: Credentials) -> Fixture {
    let mut fixture = Fixture::new("a file half-way", mode);
    fixture.world.start();
    run_half_way(&mut fixture.world, fixture.file);
    fixture.known()
}

fn completing(mode: Credentials) -> Fixture {
    let mut fixture = Fixture::new("a file whose object is being completed", mode);
    fixture.world.store.faults.plan(Operation::Complete, 1, Fault::HangAfter);
    fixture.world.start();
    fixture.world.run_until(|world| world.store.count(Operation::Complete) == 1);
    fixture.known()
}

fn expired_half_way(mode: Credentials) -> Fixture {
    let mut fixture = transferring(mode);
    expire(&mut fixture);
    Fixture { name: format!("a file whose credential was refused half-way ({mode:?})"), ..fixture }
}

fn expired_with_bytes_wanted(mode: Credentials) -> Fixture {
    let mut fixture =
        Fixture::new("a file whose credential was refused while it wants bytes", mode);
    fixture.world.app.piece = Some(450_000);
    fixture.world.start();
    run_half_way(&mut fixture.world, fixture.file);
    fixture.world.app.supplies = false;
    expire(&mut fixture);
    Fixture { source_wanted: true, ..fixture.known() }
}

/// The store takes the keys back, and nobody brings another.
fn expire(fixture: &mut Fixture) {
    fixture.world.app.credentials = None;
    fixture.world.store.keys.clear();
    fixture.world.vod.tokens.clear();
    fixture.world.run();
    // That of the file after it is handed in anew.
    let grant = fixture.world.created(MediaKind::Video);
    fixture.world.hand_in(fixture.next, &grant).unwrap();
}

fn expired_before_its_turn(mode: Credentials) -> Fixture {
    let mut fixture = Fixture::new("a file whose credential expired before its turn", mode);
    let life = std::time::Duration::from_secs(60);
    fixture.world.vod.life = life;
    fixture.world.app.token_life = life;
    match mode {
        Credentials::Server => {
            let grant = fixture.world.created(MediaKind::Video);
            fixture.world.hand_in(fixture.file, &grant).unwrap();
        }
        Credentials::Sts => fixture.world.hand_in_token(fixture.file).unwrap(),
        Credentials::Direct => fixture.world.hand_in_direct_token(fixture.file).unwrap(),
    }
    fixture.world.now = fixture.world.now + life;
    fixture.world.vod.life = 50 * life;
    fixture.world.app.token_life = 60 * life;
    fixture.world.app.credentials = None;
    fixture.world.start();
    fixture.world.run();
    fixture.with_credential()
}

fn stopping(mode: Credentials) -> Fixture {
    let mut fixture = transferring(mode);
    fixture.world.stop();
    Fixture { name: format!("a file that is being stopped ({mode:?})"), ..fixture }
}

fn canceling(mode: Credentials) -> Fixture {
    let mut fixture = transferring(mode);
    fixture.world.cancel(fixture.file).unwrap();
    Fixture { name: format!("a file that is being canceled ({mode:?})"), ..fixture }
}

fn uploaded(mode: Credentials) -> Fixture {
    let mut fixture = Fixture::new("a file that is uploaded", mode);
    go_on(&mut fixture.world);
    fixture
}

fn failed_half_way(mode: Credentials) -> Fixture {
    let mut fixture = transferring(mode);
    fixture
        .world
        .store
        .faults
        .always(Operation::UploadPart, Fault::Refused(400, "InvalidArgument"));
    fixture.world.run();
    Fixture { name: format!("a file that failed half-way ({mode:?})"), ..fixture }
}

fn failed_at_once(mode: Credentials) -> Fixture {
    let mut fixture = Fixture::new("a file that failed before anything was stored", mode);
    fixture.world.kv.fails_at = Some(1);
    fixture.world.start();
    fixture.world.run();
    fixture
}

fn canceled(mode: Credentials) -> Fixture {
    let mut fixture = transferring(mode);
    fixture.world.cancel(fixture.file).unwrap();
    fixture.world.run();
    let name = format!("a file that was canceled half-way ({mode:?})");
    Fixture { name, credentialed: false, stored: false, ..fixture }
}

fn canceled_before_its_turn(mode: Credentials) -> Fixture {
    let mut fixture = Fixture::new("a file that was canceled before its turn", mode);
    fixture.world.cancel(fixture.file).unwrap();
    fixture.world.run();
    fixture
}

fn stopped(mode: Credentials) -> Fixture {
    let mut fixture = transferring(mode);
    fixture.world.stop();
    fixture.world.run();
    Fixture { name: format!("a file that was stopped half-way ({mode:?})"), ..fixture }
}

fn stopped_before_its_upload(mode: Credentials) -> Fixture {
    let mut fixture = credential_wanted(mode);
    fixture.world.stop();
    fixture.world.run();
    Fixture {
        name: format!("a file that was stopped before its upload began ({mode:?})"),
        ..fixture
    }
}
