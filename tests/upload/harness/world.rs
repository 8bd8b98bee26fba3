//! The clock, the stores and the writers, and what must hold of them at every moment.

use std::time::Duration;

use vod_uploader::crc64::Crc64;
use vod_uploader::credential::{
    Secret, StsCredential, UploadAddress, UploadAuth, UploadCredential,
};
use vod_uploader::error::{Error, ErrorKind, Result};
use vod_uploader::units::{ByteCount, UnixMillis};
use vod_uploader::upload::{
    Checkpoint, CheckpointSearch, ConcatSource, Input, LeaseAcquisition, Purpose, RetryPolicy,
    Session, SessionOptions, SessionOutcome, Target, UploadId, UploadKind, UploadPhase,
    UploadRecord,
};

use super::writer::{Begun, Completion, Pending, Stage, Writer};
use super::{ClientRequest, Content, JoinStream, Random};
use vod_uploader_sim::crc64;
use vod_uploader_sim::{Answered, Kv, Store, Stored};

/// The object key of every upload here.
pub(crate) const OBJECT: &str = "sv/1a2b-3c/film.mp4";

/// Names a writer of a world.
pub(crate) type WriterId = usize;

/// In which order things happen that could happen in any.
#[derive(Clone, Debug)]
pub(crate) enum Order {
    First,
    Seeded(Random),
}

/// How a refresh is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refreshing {
    /// With a credential that lives so long.
    Grants(Duration),
    /// With one that the store does not know.
    GrantsUnknown,
    Fails(ErrorKind),
}

/// Everything there is.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) now: UnixMillis,
    pub(crate) content: Content,
    pub(crate) store: Store,
    pub(crate) kv: Kv,
    pub(crate) writers: Vec<Writer>,
    /// What writers that are gone have left on its way.
    pub(crate) strays: Vec<Pending>,
    pub(crate) order: Order,
    pub(crate) options: SessionOptions,
    pub(crate) refreshing: Refreshing,
    length_known: bool,
    /// The highest offset that any client was told.
    pub(crate) acknowledged: u64,
    /// Every acknowledged offset, in their order, and who acknowledged it.
    pub(super) acknowledgements: Vec<(WriterId, u64)>,
    keys_granted: u32,
}

enum Choice {
    Tick(WriterId),
    Act(WriterId, usize),
    Stray(usize),
}

impl World {
    pub(crate) fn of_known_length(len: u64) -> Self {
        Self::new(len, true)
    }

    pub(crate) fn of_unknown_length(len: u64) -> Self {
        Self::new(len, false)
    }

    fn new(len: u64, length_known: bool) -> Self {
        let mut world = Self {
            now: START,
            content: Content::of_len(len),
            store: Store::default(),
            kv: Kv::default(),
            writers: Vec::new(),
            strays: Vec::new(),
            order: Order::First,
            options: SessionOptions {
                part_size: ByteCount(102_400),
                parallel: 3,
                retry: RetryPolicy::default(),
                request_timeout: Duration::from_secs(30),
                writer: 0,
                seed: 7,
                credential: None,
                can_refresh: false,
                replayable: false,
            },
            refreshing: Refreshing::Grants(LIFE),
            length_known,
            acknowledged: 0,
            acknowledgements: Vec::new(),
            keys_granted: 0,
        };
        world.options.credential = Some(world.grant(Some(LIFE)));
        world
    }

    /// Another world for the same file.
    pub(crate) fn fresh(&self) -> Self {
        Self::new(self.content.len(), self.length_known)
    }

    pub(crate) fn seeded(mut self, seed: u64) -> Self {
        self.order = Order::Seeded(Random::seeded(seed));
        self.options.seed = seed;
        self
    }

    /// A credential that the store accepts, for so long.
    pub(crate) fn grant(&mut self, life: Option<Duration>) -> UploadCredential {
        self.keys_granted += 1;
        let id = format!("STS.{:08}", self.keys_granted);
        let expires_at = life.map(|life| self.now + life);
        self.store.keys.insert(id.clone(), expires_at.unwrap_or(UnixMillis(u64::MAX)));
        let credential = StsCredential {
            access_key_id: id,
            access_key_secret: Secret::new("secret"),
            security_token: Some(Secret::new("token")),
        };
        UploadCredential {
            address: UploadAddress {
                endpoint: ENDPOINT.into(),
                bucket: BUCKET.into(),
                object: OBJECT.into(),
            },
            auth: UploadAuth::new(credential, expires_at, None, self.now),
        }
    }

