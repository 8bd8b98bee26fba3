//! The clock, the services, the queue and the app, one step at a time.

mod calls;
mod driver;
mod steps;
mod trace;

use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use vod_uploader::oss::{HttpResponse, Request};
use vod_uploader::queue::{
    Event, FileId, KvId, NewFile, Options, OptionsInput, Queue, SessionId, VodCallId,
};
use vod_uploader::units::{ByteCount, UnixMillis};
use vod_uploader::upload::{self, CallId, FillRequest};

use crate::app::App;
use crate::checker::InvariantChecker;
use crate::session_input::SessionInput;
use crate::store::Store;
use crate::vod::Vod;
use crate::{Content, Kv, Random};

/// 2024-01-01T00:00:00Z
pub const START: UnixMillis = UnixMillis(1_704_067_200_000);

/// A run that takes more steps does not come to an end.
pub(crate) const STEPS_MAX: u32 = 200_000;

/// In which order things execute that could execute in any.
#[derive(Clone, Debug)]
pub enum Schedule {
    /// In the order in which they were begun.
    First,
    /// In one that the seed decides.
    Seeded(Random),
}

/// A file that the app will add.
#[derive(Clone, Debug)]
pub struct PlannedFile {
    /// What is added.
    pub new: NewFile,
    /// Its bytes.
    pub content: Content,
}

/// Everything there is.
#[derive(Debug)]
pub struct Simulation {
    /// The present instant.
    pub now: UnixMillis,
    /// The object store.
    pub store: Store,
    /// VOD.
    pub vod: Vod,
    /// The key-value store.
    pub kv: Kv,
    /// What the app does.
    pub app: App,
    /// The order of things.
    pub order: Schedule,
    /// What a queue is created with.
    pub options: OptionsInput,
    /// The events that the app has read, since the last crash.
    pub events: Vec<Event>,
    /// The queue under test.
    pub queue: Queue,
    /// How much time a step takes.
    pub pace: Duration,
    /// Whether calls that were cut off may arrive all the same.
    pub cut_off_may_arrive: bool,
    /// Whether what a queue has left on its way takes its time, as a rule.
    pub strays_linger: bool,
    /// Whether every step is printed to standard error.
    pub narrates: bool,
    pub(crate) lanes: BTreeMap<SessionId, SessionInput>,
    pub(crate) pending: Vec<Pending>,
    /// What a queue that is gone has left on its way.
    pub(crate) strays: Vec<PendingOperation>,
    /// Calls that were cut off and arrive all the same; nobody waits for them.
    pub(crate) late: Vec<PendingOperation>,
    pub(crate) files: BTreeMap<FileId, PlannedFile>,
    pub(crate) checker: InvariantChecker,
    seeds: u8,
    added: u64,
}

/// Something that was begun.
#[derive(Debug)]
pub(crate) struct Pending {
    pub(crate) what: PendingOperation,
    pub(crate) stage: OperationStage,
}

#[derive(Debug)]
pub(crate) enum PendingOperation {
    KvGet { id: KvId, key: String },
    KvSet { id: KvId, key: String, value: Vec<u8> },
    KvDelete { id: KvId, key: String },
    Vod { id: VodCallId, request: Box<Request> },
    TurnKvGet { session: SessionId, id: upload::KvId, key: String },
    TurnKvSet { session: SessionId, id: upload::KvId, key: String, value: Vec<u8> },
    TurnKvDelete { key: String },
    Call { session: SessionId, call: CallId, request: Box<Request>, body: Option<Rc<Vec<u8>>> },
    Fill { session: SessionId, want: FillRequest },
    App(Event),
}

#[derive(Debug)]
pub(crate) enum OperationStage {
    /// On its way: nothing has happened yet.
    PendingOperation,
    /// It has happened; the answer is on its way.
    Answered(Completion),
    /// No answer will ever come.
    Silent,
}

#[derive(Debug)]
pub(crate) enum Completion {
    Kv(std::result::Result<Option<Vec<u8>>, String>),
    Call(std::result::Result<HttpResponse, String>),
}

impl Simulation {
    /// A simulation without files.
    #[must_use]
    pub fn new() -> Self {
        let options = OptionsInput {
            user_id: Some("1".into()),
            part_size: Some(ByteCount(102_400)),
            parallel: Some(3),
            ..OptionsInput::default()
        };
        Self {
            now: START,
            store: Store::default(),
            vod: Vod::default(),
            kv: Kv::default(),
            app: App::default(),
            order: Schedule::First,
            queue: Queue::new(Options::new(options.clone()).unwrap(), [1; 32], START),
            options,
            events: Vec::new(),
            pace: Duration::from_millis(1),
            cut_off_may_arrive: false,
            strays_linger: false,
            narrates: false,
            lanes: BTreeMap::new(),
            pending: Vec::new(),
            strays: Vec::new(),
            late: Vec::new(),
            files: BTreeMap::new(),
            checker: InvariantChecker::default(),
            seeds: 1,
            added: 0,
        }
    }

    /// The same, with an order that the seed decides.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        Self { order: Schedule::Seeded(Random::seeded(seed)), ..Self::new() }
    }

    /// The same, with a queue of these options.
    #[must_use]
    pub fn with_options(mut self, set: impl FnOnce(&mut OptionsInput)) -> Self {
        set(&mut self.options);
        self.restart();
        self
    }

    /// A file of so many bytes that is known again.
    #[must_use]
    pub fn file(name: &str, len: u64) -> PlannedFile {
        let new = NewFile {
            name: name.into(),
            size: Some(ByteCount(len)),
            last_modified_ms: Some(7),
            ..NewFile::default()
        };
        PlannedFile { new, content: Content::of_len(len) }
    }

    /// Begins another queue, without files.
    pub(super) fn restart(&mut self) {
        self.seeds = self.seeds.wrapping_add(1);
        self.added = 0;
        let options = Options::new(self.options.clone()).unwrap();
        self.queue = Queue::new(options, [self.seeds; 32], self.now);
        self.lanes.clear();
        self.pending.clear();
        self.events.clear();
        self.files.clear();
        self.checker.queue_begins();
    }

    /// True where a file was said to be uploaded whole.
    pub(crate) fn has_succeeded(&self, name: &str) -> bool {
        self.checker.has_succeeded(name)
    }

    /// The file of this name will be another.
    pub(crate) fn is_another(&mut self, name: &str) {
        self.checker.is_another(name);
    }

    /// What is stored of the file of this name is not found again.
    pub(crate) fn start_again(&mut self, name: &str) {
        self.checker.may_start_again(name);
        self.checker.allow_orphans(name);
    }

    /// What is stored of any file may be gone.
    pub fn all_may_start_again(&mut self) {
        self.checker.all_may_start_again();
        self.checker.forget_uploads();
    }

    /// True where the queue knows of an upload that the store has begun.
    #[must_use]
    pub fn has_begun_upload(&self) -> bool {
        self.checker.knows_uploads()
    }

    /// What is stored of any file is gone after a while.
    pub fn forgets_old_files(&mut self) {
        self.checker.forgets_old_files();
    }
}

impl Default for Simulation {
    fn default() -> Self {
        Self::new()
    }
}

impl Pending {
    pub(crate) const fn begun(what: PendingOperation) -> Self {
        Self { what, stage: OperationStage::PendingOperation }
    }
}
