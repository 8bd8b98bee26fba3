//! What a scenario_run's seed decides before it begins: the options, the app and what goes wrong.

use std::time::Duration;

use crate::fault::Fault;
use crate::simulation::{Schedule, Simulation};
use crate::{App, Credentials, Operation, Random};

/// What a seed decides before the scenario_run begins.
#[derive(Clone, Debug)]
pub(crate) struct Scenario {
    pub(crate) credentials: Credentials,
    parallel_files: u8,
    parallel: u8,
    retry_count: u32,
    deadline_secs: Option<u32>,
    checkpoint_ttl_secs: Option<u32>,
    life: Duration,
    token_life: Duration,
    renews_early: bool,
    piece: Option<u64>,
    pace: Duration,
    clock_ahead_ms: i64,
    store_faults: u64,
    vod_faults: u64,
    kv_faults: u64,
    planned: Vec<(Operation, u32, Fault)>,
    always: Option<(Operation, Fault)>,
    cut_off_may_arrive: bool,
    strays_linger: bool,
}

impl Scenario {
    pub(crate) fn drawn(random: &mut Random) -> Self {
        let gentle = random.chance(300);
        let rarely = |random: &mut Random, per_mille| !gentle && random.chance(per_mille);
        let faults = |random: &mut Random| if gentle { 0 } else { FAULTS[random.index(5)] };
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
            life: TOKEN_LIFETIMES[random.index(TOKEN_LIFETIMES.len())],
            token_life: TOKEN_LIFETIMES[random.index(TOKEN_LIFETIMES.len())],
            renews_early: random.chance(600),
            piece: random.chance(300).then(|| [30_000, 102_400, 120_000][random.index(3)]),
            pace: Duration::from_millis([1, 1, 40, 700][random.index(4)]),
            clock_ahead_ms: if rarely(random, 150) { 20 * 60 * 1_000 } else { 0 },
            store_faults: faults(random),
            vod_faults: faults(random),
            kv_faults: if gentle { 0 } else { [0, 0, 0, 10, 40][random.index(5)] },
            planned,
            always: rarely(random, 100).then(|| ALWAYS[random.index(ALWAYS.len())]),
            cut_off_may_arrive: rarely(random, 400),
            strays_linger: random.chance(500),
        }
    }

    /// True where nothing fails but the app.
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
            piece: self.piece,
            renews_early: self.renews_early,
            token_life: self.token_life,
            ..App::default()
        };
        simulation.pace = self.pace;
        simulation.cut_off_may_arrive = self.cut_off_may_arrive;
        simulation.strays_linger = self.strays_linger;
        simulation.vod.life = self.life;
        simulation.vod.mix = Some((Random::seeded(random.below(u64::MAX)), self.vod_faults));
        simulation.kv.mix =
            (self.kv_faults > 0).then(|| (Random::seeded(random.below(u64::MAX)), self.kv_faults));
        simulation.store.clock_ahead_ms = self.clock_ahead_ms;
        simulation.store.list_page = 2;
        simulation.store.faults.mix(random.below(u64::MAX), self.store_faults);
        for (operation, nth, fault) in &self.planned {
            simulation.store.faults.plan(*operation, *nth, *fault);
        }
        if let Some((operation, fault)) = self.always {
            simulation.store.faults.always(operation, fault);
        }
        if self.checkpoint_ttl_secs.is_some() {
            simulation.forgets_old_files();
        }
        debug_assert!(matches!(simulation.order, Schedule::Seeded(_)));
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

/// What a call that is sent again does not get over.
const ADVERSARIAL: [Fault; 6] = [
    Fault::Forgets,
    Fault::Corrupts,
    Fault::Refused(403, "SecurityTokenExpired"),
    Fault::Refused(403, "InvalidAccessKeyId"),
    Fault::Refused(403, "AccessDenied"),
    Fault::Refused(400, "InvalidArgument"),
];

/// What a credential may lack.
const ALWAYS: [(Operation, Fault); 3] = [
    (Operation::ListParts, Fault::Refused(403, "AccessDenied")),
    (Operation::Head, Fault::Refused(403, "AccessDenied")),
    (Operation::Abort, Fault::Refused(403, "AccessDenied")),
];