    pub(crate) fn try_open(
        &mut self,
        claim: LeaseAcquisition,
        purpose: Purpose,
        request: Option<ClientRequest>,
    ) -> Result<WriterId> {
        let session = self.session(claim, purpose)?;
        self.writers.push(Writer::new(session, self.content.clone(), request));
        Ok(self.writers.len() - 1)
    }

    fn session(&self, claim: LeaseAcquisition, purpose: Purpose) -> Result<Session> {
        let writer = 0xabc0 + self.writers.len() as u64;
        let options = SessionOptions { writer, ..self.options.clone() };
        Session::new(key(), &self.record(), claim, purpose, options, self.now)
    }

    pub(crate) fn create(&mut self, request: ClientRequest) -> WriterId {
        self.try_open(LeaseAcquisition::New, request.purpose(), Some(request)).unwrap()
    }

    pub(crate) fn take_over(&mut self, request: ClientRequest) -> WriterId {
        self.try_open(LeaseAcquisition::TakeOver, request.purpose(), Some(request)).unwrap()
    }

    /// Puts the content on the store as objects of these sizes, to be joined.
    pub(crate) fn put_sources(&mut self, lens: &[u64]) -> Vec<ConcatSource> {
        let mut from = 0;
        let mut sources = Vec::new();
        for (index, len) in lens.iter().enumerate() {
            let bytes = self.content.range(from, from + len).to_vec();
            from += len;
            let stored = Stored { crc64: crc64(&bytes), bytes };
            let object = format!("tmp/{index}");
            sources.push(ConcatSource {
                bucket: BUCKET.into(),
                object: object.clone(),
                len: ByteCount(*len),
                crc64: Crc64(stored.crc64),
            });
            self.store.objects.insert(object, stored);
        }
        sources
    }

    /// Creates the upload with this join, or continues it.
    pub(crate) fn open_join(&mut self, join: JoinStream) -> WriterId {
        let claim =
            if self.is_known() { LeaseAcquisition::TakeOver } else { LeaseAcquisition::New };
        let purpose = Purpose::Concatenate { sources: join.sources() };
        let session = self.session(claim, purpose).unwrap();
        self.writers.push(Writer::joining(session, self.content.clone(), join));
        self.writers.len() - 1
    }

    pub(crate) fn settle(&mut self) -> SessionOutcome {
        let id = self.try_open(LeaseAcquisition::TakeOver, Purpose::Reconcile, None).unwrap();
        self.run(id)
    }

    pub(crate) fn fence(&mut self) -> SessionOutcome {
        let id = self.try_open(LeaseAcquisition::TakeOver, Purpose::Fence, None).unwrap();
        self.run(id)
    }

    pub(crate) fn abort(&mut self) -> SessionOutcome {
        let id = self.try_open(LeaseAcquisition::TakeOver, Purpose::Abort, None).unwrap();
        self.run(id)
    }

    /// Whether the upload can be found: from its first lease on.
    pub(crate) fn is_known(&self) -> bool {
        self.kv.values.contains_key(&key().lease_key())
    }

    /// The offset that a client is told who asks for it.
    pub(crate) fn stored_offset(&self) -> u64 {
        let checkpoint = self.checkpoint();
        let offset = checkpoint.durable().bytes();
        let goes_on = !matches!(checkpoint.phase, UploadPhase::Aborted | UploadPhase::Lost { .. });
        assert!(!goes_on || offset >= self.acknowledged, "behind {}", self.acknowledged);
        offset
    }

    /// The last checkpoint.
    pub(crate) fn checkpoint(&self) -> Checkpoint {
        let mut search = CheckpointSearch::new(key());
        while let Some(key) = search.next_key() {
            search.feed(self.kv.values.get(&key).cloned()).unwrap();
        }
        search.finish().unwrap().1
    }

    /// The offset that a client is told who asks for it now; `None` where it has to wait, since the
    /// lease's writer has no checkpoint yet.
    pub(crate) fn told_offset(&self) -> Option<u64> {
        let mut search = CheckpointSearch::new(key());
        while let Some(key) = search.next_key() {
            search.feed(self.kv.values.get(&key).cloned()).unwrap();
        }
        search.is_conclusive().then(|| search.finish().unwrap().1.durable().bytes())
    }

