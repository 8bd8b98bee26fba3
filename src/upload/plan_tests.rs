#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failed assumption fails the test")]

use proptest::prelude::*;

use super::*;
use crate::units::{GIB, PARALLEL_DEFAULT, PART_SIZE_DEFAULT};

fn known(length: u64) -> Plan {
    Plan::new(Some(ByteCount(length)), PART_SIZE_DEFAULT, PARALLEL_DEFAULT).unwrap()
}

fn unknown() -> Plan {
    Plan::new(None, PART_SIZE_DEFAULT, PARALLEL_DEFAULT).unwrap()
}

/// Splits a source as a driver would, with all bytes in one request, and returns the part sizes.
fn split(plan: &Plan, length: u64) -> Vec<u64> {
    let mut sizes = Vec::new();
    let mut offset = 0;
    while offset < length {
        let number = u16::try_from(sizes.len() + 1).unwrap();
        let next = plan
            .next_part(ByteCount(offset), number, Some(ByteCount(length - offset)))
            .expect("the rest fits");
        let size = next.size.bytes().min(length - offset);
        sizes.push(size);
        offset += size;
    }
    sizes
}

fn boundary_lengths() -> impl Strategy<Value = u64> {
    let edges = [
        1,
        100 * KIB,
        MIB,
        16 * MIB,
        5 * GIB,
        10_000 * MIB,
        9_375 * MIB,
        10_000 * 16 * MIB,
        10_000 * 5 * GIB,
    ];
    (prop::sample::select(edges.to_vec()), -2_i64..=2)
        .prop_map(|(edge, near)| edge.saturating_add_signed(near))
        .prop_filter("a length within the limits", |length| {
            *length > 0 && *length <= OBJECT_SIZE_MAX.bytes()
        })
}

proptest! {
    #[test]
    fn every_length_is_split_into_parts_within_the_limits_of_the_store(
        length in prop_oneof![boundary_lengths(), 1..=OBJECT_SIZE_MAX.bytes(), 1..=64 * MIB],
    ) {
        let sizes = split(&known(length), length);
        prop_assert!(sizes.len() <= usize::from(PART_COUNT_MAX));
        prop_assert_eq!(sizes.iter().sum::<u64>(), length);
        let (_, all_but_last) = sizes.split_last().unwrap();
        prop_assert!(all_but_last.iter().all(|size| *size >= PART_SIZE_MIN.bytes()));
        prop_assert!(sizes.iter().all(|size| *size <= PART_SIZE_MAX.bytes()));
    }

    #[test]
    fn requests_that_end_early_are_rejected_before_the_numbers_are_exhausted(
        length in prop_oneof![boundary_lengths(), 1..=OBJECT_SIZE_MAX.bytes()],
        request in 100 * KIB..=64 * MIB,
    ) {
        let plan = known(length);
        let (mut offset, mut number) = (0, 1);
        while offset < length {
            let left = request.min(length - offset);
            let next = plan.next_part(ByteCount(offset), number, Some(ByteCount(left)));
            let Ok(next) = next else { break };
            let size = next.size.bytes().min(left);
            let after = offset + size;
            if size < next.size.bytes()
                && after < length
                && plan.check_short_part(ByteCount(after), number + 1).is_err()
            {
                break;
            }
            offset = after;
            number += 1;
        }
        // Whatever was accepted, what is left still fits with larger requests.
        let large = plan.next_part(ByteCount(offset), number, Some(ByteCount(length - offset)));
        prop_assert!(offset == length || large.is_ok());
        prop_assert!(number <= PART_COUNT_MAX + 1);
    }

    #[test]
    fn requests_of_the_size_in_the_error_are_accepted_entirely(
        length in 2 * GIB..=10_000 * 16 * MIB,
        numbers_left in 1..=100_u16,
        spread_percent in 90..=130_u64,
        extra in 0..=2 * MIB,
    ) {
        // The remaining numbers suffice just for the rest; or for less, if numbers were skipped.
        let plan = known(length);
        let rest = (u64::from(numbers_left) * 16 * MIB * spread_percent / 100).min(length);
        let (mut offset, mut number) = (length - rest, PART_COUNT_MAX + 1 - numbers_left);
        while offset < length {
            let left_numbers = u64::from(PART_COUNT_MAX + 1 - number);
            let left = length - offset;
            let mut request = (left.div_ceil(left_numbers) + extra).min(left);
            while request > 0 {
                let next = plan.next_part(ByteCount(offset), number, Some(ByteCount(request)));
                let next = next.expect("the request is large enough");
                let size = next.size.bytes().min(request);
                offset += size;
                number += 1;
                request -= size;
                if size < next.size.bytes() && offset < length {
                    prop_assert!(plan.check_short_part(ByteCount(offset), number).is_ok());
                }
            }
        }
    }

    #[test]
    fn buffers_stay_within_the_budget_of_an_upload(
        length in prop::option::of(1..=OBJECT_SIZE_MAX.bytes()),
        part_size in 100 * KIB..=16 * MIB,
        parallel in 1..=PARALLEL_MAX,
        number in 1..=PART_COUNT_MAX,
    ) {
        let plan =
            Plan::new(length.map(ByteCount), ByteCount(part_size), parallel).unwrap();
        if let Ok(next) = plan.next_part(ByteCount::ZERO, number, None) {
            prop_assert!(!next.streamed);
            let buffered = (u64::from(next.in_flight_max) + 1) * next.size.bytes();
            let configured = (u64::from(parallel) + 1) * part_size;
            prop_assert!(buffered <= configured.max(32 * MIB));
        }
    }
}

