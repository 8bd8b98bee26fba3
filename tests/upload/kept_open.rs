//! Requests that keep an upload incomplete even if all of its bytes are durable.

use vod_uploader::units::ByteCount;
use vod_uploader::upload::{SessionOutcome, SourceStatus, UploadPhase};

use vod_uploader_sim::session::{ClientRequest, Simulation};

/// Within a tail, at the size of a part, and with a tail after parts.
const LENGTHS: [u64; 5] = [1, 60_000, 102_400, 204_800, 3 * 102_400 + 40_000];

#[test]
fn all_bytes_are_durable_and_a_separate_request_completes_the_upload() {
    for length in LENGTHS {
        for atomic in [false, true] {
            let mut simulation = Simulation::of_known_length(length);
            let all = ClientRequest::new(0, length).staying_open();
            let first = simulation.create(if atomic { all.atomic() } else { all });
            let suspended =
                SessionOutcome::Suspended { durable: ByteCount(length), rejection: None };
            assert_eq!(simulation.run(first), suspended, "{length}");
            assert_eq!(simulation.checkpoint().phase, UploadPhase::Receiving);
            let nothing = ClientRequest::new(length, length);
            let again = simulation.take_over(nothing.staying_open());
            assert_eq!(simulation.run(again), suspended, "{length}");
            let last = simulation.take_over(nothing.declaring(length).completing());
            let outcome = simulation.run(last);
            assert!(matches!(outcome, SessionOutcome::Completed(_)), "{length}: {outcome:?}");
        }
    }
}

#[test]
fn more_bytes_than_the_length_are_rejected() {
    for length in LENGTHS {
        let mut simulation = Simulation::of_known_length(length);
        let request = ClientRequest::new(0, length).ending(SourceStatus::TooLong);
        let first = simulation.create(request.staying_open().ending_with_last_byte());
        let outcome = simulation.run(first);
        assert!(
            matches!(outcome, SessionOutcome::Suspended { rejection: Some(_), .. }),
            "{outcome:?}"
        );
    }
}
