//! Concatenation of objects on OSS.

use vod_uploader::error::ErrorKind;
use vod_uploader::units::ByteCount;
use vod_uploader::upload::{ConcatSource, SessionOutcome, SourceStatus, UploadPhase};

use vod_uploader_sim::session::{LateWrites, OBJECT, Readback, Simulation};
use vod_uploader_sim::{Fault, Operation, Random};

const MIN: u64 = 102_400;

/// Copied completely, read completely, read to the middle of an object, read at the end.
const MIXED: [u64; 6] = [MIN, 10, 0, 5_000, 3 * MIN, 70_000];

#[test]
fn objects_of_any_sizes_become_one_complete_object() {
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
                let (mut simulation, sources) = simulation(&lens);
                simulation = simulation.seeded(seed);
                simulation.world.store.hides_copied_crc64 = hides_crc64;
                let id = simulation.open_concatenation(Readback::new(sources));
                let outcome = simulation.run(id);
                assert!(matches!(outcome, SessionOutcome::Completed(_)), "{lens:?}: {outcome:?}");
                assert!(simulation.writers[id].buffers_max() <= 4);
            }
        }
    }
}

#[test]
fn a_source_as_large_as_a_part_is_copied_and_never_read() {
    let (mut simulation, sources) = simulation(&[2 * MIN, MIN, 5 * MIN, 1]);
    let id = simulation.open_concatenation(Readback::new(sources));
    assert!(matches!(simulation.run(id), SessionOutcome::Completed(_)));
    assert_eq!(simulation.world.store.count(Operation::UploadPartCopy), 4);
    assert_eq!(simulation.world.store.count(Operation::UploadPart), 0);
}

#[test]
fn as_many_objects_are_copied_in_parallel_as_configured() {
    let (mut simulation, sources) = simulation(&[2 * MIN; 6]);
    simulation.world.store.faults.always(Operation::UploadPartCopy, Fault::Hang);
    let started_at = simulation.world.now();
    let id = simulation.open_concatenation(Readback::new(sources));
    while simulation.world.now().since(started_at) < simulation.options.request_timeout {
        simulation.step(id);
    }
    let parallel = usize::from(simulation.options.parallel);
    assert_eq!(simulation.world.store.count(Operation::UploadPartCopy), parallel);
}

#[test]
fn sources_smaller_than_a_part_are_one_put_object() {
    let (mut simulation, sources) = simulation(&[10, 0, 90_000]);
    let id = simulation.open_concatenation(Readback::new(sources));
    assert!(matches!(simulation.run(id), SessionOutcome::Completed(_)));
    assert_eq!(simulation.world.store.seen, [(Operation::PutObject, None)]);
}

#[test]
fn only_empty_sources_make_an_empty_object() {
    for lens in [&[][..], &[0], &[0, 0]] {
        let (mut simulation, sources) = simulation(lens);
        let id = simulation.open_concatenation(Readback::new(sources));
        let SessionOutcome::Completed(object) = simulation.run(id) else { panic!("{lens:?}") };
        assert_eq!(object.size_bytes, 0);
        assert_eq!(simulation.world.store.objects[OBJECT].bytes, b"");
    }
}

#[test]
fn the_first_checkpoint_has_the_length() {
    let (mut simulation, sources) = simulation(&MIXED);
    let id = simulation.open_concatenation(Readback::new(sources));
    while simulation.writers[id].durable.is_empty() {
        simulation.step(id);
    }
    let checkpoint = simulation.checkpoint();
    assert_eq!(checkpoint.length_bytes, Some(MIXED.iter().sum()));
    assert!(checkpoint.writer_active);
    assert!(matches!(simulation.run(id), SessionOutcome::Completed(_)));
}

#[test]
fn after_a_crash_at_any_step_the_next_concatenation_completes_the_object() {
    for lens in [&MIXED[..], &[10, 20], &[2 * MIN, MIN, MIN]] {
        for seed in [None, Some(1), Some(2)] {
            for late_writes in LateWrites::ALL {
                for step in 0.. {
                    let (mut simulation, sources) = simulation(lens);
                    if let Some(seed) = seed {
                        simulation = simulation.seeded(seed);
                    }
                    let id = simulation.open_concatenation(Readback::new(sources.clone()));
                    if !simulation.crash_at(id, step, late_writes) {
                        break;
                    }
                    let id = simulation.open_concatenation(Readback::new(sources));
                    let outcome = simulation.run(id);
                    simulation.apply_late_writes();
                    let case = format!("{lens:?} {seed:?} {late_writes:?} {step}: {outcome:?}");
                    assert!(matches!(outcome, SessionOutcome::Completed(_)), "{case}");
                }
            }
        }
    }
}

