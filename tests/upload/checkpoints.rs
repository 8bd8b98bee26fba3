//! Resuming from a checkpoint: the comparison with OSS, rejected records, and the cost of writes.

use vod_uploader::error::ErrorKind;
use vod_uploader::units::ByteCount;
use vod_uploader::upload::SessionOutcome;

use vod_uploader_sim::session::{ClientRequest, Simulation, upload_id};
use vod_uploader_sim::{Fault, Operation};

const LENGTH: u64 = 8 * 102_400;

#[test]
fn a_session_after_a_crash_compares_the_checkpoint_with_all_pages_of_list_parts() {
    for page in [1, 2, 1_000] {
        let mut simulation = interrupted();
        simulation.world.store.list_page = page;
        let parts = simulation.world.store.uploads.values().next().unwrap().len();
        assert!(matches!(simulation.resume(), SessionOutcome::Completed(_)));
        assert_eq!(simulation.world.store.count(Operation::ListParts), parts.div_ceil(page));
    }
}

#[test]
fn a_session_without_permission_to_list_parts_uses_the_checkpoint_alone() {
    let mut simulation = interrupted();
    simulation.world.store.faults.always(Operation::ListParts, Fault::Refused(403, "AccessDenied"));
    assert!(matches!(simulation.resume(), SessionOutcome::Completed(_)));
}

#[test]
fn a_session_after_a_normal_end_lists_no_parts() {
    let mut simulation = Simulation::of_known_length(LENGTH);
    let id = simulation.create(ClientRequest::new(0, 500_000));
    simulation.run(id);
    assert!(matches!(simulation.resume(), SessionOutcome::Completed(_)));
    assert_eq!(simulation.world.store.count(Operation::ListParts), 0);
}

#[test]
fn a_part_that_oss_has_lost_or_changed_loses_the_upload() {
    for damage in ["lost", "changed", "cut"] {
        let mut simulation = interrupted();
        let upload = simulation.world.store.uploads.values_mut().next().unwrap();
        let first = upload.get_mut(&1).unwrap();
        match damage {
            "changed" => first.crc64 ^= 1,
            "cut" => first.bytes.truncate(5),
            _ => drop(upload.remove(&1)),
        }
        let SessionOutcome::Lost(error) = simulation.resume() else { panic!("part 1 is {damage}") };
        assert_eq!(error.kind(), ErrorKind::UploadLost);
        let SessionOutcome::Lost(_) = simulation.resume() else { panic!("part 1 is {damage}") };
    }
}

#[test]
fn parts_that_are_not_in_the_checkpoint_are_ignored() {
    let mut simulation = interrupted();
    let upload = simulation.world.store.uploads.values_mut().next().unwrap();
    let part = upload[&1].clone();
    upload.insert(9_000, part);
    assert!(matches!(simulation.resume(), SessionOutcome::Completed(_)));
}

#[test]
fn a_corrupt_record_is_an_error_and_never_a_new_start() {
    type Damage = fn(&mut Vec<u8>);
    let truncated: Damage = |bytes| bytes.truncate(bytes.len() - 3);
    let flipped: Damage = |bytes| {
        let middle = bytes.len() / 2;
        bytes[middle] ^= 0x10;
    };
    let empty: Damage = Vec::clear;
    let foreign: Damage = |bytes| *bytes = b"something else altogether".to_vec();
    for part in [".lease", ".c.1"] {
        for damage in [truncated, flipped, empty, foreign] {
            let mut simulation = interrupted();
            let name = simulation.world.kv.keys_with(part).remove(0);
            damage(simulation.world.kv.values.get_mut(&name).unwrap());
            assert_rejected(&mut simulation, ErrorKind::CheckpointCorrupt);
        }
    }
}

#[test]
fn a_record_of_another_kind_or_of_a_newer_version_is_an_error() {
    let mut simulation = interrupted();
    let lease = simulation.world.kv.values[&upload_id().lease_key()].clone();
    simulation.world.kv.values.insert(upload_id().checkpoint_key(1), lease);
    assert_rejected(&mut simulation, ErrorKind::CheckpointCorrupt);

    let mut simulation = interrupted();
    let checkpoint = simulation.world.kv.values.get_mut(&upload_id().checkpoint_key(1)).unwrap();
    let framed = checkpoint.len() - 8;
    checkpoint[4] = vod_uploader::upload::RECORD_VERSION + 1;
    let checksum = vod_uploader::crc64::Crc64::compute(&checkpoint[..framed]).0.to_le_bytes();
    checkpoint[framed..].copy_from_slice(&checksum);
    assert_rejected(&mut simulation, ErrorKind::CheckpointNewer);
}

