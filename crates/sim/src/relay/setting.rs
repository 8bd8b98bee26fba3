//! The faults of a run.

use std::time::Duration;

/// The faults of a run, and when they end.
#[derive(Clone, Debug)]
pub struct Setting {
    /// Seed of every choice.
    pub seed: u64,
    /// Instances that serve requests at the same time, over one key-value store.
    pub instances: usize,
    /// The instance that reaches this crash point crashes. Crash points are numbered from 1.
    pub crash_at: Option<u64>,
    /// The operation of a port with this number fails. Operations are numbered from 1.
    pub fault_at: Option<(u64, OperationFault)>,
    /// What becomes of operations whose instance crashed before they took effect.
    pub orphans: Orphans,
    /// Rates of faults while clients are active.
    pub rates: Rates,
    /// Rates of faults during the first cleanups at the end of the run.
    pub cleanup_rates: Rates,
    /// How long an upload without new bytes is kept.
    pub expire_after: Duration,
    /// Whether expired uploads are cleaned up all the time, until all faults end.
    pub cleans_up_often: bool,
    /// The size of the largest upload that is accepted, in bytes, if it is configured.
    pub upload_bytes_max: Option<u64>,
    /// Lifetime of the credentials of VOD.
    pub credential_lifetime: Duration,
    /// How far the clocks of instances may be ahead of or behind the time, in milliseconds.
    pub clock_skew_ms_max: u64,
    /// When all faults end, from the start.
    pub calm_after: Duration,
    /// Whether every step is printed on standard error.
    pub is_traced: bool,
}

/// How one operation of a port fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OperationFault {
    /// It fails and has no effect.
    Failed,
    /// It takes effect and fails.
    Unconfirmed,
    /// It takes effect, and its result never arrives.
    Silent,
}

/// What becomes of operations whose instance crashed before they took effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Orphans {
    /// They take effect.
    Land,
    /// They never take effect.
    Lost,
    /// They take effect much later.
    Linger,
    /// Each of the three, chosen by the seed.
    Mixed,
}

/// Events per thousand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rates {
    /// Key-value operations that fail, half of the writes among them after they took effect.
    pub kv_failed: u64,
    /// Key-value operations that take effect and whose results never arrive.
    pub kv_silent: u64,
    /// Requests to OSS that fail in a way that a repetition may overcome.
    pub oss_failed: u64,
    /// Requests to VOD that fail in such a way.
    pub vod_failed: u64,
    /// Operations that take up to 4 s instead of milliseconds.
    pub slow: u64,
    /// Crash points at which the instance crashes.
    pub crashes: u64,
    /// Request bodies that are interrupted.
    pub interrupted: u64,
    /// Request bodies that stop without an end, while the client sends another request.
    pub stalled: u64,
    /// Responses that the client does not receive.
    pub lost_responses: u64,
}

impl Default for Setting {
    /// Without faults.
    fn default() -> Self {
        Self {
            seed: 0,
            instances: 1,
            crash_at: None,
            fault_at: None,
            orphans: Orphans::Land,
            rates: Rates::default(),
            cleanup_rates: Rates::default(),
            expire_after: Duration::from_secs(3_600),
            cleans_up_often: false,
            upload_bytes_max: None,
            credential_lifetime: Duration::from_secs(3_000),
            clock_skew_ms_max: 0,
            calm_after: Duration::from_secs(3_600),
            is_traced: false,
        }
    }
}