#[test]
fn a_concatenation_that_crashed_while_completing_is_reconciled_without_its_sources() {
    let mut settled = 0;
    for step in 0.. {
        let (mut simulation, sources) = simulation(&MIXED);
        let id = simulation.open_concatenation(Readback::new(sources));
        if !simulation.crash_at(id, step, LateWrites::ArriveImmediately) {
            break;
        }
        if !simulation.is_created() || simulation.checkpoint().phase != UploadPhase::Completing {
            continue;
        }
        simulation.world.store.objects.retain(|key, _| key == OBJECT);
        let outcome = simulation.reconcile();
        assert!(matches!(outcome, SessionOutcome::Completed(_)), "{step}: {outcome:?}");
        settled += 1;
    }
    assert!(settled > 2, "{settled} steps were settled");
}

#[test]
fn every_transient_fault_of_every_call_is_overcome() {
    for fault in Fault::TRANSIENT {
        for nth in 1..12 {
            let (mut simulation, sources) = simulation(&MIXED);
            simulation.world.store.faults.plan_any(nth, fault);
            let id = simulation.open_concatenation(Readback::new(sources));
            let outcome = simulation.run(id);
            assert!(
                matches!(outcome, SessionOutcome::Completed(_)),
                "{fault:?} {nth}: {outcome:?}"
            );
        }
    }
}

#[test]
fn a_damaged_copy_is_repeated() {
    for hides_crc64 in [false, true] {
        let (mut simulation, sources) = simulation(&MIXED);
        simulation.world.store.hides_copied_crc64 = hides_crc64;
        simulation.world.store.faults.plan(Operation::UploadPartCopy, 1, Fault::Corrupts);
        let id = simulation.open_concatenation(Readback::new(sources));
        match simulation.run(id) {
            SessionOutcome::Completed(_) => assert!(!hides_crc64),
            // Without the checksum of a copy, that of the object shows the damage.
            SessionOutcome::Lost(error) => {
                assert!(hides_crc64);
                assert_eq!(error.kind(), ErrorKind::ChecksumMismatch);
            }
            outcome => panic!("{outcome:?}"),
        }
    }
}

#[test]
fn a_missing_source_is_named_and_loses_the_upload() {
    for missing in [0, 4] {
        let (mut simulation, sources) = simulation(&MIXED);
        simulation.world.store.objects.remove(&format!("tmp/{missing}"));
        let id = simulation.open_concatenation(Readback::new(sources.clone()));
        let SessionOutcome::Lost(error) = simulation.run(id) else {
            panic!("{missing} is missing")
        };
        assert_eq!(error.kind(), ErrorKind::UploadLost);
        let number = missing + 1;
        let named = format!("partial upload {number}: OSS has no object tmp/{missing}");
        assert_eq!(error.message(), named);
        let again = simulation.open_concatenation(Readback::new(sources));
        assert!(matches!(simulation.run(again), SessionOutcome::Lost(_)));
    }
}

#[test]
fn sources_with_other_bytes_never_make_an_object() {
    // Read before a copy, copied, read at the end, and stored by one PutObject.
    for lens in [&[10, 2 * MIN, 70][..], &[2 * MIN, 10, 20], &[10, 20]] {
        for changed in 0..lens.len() {
            let (mut simulation, mut sources) = simulation(lens);
            sources[changed].crc64.0 ^= 1;
            let id = simulation.open_concatenation(Readback::new(sources));
            let outcome = simulation.run(id);
            let SessionOutcome::Failed { error, .. } = outcome else {
                panic!("{lens:?} {changed}")
            };
            assert_eq!(error.kind(), ErrorKind::ChecksumMismatch);
            assert!(!simulation.world.store.objects.contains_key(OBJECT));
        }
    }
}

