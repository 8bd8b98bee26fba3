//! Objects that are made of other objects on the store.

use vod_uploader::error::ErrorKind;
use vod_uploader::units::ByteCount;
use vod_uploader::upload::{ConcatSource, SessionOutcome, SourceStatus, UploadPhase};

use crate::harness::{Fault, JoinStream, OBJECT, Operation, Random, Strays, World};

const MIN: u64 = 102_400;

/// Copied whole, read whole, read to the middle of an object, read at the end.
const MIXED: [u64; 6] = [MIN, 10, 0, 5_000, 3 * MIN, 70_000];

#[test]
fn objects_of_any_sizes_become_one_whole_object() {
    let mut random = Random::seeded(5);
    let mut cases: Vec<Vec<u64>> = vec![
        vec![MIN],
        vec![MIN - 1],
        vec![MIN - 1, 1],
        vec![1, MIN - 1, 1],
        vec![MIN + 1, 2 * MIN],
        vec![1, 2, 3],
        vec![0, 7, 0],
        vec![3 * MIN, 1, 3 * MIN],
        vec![60_000; 12],
        MIXED.to_vec(),
    ];
    for _ in 0..60 {
        let count = 1 + random.index(7);
        let sizes = [1, 50_000, MIN - 1, MIN, MIN + 1, 2 * MIN];
        cases.push((0..count).map(|_| sizes[random.index(6)] + random.below(3)).collect());
    }
    for lens in cases {
        for seed in 0..3 {
            for hides_crc64 in [false, true] {
                let (mut world, sources) = world(&lens);
                world = world.seeded(seed);
                world.store.hides_copied_crc64 = hides_crc64;
                let id = world.open_join(JoinStream::of(sources));
                let outcome = world.run(id);
                assert!(matches!(outcome, SessionOutcome::Completed(_)), "{lens:?}: {outcome:?}");
                assert!(world.writers[id].held_max <= 4);
            }
        }
    }
}

#[test]
fn what_is_large_enough_is_copied_and_never_read() {
    let (mut world, sources) = world(&[2 * MIN, MIN, 5 * MIN, 1]);
    let id = world.open_join(JoinStream::of(sources));
    assert!(matches!(world.run(id), SessionOutcome::Completed(_)));
    assert_eq!(world.store.count(Operation::UploadPartCopy), 4);
    assert_eq!(world.store.count(Operation::UploadPart), 0);
}

#[test]
fn less_than_a_part_is_one_put_object() {
    let (mut world, sources) = world(&[10, 0, 90_000]);
    let id = world.open_join(JoinStream::of(sources));
    assert!(matches!(world.run(id), SessionOutcome::Completed(_)));
    assert_eq!(world.store.seen, [(Operation::PutObject, None)]);
}

#[test]
fn nothing_but_empty_objects_make_an_empty_one() {
    for lens in [&[][..], &[0], &[0, 0]] {
        let (mut world, sources) = world(lens);
        let id = world.open_join(JoinStream::of(sources));
        let SessionOutcome::Completed(object) = world.run(id) else { panic!("{lens:?}") };
        assert_eq!(object.size_bytes, 0);
        assert_eq!(world.store.objects[OBJECT].bytes, b"");
    }
}

#[test]
fn the_length_is_known_from_the_first_checkpoint_on() {
    let (mut world, sources) = world(&MIXED);
    let id = world.open_join(JoinStream::of(sources));
    while world.writers[id].durable.is_empty() {
        world.step(id);
    }
    let checkpoint = world.checkpoint();
    assert_eq!(checkpoint.length_bytes, Some(MIXED.iter().sum()));
    assert!(checkpoint.writer_active);
    assert!(matches!(world.run(id), SessionOutcome::Completed(_)));
}

