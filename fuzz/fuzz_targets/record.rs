//! Records in the key-value store. A record that can be decoded round-trips.
//!
//! The input is the record's kind (the letter in its frame) and its fields. The target adds a valid
//! frame, because a fuzzer does not find checksums. Records without a frame are decoded as they
//! are.

#![no_main]

use std::fmt::Debug;

use libfuzzer_sys::fuzz_target;
use vod_uploader::Result;
use vod_uploader::crc64::Crc64;
use vod_uploader::http::{FilePondTransfer, ResumableSha256};
use vod_uploader::queue::FileRecord;
use vod_uploader::units::ByteCount;
use vod_uploader::upload::{Checkpoint, EtagPage, Lease, RECORD_VERSION, UploadRecord};

fuzz_target!(|bytes: &[u8]| {
    read_all(bytes);
    let Some((kind, fields)) = bytes.split_first() else { return };
    let mut record = vec![b'V', b'O', b'D', *kind, RECORD_VERSION];
    record.extend_from_slice(fields);
    let checksum = Crc64::compute(&record).0.to_le_bytes();
    record.extend(checksum);
    read_all(&record);
});

fn read_all(bytes: &[u8]) {
    let checkpoint = Checkpoint::decode(bytes);
    if let Ok(checkpoint) = &checkpoint {
        let _ = (checkpoint.durable(), checkpoint.crc64(), checkpoint.open_page.parts().count());
    }
    check(checkpoint, Checkpoint::encode, Checkpoint::decode);
    let page = EtagPage::decode(bytes);
    if let Ok(page) = &page {
        let _ = page.parts().count();
    }
    check(page, EtagPage::encode, EtagPage::decode);
    let lease = Lease::decode(bytes);
    if let Ok(lease) = &lease {
        let _ = lease.checkpoint_epochs().count();
    }
    check(lease, Lease::encode, Lease::decode);
    let upload = UploadRecord::decode(bytes);
    if let Ok(upload) = &upload {
        let _ = upload.target.bucket();
    }
    check(upload, UploadRecord::encode, UploadRecord::decode);
    check(FileRecord::decode(bytes), FileRecord::encode, FileRecord::decode);
    let transfer = FilePondTransfer::decode(bytes);
    if let Ok(transfer) = &transfer {
        let _ = (transfer.metadata(), transfer.resume_offset(ByteCount(7)));
    }
    check(transfer, FilePondTransfer::encode, FilePondTransfer::decode);
    if let Ok(mut digest) = ResumableSha256::from_bytes(bytes) {
        assert_eq!(digest.to_bytes(), bytes, "what is read is what was written");
        digest.update(bytes);
        let _ = digest.field_value();
    }
}

/// Returns true if a decoded record round-trips.
fn check<T: Debug + PartialEq>(
    read: Result<T>,
    encode: fn(&T) -> Result<Vec<u8>>,
    decode: fn(&[u8]) -> Result<T>,
) {
    let Ok(read) = read else { return };
    let again = encode(&read).and_then(|bytes| decode(&bytes));
    assert_eq!(again.as_ref().ok(), Some(&read), "what is written reads back");
}
