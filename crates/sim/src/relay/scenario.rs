//! What clients do in a run: the base scenarios, and storms that follow from a seed.

use std::borrow::Cow;
use std::time::Duration;

use super::scripts::{Script, TusOptions};
use super::setting::{Orphans, Rates, Setting};
use crate::world::Random;

/// Scripts that run at the same time, each with the length of its file in bytes.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// The name.
    pub name: &'static str,
    /// The scripts.
    pub scripts: Cow<'static, [(Script, u64)]>,
}

/// The scenarios that run with a crash at every crash point.
pub const BASE_SCENARIOS: &[Scenario] = &[
    base("tus", &[(tus(0, 0), 310_000)]),
    base("tus in two requests", &[(tus(150_000, 0), 250_000)]),
    base("tus creation with upload", &[(tus(0, 120_000), 250_000)]),
    base("tus in one creation", &[(tus(0, 250_000), 250_000)]),
    base("tus deferred length", &[(DEFERRED, 230_000)]),
    base("tus checksum", &[(CHECKED, 230_000)]),
    base("tus of two clients", &[(Script::SharedTus, 230_000)]),
    base("tus watched", &[(Script::WatchedTus, 230_000)]),
    base("tus with events", &[(Script::TusWithEvents, 230_000)]),
    base("tus paused", &[(Script::PausedTus, 430_000)]),
    base("tus with credential", &[(Script::TusWithCredential(IN_TWO), 250_000)]),
    base("tus terminated", &[(Script::TerminatedTus, 230_000)]),
    base("tus abandoned", &[(Script::AbandonedTus, 430_000)]),
    base("tus concatenation", &[(Script::Concatenation { is_early: false }, 130_000)]),
    base("tus early concatenation", &[(Script::Concatenation { is_early: true }, 60_000)]),
    base("ietf", &[(Script::Ietf, 230_000)]),
    base("ietf at once", &[(Script::IetfAtOnce, 230_000)]),
    base("plain", &[(Script::Plain { has_length: true }, 230_000)]),
    base("plain of unknown length", &[(Script::Plain { has_length: false }, 230_000)]),
    base("small plain", &[(Script::Plain { has_length: true }, 1_000)]),
    base("form", &[(Script::Form, 120_000)]),
    base("filepond form", &[(Script::FilePondForm, 120_000)]),
    base("filepond", &[(Script::FilePond, 290_000)]),
];

/// The setting and the scenario of `seed`.
#[must_use]
pub fn storm(seed: u64) -> (Setting, Scenario) {
    let mut random = Random::seeded(seed ^ 0x5eed);
    let mut rate = |choices: [u64; 4]| choices[random.index(choices.len())];
    let rates = Rates {
        kv_failed: rate([0, 0, 10, 40]),
        kv_silent: rate([0, 0, 0, 3]),
        oss_failed: rate([0, 30, 100, 250]),
        vod_failed: rate([0, 0, 50, 200]),
        slow: rate([0, 0, 20, 100]),
        crashes: rate([0, 2, 5, 15]),
        interrupted: rate([0, 100, 300, 500]),
        stalled: rate([0, 0, 100, 200]),
        lost_responses: rate([0, 0, 50, 150]),
    };
    let setting = Setting {
        seed,
        instances: 1 + random.index(3),
        crash_at: None,
        fault_at: None,
        orphans: Orphans::Mixed,
        rates,
        cleanup_rates: if seed.is_multiple_of(4) { rates } else { Rates::default() },
        expire_after: Duration::from_secs(3_600),
        cleans_up_often: false,
        upload_bytes_max: None,
        credential_lifetime: Duration::from_secs([3_000, 3_000, 60, 15][random.index(4)]),
        clock_skew_ms_max: [0, 0, 300, 2_000][random.index(4)],
        calm_after: Duration::from_secs(5 + random.below(60)),
        is_traced: false,
    };
    let scripts = (0..1 + random.index(2)).map(|_| script(&mut random)).collect();
    (setting, Scenario { name: "storm", scripts: Cow::Owned(scripts) })
}

/// The setting and the scenario of `seed` in which uploads expire, and are cleaned up, while
/// clients are active.
#[must_use]
pub fn expiry_storm(seed: u64) -> (Setting, Scenario) {
    let (setting, scenario) = storm(seed);
    let mut random = Random::seeded(seed ^ 0xdead);
    let setting = Setting {
        expire_after: Duration::from_secs([5, 10, 20][random.index(3)]),
        cleans_up_often: true,
        calm_after: Duration::from_secs(60 + random.below(120)),
        ..setting
    };
    let slow = (Script::SlowTus, [102_401, 250_000][random.index(2)]);
    let scripts = match random.index(2) {
        0 => vec![slow],
        _ => vec![slow, scenario.scripts[0]],
    };
    (setting, Scenario { name: "expiry storm", scripts: Cow::Owned(scripts) })
}

fn script(random: &mut Random) -> (Script, u64) {
    let len = LENGTHS[random.index(LENGTHS.len())];
    let options = TusOptions {
        patch_bytes: [0, 0, 40_000, 150_000][random.index(4)],
        creation_bytes: [0, 0, 50_000, 120_000][random.index(4)],
        is_deferred: random.chance(200),
        has_checksum: random.chance(200),
    };
    let script = match random.index(15) {
        0..=2 => Script::Tus(options),
        3 => Script::SharedTus,
        4 => [Script::WatchedTus, Script::TusWithEvents][random.index(2)],
        5 => Script::TerminatedTus,
        6 => Script::AbandonedTus,
        7 => Script::Concatenation { is_early: random.chance(500) },
        8 => Script::Ietf,
        9 => Script::Plain { has_length: random.chance(700) },
        10 => Script::Form,
        11 => Script::PausedTus,
        12 => Script::TusWithCredential(options),
        13 => Script::IetfAtOnce,
        _ => [Script::FilePond, Script::FilePondForm][random.index(2)],
    };
    (script, len)
}

const fn base(name: &'static str, scripts: &'static [(Script, u64)]) -> Scenario {
    Scenario { name, scripts: Cow::Borrowed(scripts) }
}

const fn tus(patch_bytes: u64, creation_bytes: u64) -> Script {
    Script::Tus(TusOptions { patch_bytes, creation_bytes, is_deferred: false, has_checksum: false })
}

const IN_TWO: TusOptions =
    TusOptions { patch_bytes: 150_000, creation_bytes: 0, is_deferred: false, has_checksum: false };

const DEFERRED: Script = Script::Tus(TusOptions {
    patch_bytes: 150_000,
    creation_bytes: 0,
    is_deferred: true,
    has_checksum: false,
});

const CHECKED: Script = Script::Tus(TusOptions {
    patch_bytes: 150_000,
    creation_bytes: 0,
    is_deferred: false,
    has_checksum: true,
});

/// Around the limits of one PutObject and of one part, and a few parts.
const LENGTHS: [u64; 8] = [1, 50_000, 102_399, 102_401, 204_800, 250_000, 307_201, 450_000];
