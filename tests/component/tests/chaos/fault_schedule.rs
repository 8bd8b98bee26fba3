//! The fault schedule of a run, derived from its seed: when the host is killed and how the store
//! fails.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use vod_uploader_component_tests::edge::Edge;
use vod_uploader_component_tests::random::Random;
use vod_uploader_wire::Client;

use crate::context::{ChaosContext, lock};

/// The faults that affect all clients.
pub(crate) struct FaultSchedule {
    /// When the faults of the store and of the clients end.
    pub(crate) end_after: Duration,
    kills: Vec<HostKill>,
    outage_at: Duration,
    faults: Vec<Value>,
    killed_at: Mutex<Vec<Moment>>,
    hits: Mutex<Hits>,
}

/// The requests that the faults hit.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Hits {
    all: u64,
    /// Multipart uploads whose creation response reached the worker late or never.
    pub(crate) unacknowledged_initiates: u64,
}

/// A time by both clocks.
#[derive(Clone, Debug)]
pub(crate) struct Moment {
    pub(crate) here: Instant,
    /// In the format of the store.
    pub(crate) at_the_store: String,
}

/// A SIGKILL of the host.
struct HostKill {
    at: Duration,
    down: Duration,
    /// The part size of the host that replaces it, in bytes.
    part_bytes: u64,
}

impl FaultSchedule {
    pub(crate) fn new(random: &mut Random) -> Self {
        let mut moments: Vec<_> =
            (0..KILLS).map(|_| 1_000 + random.below(KILLS_WITHIN_MS)).collect();
        moments.sort_unstable();
        let kills = moments.into_iter().map(|at_ms| HostKill {
            at: Duration::from_millis(at_ms),
            down: Duration::from_millis(random.below(400)),
            part_bytes: *random.pick(&PART_BYTES),
        });
        let kills = kills.collect();
        let faults = FAULTS.iter().map(|(operation, probability, kind)| {
            let mut fault: Value = serde_json::from_str(kind).expect("a fault is JSON");
            fault["operation"] = json!(operation);
            fault["probability"] = json!(probability);
            fault["seed"] = json!(random.below(1 << 32));
            fault["times"] = json!(0);
            fault
        });
        let faults = faults.collect();
        let outage_at = Duration::from_millis(11_000 + random.below(5_000));
        let (killed_at, hits) = (Mutex::default(), Mutex::default());
        Self { end_after: END_AFTER, kills, outage_at, faults, killed_at, hits }
    }

    /// Starts the faults of the store, and kills the host repeatedly. Returns the highest memory of
    /// any instance until the last kill, in bytes.
    pub(crate) fn start(&self, edge: &mut Edge, context: &ChaosContext) -> u64 {
        for fault in &self.faults {
            edge.sandbox.fault(fault);
        }
        let mut peak = 0;
        for kill in &self.kills {
            std::thread::sleep(kill.at.saturating_sub(context.elapsed()));
            peak = peak.max(edge.stats().count("instance_memory_peak_bytes"));
            edge.kill_host();
            lock(&self.killed_at).push(Moment::now(edge));
            std::thread::sleep(kill.down);
            edge.set_variable("part_size_bytes", &kill.part_bytes.to_string());
            edge.start_host();
            context.set_client(edge.client());
        }
        peak
    }

    /// Makes the store fail for longer than the worker retries, waits for the end of the schedule,
    /// and removes the faults.
    pub(crate) fn stop(&self, edge: &Edge, context: &ChaosContext) {
        std::thread::sleep(self.outage_at.saturating_sub(context.elapsed()));
        self.note_hits(edge);
        for operation in OUTAGE {
            let mut fault = json!({ "kind": "status", "status": 503, "times": 0 });
            fault["operation"] = json!(operation);
            edge.sandbox.fault(&fault);
        }
        std::thread::sleep(OUTAGE_TIME);
        self.note_hits(edge);
        for fault in &self.faults {
            edge.sandbox.fault(fault);
        }
        std::thread::sleep(self.end_after.saturating_sub(context.elapsed()));
        self.note_hits(edge);
    }

    /// Adds the hits of the current faults to the total, and removes the faults.
    fn note_hits(&self, edge: &Edge) {
        let hits = Hits::current(edge);
        edge.sandbox.clear_faults();
        let mut all = lock(&self.hits);
        all.all += hits.all;
        all.unacknowledged_initiates += hits.unacknowledged_initiates;
    }

    /// The times of the kills.
    pub(crate) fn killed_at(&self) -> Vec<Moment> {
        lock(&self.killed_at).clone()
    }

    /// The hits of all faults after the end of the schedule.
    pub(crate) fn hits(&self) -> Hits {
        *lock(&self.hits)
    }

