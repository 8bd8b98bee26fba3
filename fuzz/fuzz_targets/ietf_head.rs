//! Requests of the IETF draft, and the structured fields and digests in them.

#![no_main]

use libfuzzer_sys::fuzz_target;
use vod_uploader::Error;
use vod_uploader::http::ietf::{
    self, AppendRequest, CreationRequest, ErrorContext, InteropVersion, Limits, OffsetState,
};
use vod_uploader::http::{self, ContentChecks, RequestHead};
use vod_uploader::units::ByteCount;
use vod_uploader_fuzz::head;

fuzz_target!(|bytes: &[u8]| {
    let head = head(bytes);
    let _ = (http::repr_digests(&head), http::wanted_digests(&head));
    let mut checks = ContentChecks::from_digest_fields(&head, true);
    checks.update(bytes);
    let _ = checks.matches(None);
    if let Some(version) = InteropVersion::detect(&head) {
        let _ = (version.declares_complete(&head), version.needs_media_type());
        check(&head, version);
    }
});

fn check(head: &RequestHead, version: InteropVersion) {
    let progress =
        OffsetState { offset: ByteCount(7), length: Some(ByteCount(9)), complete: false };
    let creation = CreationRequest::parse(head, version, ByteCount(u64::MAX));
    if let Ok(creation) = &creation {
        let _ = creation.file_name.resolve(None);
    }
    let append = AppendRequest::parse(head, version);
    if let Ok(append) = &append {
        let _ = (append.end(), append.exceeds(ByteCount(9)));
        if let Err(error) = append.check(&progress) {
            refuse(version, &error, progress, append.offset);
        }
    }
    for error in creation.as_ref().err().into_iter().chain(append.as_ref().err()) {
        refuse(version, error, progress, ByteCount(0));
    }
}

fn refuse(version: InteropVersion, error: &Error, progress: OffsetState, provided: ByteCount) {
    let limits = Limits {
        size_max: ByteCount(u64::MAX),
        append_size_max: None,
        append_size_min: None,
        max_age_s: None,
    };
    let refusal = ErrorContext {
        error,
        progress: Some(progress),
        provided_offset: Some(provided),
        media_id: None,
        limits: &limits,
    };
    let response = ietf::error_response(version, &refusal);
    let status = response.status;
    assert!(status.is_client_error() || status.is_server_error(), "{status} is not an error");
}