#[test]
fn after_a_crash_at_any_step_the_next_join_makes_the_object_whole() {
    for lens in [&MIXED[..], &[10, 20], &[2 * MIN, MIN, MIN]] {
        for seed in [None, Some(1), Some(2)] {
            for strays in Strays::ALL {
                for step in 0.. {
                    let (mut world, sources) = world(lens);
                    if let Some(seed) = seed {
                        world = world.seeded(seed);
                    }
                    let id = world.open_join(JoinStream::of(sources.clone()));
                    if !world.crash_at(id, step, strays) {
                        break;
                    }
                    let id = world.open_join(JoinStream::of(sources));
                    let outcome = world.run(id);
                    world.land_strays();
                    let case = format!("{lens:?} {seed:?} {strays:?} {step}: {outcome:?}");
                    assert!(matches!(outcome, SessionOutcome::Completed(_)), "{case}");
                }
            }
        }
    }
}

#[test]
fn a_join_that_crashed_while_completing_is_settled_without_its_sources() {
    let mut settled = 0;
    for step in 0.. {
        let (mut world, sources) = world(&MIXED);
        let id = world.open_join(JoinStream::of(sources));
        if !world.crash_at(id, step, Strays::ArriveAtOnce) {
            break;
        }
        if !world.is_known() || world.checkpoint().phase != UploadPhase::Completing {
            continue;
        }
        world.store.objects.retain(|key, _| key == OBJECT);
        let outcome = world.settle();
        assert!(matches!(outcome, SessionOutcome::Completed(_)), "{step}: {outcome:?}");
        settled += 1;
    }
    assert!(settled > 2, "{settled} steps were settled");
}

#[test]
fn every_passing_fault_of_every_call_is_got_over() {
    for fault in Fault::PASSING {
        for nth in 1..12 {
            let (mut world, sources) = world(&MIXED);
            world.store.faults.plan_any(nth, fault);
            let id = world.open_join(JoinStream::of(sources));
            let outcome = world.run(id);
            assert!(
                matches!(outcome, SessionOutcome::Completed(_)),
                "{fault:?} {nth}: {outcome:?}"
            );
        }
    }
}

#[test]
fn a_copy_that_arrives_damaged_is_made_again() {
    for hides_crc64 in [false, true] {
        let (mut world, sources) = world(&MIXED);
        world.store.hides_copied_crc64 = hides_crc64;
        world.store.faults.plan(Operation::UploadPartCopy, 1, Fault::Corrupts);
        let id = world.open_join(JoinStream::of(sources));
        match world.run(id) {
            SessionOutcome::Completed(_) => assert!(!hides_crc64),
            // Where the store tells no checksum of a copy, the whole object's tells it.
            SessionOutcome::Lost(error) => {
                assert!(hides_crc64);
                assert_eq!(error.kind(), ErrorKind::ChecksumMismatch);
            }
            outcome => panic!("{outcome:?}"),
        }
    }
}

#[test]
fn an_object_that_is_missing_is_named_and_loses_the_upload() {
    for missing in [0, 4] {
        let (mut world, sources) = world(&MIXED);
        world.store.objects.remove(&format!("tmp/{missing}"));
        let id = world.open_join(JoinStream::of(sources.clone()));
        let SessionOutcome::Lost(error) = world.run(id) else { panic!("{missing} is missing") };
        assert_eq!(error.kind(), ErrorKind::UploadLost);
        let number = missing + 1;
        let named = format!("partial upload {number}: the store has no object tmp/{missing}");
        assert_eq!(error.message(), named);
        let again = world.open_join(JoinStream::of(sources));
        assert!(matches!(world.run(again), SessionOutcome::Lost(_)));
    }
}

#[test]
fn other_bytes_than_those_that_were_sent_never_make_an_object() {
    // Read before a copy, copied, read at the end, and put at once.
    for lens in [&[10, 2 * MIN, 70][..], &[2 * MIN, 10, 20], &[10, 20]] {
        for changed in 0..lens.len() {
            let (mut world, mut sources) = world(lens);
            sources[changed].crc64.0 ^= 1;
            let id = world.open_join(JoinStream::of(sources));
            let outcome = world.run(id);
            let SessionOutcome::Failed { error, .. } = outcome else {
                panic!("{lens:?} {changed}")
            };
            assert_eq!(error.kind(), ErrorKind::ChecksumMismatch);
            assert!(!world.store.objects.contains_key(OBJECT));
        }
    }
}