    /// That offset, or zero as long as there is no upload.
    pub(crate) fn stored(&self) -> u64 {
        if self.is_known() { self.stored_offset() } else { 0 }
    }

    /// Creates the upload with this request, or continues it.
    pub(crate) fn open_request(&mut self, request: ClientRequest) -> WriterId {
        if self.is_known() { self.take_over(request) } else { self.create(request) }
    }

    /// A request for the whole rest.
    pub(crate) fn rest(&self) -> ClientRequest {
        ClientRequest::new(self.stored_offset(), self.content.len()).completing()
    }

    /// Creates an upload, and sends everything in one request.
    pub(crate) fn upload(&mut self) -> SessionOutcome {
        let id = self.create(ClientRequest::new(0, self.content.len()).completing());
        self.run(id)
    }

    /// Continues an upload with everything that is left, in one request.
    pub(crate) fn resume(&mut self) -> SessionOutcome {
        let id = self.take_over(self.rest());
        self.run(id)
    }

    /// Runs one writer to its end with records that were damaged, so that no offset can be told.
    pub(crate) fn run_damaged(&mut self, id: WriterId) -> SessionOutcome {
        for _ in 0..STEPS_MAX {
            if !self.step_unaudited(&[id], false) {
                return self.writers[id].outcome.clone().unwrap();
            }
        }
        panic!("writer {id} does not come to an end");
    }

    /// Runs one writer to its end.
    pub(crate) fn run(&mut self, id: WriterId) -> SessionOutcome {
        for _ in 0..STEPS_MAX {
            if !self.step(id) {
                return self.writers[id].outcome.clone().unwrap();
            }
        }
        panic!("writer {id} does not come to an end: {:#?}", self.writers[id].session);
    }

    /// Runs all writers to their ends, and lets what is stray arrive on the way.
    pub(crate) fn run_all(&mut self) {
        for _ in 0..STEPS_MAX {
            let all: Vec<_> = (0..self.writers.len()).collect();
            if !self.step_of(&all, true) {
                return;
            }
        }
        panic!("the writers do not come to an end");
    }

    /// One step of one writer; false where it has ended.
    pub(crate) fn step(&mut self, id: WriterId) -> bool {
        self.step_of(&[id], false)
    }

    fn step_of(&mut self, ids: &[WriterId], strays: bool) -> bool {
        let stepped = self.step_unaudited(ids, strays);
        self.audit();
        stepped
    }

    fn step_unaudited(&mut self, ids: &[WriterId], strays: bool) -> bool {
        let alive: Vec<_> =
            ids.iter().copied().filter(|id| !self.writers[*id].has_ended()).collect();
        let mut choices = self.choices(&alive);
        if strays {
            choices.extend((0..self.strays.len()).map(Choice::Stray));
        }
        if choices.is_empty() {
            let wakeup =
                alive.iter().filter_map(|id| self.writers[*id].session.next_wakeup()).min();
            let Some(wakeup) = wakeup else {
                assert!(alive.is_empty(), "nothing can happen: {:#?}", self.writers[alive[0]]);
                return false;
            };
            self.now = self.now.max(wakeup);
            choices = self.choices(&alive);
        }
        let index = match &mut self.order {
            Order::First => 0,
            Order::Seeded(random) => random.index(choices.len()),
        };
        self.now = self.now + Duration::from_millis(1);
        match choices.swap_remove(index) {
            Choice::Tick(id) => self.writers[id].tell(self.now, Input::Tick),
            Choice::Act(id, index) => self.act(id, index),
            Choice::Stray(index) => self.land(index),
        }
        true
    }

    fn choices(&self, alive: &[WriterId]) -> Vec<Choice> {
        let mut choices = Vec::new();
        for id in alive {
            let writer = &self.writers[*id];
            if writer.session.next_wakeup().is_some_and(|at| at <= self.now) {
                choices.push(Choice::Tick(*id));
            }
            let waits = !self.store.answers_before_body;
            let ready = (0..writer.pending.len()).filter(|index| writer.can_go_on(*index, waits));
            choices.extend(ready.map(|index| Choice::Act(*id, index)));
        }
        choices
    }

