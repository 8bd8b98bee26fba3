//! The edge protocols as pure functions: a request's head in, what to do out; a result in, an
//! answer out. Bodies pass by the driver and are never seen here.

mod checksum;
mod content_checks;
mod cors;
mod credentials;
mod disposition;
mod events;
mod file_name;
mod filepond;
pub mod form;
pub mod ietf;
mod media_claim;
mod metadata;
mod name_hint;
mod plain;
mod problem;
mod protocol;
mod route;
mod status;
mod structured;
pub mod tus;

pub use checksum::{
    Algorithm, Checksum, ChecksumState, ReprDigest, TUS_ALGORITHMS, TrailerChecksumState,
    WholeDigest, content_digests, repr_digests, tus_checksum, wanted_digests,
};
pub use content_checks::ContentChecks;
pub use cors::{Origins, preflight, with_cors};
pub use credentials::{UPLOAD_ADDRESS_HEADER, UPLOAD_AUTH_HEADER, client_credential};
pub use events::EventFeed;
pub use file_name::{FILE_NAME_BYTES_MAX, FileName, is_extension};
pub use filepond::{
    FilePondCall, FilePondChunk, FilePondTransfer, REVERT_BYTES_MAX, filepond_begun,
    filepond_offset, filepond_stored, key_in_body, meant_fields,
};
pub use media_claim::{
    ISSUED_TOKEN_HEADER, MEDIA_ID_HEADER, MEDIA_TOKEN_HEADER, MediaClaim, is_media_id,
    media_not_owned,
};
pub use metadata::Metadata;
pub use name_hint::NameHint;
pub use plain::{PlainFile, created, media_kind};
pub use problem::{problem, status_of};
pub use protocol::Protocol;
pub use route::{Route, route};
pub use status::UploadStatus;

use crate::error::Error;

/// The head of a request: everything but its body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// The method, as sent.
    pub method: String,
    /// The path, still percent-encoded, without the query.
    pub path: String,
    /// What follows the first `?` of the request's target, still percent-encoded; may be empty.
    pub query: String,
    /// The headers, names in any case. May hold secrets.
    pub headers: Vec<(String, String)>,
}

impl Head {
    /// The first header of this name, trimmed.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    /// Every header of this name, trimmed, in the order in which they came.
    pub fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.headers
            .iter()
            .filter(move |(sent, _)| sent.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.trim())
    }

    /// The head without the headers that are for one object: the credential and the media.
    #[must_use]
    pub fn without_upload_headers(mut self) -> Self {
        let of_one_object =
            [UPLOAD_ADDRESS_HEADER, UPLOAD_AUTH_HEADER, MEDIA_ID_HEADER, MEDIA_TOKEN_HEADER];
        let is_kept = |name: &str| !of_one_object.iter().any(|h| name.eq_ignore_ascii_case(h));
        self.headers.retain(|(name, _)| is_kept(name));
        self
    }

    /// The method that is meant: a client that can send GET and POST alone names the other one in
    /// `X-HTTP-Method-Override` (<https://tus.io/protocols/resumable-upload#x-http-method-override>).
    #[must_use]
    pub fn meant_method(&self) -> &str {
        self.header("x-http-method-override").unwrap_or(&self.method)
    }
}

/// An answer: status, headers and a small body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// The headers, without Content-Length.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Response {
    /// An answer without a body.
    #[must_use]
    pub const fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new() }
    }

    /// An answer with a JSON body.
    #[must_use]
    pub fn json(status: u16, body: &serde_json::Value) -> Self {
        Self::json_as("application/json", status, body)
    }

    /// An answer with a JSON body of another media type.
    fn json_as(media_type: &str, status: u16, body: &serde_json::Value) -> Self {
        let headers =
            vec![("content-type", media_type.to_owned()), ("cache-control", "no-store".to_owned())];
        Self { status, headers, body: body.to_string().into_bytes() }
    }

    /// The same answer with one more header.
    #[must_use]
    pub fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

/// The value of a header that must be a non-negative integer.
///
/// # Errors
/// [`ErrorKind::RequestInvalid`](crate::ErrorKind::RequestInvalid) with the header as its field,
/// also where it is sent twice with two values.
fn integer_header(head: &Head, name: &'static str) -> crate::Result<Option<u64>> {
    let refused = || Error::field_invalid(name, "one non-negative integer below 2^64");
    let Some(value) = head.header(name) else { return Ok(None) };
    if head.all(name).any(|other| other != value) {
        return Err(refused());
    }
    let digits = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
    match value.parse() {
        Ok(number) if digits => Ok(Some(number)),
        _ => Err(refused()),
    }
}

/// Whether a value can be sent on as a header's: printable ASCII.
fn is_header_value(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| (0x20..0x7f).contains(&byte))
}