#[test]
fn a_read_that_breaks_off_is_continued_by_the_next_join() {
    for (end, stopped) in [(SourceStatus::Interrupted, false), (SourceStatus::StopRequested, true)]
    {
        for bytes in [0, 10, 5_010, 102_399] {
            let (mut world, sources) = world(&MIXED);
            let join = JoinStream::of(sources);
            let id = world.open_join(join.clone().ending(bytes, end));
            match world.run(id) {
                SessionOutcome::Suspended { rejection: Some(error), .. } => {
                    assert!(stopped && error.kind() == ErrorKind::TakenOver);
                }
                SessionOutcome::Failed { error, .. } => {
                    assert!(!stopped && error.kind() == ErrorKind::StoreUnavailable);
                }
                outcome => panic!("{end:?} {bytes}: {outcome:?}"),
            }
            assert!(!world.checkpoint().writer_active);
            let id = world.open_join(join);
            assert!(matches!(world.run(id), SessionOutcome::Completed(_)));
        }
    }
}

#[test]
fn of_two_joins_at_once_one_makes_the_object_or_the_next_does() {
    for seed in 0..100 {
        let (world, sources) = world(&MIXED);
        let mut world = world.seeded(seed);
        let first = world.open_join(JoinStream::of(sources.clone()));
        for _ in 0..seed % 40 {
            world.step(first);
        }
        if !world.is_known() {
            continue;
        }
        let second = world.open_join(JoinStream::of(sources.clone()));
        world.run_all();
        let whole =
            |id: usize| matches!(world.writers[id].outcome, Some(SessionOutcome::Completed(_)));
        assert!(whole(first) || whole(second), "{seed}");
    }
}

#[test]
fn an_upload_that_the_store_forgets_is_joined_again_where_that_is_allowed() {
    for (replayable, operation) in [
        (true, Operation::UploadPartCopy),
        (true, Operation::UploadPart),
        (true, Operation::Complete),
        (false, Operation::UploadPartCopy),
    ] {
        let (mut world, sources) = world(&MIXED);
        world.options.replayable = replayable;
        world.store.faults.plan(operation, 1, Fault::Forgets);
        let id = world.open_join(JoinStream::of(sources));
        match world.run(id) {
            SessionOutcome::Completed(_) => assert!(replayable),
            SessionOutcome::Lost(error) => {
                assert!(!replayable);
                assert_eq!(error.kind(), ErrorKind::UploadLost);
            }
            outcome => panic!("{operation:?}: {outcome:?}"),
        }
    }
}

#[test]
fn another_length_than_the_sources_have_is_refused() {
    let mut world = World::of_known_length(3 * MIN);
    let mut sources = world.put_sources(&[2 * MIN, MIN]);
    sources[1].len = ByteCount(MIN - 1);
    let id = world.open_join(JoinStream::of(sources));
    let SessionOutcome::Failed { error, .. } = world.run(id) else { panic!("a byte is missing") };
    assert_eq!(error.kind(), ErrorKind::LengthInconsistent);
}

#[test]
fn sources_that_change_between_two_joins_are_noticed() {
    let (mut world, sources) = world(&[2 * MIN, 3 * MIN, MIN]);
    world.options.parallel = 1;
    let id = world.open_join(JoinStream::of(sources.clone()));
    while world.writers[id].durable.is_empty() {
        world.step(id);
    }
    world.crash(id);
    world.strays.clear();
    let mut others = sources;
    others.swap(0, 1);
    let id = world.open_join(JoinStream::of(others));
    let SessionOutcome::Failed { error, .. } = world.run(id) else { panic!("they are others") };
    assert_eq!(error.kind(), ErrorKind::LengthInconsistent);
}

#[test]
fn a_join_can_be_given_up_and_aborted() {
    let (mut world, sources) = world(&MIXED);
    let id = world.open_join(JoinStream::of(sources));
    while world.writers[id].durable.is_empty() {
        world.step(id);
    }
    world.crash(id);
    world.land_strays();
    assert_eq!(world.abort(), SessionOutcome::Aborted);
    assert_eq!(world.store.uploads.len(), 0);
}

/// A world whose store has objects of these sizes.
fn world(lens: &[u64]) -> (World, Vec<ConcatSource>) {
    let mut world = World::of_unknown_length(lens.iter().sum());
    let sources = world.put_sources(lens);
    (world, sources)
}
