//! A client of the worker for tus 1.0.0.

use std::io;
use std::ops::Range;

use serde_json::Value;
use vod_uploader_wire::{Client, Exchange, Framing, Headers, Response, tus};

pub use vod_uploader_wire::tus::metadata;

use crate::body::Body;
use crate::edge::Edge;
use crate::source::{Source, sha256};

/// An upload at the worker.
#[derive(Clone, Debug)]
pub struct Upload {
    /// Its path.
    pub path: String,
    /// Its media ID.
    pub media_id: String,
    /// The token with which a new upload can continue the media asset; empty if there is none.
    pub media_token: String,
}

impl Upload {
    /// Creates an upload of `length` bytes.
    ///
    /// # Panics
    /// If the worker rejects it.
    #[must_use]
    pub fn create(edge: &Edge, length: u64) -> Self {
        Self::from_response(&create(edge, length, &[], &[]))
    }

    /// The upload in the response to a creation.
    ///
    /// # Panics
    /// If there is none.
    #[must_use]
    pub fn from_response(response: &Response) -> Self {
        assert_eq!(response.status, 201, "{}", response.text());
        let path = response.header("location").expect("a location").to_owned();
        let header = |name| response.header(name).unwrap_or_default().to_owned();
        Self { path, media_id: header("media-id"), media_token: header("media-token") }
    }

    /// A new upload of `length` bytes that continues the media asset of this one.
    ///
    /// # Panics
    /// If the worker rejects it.
    #[must_use]
    pub fn continued(&self, edge: &Edge, length: u64) -> Self {
        let owner =
            [("media_id", self.media_id.as_str()), ("media_token", self.media_token.as_str())];
        Self::from_response(&create(edge, length, &owner, &[]))
    }

    /// HEAD.
    ///
    /// # Panics
    /// If no response arrives.
    #[must_use]
    pub fn head(&self, edge: &Edge) -> Response {
        edge.client().send(&tus::request("HEAD", &self.path)).expect("a response")
    }

    /// The offset that the worker acknowledges.
    ///
    /// # Panics
    /// If the response is an error.
    #[must_use]
    pub fn offset(&self, edge: &Edge) -> u64 {
        let response = self.head(edge);
        assert_eq!(response.status, 200, "HEAD {}", self.path);
        response.offset()
    }

    /// The offset that `GET /v1/files/{id}` reports; the query does not interrupt an active writer.
    ///
    /// # Panics
    /// If the response is an error.
    #[must_use]
    pub fn bytes_durable(&self, edge: &Edge) -> u64 {
        self.status(edge)["bytes_durable"].as_u64().expect("an offset")
    }

    /// PATCH with the bytes of `range`, which starts at the offset.
    ///
    /// # Errors
    /// Returns an error if no complete response arrives.
    pub fn patch(&self, edge: &Edge, source: &Source, range: Range<u64>) -> io::Result<Response> {
        self.patch_with(edge, &[], range.start, &Body::Range(source, range.clone()))
    }

    /// PATCH with more headers and any body.
    ///
    /// # Errors
    /// Returns an error if no complete response arrives.
    pub fn patch_with(
        &self,
        edge: &Edge,
        more: Headers<'_>,
        offset: u64,
        body: &Body<'_>,
    ) -> io::Result<Response> {
        body.send(&edge.client(), tus::patch(&self.path, offset).headers(more))
    }

    /// Sends the head of a PATCH with `length` bytes from `offset` on; the caller sends the bytes.
    ///
    /// # Errors
    /// Returns an error if there is no connection.
    pub fn start_patch(&self, client: &Client, offset: u64, length: u64) -> io::Result<Exchange> {
        client.start(&tus::patch(&self.path, offset).framing(Framing::Length(length)))
    }

    /// Queries the offset and sends the rest, until the upload is complete.
    ///
    /// # Panics
    /// If it is incomplete after ten requests.
    pub fn finish(&self, edge: &Edge, source: &Source) {
        let mut last = None;
        for _ in 0..10 {
            let offset = self.offset(edge);
            if offset == source.length() && self.state(edge) == "completed" {
                return;
            }
            last = Some(self.patch(edge, source, offset..source.length()));
        }
        panic!("the upload is incomplete: {last:?}");
    }

    /// Asserts that the upload is complete, that its object has the bytes of `source`, and that no
    /// multipart upload remains.
    ///
    /// # Panics
    /// If not.
    pub fn assert_complete(&self, edge: &Edge, source: &Source) {
        let status = self.status(edge);
        assert_eq!(status["state"], "completed");
        let bytes = edge.sandbox.object_bytes(status["object"].as_str().expect("an object"));
        assert_eq!(sha256(&bytes), source.sha256());
        assert!(edge.sandbox.uploads().is_empty(), "{:?}", edge.sandbox.uploads());
    }

    /// `state` of `GET /v1/files/{id}`.
    ///
    /// # Panics
    /// If no response arrives.
    #[must_use]
    pub fn state(&self, edge: &Edge) -> String {
        self.status(edge)["state"].as_str().expect("a state").to_owned()
    }

    /// `GET /v1/files/{id}`.
    ///
    /// # Panics
    /// If no response arrives.
    #[must_use]
    pub fn status(&self, edge: &Edge) -> Value {
        let response = edge.request("GET", &self.path, &[], &Body::None).expect("a response");
        assert_eq!(response.status, 200, "{}", response.text());
        response.json()
    }

    /// DELETE.
    ///
    /// # Panics
    /// If no response arrives.
    #[must_use]
    pub fn delete(&self, edge: &Edge) -> Response {
        edge.client().send(&tus::request("DELETE", &self.path)).expect("a response")
    }
}

/// POST: a new upload of `length` bytes, with more metadata and headers.
///
/// # Panics
/// If no response arrives.
#[must_use]
pub fn create(edge: &Edge, length: u64, metadata: &[(&str, &str)], more: Headers<'_>) -> Response {
    let creation = tus::request("POST", "/v1/files")
        .header("upload-length", length)
        .header("upload-metadata", tus::metadata(&[&[("filename", "clip.mp4")], metadata].concat()))
        .headers(more);
    edge.client().send(&creation).expect("a response")
}

/// The version header.
pub const VERSION: (&str, &str) = ("tus-resumable", tus::VERSION);

/// The content type of a PATCH.
pub const CHUNK_TYPE: (&str, &str) = ("content-type", tus::CONTENT_TYPE);
