#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed assumption fails the test")]

use super::super::checkpoint::Tail;
use super::super::concat_session::Concatenation;
use super::super::lease::Lease;
use super::super::options::ReceiveOptions;
use super::super::{ConcatSource, Purpose};
use super::*;
use crate::units::{KIB, MIB};

const PART: u64 = 102_400;

fn plan(length: Option<u64>, part_size: u64) -> Plan {
    Plan::new(length.map(ByteCount), ByteCount(part_size), 1).unwrap()
}

/// A request from `from` of `len` bytes, or of unknown length.
fn request(from: u64, len: Option<u64>) -> ReceiveOptions {
    ReceiveOptions {
        offset: ByteCount(from),
        request_bytes: len.map(ByteCount),
        ..ReceiveOptions::default()
    }
}

/// Continues after the part with this number, the last of those before the request.
fn transfer_after(number: u16, plan: Plan, request: ReceiveOptions) -> Transfer {
    let source = Source::new(Purpose::Receive(request), plan.length()).unwrap();
    let mut transfer = Transfer::new(plan, source, true);
    let checkpoint = Checkpoint {
        parts_bytes: request.offset.bytes(),
        reserved_part_number: number,
        ..Checkpoint::empty()
    };
    transfer.start(plan, &checkpoint).unwrap();
    assert!(!transfer.start_receiving());
    transfer
}

fn requested(transfer: &mut Transfer) -> FillRequest {
    assert!(matches!(transfer.request_fill(), Ok(FillOutcome::Continue)));
    transfer.requested().unwrap()
}

/// Fills the next buffer with `len` bytes, or entirely.
fn fill(transfer: &mut Transfer, len: Option<u64>, end: SourceStatus) -> FillOutcome {
    fill_of(transfer, len, end, true)
}

fn fill_of(
    transfer: &mut Transfer,
    len: Option<u64>,
    end: SourceStatus,
    has_upload_id: bool,
) -> FillOutcome {
    let FillRequest { fill, size, streamed } = requested(transfer);
    if streamed {
        transfer.open_stream(fill).unwrap();
    }
    let len = len.map_or(size, ByteCount);
    transfer.filled(&Filled { fill, len, crc64: Crc64::EMPTY, end }, has_upload_id).unwrap()
}

#[test]
fn a_short_part_is_rejected_if_no_number_is_left_for_the_rest() {
    let from = 48 * MIB;
    let plan = plan(Some(64 * MIB), MIB);
    let mut transfer = transfer_after(9_999, plan, request(from, Some(16 * MIB)));
    let outcome = fill(&mut transfer, Some(MIB), SourceStatus::Interrupted);
    let FillOutcome::Rejected(error) = outcome else { panic!("{outcome:?}") };
    assert_eq!(error.kind(), ErrorKind::FileTooLarge);
    assert!(!transfer.has_parts());
}

#[test]
fn the_last_number_can_have_the_last_part_of_any_size_or_a_full_one() {
    let completing = ReceiveOptions { complete_at_end: true, ..request(10 * MIB, None) };
    let mut transfer = transfer_after(9_999, plan(None, MIB), completing);
    let outcome = fill(&mut transfer, Some(5), SourceStatus::Eof);
    assert!(matches!(outcome, FillOutcome::Ended { is_stopped: false }), "{outcome:?}");
    assert!(transfer.is_complete() && transfer.has_parts());

    let mut transfer = transfer_after(9_999, plan(None, MIB), completing);
    let outcome = fill(&mut transfer, None, SourceStatus::More);
    assert!(matches!(outcome, FillOutcome::Continue), "{outcome:?}");
    let outcome = transfer.request_fill().unwrap();
    assert!(matches!(outcome, FillOutcome::Rejected(_)), "{outcome:?}");
}

#[test]
fn a_concatenation_can_use_the_last_part_number_and_none_after_it() {
    let source = ConcatSource {
        bucket: "b".to_owned(),
        object: "o".to_owned(),
        len: ByteCount(2 * PART),
        crc64: Crc64(7),
    };
    let start = |reserved_part_number| {
        let source = Source::Concatenation(Concatenation::new(vec![source.clone()]).unwrap());
        let plan = plan(Some(2 * PART), PART);
        let mut transfer = Transfer::new(plan, source, false);
        let checkpoint = Checkpoint { reserved_part_number, ..Checkpoint::empty() };
        transfer.start(plan, &checkpoint).unwrap();
        // One part is in flight at a time, so the end is found by a second call.
        transfer.request_fill().map(|_| transfer.last_number())
    };
    assert_eq!(start(9_999), Ok(10_000));
    assert_eq!(start(10_000).unwrap_err().kind(), ErrorKind::FileTooLarge);
}

