//! Atomic requests: they are discarded unless every byte arrives and matches the checksum.

use vod_uploader::error::ErrorKind;
use vod_uploader::units::ByteCount;
use vod_uploader::upload::{SessionOutcome, SourceStatus};

use vod_uploader_sim::session::{ClientRequest, LateWrites, Simulation};
use vod_uploader_sim::{Fault, Operation};

const LENGTH: u64 = 6 * 102_400;

/// Every abnormal end of a request, and the kind of error that the client receives.
const BAD_ENDS: [(SourceStatus, ErrorKind); 4] = [
    (SourceStatus::Interrupted, ErrorKind::LengthMismatch),
    (SourceStatus::TooLong, ErrorKind::LengthMismatch),
    (SourceStatus::ChecksumMismatch, ErrorKind::DigestMismatch),
    (SourceStatus::StopRequested, ErrorKind::TakenOver),
];

/// Where a request starts (with a tail, or without) and ends: a tail, parts and a tail, all.
const REQUESTS: [(u64, u64); 8] = [
    (0, 50_000),
    (0, 102_400),
    (0, 250_000),
    (0, LENGTH),
    (51_200, 60_000),
    (51_200, 204_900),
    (102_400, LENGTH),
    (51_200, LENGTH),
];

#[test]
fn a_request_that_ends_normally_is_durable_to_its_last_byte() {
    for (from, to) in REQUESTS {
        for simulation in simulations() {
            for with_last_byte in [false, true] {
                let request = atomic(from, to, SourceStatus::Eof, with_last_byte);
                let mut simulation = started(&simulation, from);
                let id = simulation.open_request(request);
                let outcome = simulation.run(id);
                if to == LENGTH {
                    assert!(
                        matches!(outcome, SessionOutcome::Completed(_)),
                        "{from}-{to} {outcome:?}"
                    );
                } else {
                    let durable = ByteCount(to);
                    assert_eq!(outcome, SessionOutcome::Suspended { durable, rejection: None });
                    assert!(matches!(simulation.resume(), SessionOutcome::Completed(_)));
                }
            }
        }
    }
}

#[test]
fn a_multipart_upload_created_by_a_rejected_request_is_used_by_the_next_request() {
    for seed in 0..60 {
        let mut simulation = Simulation::of_known_length(2 * 102_400).seeded(seed);
        let id = simulation.create(atomic(0, 2 * 102_400, SourceStatus::ChecksumMismatch, true));
        let outcome = simulation.run(id);
        assert!(
            matches!(outcome, SessionOutcome::Suspended { rejection: Some(_), .. }),
            "{outcome:?}"
        );
        assert!(matches!(simulation.resume(), SessionOutcome::Completed(_)), "seed {seed}");
        assert_eq!(simulation.world.store.count(Operation::Initiate), 1, "seed {seed}");
    }
}

#[test]
fn a_rejected_request_reports_its_cause_even_if_the_upload_cannot_be_created() {
    for seed in 0..20 {
        let mut simulation = Simulation::of_known_length(2 * 102_400).seeded(seed);
        simulation.world.store.faults.plan(
            Operation::Initiate,
            1,
            Fault::Refused(403, "AccessDenied"),
        );
        let id = simulation.create(atomic(0, 2 * 102_400, SourceStatus::ChecksumMismatch, true));
        match simulation.run(id) {
            SessionOutcome::Suspended { rejection: Some(error), .. } => {
                assert_eq!(error.kind(), ErrorKind::DigestMismatch, "seed {seed}");
            }
            // The response of OSS arrived first.
            SessionOutcome::Failed { error, .. } => {
                assert_eq!(error.kind(), ErrorKind::AccessDenied)
            }
            other => panic!("seed {seed}: {other:?}"),
        }
    }
}

