//! A world in every state that a file or the queue can be in.

use vod_uploader::queue::{FileId, FileState, Input, QueueState, UploadingPhase};
use vod_uploader::vod::MediaKind;
use vod_uploader_sim::{App, Credentials, Fault, Grant, Operation, PlannedFile, World};

use crate::acting::{go_on, info, run_half_way, run_to};

/// A world in which a file is in some state, and what is to be known of it.
pub(crate) struct Scene {
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
pub(crate) fn file_scenes(state: &FileState, mode: Credentials) -> Vec<Scene> {
    match state {
        FileState::Ready => vec![added(mode), ready_again(mode), behind_another(mode)],
        FileState::Uploading(phase) => phase_scenes(*phase, mode),
        FileState::Success => vec![uploaded(mode)],
        FileState::Failure(_) => vec![failed_half_way(mode), failed_at_once(mode)],
        FileState::Canceled => vec![canceled(mode), canceled_before_its_turn(mode)],
        FileState::Stopped => vec![stopped(mode), stopped_before_its_upload(mode)],
    }
}

/// A situation in which the queue is in this state.
pub(crate) fn queue_scene(state: QueueState) -> Scene {
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

impl Scene {
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

fn phase_scenes(phase: UploadingPhase, mode: Credentials) -> Vec<Scene> {
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

fn added(mode: Credentials) -> Scene {
    Scene::new("a file that was added", mode)
}

fn ready_again(mode: Credentials) -> Scene {
    let mut scene = stopped(mode);
    scene.world.resume(scene.file).unwrap();
    Scene { name: format!("a file that was stopped and is ready again ({mode:?})"), ..scene }
}

fn behind_another(mode: Credentials) -> Scene {
    let mut scene = Scene::new("a file behind another that has its turn", mode);
    scene.world.cancel(scene.file).unwrap();
    scene.world.run();
    scene.world.app.credentials = None;
    scene.world.app.supplies = false;
    scene.world.start();
    run_to(&mut scene.world, scene.next, UploadingPhase::SourceWanted);
    scene.world.resume(scene.file).unwrap();
    scene
}

fn looking(mode: Credentials) -> Scene {
    let mut scene = Scene::new("a file whose checkpoint is looked for", mode);
    scene.world.app.credentials = None;
    scene.world.start();
    scene
}

fn writing_records(mode: Credentials) -> Scene {
    let mut scene = Scene::new("a file whose records are written", mode);
    scene.world.start();
    run_to(&mut scene.world, scene.file, UploadingPhase::CredentialWanted);
    run_to(&mut scene.world, scene.file, UploadingPhase::Starting);
    scene.with_credential()
}

fn credential_wanted(mode: Credentials) -> Scene {
    let mut scene = Scene::new("a file that waits for its first credential", mode);
    scene.world.app.credentials = None;
    scene.world.start();
    scene.world.run();
    scene
}

fn credential_wanted_again(mode: Credentials) -> Scene {
    let mut scene = stopped(mode);
    scene.world.app.credentials = None;
    scene.world.start();
    scene.world.run();
    Scene { name: format!("a file that continues and waits for a credential ({mode:?})"), ..scene }
}

fn media_wanted(mode: Credentials) -> Scene {
    let mut scene = Scene::new("a file for which VOD is asked", mode);
    scene.world.app.credentials = Some(Credentials::Sts);
    scene.world.start();
    run_to(&mut scene.world, scene.file, UploadingPhase::MediaWanted);
    // A token is known, and no address.
    Scene { credentialed: mode != Credentials::Server, ..scene }
}

fn source_wanted(mode: Credentials) -> Scene {
    let mut scene = Scene::new("a file that waits for its bytes", mode);
    scene.world.app.supplies = false;
    scene.world.start();
    scene.world.run();
    Scene { source_wanted: true, ..scene.known() }
}

fn source_wanted_half_way(mode: Credentials) -> Scene {
    let mut scene = Scene::new("a file that waits for more bytes", mode);
    scene.world.app.piece = Some(450_000);
    scene.world.start();
    run_half_way(&mut scene.world, scene.file);
    scene.world.app.supplies = false;
    scene.world.run();
    Scene { source_wanted: true, ..scene.known() }
}

fn transferring(mode: Credentials) -> Scene {
    let mut scene = Scene::new("a file half-way", mode);
    scene.world.start();
    run_half_way(&mut scene.world, scene.file);
    scene.known()
}

fn completing(mode: Credentials) -> Scene {
    let mut scene = Scene::new("a file whose object is being completed", mode);
    scene.world.store.faults.plan(Operation::Complete, 1, Fault::HangAfter);
    scene.world.start();
    scene.world.run_until(|world| world.store.count(Operation::Complete) == 1);
    scene.known()
}

fn expired_half_way(mode: Credentials) -> Scene {
    let mut scene = transferring(mode);
    expire(&mut scene);
    Scene { name: format!("a file whose credential was refused half-way ({mode:?})"), ..scene }
}

fn expired_with_bytes_wanted(mode: Credentials) -> Scene {
    let mut scene = Scene::new("a file whose credential was refused while it wants bytes", mode);
    scene.world.app.piece = Some(450_000);
    scene.world.start();
    run_half_way(&mut scene.world, scene.file);
    scene.world.app.supplies = false;
    expire(&mut scene);
    Scene { source_wanted: true, ..scene.known() }
}

/// The store takes the keys back, and nobody brings another.
fn expire(scene: &mut Scene) {
    scene.world.app.credentials = None;
    scene.world.store.keys.clear();
    scene.world.vod.tokens.clear();
    scene.world.run();
    // That of the file after it is handed in anew.
    let grant = scene.world.created(MediaKind::Video);
    scene.world.hand_in(scene.next, &grant).unwrap();
}

fn expired_before_its_turn(mode: Credentials) -> Scene {
    let mut scene = Scene::new("a file whose credential expired before its turn", mode);
    let life = std::time::Duration::from_secs(60);
    scene.world.vod.life = life;
    scene.world.app.token_life = life;
    match mode {
        Credentials::Server => {
            let grant = scene.world.created(MediaKind::Video);
            scene.world.hand_in(scene.file, &grant).unwrap();
        }
        Credentials::Sts => scene.world.hand_in_token(scene.file).unwrap(),
        Credentials::Direct => scene.world.hand_in_direct_token(scene.file).unwrap(),
    }
    scene.world.now = scene.world.now + life;
    scene.world.vod.life = 50 * life;
    scene.world.app.token_life = 60 * life;
    scene.world.app.credentials = None;
    scene.world.start();
    scene.world.run();
    scene.with_credential()
}

fn stopping(mode: Credentials) -> Scene {
    let mut scene = transferring(mode);
    scene.world.stop();
    Scene { name: format!("a file that is being stopped ({mode:?})"), ..scene }
}

fn canceling(mode: Credentials) -> Scene {
    let mut scene = transferring(mode);
    scene.world.cancel(scene.file).unwrap();
    Scene { name: format!("a file that is being canceled ({mode:?})"), ..scene }
}

fn uploaded(mode: Credentials) -> Scene {
    let mut scene = Scene::new("a file that is uploaded", mode);
    go_on(&mut scene.world);
    scene
}

fn failed_half_way(mode: Credentials) -> Scene {
    let mut scene = transferring(mode);
    scene.world.store.faults.always(Operation::UploadPart, Fault::Refused(400, "InvalidArgument"));
    scene.world.run();
    Scene { name: format!("a file that failed half-way ({mode:?})"), ..scene }
}

fn failed_at_once(mode: Credentials) -> Scene {
    let mut scene = Scene::new("a file that failed before anything was stored", mode);
    scene.world.kv.fails_at = Some(1);
    scene.world.start();
    scene.world.run();
    scene
}

fn canceled(mode: Credentials) -> Scene {
    let mut scene = transferring(mode);
    scene.world.cancel(scene.file).unwrap();
    scene.world.run();
    let name = format!("a file that was canceled half-way ({mode:?})");
    Scene { name, credentialed: false, stored: false, ..scene }
}

fn canceled_before_its_turn(mode: Credentials) -> Scene {
    let mut scene = Scene::new("a file that was canceled before its turn", mode);
    scene.world.cancel(scene.file).unwrap();
    scene.world.run();
    scene
}

fn stopped(mode: Credentials) -> Scene {
    let mut scene = transferring(mode);
    scene.world.stop();
    scene.world.run();
    Scene { name: format!("a file that was stopped half-way ({mode:?})"), ..scene }
}

fn stopped_before_its_upload(mode: Credentials) -> Scene {
    let mut scene = credential_wanted(mode);
    scene.world.stop();
    scene.world.run();
    Scene { name: format!("a file that was stopped before its upload began ({mode:?})"), ..scene }
}