#[test]
fn bytes_count_as_sent_once_their_part_is_sent() {
    let mut transfer = transfer_after(0, plan(Some(MIB), PART), request(0, Some(MIB)));
    fill(&mut transfer, None, SourceStatus::More);
    assert_eq!(transfer.sent_offset(), ByteCount::ZERO);
    assert!(transfer.send_next(&MultipartUploadId("u".to_owned()), 1).is_some());
    assert_eq!(transfer.sent_offset(), ByteCount(PART));
}

#[test]
fn no_byte_of_a_discarded_request_counts_as_sent() {
    let atomic = ReceiveOptions { atomic: true, ..request(0, Some(MIB)) };
    let mut transfer = transfer_after(0, plan(Some(MIB), PART), atomic);
    let FillRequest { fill: filled, .. } = requested(&mut transfer);
    fill(&mut transfer, None, SourceStatus::More);
    assert_eq!(transfer.release(), [filled]);
    transfer.discard_request(0);
    assert_eq!(transfer.sent_offset(), ByteCount::ZERO);
}

#[test]
fn a_buffer_is_used_only_if_it_has_bytes() {
    let mut transfer = transfer_after(0, plan(Some(MIB), PART), request(0, None));
    let full = requested(&mut transfer).fill;
    fill(&mut transfer, None, SourceStatus::More);
    assert!(transfer.uses(full));
    let empty = requested(&mut transfer).fill;
    fill(&mut transfer, Some(0), SourceStatus::Eof);
    assert!(!transfer.uses(empty));
}

#[test]
fn a_small_file_is_one_put_unless_a_multipart_upload_was_initiated() {
    for has_upload_id in [false, true] {
        let completing = ReceiveOptions { complete_at_end: true, ..request(0, None) };
        let mut transfer = transfer_after(0, plan(None, PART), completing);
        fill_of(&mut transfer, Some(50 * KIB), SourceStatus::Eof, has_upload_id);
        assert_eq!(transfer.is_single_put(), !has_upload_id);
        assert_eq!(transfer.has_parts(), has_upload_id);
    }
}

#[test]
fn a_source_restarts_once_and_its_fills_have_new_ids() {
    let mut transfer = transfer_after(0, plan(Some(MIB), PART), request(0, Some(MIB)));
    let before = requested(&mut transfer).fill;
    assert!(transfer.can_restart() && !transfer.is_restarted());
    transfer.restart().unwrap();
    assert!(!transfer.can_restart() && transfer.is_restarted());
    // The driver may still report the end of the earlier one.
    assert!(requested(&mut transfer).fill > before);
}

#[test]
fn an_atomic_request_that_ends_within_a_streamed_part_is_rejected() {
    let atomic = ReceiveOptions { atomic: true, ..request(0, Some(32 * MIB)) };
    let streamed = || transfer_after(0, plan(Some(64 * MIB), 32 * MIB), atomic);
    let outcome = fill(&mut streamed(), Some(MIB), SourceStatus::Eof);
    assert!(matches!(outcome, FillOutcome::Rejected(_)), "{outcome:?}");
    let outcome = fill(&mut streamed(), None, SourceStatus::Eof);
    assert!(matches!(outcome, FillOutcome::Ended { is_stopped: false }), "{outcome:?}");
}

#[test]
fn bytes_of_an_interrupted_streamed_part_do_not_count() {
    let request = request(0, Some(32 * MIB));
    let mut transfer = transfer_after(0, plan(Some(64 * MIB), 32 * MIB), request);
    let outcome = fill(&mut transfer, Some(MIB), SourceStatus::Interrupted);
    assert!(matches!(outcome, FillOutcome::StreamInterrupted { is_stopped: false }));
    assert_eq!((transfer.sent_offset(), transfer.has_parts()), (ByteCount::ZERO, false));
}

#[test]
fn the_tail_before_a_request_does_not_count_as_read_from_it() {
    let plan = Plan::new(Some(ByteCount(MIB)), ByteCount(PART), 3).unwrap();
    let source = Source::new(Purpose::Receive(request(60_000, Some(450_000))), None).unwrap();
    let mut transfer = Transfer::new(plan, source, false);
    let tail = Tail { writer: Lease::unheld().holder, serial: 0, len_bytes: 60_000, crc64: 0 };
    let checkpoint = Checkpoint { tail: Some(tail), ..Checkpoint::empty() };
    transfer.start(plan, &checkpoint).unwrap();
    transfer.start_receiving();
    // The last 202,800 bytes are few enough for one part.
    for size in [PART, PART, PART, 202_800] {
        assert_eq!(requested(&mut transfer).size, ByteCount(size));
        fill(&mut transfer, None, SourceStatus::More);
    }
}
