//! The edge protocols as pure functions: they parse request heads and build responses. Request
//! bodies are not handled here.

mod allowed_hosts;
mod base_path;
mod checksum;
mod cleanup_report;
mod content;
mod cors;
mod credentials;
mod disposition;
mod events;
mod file_name;
mod filepond;
#[cfg(test)]
mod fixtures;
pub mod form;
pub mod header;
pub mod ietf;
mod media_claim;
mod media_type;
mod metadata;
mod name_hint;
mod operator;
mod origins;
mod parameters;
mod plain;
mod problem;
mod problem_response;
mod public_url;
mod request_head;
mod response;
mod routing;
mod structured_fields;
pub mod tus;
mod upload_status;

pub use allowed_hosts::AllowedHosts;
pub use base_path::BasePath;
pub use checksum::{
    Algorithm, Checksum, ContentChecks, ReprDigestState, ResumableSha256, repr_digests,
    wanted_digests,
};
pub use cleanup_report::CleanupReport;
pub use cors::{Cors, preflight, with_cors};
pub use credentials::client_credential;
pub use events::SseEncoder;
pub use file_name::{FileName, is_extension, shortened_title};
pub use filepond::{
    FilePondCall, FilePondChunk, FilePondTransfer, REVERT_BYTES_MAX, filepond_offset,
    filepond_stored, id_in_body, metadata_fields, transfer_created,
};
pub use media_claim::{MediaClaim, is_media_id, media_not_owned};
pub use metadata::Metadata;
pub use name_hint::NameHint;
pub use operator::OperatorAccess;
pub use origins::Origins;
pub use plain::{PlainFile, created};
pub use problem::{Problem, status_of};
pub use problem_response::problem_response;
pub use public_url::PublicUrl;
pub use request_head::RequestHead;
pub use response::{Body, Response};
pub use routing::{Protocol, Route, check_content, route};
pub use upload_status::UploadStatus;

use ::http::HeaderName;

use crate::error::Error;

pub(crate) use file_name::FILE_NAME_CHARS_MAX;

/// The value of a header that must be a non-negative integer.
///
/// # Errors
/// Returns [`ErrorKind::RequestInvalid`](crate::ErrorKind::RequestInvalid) with the header as its
/// field, also if it is sent twice with two values.
fn integer_header(head: &RequestHead, name: &HeaderName) -> crate::Result<Option<u64>> {
    let invalid = || Error::field_invalid(name.as_str(), "one non-negative integer below 2^64");
    let Some(value) = head.header(name) else { return Ok(None) };
    if head.header_values(name).any(|other| other != value) {
        return Err(invalid());
    }
    let digits = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
    match value.parse() {
        Ok(number) if digits => Ok(Some(number)),
        _ => Err(invalid()),
    }
}

/// Returns true if `text` can be the value of a header: printable ASCII, not empty.
fn is_header_value(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| (0x20..0x7f).contains(&byte))
}
