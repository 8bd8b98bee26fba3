//! State that all files of a queue share: options, time, randomness, pending outputs and events.

mod seeded_rng;

use std::collections::VecDeque;

use crate::credential::UploadCredential;
use crate::error::Error;
use crate::oss::ClockSkew;
use crate::queue::interface::{Event, EventQueue, KvId, Options, Output, SessionId, VodCallId};
use crate::units::UnixMillis;
use crate::upload::{Attempts, Jitter, SessionOptions, UploadId};
use seeded_rng::SeededRng;

/// State that all files of a queue share.
#[derive(Debug)]
pub(super) struct QueueContext {
    options: Options,
    rng: SeededRng,
    jitter: Jitter,
    now: UnixMillis,
    vod_clock_skew: ClockSkew,
    outputs: VecDeque<Output>,
    events: EventQueue,
    next_id: u64,
}

impl QueueContext {
    pub(super) fn new(options: Options, seed: [u8; 32], now: UnixMillis) -> Self {
        let mut rng = SeededRng::new(seed);
        Self {
            options,
            jitter: Jitter::seeded(rng.next_u64()),
            rng,
            now,
            vod_clock_skew: ClockSkew::default(),
            outputs: VecDeque::new(),
            events: EventQueue::default(),
            next_id: 0,
        }
    }

    pub(super) const fn options(&self) -> &Options {
        &self.options
    }

    pub(super) const fn now(&self) -> UnixMillis {
        self.now
    }

    /// Advances the time. A clock that steps back is treated as stopped.
    pub(super) fn advance_clock(&mut self, now: UnixMillis) {
        self.now = self.now.max(now);
    }

    /// Returns the current time of VOD's clock.
    pub(super) fn vod_time(&self) -> UnixMillis {
        self.vod_clock_skew.now_at_server(self.now)
    }

    /// Corrects VOD's clock if VOD reported its time in `error`. Returns true if it did.
    pub(super) fn correct_vod_clock(&mut self, error: &Error) -> bool {
        self.vod_clock_skew.observe(error, self.now)
    }

    pub(super) fn output(&mut self, output: Output) {
        self.outputs.push_back(output);
    }

    pub(super) fn next_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    pub(super) fn event(&mut self, event: Event) {
        self.events.push(event);
    }

    pub(super) fn next_event(&mut self) -> Option<Event> {
        self.events.pop()
    }

    pub(super) fn kv_get(&mut self, key: String) -> KvId {
        let id = KvId(self.next_id());
        self.output(Output::KvGet { id, key });
        id
    }

    pub(super) fn kv_set(&mut self, key: String, value: Vec<u8>) -> KvId {
        let id = KvId(self.next_id());
        self.output(Output::KvSet { id, key, value });
        id
    }

    pub(super) fn kv_delete(&mut self, key: String) -> KvId {
        let id = KvId(self.next_id());
        self.output(Output::KvDelete { id, key });
        id
    }

    pub(super) fn next_vod_call_id(&mut self) -> VodCallId {
        VodCallId(self.next_id())
    }

    pub(super) fn next_session_id(&mut self) -> SessionId {
        SessionId(self.next_id())
    }

    const fn next_id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }

    pub(super) fn new_upload_key(&mut self) -> UploadId {
        UploadId::from_random(self.rng.next_u128())
    }

    /// Returns a nonce for one request to VOD.
    pub(super) fn vod_nonce(&mut self) -> String {
        format!("{:032x}", self.rng.next_u128())
    }

    /// Returns the options of the next session. `replayable` is whether its source can be read
    /// again.
    pub(super) fn session_options(
        &mut self,
        credential: UploadCredential,
        can_refresh: bool,
        replayable: bool,
    ) -> SessionOptions {
        SessionOptions {
            part_size: self.options.part_size(),
            parallel: self.options.parallel(),
            retry: self.options.retry(),
            request_timeout: self.options.timeout(),
            writer: self.rng.next_u64(),
            seed: self.rng.next_u64(),
            credential: Some(credential),
            can_refresh,
            replayable,
        }
    }

    /// Returns when to retry after a failure at the current time, or `None` if the retries are
    /// exhausted.
    pub(super) fn next_retry(&mut self, attempts: &mut Attempts) -> Option<UnixMillis> {
        attempts.next(&self.options.retry(), self.now, None, &mut self.jitter)
    }
}
