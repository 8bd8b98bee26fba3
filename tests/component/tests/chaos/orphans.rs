//! What remains after all clients have finished: requests in the host, and parts and temporary
//! objects in the store.

use std::fmt;
use std::time::Duration;

use serde_json::Value;
use vod_uploader_component_tests::edge::Edge;
use vod_uploader_component_tests::key_value;
use vod_uploader_component_tests::tus;
use vod_uploader_component_tests::wait;

use crate::audit::FileNames;
use crate::expected_state::{ExpectedState, FileEntry, Retention};
use crate::fault_schedule::Moment;

/// The orphans that a run may leave, by their causes.
#[derive(Clone, Debug, Default)]
pub(crate) struct AllowedOrphans {
    /// When the host was killed.
    pub(crate) killed_at: Vec<Moment>,
    /// Multipart uploads whose creation response reached the worker late or never.
    pub(crate) unacknowledged_initiates: u64,
    /// Uploads without a known address have not been cleaned up yet.
    pub(crate) before_cleanup: bool,
}

/// The orphans in the store.
#[derive(Clone, Debug, Default)]
pub(crate) struct Orphans {
    /// Multipart uploads without a part, whose creation response arrived late or never.
    empty: u64,
    /// Those that were created right before a kill.
    empty_killed: u64,
    /// Single-request uploads that a kill ended.
    killed: u64,
    /// Uploads whose client never received their address.
    unaddressed: u64,
    /// Orphans without a cause.
    pub(crate) defects: Vec<String>,
}

/// Waits until the host has no request in progress.
pub(crate) fn wait_until_idle(edge: &Edge) {
    wait::until("no request runs", || (edge.stats().count("instances_live") == 0).then_some(()));
}

/// Deletes every upload that a client knows the address of.
pub(crate) fn delete_all(edge: &Edge, expected: &ExpectedState) {
    for address in expected.addresses() {
        let deleted = edge.client().send(&vod_uploader_wire::tus::request("DELETE", &address.path));
        let deleted = deleted.expect("a response");
        let gone = matches!(deleted.status, 204 | 404 | 410);
        assert!(gone, "{address:?}: {} {}", deleted.status, deleted.text());
    }
}

/// Restarts the host with a TTL of one second for every upload, and creates uploads until those
/// without a known address are cleaned up. Returns the ones that are not.
pub(crate) fn clean_up(edge: &mut Edge) -> Vec<String> {
    edge.kill_host();
    edge.set_variable("expire_after_s", "1");
    edge.start_host();
    let mut remaining = Vec::new();
    for _ in 0..CLEANUPS_MAX {
        std::thread::sleep(CLEANUP_INTERVAL);
        remaining = remaining_uploads(edge);
        // The next creations clean up the last ones, whose buckets of time have not passed.
        if remaining.len() <= 2 {
            return Vec::new();
        }
        let created = tus::create(edge, 1, &[], &[]);
        assert_eq!(created.status, 201, "{}", created.text());
    }
    remaining
}

/// Finds the orphans in the store.
pub(crate) fn audited(edge: &Edge, expected: &ExpectedState, allowed: &AllowedOrphans) -> Orphans {
    let names = FileNames::new(&edge.sandbox.media());
    let files = expected.files();
    let addresses = expected.addresses();
    let mut orphans = Orphans::default();
    for upload in edge.sandbox.uploads() {
        let key = upload["key"].as_str().expect("a key");
        if is_empty(&upload) {
            match allowed.is_created_before_kill(&upload) {
                true => orphans.empty_killed += 1,
                false => orphans.empty += 1,
            }
            continue;
        }
        let name = names.of_key(key).unwrap_or(key);
        let addressed = addresses.iter().any(|address| address.file_name.as_deref() == Some(name));
        match files.get(name).filter(|_| !addressed && allowed.before_cleanup) {
            Some(entry) if entry.retention == Retention::UntilExpired => orphans.unaddressed += 1,
            Some(entry) if allowed.is_killed(entry) => orphans.killed += 1,
            _ => orphans.defects.push(format!("there are parts of {name}: {upload}")),
        }
    }
    if orphans.empty > allowed.unacknowledged_initiates {
        orphans.defects.push(format!("{} empty multipart uploads", orphans.empty));
    }
    let objects = edge.sandbox.temporary_objects();
    let keys = objects.iter().map(|object| format!("the temporary object {}", object.key));
    orphans.defects.extend(keys);
    orphans
}

impl AllowedOrphans {
    /// Returns true if the host was killed during the file's request, or while it aborted it.
    fn is_killed(&self, entry: &FileEntry) -> bool {
        let until = entry.ended.map(|ended| ended + ABORT_TIME);
        let covers = |killed: &Moment| {
            entry.started <= killed.here && until.is_none_or(|until| killed.here <= until)
        };
        self.killed_at.iter().any(covers)
    }

    /// Returns true if the host may have been killed right after it created a multipart upload.
    fn is_created_before_kill(&self, upload: &Value) -> bool {
        let started = second_of_day(upload["initiated"].as_str().expect("a time"));
        self.killed_at.iter().any(|killed| {
            let killed = second_of_day(&killed.at_the_store);
            (started..=started + INITIATE_SECS).contains(&killed)
        })
    }
}

impl fmt::Display for Orphans {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { empty, empty_killed, killed, unaddressed, .. } = self;
        write!(f, "{empty} and {empty_killed} empty, {killed} killed, {unaddressed} unaddressed")
    }
}

/// Each upload that the worker has a record of, with the names of all its records.
fn remaining_uploads(edge: &Edge) -> Vec<String> {
    let records = key_value::records(&edge.host_dir());
    let names: Vec<_> = records.iter().map(|(name, _)| name.as_str()).collect();
    let ids = names.iter().filter_map(|name| name.strip_suffix("upload"));
    let remaining = ids.map(|id| {
        let mine: Vec<_> = names.iter().filter_map(|name| name.strip_prefix(id)).collect();
        format!("{id} is not cleaned up: {mine:?}")
    });
    remaining.collect()
}

/// The second of the day in a time of ISO 8601. A run across midnight reports a false orphan.
fn second_of_day(time: &str) -> u64 {
    let number = |at: usize| time[at..at + 2].parse::<u64>().expect("a time of ISO 8601");
    number(11) * 3600 + number(14) * 60 + number(17)
}

fn is_empty(upload: &Value) -> bool {
    upload["parts"].as_array().expect("a list").is_empty()
}

/// How long the worker may take to abort an upload whose client has disconnected.
const ABORT_TIME: Duration = Duration::from_secs(5);

/// The maximum time from the creation of a multipart upload to the checkpoint with its ID.
const INITIATE_SECS: u64 = 2;

/// A cleanup ends up to a hundred uploads.
const CLEANUPS_MAX: usize = 10;

/// Longer than the TTL of an upload.
const CLEANUP_INTERVAL: Duration = Duration::from_millis(1_100);
