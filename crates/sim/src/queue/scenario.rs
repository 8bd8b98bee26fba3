//! The settings of a run: the options, the app and the faults.

use std::time::Duration;

use super::app::{App, Credentials};
use super::simulation::Simulation;
use crate::world::{Fault, Operation, Random};

/// The settings of a run, which follow from its seed.
#[derive(Clone, Debug)]
pub(crate) struct Scenario {
    pub(crate) credentials: Credentials,
    parallel_files: u8,
    parallel: u8,
    retry_count: u32,
    deadline_secs: Option<u32>,
    checkpoint_ttl_secs: Option<u32>,
    credential_ttl: Duration,
    token_ttl: Duration,
    renews_early: bool,
    chunk_bytes: Option<u64>,
    pace: Duration,
    clock_ahead_ms: i64,
    store_faults: u64,
    vod_faults: u64,
    kv_faults: u64,
    planned: Vec<(Operation, u32, Fault)>,
    always: Option<(Operation, Fault)>,
    aborted_may_arrive: bool,
    late_writes_linger: bool,
}

impl Scenario {
    pub(crate) fn new(random: &mut Random) -> Self {
        let is_fault_free = random.chance(300);
        let rarely = |random: &mut Random, per_mille| !is_fault_free && random.chance(per_mille);
        let faults = |random: &mut Random| if is_fault_free { 0 } else { FAULTS[random.index(5)] };
        let mut planned = Vec::new();
        for _ in 0..3 {
            if rarely(random, 250) {
                let operation = OPERATIONS[random.index(OPERATIONS.len())];
                let fault = ADVERSARIAL[random.index(ADVERSARIAL.len())];
                planned.push((operation, 1 + random.below(6) as u32, fault));
            }
        }
        Self {
            credentials: [Credentials::Server, Credentials::Sts, Credentials::Direct]
                [random.index(3)],
            parallel_files: 1 + random.below(3) as u8,
            parallel: 1 + random.below(4) as u8,
            retry_count: [3, 3, 1, 0][random.index(4)],
            deadline_secs: rarely(random, 200).then(|| [20, 600][random.index(2)]),
            checkpoint_ttl_secs: rarely(random, 100).then_some(60),
            credential_ttl: TOKEN_LIFETIMES[random.index(TOKEN_LIFETIMES.len())],
            token_ttl: TOKEN_LIFETIMES[random.index(TOKEN_LIFETIMES.len())],
            renews_early: random.chance(600),
            chunk_bytes: random.chance(300).then(|| [30_000, 102_400, 120_000][random.index(3)]),
            pace: Duration::from_millis([1, 1, 40, 700][random.index(4)]),
            clock_ahead_ms: if rarely(random, 150) { 20 * 60 * 1_000 } else { 0 },
            store_faults: faults(random),
            vod_faults: faults(random),
            kv_faults: if is_fault_free { 0 } else { [0, 0, 0, 10, 40][random.index(5)] },
            planned,
            always: rarely(random, 100).then(|| ALWAYS[random.index(ALWAYS.len())]),
            aborted_may_arrive: rarely(random, 400),
            late_writes_linger: random.chance(500),
        }
    }

    /// Returns `true` if nothing fails except the app.
    pub(crate) fn is_fault_free(&self) -> bool {
        self.store_faults + self.vod_faults + self.kv_faults == 0
            && self.planned.is_empty()
            && self.always.is_none()
    }

    pub(crate) fn simulation(&self, seed: u64) -> Simulation {
        let mut random = Random::seeded(seed);
        let mut simulation = Simulation::seeded(random.below(u64::MAX)).with_options(|options| {
            options.parallel_files = Some(self.parallel_files);
            options.parallel = Some(self.parallel);
            options.retry_count = Some(self.retry_count);
            options.deadline_secs = self.deadline_secs;
            options.checkpoint_ttl_secs = self.checkpoint_ttl_secs;
        });
        simulation.app = App {
            credentials: Some(self.credentials),
            chunk_bytes: self.chunk_bytes,
            renews_early: self.renews_early,
            ..App::default()
        };
        simulation.pace = self.pace;
        simulation.aborted_may_arrive = self.aborted_may_arrive;
        simulation.late_writes_linger = self.late_writes_linger;
        simulation.world.vod.credential_ttl = self.credential_ttl;
        simulation.world.app_server.token_ttl = self.token_ttl;
        simulation.world.vod.mix = Some((Random::seeded(random.below(u64::MAX)), self.vod_faults));
        simulation.world.kv.mix =
            (self.kv_faults > 0).then(|| (Random::seeded(random.below(u64::MAX)), self.kv_faults));
        simulation.world.store.clock_ahead_ms = self.clock_ahead_ms;
        simulation.world.store.list_page = 2;
        simulation.world.store.faults.mix(random.below(u64::MAX), self.store_faults);
        for (operation, nth, fault) in &self.planned {
            simulation.world.store.faults.plan(*operation, *nth, *fault);
        }
        if let Some((operation, fault)) = self.always {
            simulation.world.store.faults.always(operation, fault);
        }
        if self.checkpoint_ttl_secs.is_some() {
            simulation.set_checkpoints_expire();
        }
        simulation
    }
}

const FAULTS: [u64; 5] = [0, 20, 60, 120, 250];

const TOKEN_LIFETIMES: [Duration; 4] = [
    Duration::from_secs(3_000),
    Duration::from_secs(300),
    Duration::from_secs(40),
    Duration::from_secs(8),
];

const OPERATIONS: [Operation; 7] = [
    Operation::Initiate,
    Operation::UploadPart,
    Operation::ListParts,
    Operation::Complete,
    Operation::PutObject,
    Operation::Head,
    Operation::Abort,
];

/// Faults that a retry does not overcome.
const ADVERSARIAL: [Fault; 6] = [
    Fault::Forgets,
    Fault::Corrupts,
    Fault::Refused(403, "SecurityTokenExpired"),
    Fault::Refused(403, "InvalidAccessKeyId"),
    Fault::Refused(403, "AccessDenied"),
    Fault::Refused(400, "InvalidArgument"),
];

/// Permissions that a credential may lack.
const ALWAYS: [(Operation, Fault); 3] = [
    (Operation::ListParts, Fault::Refused(403, "AccessDenied")),
    (Operation::Head, Fault::Refused(403, "AccessDenied")),
    (Operation::Abort, Fault::Refused(403, "AccessDenied")),
];
