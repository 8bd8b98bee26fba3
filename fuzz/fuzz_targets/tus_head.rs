//! Requests of tus, FilePond and plain clients. Any head has a response or an error.

#![no_main]

use ::http::StatusCode;
use libfuzzer_sys::fuzz_target;
use vod_uploader::http::tus::{self, CreationRequest, PatchRequest};
use vod_uploader::http::{
    self, AllowedHosts, BasePath, ContentChecks, Cors, FilePondCall, FilePondTransfer, Metadata,
    PlainFile, Protocol, PublicUrl, RequestHead, Response, Route, SseEncoder,
};
use vod_uploader::units::ByteCount;
use vod_uploader_fuzz::{NOW, head};

fuzz_target!(|bytes: &[u8]| {
    let head = head(bytes);
    let route = http::route(&head);
    let protocol = Protocol::detect(&head, &route);
    let _ = protocol.with_required_headers(&head, Response::empty(StatusCode::NO_CONTENT));
    match &route {
        Ok(route) => follow(&head, route, protocol),
        Err(error) => drop(http::problem_response(error, None)),
    }
    read_creation(&head);
    let _ = tus::unsupported_version(&head);
    if let Err(error) = PatchRequest::parse(&head) {
        let _ = tus::patch_error_response(&error, None, "", None);
    }
    if let Ok(mut checks) = ContentChecks::from_tus(&head) {
        checks.update(bytes);
        let _ = checks.matches(head.header("upload-checksum"));
    }
    if let Ok(cors) = Cors::parse("https://example.com, https://*.example.com", "*") {
        let _ = http::preflight(&head, &cors);
        let _ = http::with_cors(Response::empty(StatusCode::NO_CONTENT), &head, &cors);
    }
    if let Ok(hosts) = AllowedHosts::parse("localhost, *.example.com") {
        let _ = hosts.check(&head);
    }
    if let Ok(base_path) = BasePath::parse("/v1") {
        let public_url = PublicUrl::new(&head, &base_path, true);
        let _ = public_url.locate(Response::empty(StatusCode::NO_CONTENT));
        let _ = head.below(&base_path);
    }
});

fn follow(head: &RequestHead, route: &Route, protocol: Protocol) {
    let _ = http::check_content(head, route, protocol);
    match route {
        Route::File { file_name } => drop(PlainFile::parse(head, file_name)),
        Route::FilePond { id } => follow_filepond(head, id),
        Route::Events(_) => drop(SseEncoder::from_request(head)),
        _ => {}
    }
}

fn follow_filepond(head: &RequestHead, id: &str) {
    let Ok(FilePondCall::Chunk(chunk)) = FilePondCall::parse(head, id, ByteCount(u64::MAX)) else {
        return;
    };
    let transfer = FilePondTransfer::new(NOW, chunk.file_length, &Metadata::default());
    assert_eq!(transfer.check(&chunk), Ok(()), "the chunk belongs to this file");
    let _ = chunk.known_len(ByteCount(7));
}

fn read_creation(head: &RequestHead) {
    let metadata = Metadata::from_head(head);
    if let Ok(metadata) = &metadata {
        let _ = metadata.without_credentials();
        let _ = http::MediaClaim::parse(head, metadata);
    }
    let _ = http::client_credential(head, metadata.as_ref().ok(), NOW);
    if let Ok(creation) = CreationRequest::parse(head, ByteCount(u64::MAX)) {
        let name = creation.file_name.resolve(None);
        let _ = name.map(|name| (name.title(), name.extension()));
    }
}