#[test]
fn parts_have_the_configured_size_up_to_the_reserved_numbers() {
    for length in [102_400, MIB, MIB + 1, 64 * MIB, 3 * GIB, 9_375 * MIB] {
        let sizes = split(&known(length), length);
        assert_eq!(sizes.len() as u64, length.div_ceil(MIB), "{length} bytes");
    }
}

#[test]
fn the_first_three_gibibytes_of_unknown_length_need_no_more_memory_than_known_ones() {
    let plan = unknown();
    let (mut offset, mut number) = (0, 1);
    while offset < 3 * GIB {
        let next = plan.next_part(ByteCount(offset), number, None).unwrap();
        assert!((u64::from(next.in_flight_max) + 1) * next.size.bytes() <= 6 * MIB);
        let is_grown = next.size > PART_SIZE_DEFAULT;
        assert_eq!(next.in_flight_max, if is_grown { 2 } else { PARALLEL_DEFAULT }, "{number}");
        offset += next.size.bytes();
        number += 1;
    }
}

#[test]
fn a_source_of_unknown_length_reaches_133_gibibytes_and_is_then_rejected() {
    let plan = unknown();
    let mut offset = 0;
    for number in 1..=PART_COUNT_MAX {
        offset += plan.next_part(ByteCount(offset), number, None).unwrap().size.bytes();
    }
    assert_eq!(offset / GIB, 133);
    let end = plan.next_part(ByteCount(offset), PART_COUNT_MAX + 1, None).unwrap_err();
    assert_eq!(end.kind(), ErrorKind::FileTooLarge);
    let short = plan.check_short_part(ByteCount(offset), PART_COUNT_MAX + 1).unwrap_err();
    assert_eq!(short.kind(), ErrorKind::FileTooLarge);
    assert!(plan.check_short_part(ByteCount(offset), PART_COUNT_MAX).is_ok());
}

#[test]
fn a_part_too_large_to_buffer_is_streamed_with_its_length() {
    let length = 2_000 * GIB;
    let next = known(length).next_part(ByteCount::ZERO, 1, Some(ByteCount(length))).unwrap();
    assert!(next.streamed && next.size > BUFFERED_PART_SIZE_MAX && next.in_flight_max == 1);

    let unknown_request = known(length).next_part(ByteCount::ZERO, 1, None).unwrap();
    assert!(!unknown_request.streamed && unknown_request.size == BUFFERED_PART_SIZE_MAX);
}

