//! tus 1.0.0 (<https://tus.io/protocols/resumable-upload>).

use std::fmt::Display;
use std::io::{self, Read};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::client::Client;
use crate::request::{Framing, Request};
use crate::response::Response;

/// A request in this version of the protocol.
#[must_use]
pub fn request(method: &str, target: &str) -> Request {
    Request::new(method, target).header("Tus-Resumable", VERSION)
}

/// A PATCH that appends at `offset`; the caller adds the body.
#[must_use]
pub fn patch(target: &str, offset: impl Display) -> Request {
    request("PATCH", target).header("Content-Type", CONTENT_TYPE).header("Upload-Offset", offset)
}

/// A POST that concatenates partial uploads in this order.
#[must_use]
pub fn concatenation(target: &str, partial_uploads: &[&str]) -> Request {
    request("POST", target).header("Upload-Concat", format!("final;{}", partial_uploads.join(" ")))
}

/// The value of `Upload-Metadata`.
#[must_use]
pub fn metadata<N: Display, V: AsRef<[u8]>>(pairs: &[(N, V)]) -> String {
    let pairs = pairs.iter().map(|(name, value)| format!("{name} {}", STANDARD.encode(value)));
    pairs.collect::<Vec<_>>().join(",")
}

/// The value of `Upload-Checksum`.
#[must_use]
pub fn checksum(algorithm: &str, digest: impl AsRef<[u8]>) -> String {
    format!("{algorithm} {}", STANDARD.encode(digest))
}

/// An upload of known length, for programs that only upload.
#[derive(Clone, Debug)]
pub struct Upload {
    client: Client,
    /// The target of its requests.
    pub target: String,
}

impl Upload {
    /// Creates an upload by a POST to `target`.
    ///
    /// # Errors
    /// Returns an error if there is no success with a `Location`.
    pub fn create(
        client: &Client,
        target: &str,
        file_name: &str,
        length_bytes: u64,
    ) -> io::Result<Self> {
        let creation = request("POST", target)
            .header("Upload-Length", length_bytes)
            .header("Upload-Metadata", metadata(&[("filename", file_name)]))
            .body(b"");
        let response = client.expect_success(&creation)?;
        let location = response.header("location");
        let location = location.ok_or_else(|| missing(&creation, "Location"))?;
        Ok(Self { client: client.clone(), target: location.to_owned() })
    }

    /// The offset that the server has acknowledged, in bytes.
    ///
    /// # Errors
    /// Returns an error if there is no success with an `Upload-Offset`.
    pub fn offset(&self) -> io::Result<u64> {
        let head = request("HEAD", &self.target);
        acknowledged(&head, &self.client.expect_success(&head)?)
    }

    /// Appends `length_bytes` of `source` at `offset`. Returns the new offset.
    ///
    /// # Errors
    /// Returns an error if `source` ends too early or cannot be read, or there is no success with
    /// an `Upload-Offset`.
    pub fn append(&self, offset: u64, length_bytes: u64, source: &mut dyn Read) -> io::Result<u64> {
        let patch = patch(&self.target, offset).framing(Framing::Length(length_bytes));
        let mut exchange = self.client.start(&patch)?;
        let mut buffer = vec![0; BUFFER_BYTES];
        let mut source = source.take(length_bytes);
        loop {
            let read = source.read(&mut buffer)?;
            if read == 0 || !exchange.send(&buffer[..read]) {
                break;
            }
        }
        acknowledged(&patch, &exchange.finish()?.into_success(&patch)?)
    }
}

fn acknowledged(request: &Request, response: &Response) -> io::Result<u64> {
    let offset = response.header("upload-offset").and_then(|value| value.parse().ok());
    offset.ok_or_else(|| missing(request, "Upload-Offset"))
}

fn missing(Request { method, target, .. }: &Request, header: &str) -> io::Error {
    io::Error::other(format!("{method} {target}: the response has no {header}"))
}

/// The protocol version.
pub const VERSION: &str = "1.0.0";

/// The media type of the body of a PATCH.
pub const CONTENT_TYPE: &str = "application/offset+octet-stream";

const BUFFER_BYTES: usize = 64 * 1024;
