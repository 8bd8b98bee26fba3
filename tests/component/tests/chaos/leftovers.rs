//! What is left once everybody has gone: requests in the host, and parts and temporary objects on
//! the store.

use std::fmt;
use std::time::Duration;

use serde_json::Value;
use vod_uploader_component_tests::edge::Edge;
use vod_uploader_component_tests::key_value;
use vod_uploader_component_tests::tus;
use vod_uploader_component_tests::wait;

use crate::audit::FileNames;
use crate::fault_schedule::Moment;
use crate::ledger::{FileEntry, Keeping, Ledger};

/// What may be left, and why.
#[derive(Clone, Debug, Default)]
pub(crate) struct Excuses {
    /// When the host was killed.
    pub(crate) killed_at: Vec<Moment>,
    /// Multipart uploads of which the worker was told late or never.
    pub(crate) untold_initiates: u64,
    /// Uploads whose address nobody knows have not been swept yet.
    pub(crate) unswept: bool,
}

/// What is left on the store.
#[derive(Clone, Debug, Default)]
pub(crate) struct Left {
    /// Multipart uploads without a part: their begin was told to nobody who still wanted them.
    empty: u64,
    /// Those that were begun right before a kill.
    empty_killed: u64,
    /// Files in one request that a kill ended.
    killed: u64,
    /// Uploads whose client was never told their address.
    unaddressed: u64,
    /// What should not be there.
    pub(crate) defects: Vec<String>,
}

/// Waits until the host runs nothing any more.
pub(crate) fn nothing_runs(edge: &Edge) {
    wait::until("no request runs", || (edge.stats().count("instances_live") == 0).then_some(()));
}

/// Deletes every upload that a client knows the address of.
pub(crate) fn delete_all(edge: &Edge, ledger: &Ledger) {
    for address in ledger.addresses() {
        let deleted = edge.client().send(&vod_uploader_wire::tus::request("DELETE", &address.path));
        let deleted = deleted.expect("the worker answers");
        let gone = matches!(deleted.status, 204 | 404 | 410);
        assert!(gone, "{address:?}: {} {}", deleted.status, deleted.text());
    }
}

/// Starts the host anew with a life of a second for every upload, and creates uploads until those
/// that nobody knows the address of are swept away. Returns those that are not.
pub(crate) fn sweep(edge: &mut Edge) -> Vec<String> {
    edge.kill_host();
    edge.set_variable("expire_after_s", "1");
    edge.start_host();
    let mut kept = Vec::new();
    for _ in 0..SWEEPS_MAX {
        std::thread::sleep(SWEEP_INTERVAL);
        kept = kept_uploads(edge);
        // The last one that was created here is left to the next one.
        if kept.len() <= 1 {
            return Vec::new();
        }
        let created = tus::create(edge, 1, &[], &[]);
        assert_eq!(created.status, 201, "{}", created.text());
    }
    kept
}

/// Looks at what is left on the store.
pub(crate) fn audited(edge: &Edge, ledger: &Ledger, excuses: &Excuses) -> Left {
    let names = FileNames::of(&edge.sandbox.media());
    let files = ledger.files();
    let addresses = ledger.addresses();
    let mut left = Left::default();
    for upload in edge.sandbox.uploads() {
        let key = upload["key"].as_str().expect("a key");
        if is_empty(&upload) {
            match excuses.is_begun_before_kill(&upload) {
                true => left.empty_killed += 1,
                false => left.empty += 1,
            }
            continue;
        }
        let name = names.of_key(key).unwrap_or(key);
        let addressed = addresses.iter().any(|address| address.file_name.as_deref() == Some(name));
        match files.get(name).filter(|_| !addressed && excuses.unswept) {
            Some(entry) if entry.keeping == Keeping::UntilExpired => left.unaddressed += 1,
            Some(entry) if excuses.is_killed(entry) => left.killed += 1,
            _ => left.defects.push(format!("there are parts of {name}: {upload}")),
        }
    }
    if left.empty > excuses.untold_initiates {
        left.defects.push(format!("{} empty multipart uploads", left.empty));
    }
    let objects = edge.sandbox.temporary_objects();
    let keys = objects.iter().map(|object| format!("the temporary object {}", object.key));
    left.defects.extend(keys);
    left
}

impl Excuses {
    /// Whether the host was killed while the file's request ran, or ended what was left of it.
    fn is_killed(&self, entry: &FileEntry) -> bool {
        let until = entry.ended.map(|ended| ended + ABORT_TIME);
        let covers = |killed: &Moment| {
            entry.begun <= killed.here && until.is_none_or(|until| killed.here <= until)
        };
        self.killed_at.iter().any(covers)
    }

    /// Whether a multipart upload may have been begun by a host that was killed right after it.
    fn is_begun_before_kill(&self, upload: &Value) -> bool {
        let begun = second_of_day(upload["initiated"].as_str().expect("a time"));
        self.killed_at.iter().any(|killed| {
            let killed = second_of_day(&killed.at_the_store);
            (begun..=begun + INITIATE_SECS).contains(&killed)
        })
    }
}

impl fmt::Display for Left {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { empty, empty_killed, killed, unaddressed, .. } = self;
        write!(f, "{empty} and {empty_killed} empty, {killed} killed, {unaddressed} unaddressed")
    }
}

/// Each upload that the worker has a record of, with the names of all its records.
fn kept_uploads(edge: &Edge) -> Vec<String> {
    let records = key_value::records(&edge.host_folder());
    let names: Vec<_> = records.iter().map(|(name, _)| name.as_str()).collect();
    let ids = names.iter().filter_map(|name| name.strip_suffix("upload"));
    let kept = ids.map(|id| {
        let mine: Vec<_> = names.iter().filter_map(|name| name.strip_prefix(id)).collect();
        format!("{id} is not swept away: {mine:?}")
    });
    kept.collect()
}

/// The second of the day in a time of ISO 8601. A run at midnight finds a leftover too many.
fn second_of_day(time: &str) -> u64 {
    let number = |at: usize| time[at..at + 2].parse::<u64>().expect("a time of ISO 8601");
    number(11) * 3600 + number(14) * 60 + number(17)
}

fn is_empty(upload: &Value) -> bool {
    upload["parts"].as_array().expect("a list").is_empty()
}

/// How long the worker may take to drop the parts of a file whose client has gone.
const ABORT_TIME: Duration = Duration::from_secs(5);

/// How long it may be from the begin of a multipart upload to the checkpoint that names it.
const INITIATE_SECS: u64 = 2;

/// A sweep ends up to a hundred uploads.
const SWEEPS_MAX: usize = 10;

/// Longer than an upload's life.
const SWEEP_INTERVAL: Duration = Duration::from_millis(1_100);