#[test]
fn a_request_that_ends_abnormally_leaves_the_upload_unchanged() {
    for (end, kind) in BAD_ENDS {
        for (from, to) in REQUESTS {
            for simulation in simulations() {
                for with_last_byte in [false, true] {
                    let mut simulation = started(&simulation, from);
                    let tails = simulation.world.kv.keys_with(".t.");
                    let id = simulation.open_request(atomic(from, to, end, with_last_byte));
                    let case = format!("{end:?} {from}-{to} {with_last_byte}");
                    let outcome = simulation.run(id);
                    let SessionOutcome::Suspended { durable, rejection: Some(rejected) } = &outcome
                    else {
                        panic!("{case}: {outcome:?}")
                    };
                    assert_eq!((durable.bytes(), rejected.kind()), (from, kind), "{case}");
                    assert_eq!(simulation.writers[id].durable, [0; 0], "{case}");
                    assert_eq!(simulation.world.kv.keys_with(".t."), tails, "{case}");
                    assert_eq!(simulation.world.store.count(Operation::PutObject), 0, "{case}");
                    assert_eq!(simulation.world.store.count(Operation::Complete), 0, "{case}");
                    assert_eq!(simulation.stored_offset(), from, "{case}");
                    // The same bytes again, with a normal end.
                    let again = simulation.take_over(atomic(from, to, SourceStatus::Eof, false));
                    let outcome = simulation.run(again);
                    assert!(
                        !matches!(outcome, SessionOutcome::Failed { .. }),
                        "{case}: {outcome:?}"
                    );
                    let resumed = simulation.resume();
                    assert!(matches!(resumed, SessionOutcome::Completed(_)), "{case}: {resumed:?}");
                }
            }
        }
    }
}

#[test]
fn a_small_file_is_stored_only_after_its_request_has_ended_normally() {
    for known in [true, false] {
        let simulation = || {
            if known {
                Simulation::of_known_length(5_000)
            } else {
                Simulation::of_unknown_length(5_000)
            }
        };
        let request = ClientRequest::new(0, 5_000).completing().atomic();
        for (end, kind) in BAD_ENDS {
            let mut simulation = simulation();
            let id = simulation.create(request.ending(end));
            let SessionOutcome::Suspended { durable, rejection: rejected } = simulation.run(id)
            else {
                panic!("{end:?}")
            };
            assert_eq!((durable, rejected.unwrap().kind()), (ByteCount::ZERO, kind));
            assert_eq!(simulation.world.store.seen, []);
            assert!(matches!(simulation.resume(), SessionOutcome::Completed(_)));
        }
        let mut simulation = simulation();
        let id = simulation.create(request);
        assert!(matches!(simulation.run(id), SessionOutcome::Completed(_)));
        assert_eq!(simulation.world.store.seen, [(Operation::PutObject, None)]);
    }
}

#[test]
fn one_byte_more_than_the_declared_length_discards_the_request() {
    let mut simulation = Simulation::of_unknown_length(LENGTH + 1);
    let id = simulation.create(ClientRequest::new(0, LENGTH + 1).declaring(LENGTH).atomic());
    let SessionOutcome::Suspended { durable, rejection: Some(error) } = simulation.run(id) else {
        panic!("one byte too many is accepted")
    };
    assert_eq!((durable, error.kind()), (ByteCount::ZERO, ErrorKind::LengthMismatch));
}

#[test]
fn part_numbers_of_a_discarded_request_are_not_completed() {
    let mut simulation = Simulation::of_known_length(LENGTH);
    let id = simulation.create(atomic(0, LENGTH, SourceStatus::ChecksumMismatch, false));
    simulation.run(id);
    let spent = simulation.checkpoint().reserved_part_number;
    assert_eq!(spent, 6);
    assert!(matches!(simulation.resume(), SessionOutcome::Completed(_)));
    let numbers = simulation.world.store.seen.iter().filter_map(|(_, number)| *number);
    assert_eq!(numbers.filter(|number| *number > spent).count(), 6);
}

#[test]
fn an_atomic_request_of_many_parts_enters_the_checkpoint_at_its_end() {
    // More than a page of ETags.
    const PARTS: u64 = 300;
    for end in [SourceStatus::Eof, SourceStatus::ChecksumMismatch] {
        let mut simulation = Simulation::of_known_length(PARTS * 102_400);
        let id = simulation.create(atomic(0, PARTS * 102_400, end, false));
        let mut noted_before_end = 0;
        while simulation.step(id) {
            let sent = simulation.world.store.count(Operation::UploadPart) as u64;
            if simulation.is_created() && sent < PARTS {
                noted_before_end = noted_before_end.max(simulation.stored_offset());
            }
        }
        assert_eq!(noted_before_end, 0);
        assert!(
            simulation.writers[id].buffers_max() <= 4,
            "{} buffers",
            simulation.writers[id].buffers_max()
        );
        assert!(matches!(simulation.resume(), SessionOutcome::Completed(_)));
    }
}

