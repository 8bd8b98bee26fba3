//! Request bodies that are sent in chunks.

use std::io;
use std::ops::Range;

use vod_uploader_wire::{Client, Framing, Request, Response};

use crate::source::Source;

/// A request's body.
#[derive(Clone, Debug)]
pub enum Body<'a> {
    /// None, and no Content-Length.
    None,
    /// These bytes, with their Content-Length.
    Bytes(&'a [u8]),
    /// A range of a file, with its Content-Length.
    Range(&'a Source, Range<u64>),
    /// A range of a file, of undeclared length.
    Chunked(&'a Source, Range<u64>),
}

impl Body<'_> {
    /// Sends a request with this body and reads its response, which may arrive before the end of
    /// the body.
    ///
    /// # Errors
    /// Returns an error if no complete response arrives.
    pub fn send(&self, client: &Client, request: Request) -> io::Result<Response> {
        let (framing, source, range) = match self {
            Self::None => return client.send(&request),
            Self::Bytes(bytes) => return client.send(&request.body(bytes)),
            Self::Range(source, range) => (Framing::Length(range.end - range.start), source, range),
            Self::Chunked(source, range) => (Framing::Chunked, source, range),
        };
        let mut exchange = client.start(&request.framing(framing))?;
        source.read(range.clone(), |chunk| exchange.send(chunk));
        exchange.finish()
    }
}
