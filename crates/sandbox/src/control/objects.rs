//! `GET /_sandbox/objects/…`: the stored objects.

use http::{Method, StatusCode};
use serde_json::json;

use crate::clock::oss_time;
use crate::http::{RequestHead, Response, empty, json as json_response, streamed, with_header};
use crate::state::SandboxState;
use crate::store::Object;

/// Lists a bucket, or returns one object. `rest` is `bucket` or `bucket/key`.
pub(super) fn serve(state: &SandboxState, head: &RequestHead, rest: &str) -> Response {
    let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
    if key.is_empty() {
        let objects: Vec<_> = state.store.objects(bucket).iter().map(describe).collect();
        return json_response(StatusCode::OK, &objects);
    }
    let Some(object) = state.store.object(bucket, key) else {
        let error = json!({ "error": format!("no object {key} in {bucket}") });
        return json_response(StatusCode::NOT_FOUND, &error);
    };
    let response = if head.method == Method::HEAD {
        let length = object.size_bytes.to_string();
        with_header(empty(StatusCode::OK), "content-length", &length)
    } else if state.store.stores_bodies() {
        let chunks = state.store.read(&object, 0, object.size_bytes);
        streamed(StatusCode::OK, object.size_bytes, chunks)
    } else {
        let error = json!({ "error": "the sandbox was started with --discard-bodies" });
        return json_response(StatusCode::NOT_IMPLEMENTED, &error);
    };
    let response = with_header(response, "etag", &format!("\"{}\"", object.etag));
    with_header(response, "x-oss-hash-crc64ecma", &object.crc64.to_string())
}

fn describe(object: &Object) -> serde_json::Value {
    json!({
        "key": object.key,
        "size": object.size_bytes,
        "etag": object.etag,
        // As a string: JavaScript numbers lose the low bits.
        "crc64": object.crc64.to_string(),
        "multipart": object.multipart,
        "parts": object.segments.len(),
        "headers": object.headers.iter().cloned().collect::<std::collections::BTreeMap<_, _>>(),
        "modified": oss_time(object.modified),
    })
}