    fn act(&mut self, id: WriterId, index: usize) {
        let now = self.now;
        if let Stage::Answered(_) = self.writers[id].pending[index].stage {
            return self.writers[id].deliver(now, index);
        }
        match self.writers[id].pending[index].what {
            Begun::Fill(_) => self.writers[id].fill(now, index),
            Begun::KvDelete { .. } => {
                let deletion = self.writers[id].pending.remove(index);
                self.happen(&deletion.what);
            }
            _ => {
                let mut pending = self.writers[id].pending.remove(index);
                pending.stage = self
                    .happen(&pending.what)
                    .map_or(Stage::Silent, |answer| Stage::Answered(Box::new(answer)));
                self.writers[id].pending.insert(index, pending);
            }
        }
    }

    /// Does at the stores what was begun.
    fn happen(&mut self, begun: &Begun) -> Option<Completion> {
        match begun {
            Begun::KvGet { key, .. } => Some(Completion::Kv(self.kv.read(key))),
            Begun::KvSet { key, value, .. } => Some(Completion::Kv(self.kv.write(key, value))),
            Begun::KvDelete { key } => {
                self.kv.delete(key);
                None
            }
            Begun::Call { request, fill, body, .. } => {
                let body = body.as_ref().map(|body| body.as_slice());
                let early = self.store.answers_before_body;
                assert!(early || body.is_some() == fill.is_some());
                match self.store.call(self.now, request, body) {
                    Answered::Response(reply) => Some(Completion::Call(Ok(reply))),
                    Answered::Broken => Some(Completion::Call(Err("connection reset".into()))),
                    Answered::Never => None,
                }
            }
            Begun::Refresh => Some(Completion::Refresh(match self.refreshing {
                Refreshing::Grants(life) => Ok(self.grant(Some(life))),
                Refreshing::GrantsUnknown => {
                    let granted = self.grant(Some(LIFE));
                    self.store.keys.remove(&granted.auth.credential.access_key_id);
                    Ok(granted)
                }
                Refreshing::Fails(kind) => Err(Error::new(kind, "no new credential")),
            })),
            Begun::Fill(_) => None,
        }
    }

    /// Puts another object of this length under the upload's key.
    pub(crate) fn put_other_object(&mut self, len: u64) {
        let bytes = vec![7; usize::try_from(len).unwrap()];
        let stored = Stored { crc64: crc64(&bytes), bytes };
        self.store.objects.insert(OBJECT.into(), stored);
    }

    /// Drops a writer's session at once. What it has begun may still arrive, later.
    pub(crate) fn crash(&mut self, id: WriterId) {
        let failed = SessionOutcome::Failed {
            error: Error::new(ErrorKind::Internal, "crashed"),
            durable: ByteCount(0),
        };
        let writer = &mut self.writers[id];
        writer.outcome = Some(failed);
        self.strays.extend(writer.pending.drain(..).filter(|pending| {
            matches!(pending.stage, Stage::Begun)
                && matches!(
                    pending.what,
                    Begun::KvSet { .. } | Begun::KvDelete { .. } | Begun::Call { .. }
                )
                && !matches!(pending.what, Begun::Call { fill: Some(_), body: None, .. })
        }));
    }

    /// Lets everything that is stray arrive.
    pub(crate) fn land_strays(&mut self) {
        while !self.strays.is_empty() {
            self.land(0);
        }
    }

    fn land(&mut self, index: usize) {
        let stray = self.strays.remove(index);
        self.happen(&stray.what);
    }

    fn record(&self) -> UploadRecord {
        UploadRecord {
            created_at_ms: START.0,
            file_name: "film.mp4".into(),
            length_bytes: self.length_known.then_some(self.content.len()),
            media_id: "d8a1".into(),
            target: Target {
                endpoint: ENDPOINT.into(),
                bucket: BUCKET.into(),
                object: OBJECT.into(),
                region: None,
                cname: false,
                signature_v1: false,
            },
            content_type: Some("video/mp4".into()),
            client_metadata: None,
            credential_from_vod: false,
            kind: UploadKind::Regular,
        }
    }
}

pub(crate) fn key() -> UploadId {
    UploadId::new("0123abcd").unwrap()
}

/// 2024-01-01T00:00:00Z
const START: UnixMillis = UnixMillis(1_704_067_200_000);
const LIFE: Duration = Duration::from_secs(3_600);
const ENDPOINT: &str = "https://oss-cn-shanghai.aliyuncs.com";
const BUCKET: &str = "outin-test";
const STEPS_MAX: u32 = 100_000;