#[test]
fn a_missing_checkpoint_is_an_error_once_one_was_stored() {
    let mut simulation = interrupted();
    // From the second session on, the lease records that a checkpoint exists.
    let second = simulation.take_over(simulation.rest());
    while simulation.writers[second].started_at.is_none() {
        simulation.step(second);
    }
    simulation.crash(second);
    simulation.discard_late_writes();
    simulation.world.kv.values.retain(|name, _| !name.contains(".c."));
    assert_rejected(&mut simulation, ErrorKind::CheckpointCorrupt);
}

#[test]
fn an_upload_that_was_never_created_is_not_found() {
    let mut simulation = Simulation::of_known_length(LENGTH);
    let id = simulation.take_over(ClientRequest::new(0, LENGTH));
    let SessionOutcome::Failed { error, .. } = simulation.run(id) else {
        panic!("a missing upload is found")
    };
    assert_eq!(error.kind(), ErrorKind::UploadNotFound);
}

#[test]
fn a_changed_tail_is_an_error() {
    let mut simulation = Simulation::of_known_length(LENGTH);
    let id = simulation.create(ClientRequest::new(0, 50_000));
    simulation.run(id);
    let name = simulation.world.kv.keys_with(".t.").remove(0);
    simulation.world.kv.values.get_mut(&name).unwrap()[7] ^= 1;
    assert_rejected(&mut simulation, ErrorKind::CheckpointCorrupt);
}

#[test]
fn a_part_needs_at_most_one_checkpoint_write_of_bounded_size() {
    // 600 parts fill more than two pages of ETags.
    let parts = 600;
    let mut simulation = Simulation::of_known_length(parts * 102_400);
    simulation.options.part_size = ByteCount(102_400);
    simulation.options.parallel = 1;
    let id = simulation.create(ClientRequest::new(0, simulation.content.len()));
    let mut seen = Vec::new();
    while !simulation.writers[id].has_ended() {
        simulation.step(id);
        let done = simulation.acknowledged() / 102_400;
        if done as usize > seen.len() {
            let size = simulation.world.kv.values[&upload_id().checkpoint_key(1)].len();
            seen.push((simulation.world.kv.writes_with(".c."), size));
        }
    }
    let at = |part: usize| seen[part - 1];
    let (early, late) = (at(110).0 - at(10).0, at(590).0 - at(490).0);
    assert!(early.abs_diff(late) <= 1, "{early} and {late} writes for 100 parts");
    assert!(early <= 100, "{early} writes for 100 parts");
    let largest = seen.iter().map(|(_, size)| *size).max().unwrap();
    assert!(largest < 5 * 1_024, "{largest} bytes");
    assert_eq!(simulation.world.kv.writes_with(".e."), 2, "a full page is written once");
    assert!(matches!(simulation.writers[id].outcome, Some(SessionOutcome::Completed(_))));
    assert_eq!(simulation.world.kv.keys_with(".e."), [""; 0]);
}

/// Some parts are acknowledged, others are in flight, and the writer has crashed.
fn interrupted() -> Simulation {
    let mut simulation = Simulation::of_known_length(LENGTH);
    let id = simulation.create(ClientRequest::new(0, LENGTH));
    while simulation.acknowledged() < 102_400 {
        simulation.step(id);
    }
    simulation.crash(id);
    simulation.apply_late_writes();
    simulation
}

fn assert_rejected(simulation: &mut Simulation, kind: ErrorKind) {
    let before = simulation.world.store.seen.len();
    let request = ClientRequest::new(simulation.acknowledged(), LENGTH);
    let id = simulation.take_over(request);
    let outcome = simulation.run_damaged(id);
    let SessionOutcome::Failed { error, .. } = outcome else { panic!("{outcome:?}") };
    assert_eq!(error.kind(), kind, "{error}");
    assert_eq!(simulation.world.store.seen.len(), before);
}

#[test]
fn a_checkpoint_contains_when_it_was_written() {
    let mut simulation = Simulation::of_known_length(3 * 102_400);
    let started_at = simulation.world.now();
    let id = simulation.create(ClientRequest::new(0, 2 * 102_400));
    simulation.run(id);
    let written_at = simulation.checkpoint().written_at_ms;
    assert!((started_at.0..=simulation.world.now().0).contains(&written_at), "{written_at}");
}