    /// Asserts that each kind of fault occurred.
    ///
    /// # Panics
    /// If one did not.
    pub(crate) fn assert_effective(&self, context: &ChaosContext) {
        let hits = self.hits();
        assert!(hits.all > 50, "{} requests to the store were hit", hits.all);
        assert_eq!(self.killed_at().len(), self.kills.len());
        for (name, count) in context.counts.named() {
            assert!(count > 0, "none {name}: {}", context.counts);
        }
    }
}

impl Moment {
    pub(crate) fn now(edge: &Edge) -> Self {
        Self { here: Instant::now(), at_the_store: edge.sandbox.now() }
    }
}

impl Hits {
    /// The hits of the current faults.
    pub(crate) fn current(edge: &Edge) -> Self {
        let faults = Client::new(edge.sandbox.origin()).get_json("/_sandbox/faults");
        let faults = faults.expect("a response");
        let mut hits = Self::default();
        for fault in faults.as_array().expect("a list") {
            let count = fault["hits"].as_u64().expect("a count");
            hits.all += count;
            let is_unacknowledged =
                fault["kind"] == "commit-then-reset" || fault["kind"] == "delay";
            if fault["operation"] == "InitiateMultipartUpload" && is_unacknowledged {
                hits.unacknowledged_initiates += count;
            }
        }
        hits
    }
}

const KILLS: usize = 4;
const KILLS_WITHIN_MS: u64 = 9_000;
const END_AFTER: Duration = Duration::from_secs(20);
const PART_BYTES: [u64; 4] = [256 << 10, 1 << 20, 4 << 20, 8 << 20];

/// The operations that fail in the outage: not those that abort an upload, which the worker calls
/// once.
const OUTAGE: [&str; 4] = ["UploadPart", "UploadPartCopy", "CompleteMultipartUpload", "PutObject"];
const OUTAGE_TIME: Duration = Duration::from_millis(2_000);

/// Operation, probability and fault. A fault applies only if no earlier one did.
const FAULTS: [(&str, f64, &str); 26] = [
    ("UploadPart", 0.02, r#"{"kind":"commit-then-reset"}"#),
    ("UploadPart", 0.02, r#"{"kind":"status","status":503,"code":"ServiceUnavailable"}"#),
    ("UploadPart", 0.02, r#"{"kind":"reset-before-body"}"#),
    ("UploadPart", 0.02, r#"{"kind":"reset-mid-body"}"#),
    ("UploadPart", 0.02, r#"{"kind":"reset-after-body"}"#),
    ("UploadPart", 0.01, r#"{"kind":"truncated-reply"}"#),
    ("UploadPart", 0.01, r#"{"kind":"hang","hang_ms":3000}"#),
    ("UploadPart", 0.01, r#"{"kind":"wrong-crc"}"#),
    ("UploadPart", 0.01, r#"{"kind":"corrupt-body"}"#),
    ("UploadPart", 0.10, r#"{"kind":"delay","delay_ms":300}"#),
    ("UploadPartCopy", 0.05, r#"{"kind":"commit-then-reset"}"#),
    ("UploadPartCopy", 0.05, r#"{"kind":"status","status":500,"code":"InternalError"}"#),
    ("InitiateMultipartUpload", 0.05, r#"{"kind":"commit-then-reset"}"#),
    ("InitiateMultipartUpload", 0.05, r#"{"kind":"status","status":503,"html":true}"#),
    ("InitiateMultipartUpload", 0.10, r#"{"kind":"delay","delay_ms":400}"#),
    ("CompleteMultipartUpload", 0.10, r#"{"kind":"commit-then-reset"}"#),
    ("CompleteMultipartUpload", 0.05, r#"{"kind":"truncated-reply"}"#),
    ("CompleteMultipartUpload", 0.05, r#"{"kind":"status","status":500,"code":"InternalError"}"#),
    ("CompleteMultipartUpload", 0.05, r#"{"kind":"reset-before-body"}"#),
    ("CompleteMultipartUpload", 0.10, r#"{"kind":"delay","delay_ms":500}"#),
    ("PutObject", 0.05, r#"{"kind":"commit-then-reset"}"#),
    ("PutObject", 0.05, r#"{"kind":"status","status":503,"empty":true}"#),
    ("HeadObject", 0.05, r#"{"kind":"status","status":503,"empty":true}"#),
    ("ListParts", 0.05, r#"{"kind":"reset-before-body"}"#),
    ("GetObject", 0.05, r#"{"kind":"truncated-reply"}"#),
    ("CreateUploadVideo", 0.03, r#"{"kind":"status","status":503,"code":"ServiceUnavailable"}"#),
];