#[test]
fn a_failed_call_discards_an_atomic_request() {
    let mut simulation = Simulation::of_known_length(LENGTH);
    simulation.world.store.faults.plan(
        Operation::UploadPart,
        4,
        Fault::Refused(400, "InvalidArgument"),
    );
    let id = simulation.create(ClientRequest::new(0, LENGTH).atomic().cut_at(500_000));
    while simulation.world.store.count(Operation::UploadPart) < 4 {
        simulation.step(id);
    }
    let SessionOutcome::Failed { durable, .. } = simulation.run(id) else {
        panic!("a rejected part is no error")
    };
    assert_eq!(durable, ByteCount::ZERO);
    assert_eq!(simulation.stored_offset(), 0);
    assert!(matches!(simulation.resume(), SessionOutcome::Completed(_)));
}

#[test]
fn streamed_parts_are_durable_only_after_their_request_has_ended_normally() {
    const PART: u64 = 17 << 20;
    const LENGTH: u64 = 2 * PART + 102_400;
    let simulation = || {
        let mut simulation = Simulation::of_known_length(LENGTH);
        simulation.options.part_size = ByteCount(PART);
        let tail = simulation.create(ClientRequest::new(0, 70_000));
        simulation.run(tail);
        simulation
    };
    let request = ClientRequest::new(70_000, LENGTH).atomic();
    for (end, kind) in BAD_ENDS {
        for arrived in [0, 90_000, PART, PART + 5_000_000, 2 * PART, LENGTH - 70_000] {
            let mut simulation = simulation();
            let cut = ClientRequest { to: 70_000 + arrived, ..request }.ending(end);
            let id = simulation.take_over(cut);
            let SessionOutcome::Suspended { durable, rejection: rejected } = simulation.run(id)
            else {
                panic!("{end:?}")
            };
            let case = format!("{end:?} {arrived}");
            assert_eq!((durable.bytes(), rejected.unwrap().kind()), (70_000, kind), "{case}");
            assert_eq!(simulation.world.kv.keys_with(".t.").len(), 1, "{case}");
        }
    }
    // A request that ends before its declared length is truncated, even if its end is reported.
    let mut short = simulation();
    let cut = ClientRequest { to: PART + 5_000_000, ..request };
    let id = short.take_over(cut);
    let SessionOutcome::Suspended { durable, rejection: rejected } = short.run(id) else {
        panic!("a truncated request is accepted")
    };
    assert_eq!(durable, ByteCount(70_000));
    assert_eq!(rejected.unwrap().kind(), ErrorKind::LengthMismatch);

    let mut complete = simulation();
    let id = complete.take_over(request);
    assert!(matches!(complete.run(id), SessionOutcome::Completed(_)));
}

#[test]
fn a_crash_at_any_step_of_a_streamed_part_discards_the_atomic_request() {
    const PART: u64 = 17 << 20;
    const LENGTH: u64 = PART + 102_400;
    for end in [SourceStatus::Eof, SourceStatus::ChecksumMismatch] {
        for step in 0.. {
            let mut simulation = Simulation::of_known_length(LENGTH);
            simulation.options.part_size = ByteCount(PART);
            let tail = simulation.create(ClientRequest::new(0, 70_000));
            simulation.run(tail);
            let id = simulation.take_over(atomic(70_000, LENGTH, end, false));
            if !simulation.crash_at(id, step, LateWrites::ArriveImmediately) {
                break;
            }
            let offset = simulation.stored_offset();
            assert!(end == SourceStatus::Eof || offset == 70_000, "{end:?} {step}: {offset}");
            let outcome = simulation.resume();
            assert!(matches!(outcome, SessionOutcome::Completed(_)), "{end:?} {step}: {outcome:?}");
        }
    }
}