#[test]
fn lengths_and_options_outside_their_range_are_rejected() {
    let kind =
        |length, part_size, parallel| Plan::new(length, part_size, parallel).unwrap_err().kind();
    let some = |bytes| Some(ByteCount(bytes));
    assert_eq!(kind(some(53_687_091_200_001), PART_SIZE_DEFAULT, 5), ErrorKind::FileTooLarge);
    assert_eq!(kind(None, ByteCount(102_399), 5), ErrorKind::Misconfigured);
    assert_eq!(kind(None, ByteCount(5 * GIB + 1), 5), ErrorKind::Misconfigured);
    assert_eq!(kind(None, PART_SIZE_DEFAULT, 0), ErrorKind::Misconfigured);
    assert_eq!(kind(None, PART_SIZE_DEFAULT, 33), ErrorKind::Misconfigured);
}

#[test]
fn a_request_with_few_bytes_of_the_file_is_one_part() {
    let size = |request| {
        let next = known(64 * MIB).next_part(ByteCount::ZERO, 1, Some(ByteCount(request)));
        next.unwrap().size.bytes()
    };
    assert_eq!(size(3 * MIB), 3 * MIB);
    assert_eq!(size(3 * MIB + 1), MIB);
    assert_eq!(size(MIB / 2), MIB);
    assert_eq!(size(64 * MIB), MIB);
}

#[test]
fn a_longer_file_has_parts_that_are_larger_by_a_multiple_of_64_kib() {
    let first = |length| known(length).next_part(ByteCount::ZERO, 1, None).unwrap();
    assert_eq!(first(9_375 * MIB).size, ByteCount(MIB));
    assert_eq!(first(9_375 * MIB + 1).size, ByteCount(MIB + 64 * KIB));
    // They fit into the budget of 32 MiB.
    let next = first(9_375 * 4 * MIB);
    assert_eq!((next.size, next.in_flight_max), (ByteCount(4 * MIB), PARALLEL_DEFAULT));
}

#[test]
fn parts_of_a_large_configured_size_are_sent_in_parallel_as_configured() {
    let plan = Plan::new(Some(ByteCount(GIB)), ByteCount(16 * MIB), 5).unwrap();
    let next = plan.next_part(ByteCount::ZERO, 1, None).unwrap();
    assert_eq!((next.size, next.in_flight_max), (ByteCount(16 * MIB), 5));
}

#[test]
fn a_request_that_needs_more_memory_than_planned_is_split() {
    let plan = Plan::new(Some(ByteCount(64 * MIB)), ByteCount(8 * MIB), 1).unwrap();
    let request = Some(ByteCount(12 * MIB));
    assert_eq!(plan.next_part(ByteCount::ZERO, 1, request).unwrap().size, ByteCount(8 * MIB));
    // Also if few numbers are left, as long as the rest fits into those after the request.
    let length = GIB;
    let offset = ByteCount(length - 30 * MIB);
    let next = known(length).next_part(offset, 9_998, Some(ByteCount(15 * MIB))).unwrap();
    assert_eq!(next.size, ByteCount(10 * MIB));
}

#[test]
fn a_request_is_rejected_if_the_rest_does_not_fit_into_the_remaining_numbers() {
    let rejected = |plan: Plan, offset, number, request| {
        plan.next_part(ByteCount(offset), number, request).unwrap_err().kind()
    };
    // One number is left for 64 MiB, of which the request has half.
    let half = Some(ByteCount(32 * MIB));
    assert_eq!(rejected(known(GIB), 960 * MIB, 10_000, half), ErrorKind::RequestTooSmall);
    // No number is left for a request with all remaining bytes.
    let all = Some(ByteCount(64 * MIB));
    assert_eq!(rejected(known(GIB), 960 * MIB, 10_001, all), ErrorKind::FileTooLarge);
    // All 10,000 parts must have 5 GiB.
    let largest = known(OBJECT_SIZE_MAX.bytes());
    let small = Some(ByteCount(16 * MIB));
    assert_eq!(rejected(largest, 0, 1, small), ErrorKind::RequestTooSmall);
}

#[test]
fn a_part_of_a_file_that_can_be_buffered_ends_early_only_if_the_rest_can_be_buffered() {
    let plan = known(64 * GIB);
    let check = |rest| plan.check_short_part(ByteCount(64 * GIB - rest), PART_COUNT_MAX);
    assert!(check(16 * MIB).is_ok());
    assert_eq!(check(16 * MIB + 1).unwrap_err().kind(), ErrorKind::RequestTooSmall);
}
