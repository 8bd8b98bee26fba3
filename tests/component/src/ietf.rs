//! A client of the IETF's resumable uploads, in the words of each of its drafts
//! (<https://datatracker.ietf.org/doc/draft-ietf-httpbis-resumable-upload/>).

use std::io;

use crate::edge::Edge;
use crate::http::{Body, Client, Exchange, Framing, Headers, Response};
use crate::tus::Upload;

/// The words of one draft, by its interop version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Draft(pub &'static str);

/// The drafts that are spoken.
pub const DRAFTS: [Draft; 5] = [Draft("3"), Draft("4"), Draft("5"), Draft("6"), Draft("8")];

/// The newest.
pub const NEWEST: Draft = Draft("8");

type Words = Vec<(&'static str, &'static str)>;

impl Draft {
    /// The header that says whether the upload is complete.
    #[must_use]
    pub fn completeness(self, complete: bool) -> (&'static str, &'static str) {
        match (self.0, complete) {
            ("3", true) => ("upload-incomplete", "?0"),
            ("3", false) => ("upload-incomplete", "?1"),
            (_, true) => ("upload-complete", "?1"),
            (_, false) => ("upload-complete", "?0"),
        }
    }

    /// What `response` says of the completeness; `None` where it does not say.
    #[must_use]
    pub fn says_complete(self, response: &Response) -> Option<bool> {
        let (name, complete) = self.completeness(true);
        response.header(name).map(|said| said == complete)
    }

    /// The status of an append that leaves the upload incomplete.
    #[must_use]
    pub fn appended_status(self) -> u16 {
        if matches!(self.0, "3" | "4" | "5") { 201 } else { 204 }
    }

    /// The words of a request that begins an upload.
    #[must_use]
    pub fn creation(self, complete: bool) -> Words {
        vec![("upload-draft-interop-version", self.0), self.completeness(complete)]
    }

    /// The words of a request that continues one.
    #[must_use]
    pub fn continuation(self, complete: bool) -> Words {
        let mut words = self.creation(complete);
        if matches!(self.0, "6" | "8") {
            words.push(("content-type", "application/partial-upload"));
        }
        words
    }

    /// POST of a new upload called `clip.mp4`.
    ///
    /// # Panics
    /// Where no answer comes.
    #[must_use]
    pub fn create(
        self,
        edge: &Edge,
        complete: bool,
        more: Headers<'_>,
        body: &Body<'_>,
    ) -> Response {
        let mut headers = self.creation(complete);
        headers.push(("content-disposition", "inline; filename=\"clip.mp4\""));
        let headers: Vec<_> = headers.into_iter().chain(more.iter().copied()).collect();
        edge.request("POST", "/v1/files", &headers, body).expect("the worker answers")
    }

    /// The upload that a POST without content makes.
    ///
    /// # Panics
    /// Where the worker refuses it.
    #[must_use]
    pub fn begin(self, edge: &Edge) -> Upload {
        let created = self.create(edge, false, &[], &Body::Bytes(b""));
        Upload::created(&created)
    }

    /// PATCH.
    ///
    /// # Errors
    /// Where no whole answer comes.
    pub fn append(
        self,
        edge: &Edge,
        upload: &Upload,
        (offset, complete): (u64, bool),
        more: Headers<'_>,
        body: &Body<'_>,
    ) -> io::Result<Response> {
        let offset = offset.to_string();
        let mut headers: Vec<(&str, &str)> = self.continuation(complete);
        headers.push(("upload-offset", &offset));
        headers.extend_from_slice(more);
        edge.request("PATCH", &upload.path, &headers, body)
    }

    /// The head of a PATCH; the caller sends the content.
    ///
    /// # Errors
    /// Where there is no connection.
    pub fn begin_append(
        self,
        client: &Client,
        upload: &Upload,
        (offset, complete): (u64, bool),
        framing: Framing,
    ) -> io::Result<Exchange> {
        let offset = offset.to_string();
        let mut headers: Vec<(&str, &str)> = self.continuation(complete);
        headers.push(("upload-offset", &offset));
        client.begin("PATCH", &upload.path, &headers, framing)
    }

    /// HEAD.
    ///
    /// # Panics
    /// Where no answer comes.
    #[must_use]
    pub fn head(self, edge: &Edge, upload: &Upload) -> Response {
        let headers = [("upload-draft-interop-version", self.0)];
        edge.request("HEAD", &upload.path, &headers, &Body::None).expect("the worker answers")
    }

    /// DELETE.
    ///
    /// # Panics
    /// Where no answer comes.
    #[must_use]
    pub fn delete(self, edge: &Edge, upload: &Upload) -> Response {
        let headers = [("upload-draft-interop-version", self.0)];
        edge.request("DELETE", &upload.path, &headers, &Body::None).expect("the worker answers")
    }
}