#[test]
fn an_interrupted_read_is_continued_by_the_next_concatenation() {
    for (end, stopped) in [(SourceStatus::Interrupted, false), (SourceStatus::StopRequested, true)]
    {
        for bytes in [0, 10, 5_010, 102_399] {
            let (mut simulation, sources) = simulation(&MIXED);
            let join = Readback::new(sources);
            let id = simulation.open_concatenation(join.clone().ending(bytes, end));
            match simulation.run(id) {
                SessionOutcome::Suspended { rejection: Some(error), .. } => {
                    assert!(stopped && error.kind() == ErrorKind::TakenOver);
                }
                SessionOutcome::Failed { error, .. } => {
                    assert!(!stopped && error.kind() == ErrorKind::StoreUnavailable);
                }
                outcome => panic!("{end:?} {bytes}: {outcome:?}"),
            }
            assert!(!simulation.checkpoint().writer_active);
            let id = simulation.open_concatenation(join);
            assert!(matches!(simulation.run(id), SessionOutcome::Completed(_)));
        }
    }
}

#[test]
fn one_of_two_concurrent_concatenations_completes_the_object() {
    for seed in 0..100 {
        let (simulation, sources) = simulation(&MIXED);
        let mut simulation = simulation.seeded(seed);
        let first = simulation.open_concatenation(Readback::new(sources.clone()));
        for _ in 0..seed % 40 {
            simulation.step(first);
        }
        if !simulation.is_created() {
            continue;
        }
        let second = simulation.open_concatenation(Readback::new(sources.clone()));
        simulation.run_all();
        let is_complete = |id: usize| {
            matches!(simulation.writers[id].outcome, Some(SessionOutcome::Completed(_)))
        };
        assert!(is_complete(first) || is_complete(second), "{seed}");
    }
}

#[test]
fn a_lost_multipart_upload_is_concatenated_again_if_the_source_is_replayable() {
    for (replayable, operation) in [
        (true, Operation::UploadPartCopy),
        (true, Operation::UploadPart),
        (true, Operation::Complete),
        (false, Operation::UploadPartCopy),
    ] {
        let (mut simulation, sources) = simulation(&MIXED);
        simulation.options.replayable = replayable;
        simulation.world.store.faults.plan(operation, 1, Fault::Forgets);
        let id = simulation.open_concatenation(Readback::new(sources));
        match simulation.run(id) {
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
fn a_length_that_differs_from_that_of_the_sources_is_rejected() {
    let mut simulation = Simulation::of_known_length(3 * MIN);
    let mut sources = simulation.put_sources(&[2 * MIN, MIN]);
    sources[1].len = ByteCount(MIN - 1);
    let id = simulation.open_concatenation(Readback::new(sources));
    let SessionOutcome::Failed { error, .. } = simulation.run(id) else {
        panic!("a wrong length is accepted")
    };
    assert_eq!(error.kind(), ErrorKind::LengthInconsistent);
}

#[test]
fn sources_that_change_between_two_concatenations_are_detected() {
    let (mut simulation, sources) = simulation(&[2 * MIN, 3 * MIN, MIN]);
    simulation.options.parallel = 1;
    let id = simulation.open_concatenation(Readback::new(sources.clone()));
    while simulation.writers[id].durable.is_empty() {
        simulation.step(id);
    }
    simulation.crash(id);
    simulation.discard_late_writes();
    let mut others = sources;
    others.swap(0, 1);
    let id = simulation.open_concatenation(Readback::new(others));
    let SessionOutcome::Failed { error, .. } = simulation.run(id) else {
        panic!("other sources are accepted")
    };
    assert_eq!(error.kind(), ErrorKind::LengthInconsistent);
}

#[test]
fn a_concatenation_can_be_aborted() {
    let (mut simulation, sources) = simulation(&MIXED);
    let id = simulation.open_concatenation(Readback::new(sources));
    while simulation.writers[id].durable.is_empty() {
        simulation.step(id);
    }
    simulation.crash(id);
    simulation.apply_late_writes();
    assert_eq!(simulation.abort(), SessionOutcome::Aborted);
    assert_eq!(simulation.world.store.uploads.len(), 0);
}

/// A simulation whose OSS has objects of these sizes.
fn simulation(lens: &[u64]) -> (Simulation, Vec<ConcatSource>) {
    let mut simulation = Simulation::of_unknown_length(lens.iter().sum());
    let sources = simulation.put_sources(lens);
    (simulation, sources)
}
