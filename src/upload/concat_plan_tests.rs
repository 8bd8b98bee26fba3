use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use super::*;
use crate::units::{GIB, KIB};

const MIN: u64 = 100 * KIB;

fn sources(lens: &[u64]) -> Vec<ConcatSource> {
    let source = |len: &u64| ConcatSource {
        bucket: "b".into(),
        object: "o".into(),
        len: ByteCount(*len),
        crc64: Crc64::EMPTY,
    };
    lens.iter().map(source).collect()
}

fn copy(source: usize, start: u64, len: u64) -> PlannedPart {
    PlannedPart::Copy { source, range: CopyRange { start: ByteCount(start), len: ByteCount(len) } }
}

fn read(offset: u64, len: u64) -> PlannedPart {
    PlannedPart::Read { offset: ByteCount(offset), len: ByteCount(len) }
}

#[test]
fn objects_that_are_large_enough_are_copied_entirely() {
    assert_eq!(plan_parts(&sources(&[MIN])), [copy(0, 0, MIN)]);
    assert_eq!(plan_parts(&sources(&[MIN, 5 * GIB])), [copy(0, 0, MIN), copy(1, 0, 5 * GIB)]);
    assert_eq!(plan_parts(&sources(&[MIN, 1])), [copy(0, 0, MIN), copy(1, 0, 1)]);
    assert_eq!(plan_parts(&sources(&[0, MIN, 0, 1, 0])), [copy(1, 0, MIN), copy(3, 0, 1)]);
}

#[test]
fn objects_that_are_too_small_are_read_with_as_few_bytes_as_complete_a_part() {
    let large = 3 * MIN;
    assert_eq!(
        plan_parts(&sources(&[1, large])),
        [read(0, MIN), copy(1, MIN - 1, large - MIN + 1)]
    );
    // The rest of the second one is too small to be copied, unless it is the last.
    assert_eq!(plan_parts(&sources(&[1, MIN, MIN])), [read(0, MIN + 1), copy(2, 0, MIN)]);
    assert_eq!(plan_parts(&sources(&[1, MIN])), [read(0, MIN), copy(1, MIN - 1, 1)]);
    assert_eq!(plan_parts(&sources(&[MIN - 1, 1])), [read(0, MIN)]);
    assert_eq!(plan_parts(&sources(&[MIN, 5, 6])), [copy(0, 0, MIN), read(MIN, 11)]);
}

#[test]
fn a_total_below_the_size_of_a_part_is_read_entirely() {
    assert_eq!(plan_parts(&sources(&[MIN - 1])), [read(0, MIN - 1)]);
    assert_eq!(plan_parts(&sources(&[1, 0, 2])), [read(0, 3)]);
    assert_eq!(plan_parts(&sources(&[])), []);
    assert_eq!(plan_parts(&sources(&[0, 0])), []);
}

#[test]
fn read_ranges_identify_the_sources_that_a_part_spans() {
    let all = sources(&[1, 0, 2, 3 * MIN, 4, 5]);
    let range =
        |source, start, len| ReadRange { source, start: ByteCount(start), len: ByteCount(len) };
    let first = [range(0, 0, 1), range(2, 0, 2), range(3, 0, MIN - 3)];
    let last = [range(4, 0, 4), range(5, 0, 5)];
    assert_eq!(ranges_to_read(&all, ByteCount::ZERO), [&first[..], &last[..]].concat());
    assert_eq!(ranges_to_read(&all, ByteCount(MIN)), last);
    assert_eq!(ranges_to_read(&all, ByteCount(3 * MIN + 12)), []);
}

#[test]
fn sources_beyond_the_limits_of_an_object_are_rejected() {
    let kind = |sources: &[ConcatSource]| check(sources).map_err(|error| error.kind());
    assert_eq!(kind(&sources(&[5 * GIB, 1])), Ok(()));
    assert_eq!(kind(&sources(&[1, 5 * GIB + 1])), Err(ErrorKind::FileTooLarge));
    assert_eq!(kind(&sources(&vec![MIN; 10_000])), Ok(()));
    assert_eq!(kind(&sources(&vec![MIN; 10_001])), Err(ErrorKind::FileTooLarge));
    assert_eq!(kind(&sources(&vec![5 * GIB; 10_000])), Ok(()));
}

/// Sizes around those at which something changes.
fn len() -> impl Strategy<Value = u64> {
    let around = |size: u64| (size - 2)..=(size + 2);
    prop_oneof![
        0..4_u64,
        0..2 * MIN,
        around(MIN),
        around(2 * MIN),
        (5 * GIB - 2)..=5 * GIB,
        MIN..5 * GIB,
    ]
}

proptest! {
    #![proptest_config(ProptestConfig {
        rng_seed: RngSeed::Fixed(1),
        cases: 2_000,
        ..Default::default()
    })]

    #[test]
    fn planned_parts_are_within_the_limits(lens in prop::collection::vec(len(), 0..12)) {
        let all = sources(&lens);
        let total = total(&all);
        let parts = plan_parts(&all);
        let starts: Vec<u64> = lens
            .iter()
            .scan(0, |start, len| { *start += len; Some(*start - len) })
            .collect();
        let mut at = 0;
        for (index, part) in parts.iter().enumerate() {
            let is_last = index + 1 == parts.len();
            prop_assert!(!part.len().is_zero() && (is_last || part.len() >= PART_SIZE_MIN));
            match part {
                PlannedPart::Copy { source, range } => {
                    prop_assert_eq!(starts[*source] + range.start.bytes(), at);
                    prop_assert_eq!(range.start + range.len, all[*source].len);
                    prop_assert!(range.len <= PART_SIZE_MAX && total >= MULTIPART_THRESHOLD);
                }
                PlannedPart::Read { offset, len } => {
                    prop_assert_eq!(offset.bytes(), at);
                    prop_assert!(len.bytes() < 2 * MIN);
                }
            }
            at += part.len().bytes();
        }
        prop_assert_eq!(at, total.bytes());
    }

    #[test]
    fn read_ranges_are_exactly_the_bytes_that_are_not_copied(
        lens in prop::collection::vec(len(), 0..12),
        from in any::<prop::sample::Index>(),
    ) {
        let all = sources(&lens);
        let parts = plan_parts(&all);
        // A session continues at the start of a part.
        let done = from.index(parts.len() + 1);
        let offset = parts[..done].iter().fold(ByteCount::ZERO, |sum, part| sum + part.len());
        let expected: u64 = parts[done..]
            .iter()
            .filter(|part| matches!(part, PlannedPart::Read { .. }))
            .map(|part| part.len().bytes())
            .sum();
        let ranges = ranges_to_read(&all, offset);
        prop_assert_eq!(ranges.iter().map(|range| range.len.bytes()).sum::<u64>(), expected);
        for range in ranges {
            prop_assert!(range.start + range.len <= all[range.source].len);
        }
    }
}

#[test]
fn a_partial_upload_that_is_too_large_is_named_by_its_number() {
    let checked = format!("{:?}", check(&sources(&[MIN, 5 * GIB + 1])));
    assert!(checked.contains("partial upload 2 has more than"), "{checked}");
}
