//! What the files of one queue share: options, time, randomness, and the way out.

use std::collections::VecDeque;

use super::entropy::Entropy;
use super::event::{Event, EventLog};
use super::options::Options;
use super::{KvId, Output, TurnId, VodCallId};
use crate::oss::ClockSkew;
use crate::units::UnixMillis;
use crate::upload::Jitter;

/// What the files of one queue share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) options: Options,
    pub(super) entropy: Entropy,
    pub(super) jitter: Jitter,
    pub(super) now: UnixMillis,
    pub(super) vod_clock_skew: ClockSkew,
    outputs: VecDeque<Output>,
    events: EventLog,
    next_id: u64,
}

impl Shared {
    pub(super) fn new(options: Options, seed: [u8; 32], now: UnixMillis) -> Self {
        let mut entropy = Entropy::new(seed);
        Self {
            options,
            jitter: Jitter::seeded(entropy.bits64()),
            entropy,
            now,
            vod_clock_skew: ClockSkew::default(),
            outputs: VecDeque::new(),
            events: EventLog::default(),
            next_id: 0,
        }
    }

    pub(super) fn output(&mut self, output: Output) {
        self.outputs.push_back(output);
    }

    pub(super) fn event(&mut self, event: Event) {
        self.events.push(event);
    }

    pub(super) fn next_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
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

    pub(super) fn next_vod_call(&mut self) -> VodCallId {
        VodCallId(self.next_id())
    }

    pub(super) fn next_turn(&mut self) -> TurnId {
        TurnId(self.next_id())
    }

    const fn next_id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }
}
