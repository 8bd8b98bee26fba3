//! Requests after which the file is not whole, even where all of its bytes are there.

use vod_uploader::units::ByteCount;
use vod_uploader::upload::{SessionOutcome, SourceStatus, UploadPhase};

use crate::harness::{ClientRequest, World};

/// Within a tail, at a part's size, and with a tail after parts.
const LENGTHS: [u64; 5] = [1, 60_000, 102_400, 204_800, 3 * 102_400 + 40_000];

#[test]
fn all_bytes_are_kept_and_a_request_of_its_own_completes_the_upload() {
    for length in LENGTHS {
        for atomic in [false, true] {
            let mut world = World::of_known_length(length);
            let all = ClientRequest::new(0, length).staying_open();
            let first = world.create(if atomic { all.atomic() } else { all });
            let suspended =
                SessionOutcome::Suspended { durable: ByteCount(length), rejection: None };
            assert_eq!(world.run(first), suspended, "{length}");
            assert_eq!(world.checkpoint().phase, UploadPhase::Receiving);
            let nothing = ClientRequest::new(length, length);
            let again = world.take_over(nothing.staying_open());
            assert_eq!(world.run(again), suspended, "{length}");
            let last = world.take_over(nothing.declaring(length).completing());
            let outcome = world.run(last);
            assert!(matches!(outcome, SessionOutcome::Completed(_)), "{length}: {outcome:?}");
        }
    }
}

#[test]
fn more_bytes_than_the_file_has_are_refused_all_the_same() {
    for length in LENGTHS {
        let mut world = World::of_known_length(length);
        let request = ClientRequest::new(0, length).ending(SourceStatus::TooLong);
        let first = world.create(request.staying_open().ending_with_last_byte());
        let outcome = world.run(first);
        assert!(
            matches!(outcome, SessionOutcome::Suspended { rejection: Some(_), .. }),
            "{outcome:?}"
        );
    }
}
