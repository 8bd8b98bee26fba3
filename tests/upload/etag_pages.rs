//! Pages of ETags: every part is stored once, regardless of skipped numbers.

use proptest::prelude::*;
use vod_uploader::crc64::Crc64;
use vod_uploader::oss::ETag;
use vod_uploader::units::{ByteCount, PartNumber};
use vod_uploader::upload::{Checkpoint, EtagPage, FinishedPart, WriterEpoch};

const WRITER: WriterEpoch = WriterEpoch { epoch: u32::MAX, writer: u64::MAX };

proptest! {
    #[test]
    fn every_part_is_in_one_page_and_a_full_page_is_written_once(
        skips in prop::collection::vec(prop_oneof![9 => Just(0_u16), 1 => 0..600_u16], 1..700),
    ) {
        let mut numbers = Vec::new();
        let mut next = 1_u16;
        for skip in skips {
            next += skip;
            if next > 10_000 {
                break;
            }
            numbers.push(next);
            next += 1;
        }
        prop_assert_eq!(read_back(&numbers), numbers);
    }
}

#[test]
fn ten_thousand_parts_are_read_back_and_the_record_stays_below_5_kib() {
    let numbers: Vec<u16> = (1..=10_000).collect();
    assert_eq!(read_back(&numbers), numbers);
    let sizes: Vec<_> =
        [10, 3_000, 9_984, 10_000].map(|parts| record_size(&numbers[..parts])).into();
    assert!(sizes.iter().all(|size| *size < 5 * 1_024), "{sizes:?}");
}

/// Adds parts with these numbers to a checkpoint, stores its full pages, and reads all parts
/// again.
fn read_back(numbers: &[u16]) -> Vec<u16> {
    let mut pages: Vec<Vec<u8>> = Vec::new();
    let mut checkpoint = Checkpoint::empty();
    for number in numbers {
        let full = checkpoint.push_part(&part(*number), WRITER);
        pages.extend(full.map(|page| page.encode().unwrap()));
        assert_eq!(pages.len(), checkpoint.full_pages.len());
    }
    let checkpoint = Checkpoint::decode(&checkpoint.encode().unwrap()).unwrap();
    assert_eq!(usize::from(checkpoint.part_count), numbers.len());
    assert_eq!(checkpoint.parts_bytes, numbers.len() as u64 * LEN);
    let full = pages.iter().map(|bytes| EtagPage::decode(bytes).unwrap());
    full.chain([checkpoint.open_page])
        .flat_map(|page| page.parts().collect::<Vec<_>>())
        .map(|(number, etag)| {
            assert_eq!(etag, part(number.number()).etag);
            number.number()
        })
        .collect()
}

fn record_size(numbers: &[u16]) -> usize {
    let mut checkpoint = Checkpoint::empty();
    checkpoint.upload_id = Some("0004B9895DBBB6EC98E36000004B9895".into());
    for number in numbers {
        drop(checkpoint.push_part(&part(*number), WRITER));
    }
    checkpoint.encode().unwrap().len()
}

fn part(number: u16) -> FinishedPart {
    let mut etag = [0xa5; 16];
    etag[..2].copy_from_slice(&number.to_le_bytes());
    FinishedPart {
        number: PartNumber::new(number).unwrap(),
        len: ByteCount(LEN),
        crc64: Crc64(u64::from(number)),
        etag: ETag(etag),
    }
}

const LEN: u64 = 102_400;
