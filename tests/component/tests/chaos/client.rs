//! One client: it sends one file after another until the fault schedule ends, and retries each
//! until it succeeds.

use std::time::Duration;

use vod_uploader_component_tests::random::Random;
use vod_uploader_component_tests::source::{KIB, MIB, Source};
use vod_uploader_wire::Exchange;

use crate::append::StalledRequest;
use crate::context::ChaosContext;
use crate::protocol::Protocol;

/// A client with its protocol.
pub(crate) struct Client<'a> {
    pub(crate) context: &'a ChaosContext,
    pub(crate) random: Random,
    /// Its stalled requests of the current upload.
    pub(crate) stalled: Vec<StalledRequest>,
    number: u64,
    protocol: Protocol,
    names: u64,
    /// How long it takes to send the current file.
    duration: Duration,
    size: u64,
}

impl<'a> Client<'a> {
    pub(crate) fn new(
        context: &'a ChaosContext,
        number: u64,
        protocol: Protocol,
        seed: u64,
    ) -> Self {
        Self {
            context,
            random: Random::new(seed),
            stalled: Vec::new(),
            number,
            protocol,
            names: 0,
            duration: Duration::ZERO,
            size: 1,
        }
    }

    /// Sends files until the fault schedule ends, and completes the current one. A violation ends
    /// the client and is recorded.
    pub(crate) fn run(mut self) {
        loop {
            let sent = match self.protocol {
                Protocol::Tus(style) => self.send_by_tus(style),
                Protocol::Concatenated => self.send_concatenated(),
                Protocol::Ietf(version) => self.send_by_ietf(version),
                Protocol::IetfSingleRequest(version) => self.send_ietf_single_request(version),
                Protocol::Put { known } => self.put(known),
                Protocol::Form => self.send_form(),
                Protocol::FilePond => self.send_by_filepond(),
            };
            if let Err(what) = sent {
                self.context.record_failure(self.number, &format!("{:?}: {what}", self.protocol));
                return;
            }
            if !self.context.has_faults() {
                return;
            }
        }
    }

    /// An unused file name.
    pub(crate) fn new_name(&mut self) -> String {
        self.names += 1;
        format!("c{:02}-{}.mp4", self.number, self.names)
    }

    /// A new file of at most `size_max` bytes. Most have a few MiB, some are tiny and some are
    /// large.
    pub(crate) fn new_source(&mut self, size_max: u64) -> Source {
        let size = match self.random.below(20) {
            0..=2 => 1 + self.random.below(1_000),
            3..=5 => 1 + self.random.below(200 * KIB),
            6..=17 => 100 * KIB + self.random.below(4 * MIB),
            _ => 8 * MIB + self.random.below(16 * MIB),
        };
        self.size = size.min(size_max);
        self.duration = Duration::from_millis(500 + self.random.below(6_000));
        let source = Source::new(self.random.next(), self.size);
        self.log_event(&format!("a file of {} bytes", self.size));
        source
    }

    /// Sends bytes at the rate of the file. Returns false once the worker accepts no more.
    pub(crate) fn send(&mut self, exchange: &mut Exchange, bytes: &[u8]) -> bool {
        bytes.chunks(CHUNK_BYTES).all(|chunk| {
            let sent = exchange.send(chunk);
            if self.context.has_faults() {
                let share = chunk.len() as f64 / self.size as f64;
                std::thread::sleep(self.duration.mul_f64(share).min(CHUNK_PAUSE_MAX));
            }
            sent
        })
    }

    /// Waits for up to `max_ms` milliseconds.
    pub(crate) fn sleep_up_to(&mut self, max_ms: u64) {
        std::thread::sleep(Duration::from_millis(10 + self.random.below(max_ms)));
    }

    /// Returns true in one of `of` cases, while faults are scheduled.
    pub(crate) fn is_faulty(&mut self, of: u64) -> bool {
        self.context.has_faults() && self.random.below(of) == 0
    }

    /// # Errors
    /// Returns an error after the deadline of the run.
    pub(crate) fn check_time(&self) -> Result<(), String> {
        match self.context.is_late() {
            true => Err("the client did not finish before the deadline".to_owned()),
            false => Ok(()),
        }
    }

    /// Records an event for the report of a failure.
    pub(crate) fn log_event(&self, what: &str) {
        self.context.log_event(self.number, what);
    }
}

const CHUNK_BYTES: usize = 32 << 10;
const CHUNK_PAUSE_MAX: Duration = Duration::from_millis(500);
