//! The lines of a trace.

use vod_uploader::oss::Request;

use super::ports::KvOperation;
use crate::Operation;
use crate::operation::query;

/// An operation of the key-value store.
pub(super) fn describe_kv(instance: usize, operation: &KvOperation) -> String {
    let operation = match operation {
        KvOperation::Get { key } => format!("get {key}"),
        KvOperation::Set { key, value } => format!("set {key} ({} bytes)", value.len()),
        KvOperation::Delete { key } => format!("delete {key}"),
        KvOperation::Keys => "list keys".to_owned(),
    };
    format!("instance {instance}: {operation}")
}

/// A request to OSS or VOD, without its credential.
pub(super) fn describe_request(instance: usize, request: &Request) -> String {
    let path = request.url.path();
    if path == "/" {
        return format!("instance {instance}: VOD");
    }
    let query = query(request);
    let part = query.get("partNumber").map_or("", String::as_str);
    format!("instance {instance}: OSS {:?} {part} {path}", Operation::of(request))
}
