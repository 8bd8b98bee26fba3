//! Restarting from a checkpoint: what is compared with the store, what is refused, what it costs.

use vod_uploader::error::ErrorKind;
use vod_uploader::units::ByteCount;
use vod_uploader::upload::SessionOutcome;

use crate::harness::{ClientRequest, Fault, Operation, World, key};

const LENGTH: u64 = 8 * 102_400;

#[test]
fn a_session_that_was_cut_off_is_compared_with_the_store_page_by_page() {
    for page in [1, 2, 1_000] {
        let mut world = cut_off();
        world.store.list_page = page;
        let parts = world.store.uploads.values().next().unwrap().len();
        assert!(matches!(world.resume(), SessionOutcome::Completed(_)));
        assert_eq!(world.store.count(Operation::ListParts), parts.div_ceil(page));
    }
}

#[test]
fn where_parts_may_not_be_listed_the_checkpoint_alone_must_do() {
    let mut world = cut_off();
    world.store.faults.always(Operation::ListParts, Fault::Refused(403, "AccessDenied"));
    assert!(matches!(world.resume(), SessionOutcome::Completed(_)));
}

#[test]
fn a_request_that_ended_as_it_should_needs_no_list_of_parts() {
    let mut world = World::of_known_length(LENGTH);
    let id = world.create(ClientRequest::new(0, 500_000));
    world.run(id);
    assert!(matches!(world.resume(), SessionOutcome::Completed(_)));
    assert_eq!(world.store.count(Operation::ListParts), 0);
}

#[test]
fn a_part_that_the_store_has_lost_or_changed_loses_the_upload() {
    for damage in ["lost", "changed", "cut"] {
        let mut world = cut_off();
        let upload = world.store.uploads.values_mut().next().unwrap();
        let first = upload.get_mut(&1).unwrap();
        match damage {
            "changed" => first.crc64 ^= 1,
            "cut" => first.bytes.truncate(5),
            _ => drop(upload.remove(&1)),
        }
        let SessionOutcome::Lost(error) = world.resume() else { panic!("part 1 is {damage}") };
        assert_eq!(error.kind(), ErrorKind::UploadLost);
        let SessionOutcome::Lost(_) = world.resume() else { panic!("part 1 is {damage}") };
    }
}

#[test]
fn parts_of_which_the_checkpoint_knows_nothing_are_ignored() {
    let mut world = cut_off();
    let upload = world.store.uploads.values_mut().next().unwrap();
    let part = upload[&1].clone();
    upload.insert(9_000, part);
    assert!(matches!(world.resume(), SessionOutcome::Completed(_)));
}

#[test]
fn a_record_that_cannot_be_read_is_an_error_and_never_a_fresh_start() {
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
            let mut world = cut_off();
            let name = world.kv.keys_with(part).remove(0);
            damage(world.kv.values.get_mut(&name).unwrap());
            assert_refused(&mut world, ErrorKind::CheckpointCorrupt);
        }
    }
}

#[test]
fn a_record_of_another_kind_or_of_a_newer_version_is_an_error() {
    let mut world = cut_off();
    let lease = world.kv.values[&key().lease_key()].clone();
    world.kv.values.insert(key().checkpoint_key(1), lease);
    assert_refused(&mut world, ErrorKind::CheckpointCorrupt);

    let mut world = cut_off();
    let checkpoint = world.kv.values.get_mut(&key().checkpoint_key(1)).unwrap();
    let framed = checkpoint.len() - 8;
    checkpoint[4] = vod_uploader::upload::RECORD_VERSION + 1;
    let checksum = vod_uploader::crc64::Crc64::compute(&checkpoint[..framed]).0.to_le_bytes();
    checkpoint[framed..].copy_from_slice(&checksum);
    assert_refused(&mut world, ErrorKind::CheckpointNewer);
}

#[test]
fn a_checkpoint_that_is_missing_is_an_error_once_there_has_been_one() {
    let mut world = cut_off();
    // From the second session on the lease says that a checkpoint exists.
    let second = world.take_over(world.rest());
    while world.writers[second].ready.is_none() {
        world.step(second);
    }
    world.crash(second);
    world.strays.clear();
    world.kv.values.retain(|name, _| !name.contains(".c."));
    assert_refused(&mut world, ErrorKind::CheckpointCorrupt);
}

#[test]
fn an_upload_that_was_never_begun_is_not_found() {
    let mut world = World::of_known_length(LENGTH);
    let id = world.take_over(ClientRequest::new(0, LENGTH));
    let SessionOutcome::Failed { error, .. } = world.run(id) else { panic!("there is no upload") };
    assert_eq!(error.kind(), ErrorKind::UploadNotFound);
}

#[test]
fn a_tail_that_was_changed_is_an_error() {
    let mut world = World::of_known_length(LENGTH);
    let id = world.create(ClientRequest::new(0, 50_000));
    world.run(id);
    let name = world.kv.keys_with(".t.").remove(0);
    world.kv.values.get_mut(&name).unwrap()[7] ^= 1;
    assert_refused(&mut world, ErrorKind::CheckpointCorrupt);
}

#[test]
fn a_part_costs_at_most_one_write_of_the_checkpoint_whose_size_does_not_grow() {
    // 600 parts go over more than two pages of ETags.
    let parts = 600;
    let mut world = World::of_known_length(parts * 102_400);
    world.options.part_size = ByteCount(102_400);
    world.options.parallel = 1;
    let id = world.create(ClientRequest::new(0, world.content.len()));
    let mut seen = Vec::new();
    while !world.writers[id].has_ended() {
        world.step(id);
        let done = world.acknowledged / 102_400;
        if done as usize > seen.len() {
            let size = world.kv.values[&key().checkpoint_key(1)].len();
            seen.push((world.kv.writes_with(".c."), size));
        }
    }
    let at = |part: usize| seen[part - 1];
    let (early, late) = (at(110).0 - at(10).0, at(590).0 - at(490).0);
    assert_eq!(early, late, "writes for 100 parts");
    assert!(early <= 100, "{early} writes for 100 parts");
    let largest = seen.iter().map(|(_, size)| *size).max().unwrap();
    assert!(largest < 5 * 1_024, "{largest} bytes");
    assert_eq!(world.kv.writes_with(".e."), 2, "a full page is written once");
    assert!(matches!(world.writers[id].outcome, Some(SessionOutcome::Completed(_))));
    assert_eq!(world.kv.keys_with(".e."), [""; 0]);
}

/// Some parts are acknowledged, some are on their way, and the writer is gone.
fn cut_off() -> World {
    let mut world = World::of_known_length(LENGTH);
    let id = world.create(ClientRequest::new(0, LENGTH));
    while world.acknowledged < 3 * 102_400 {
        world.step(id);
    }
    world.crash(id);
    world.land_strays();
    world
}

fn assert_refused(world: &mut World, kind: ErrorKind) {
    let before = world.store.seen.len();
    let request = ClientRequest::new(world.acknowledged, LENGTH);
    let id = world.take_over(request);
    let outcome = world.run_damaged(id);
    let SessionOutcome::Failed { error, .. } = outcome else { panic!("{outcome:?}") };
    assert_eq!(error.kind(), kind, "{error}");
    assert_eq!(world.store.seen.len(), before);
}
