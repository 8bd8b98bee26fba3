//! The configured size limit, for declared and undeclared lengths.

use vod_uploader_component_tests::body::Body;
use vod_uploader_component_tests::edge::{Edge, Setup};
use vod_uploader_component_tests::source::Source;
use vod_uploader_component_tests::tus::{self, Upload, VERSION};
use vod_uploader_wire::{Headers, Response};

const LIMIT_BYTES: u64 = 1_000_000;

#[test]
fn a_file_of_undeclared_length_above_the_limit_is_rejected_by_every_protocol() {
    let edge = limited();
    let source = Source::new(790, LIMIT_BYTES + 500_000);
    let bodies = [Body::Chunked(&source, source.all()), Body::Range(&source, source.all())];
    for body in &bodies {
        let complete: Headers<'_> = &[("upload-complete", "?1"), DISPOSITION];
        assert_too_large(&edge.request("POST", "/v1/files", complete, body).unwrap());
        let incomplete: Headers<'_> = &[("upload-complete", "?0"), DISPOSITION];
        assert_too_large(&edge.request("POST", "/v1/files", incomplete, body).unwrap());
        assert_too_large(&edge.put(&[], body));
        let upload = deferred(&edge, &[]);
        assert_too_large(&upload.patch_with(&edge, &[], 0, body).unwrap());
        let partial = deferred(&edge, &[("upload-concat", "partial")]);
        assert_too_large(&partial.patch_with(&edge, &[], 0, body).unwrap());
    }
    assert!(edge.sandbox.objects().is_empty());
}

#[test]
fn a_file_of_undeclared_length_at_the_limit_is_stored() {
    let edge = limited();
    let source = Source::new(791, LIMIT_BYTES);
    let upload = deferred(&edge, &[]);
    let body = Body::Chunked(&source, source.all());
    assert_eq!(upload.patch_with(&edge, &[], 0, &body).unwrap().offset(), LIMIT_BYTES);
    let complete = [("upload-complete", "?1"), DISPOSITION];
    let stored = edge.request("POST", "/v1/files", &complete, &body).unwrap();
    assert_eq!(stored.status, 201, "{}", stored.text());
}

#[test]
fn partial_uploads_above_the_limit_are_not_concatenated() {
    let edge = limited();
    let source = Source::new(792, 600_000);
    let length = source.length().to_string();
    let partials: Vec<_> = (0..2)
        .map(|_| {
            let partial = deferred(&edge, &[("upload-concat", "partial")]);
            let declared = [("upload-length", length.as_str())];
            let stored =
                partial.patch_with(&edge, &declared, 0, &Body::Range(&source, source.all()));
            assert_eq!(stored.unwrap().status, 204);
            partial.path
        })
        .collect();
    let concat = format!("final;{}", partials.join(" "));
    let metadata = tus::metadata(&[("filename", "clip.mp4")]);
    let headers = [VERSION, ("upload-concat", concat.as_str()), ("upload-metadata", &metadata)];
    assert_too_large(&edge.request("POST", "/v1/files", &headers, &Body::None).unwrap());
}

const DISPOSITION: (&str, &str) = ("content-disposition", "inline; filename=\"clip.mp4\"");

fn limited() -> Edge {
    let limit = LIMIT_BYTES.to_string();
    Setup::new().temporary_storage().variable("upload_max_bytes", &limit).start()
}

/// A tus upload of deferred length.
fn deferred(edge: &Edge, more: Headers<'_>) -> Upload {
    let metadata = tus::metadata(&[("filename", "clip.mp4")]);
    let mut headers = vec![VERSION, ("upload-defer-length", "1"), ("upload-metadata", &*metadata)];
    headers.extend_from_slice(more);
    Upload::from_response(&edge.request("POST", "/v1/files", &headers, &Body::None).unwrap())
}

fn assert_too_large(response: &Response) {
    let rejected = (response.status, response.code());
    assert_eq!(rejected, (413, "file-too-large".to_owned()), "{}", response.text());
}
