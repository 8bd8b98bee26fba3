//! The clock, the services, the queue and the app, one step at a time.

mod calls;
mod driver;
mod narration;
mod steps;

use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use vod_uploader::oss::{Reply, Request};
use vod_uploader::queue::{
    Event, FileId, KvId, NewFile, Options, OptionsInput, Queue, TurnId, VodCallId,
};
use vod_uploader::units::{ByteCount, UnixMillis};
use vod_uploader::upload::{self, CallId, Want};

use crate::app::App;
use crate::audit::Audit;
use crate::lane::Lane;
use crate::store::Store;
use crate::vod::Vod;
use crate::{Content, Kv, Random};

/// 2024-01-01T00:00:00Z
pub const START: UnixMillis = UnixMillis(1_704_067_200_000);

/// A run that takes more steps does not come to an end.
pub(crate) const STEPS_MAX: u32 = 200_000;

/// In which order things happen that could happen in any.
#[derive(Clone, Debug)]
pub enum Order {
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
pub struct World {
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
    pub order: Order,
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
    pub(crate) lanes: BTreeMap<TurnId, Lane>,
    pub(crate) pending: Vec<Pending>,
    /// What a queue that is gone has left on its way.
    pub(crate) strays: Vec<Begun>,
    /// Calls that were cut off and arrive all the same; nobody waits for them.
    pub(crate) late: Vec<Begun>,
    pub(crate) files: BTreeMap<FileId, PlannedFile>,
    pub(crate) audit: Audit,
    seeds: u8,
    added: u64,
}

/// Something that was begun.
#[derive(Debug)]
pub(crate) struct Pending {
    pub(crate) what: Begun,
    pub(crate) stage: Stage,
}

#[derive(Debug)]
pub(crate) enum Begun {
    KvGet { id: KvId, key: String },
    KvSet { id: KvId, key: String, value: Vec<u8> },
    KvDelete { id: KvId, key: String },
    Vod { id: VodCallId, request: Box<Request> },
    TurnKvGet { turn: TurnId, id: upload::KvId, key: String },
    TurnKvSet { turn: TurnId, id: upload::KvId, key: String, value: Vec<u8> },
    TurnKvDelete { key: String },
    Call { turn: TurnId, call: CallId, request: Box<Request>, body: Option<Rc<Vec<u8>>> },
    Fill { turn: TurnId, want: Want },
    App(Event),
}

#[derive(Debug)]
pub(crate) enum Stage {
    /// On its way: nothing has happened yet.
    Begun,
    /// It has happened; the answer is on its way.
    Answered(Answer),
    /// No answer will ever come.
    Silent,
}

#[derive(Debug)]
pub(crate) enum Answer {
    Kv(std::result::Result<Option<Vec<u8>>, String>),
    Call(std::result::Result<Reply, String>),
}

impl World {
    /// A world without files.
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
            order: Order::First,
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
            audit: Audit::default(),
            seeds: 1,
            added: 0,
        }
    }

    /// The same, with an order that the seed decides.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        Self { order: Order::Seeded(Random::seeded(seed)), ..Self::new() }
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
        self.audit.queue_begins();
    }

    /// True where a file was said to be uploaded whole.
    pub(crate) fn has_succeeded(&self, name: &str) -> bool {
        self.audit.has_succeeded(name)
    }

    /// The file of this name will be another.
    pub(crate) fn is_another(&mut self, name: &str) {
        self.audit.is_another(name);
    }

    /// What is stored of the file of this name is not found again.
    pub(crate) fn start_again(&mut self, name: &str) {
        self.audit.may_start_again(name);
        self.audit.litter(name);
    }

    /// What is stored of any file may be gone.
    pub fn all_may_start_again(&mut self) {
        self.audit.all_may_start_again();
        self.audit.forget_uploads();
    }

    /// True where the queue knows of an upload that the store has begun.
    #[must_use]
    pub fn has_begun_upload(&self) -> bool {
        self.audit.knows_uploads()
    }

    /// What is stored of any file is gone after a while.
    pub fn forgets_old_files(&mut self) {
        self.audit.forgets_old_files();
    }
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}

impl Pending {
    pub(crate) const fn begun(what: Begun) -> Self {
        Self { what, stage: Stage::Begun }
    }
}