#[test]
fn a_late_length_is_discarded_with_its_atomic_request() {
    let mut simulation = Simulation::of_unknown_length(150_000);
    let first = simulation.create(ClientRequest::new(0, 150_000));
    simulation.run(first);
    let empty = ClientRequest::new(150_000, 150_000).declaring(150_000).atomic();
    let id = simulation.take_over(empty.ending(SourceStatus::ChecksumMismatch));
    let SessionOutcome::Suspended { durable, rejection: rejected } = simulation.run(id) else {
        panic!("a wrong digest is accepted")
    };
    assert_eq!(
        (durable, rejected.unwrap().kind()),
        (ByteCount(150_000), ErrorKind::DigestMismatch)
    );
    let id = simulation.take_over(empty);
    assert!(matches!(simulation.run(id), SessionOutcome::Completed(_)));
}

#[test]
fn a_crash_at_any_step_discards_the_entire_atomic_request() {
    for (from, to) in [(51_200, 204_900), (51_200, LENGTH), (0, 60_000)] {
        for end in [SourceStatus::Eof, SourceStatus::ChecksumMismatch] {
            for late_writes in LateWrites::ALL {
                for step in 0.. {
                    let mut simulation = started(&Simulation::of_known_length(LENGTH), from);
                    let id = simulation.open_request(atomic(from, to, end, false));
                    if !simulation.crash_at(id, step, late_writes) {
                        break;
                    }
                    let case = format!("{from}-{to} {end:?} {late_writes:?} {step}");
                    if !simulation.is_created() {
                        continue;
                    }
                    let offset = simulation.stored_offset();
                    assert!(end == SourceStatus::Eof || offset == from, "{case}: {offset}");
                    let outcome = simulation.resume();
                    simulation.apply_late_writes();
                    assert!(matches!(outcome, SessionOutcome::Completed(_)), "{case}: {outcome:?}");
                }
            }
        }
    }
}

#[test]
fn a_writer_that_takes_over_starts_where_the_atomic_request_started() {
    for step in 0.. {
        let mut simulation = started(&Simulation::of_known_length(LENGTH), 51_200);
        let first = simulation.take_over(atomic(51_200, 400_000, SourceStatus::Eof, false));
        if !(0..step).all(|_| simulation.step(first)) {
            break;
        }
        let from = simulation.stored_offset();
        let second = simulation.take_over(atomic(from, LENGTH, SourceStatus::Eof, false));
        simulation.run_all();
        let outcomes = [first, second].map(|id| simulation.writers[id].outcome.clone().unwrap());
        let is_complete = matches!(simulation.resume(), SessionOutcome::Completed(_));
        assert!(is_complete, "{step}: {outcomes:?}");
    }
}

fn atomic(from: u64, to: u64, end: SourceStatus, with_last_byte: bool) -> ClientRequest {
    let request = ClientRequest::new(from, to).atomic().ending(end);
    let request = if to == LENGTH { request.completing() } else { request };
    if with_last_byte { request.ending_with_last_byte() } else { request }
}

fn simulations() -> [Simulation; 2] {
    [Simulation::of_known_length(LENGTH), Simulation::of_unknown_length(LENGTH)]
}

/// A simulation like this one whose upload is at `offset`.
fn started(like: &Simulation, offset: u64) -> Simulation {
    let mut simulation = like.fresh();
    if offset > 0 {
        let id = simulation.create(ClientRequest::new(0, offset));
        simulation.run(id);
    }
    simulation
}

#[test]
fn the_reason_of_a_rejection_is_reported_even_if_its_multipart_upload_fails() {
    let mut simulation = Simulation::of_known_length(2 * 102_400);
    simulation.world.store.faults.always(Operation::Initiate, Fault::Hang);
    let request = atomic(0, 2 * 102_400, SourceStatus::ChecksumMismatch, true);
    let id = simulation.create(request);
    let outcome = simulation.run(id);
    let SessionOutcome::Suspended { rejection: Some(rejection), .. } = outcome else {
        panic!("{outcome:?}")
    };
    assert_eq!(rejection.kind(), ErrorKind::DigestMismatch);
}
