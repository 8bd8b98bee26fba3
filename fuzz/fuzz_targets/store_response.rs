//! Responses of OSS: status, headers and XML are untrusted input.

#![no_main]

use libfuzzer_sys::fuzz_target;
use vod_uploader::oss::action::{
    AbortMultipartUpload, CompleteMultipartUpload, CopyRange, DeleteObject, GetObject, HeadObject,
    InitiateMultipartUpload, ListParts, PutObject, UploadPart, UploadPartCopy,
};
use vod_uploader::oss::{Action, ClockSkew, MultipartUploadId};
use vod_uploader::units::{ByteCount, PartNumber};
use vod_uploader_fuzz::{NOW, response};

fuzz_target!(|bytes: &[u8]| {
    let response = response(bytes);
    let (key, upload_id, len) = ("sv/a.mp4", &MultipartUploadId("id".to_owned()), ByteCount(1));
    let _ = InitiateMultipartUpload { key, content_type: None }.parse(&response);
    if let Some(number) = PartNumber::new(1) {
        let _ = UploadPart { key, upload_id, number, len, crc64: None }.parse(&response);
        let (source_bucket, source_key) = ("b", "partial/a");
        let copy =
            UploadPartCopy { key, upload_id, number, source_bucket, source_key, range: None };
        let _ = copy.parse(&response);
    }
    if let Ok(page) = (ListParts { key, upload_id, after: None }).parse(&response) {
        assert!(page.parts.is_sorted_by_key(|part| part.number), "parts are in order");
    }
    let _ = CompleteMultipartUpload { key, upload_id, parts: &[] }.parse(&response);
    let _ = AbortMultipartUpload { key, upload_id }.parse(&response);
    let _ = HeadObject { key }.parse(&response);
    let _ = GetObject { key, range: CopyRange { start: ByteCount(0), len } }.parse(&response);
    let _ = PutObject { key, len, content_type: None }.parse(&response);
    if let Err(error) = (DeleteObject { key }).parse(&response) {
        let _ = ClockSkew::default().observe(&error, NOW);
        let _ = (error.to_string(), format!("{error:?}"));
    }
});
