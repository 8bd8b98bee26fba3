//! The edge protocols as pure functions: a request's head in, what to do out; a result in, an
//! answer out. Bodies pass by the driver and are never seen here.

mod credentials;
mod file_name;
mod metadata;
mod plain;
mod problem;
mod route;
mod status;
mod tus;

pub use credentials::{
    MEDIA_ID_HEADER, UPLOAD_ADDRESS_HEADER, UPLOAD_AUTH_HEADER, client_credential, client_media_id,
    is_media_id,
};
pub use file_name::{FILE_NAME_BYTES_MAX, FileName};
pub use metadata::Metadata;
pub use plain::{PlainPut, created, media_kind};
pub use problem::{problem, status_of};
pub use route::{Route, route};
pub use status::UploadStatus;
pub use tus::{
    Chunk, Creation, PROTOCOL_VERSION, chunk_ended, chunk_stored, discovered, offset,
    resource_created, terminated, wrong_version,
};

/// The head of a request: everything but its body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// The method, as sent.
    pub method: String,
    /// The path, still percent-encoded, without the query.
    pub path: String,
    /// The headers, names in any case. May hold secrets.
    pub headers: Vec<(String, String)>,
}

impl Head {
    /// The first header of this name, trimmed.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(sent, _)| sent.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.trim())
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
fn integer_header(head: &Head, name: &str) -> crate::Result<Option<u64>> {
    let Some(value) = head.header(name) else { return Ok(None) };
    let digits = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
    match value.parse() {
        Ok(number) if digits => Ok(Some(number)),
        _ => Err(invalid(format!("{name} is not a non-negative integer"))),
    }
}

/// Whether a value can be sent on as a header's: printable ASCII.
fn is_header_value(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| (0x20..0x7f).contains(&byte))
}

fn invalid(message: impl Into<String>) -> crate::Error {
    crate::Error::new(crate::ErrorKind::RequestInvalid, message)
}
