//! The fixture of a case.

use std::ops::{Deref, Range};

use url::Url;
use vod_uploader_wire::ietf::Draft;
use vod_uploader_wire::{Head, Request, Response};

use super::field;
use super::upload_limit::Limits;
use crate::case::{CaseAbort, Verdict};
use crate::case_client::CaseClient;
use crate::check::{ResponseChecks, expect};
use crate::poll::poll;
use crate::sample::sample;
use crate::setup::Setup;

/// A case's access to the server. Its methods are lenient: a case that needs an upload accepts any
/// successful response to its creation.
#[derive(Debug)]
pub struct Fixture {
    case_client: CaseClient,
    pub(super) draft: Draft,
    limits: Limits,
}

impl Fixture {
    pub(super) fn new(setup: &Setup, limits: &Limits) -> Self {
        let case_client = CaseClient::new(setup);
        Self { case_client, draft: Draft(setup.interop), limits: limits.clone() }
    }

    /// Skips the case in older interop versions.
    pub(super) fn since(&self, interop: u8) -> Verdict {
        let Draft(version) = self.draft;
        if version >= interop {
            return Ok(());
        }
        Err(CaseAbort::skipped(format!("interop version {version} does not require it")))
    }

    /// The size of an append that does not complete the upload: the minimum of the server.
    pub(super) fn append_bytes(&self) -> Result<usize, CaseAbort> {
        let least = usize::try_from(self.limits.append_size_min_bytes.unwrap_or(0));
        match least {
            Ok(least) if least <= self.setup.size_max_bytes => Ok(least.max(1000)),
            _ => Err(CaseAbort::skipped("min-append-size is above --size-max-test")),
        }
    }

    /// A request in this interop version.
    pub(super) fn request(&self, method: &str, url: &Url) -> Request {
        self.draft.request(method, url.as_str())
    }

    /// A request that creates an upload with these bytes.
    pub(super) fn creation(&self, complete: bool, content: &[u8]) -> Request {
        let Setup { method, url, media_type, .. } = &self.setup;
        let request = self.draft.creation(method, url.as_str(), complete);
        let request = request.header("Content-Type", media_type).body(content);
        match self.setup.file_name() {
            Some(file) => {
                request.header("Content-Disposition", format!("inline; filename=\"{file}\""))
            }
            None => request,
        }
    }

    /// A new upload without bytes and without a length.
    pub(super) fn create(&self) -> Result<Url, CaseAbort> {
        self.create_by(&self.creation(false, b""))
    }

    /// The upload that this request creates.
    pub(super) fn create_by(&self, request: &Request) -> Result<Url, CaseAbort> {
        let response = self.send(request)?;
        response.expect_success()?;
        response.location(&self.setup.url)
    }

    /// A PATCH with these bytes.
    pub(super) fn patch(
        &self,
        upload: &Url,
        offset: usize,
        content: &[u8],
        complete: bool,
    ) -> Request {
        let patch = self.draft.patch(upload.as_str(), offset, complete);
        patch.replace("Content-Type", self.media_type()).body(content)
    }

    /// Appends the bytes of [`sample`] in this range.
    pub(super) fn append(&self, upload: &Url, range: Range<usize>, complete: bool) -> Verdict {
        let content = sample(range.end);
        let content = content.get(range.clone()).unwrap_or_default();
        self.send(&self.patch(upload, range.start, content, complete))?.expect_success()
    }

    /// A complete upload of this many bytes.
    pub(super) fn complete(&self, length: usize) -> Result<Url, CaseAbort> {
        let upload = self.create()?;
        self.append(&upload, 0..length, true)?;
        Ok(upload)
    }

    /// The response to HEAD.
    pub(super) fn head(&self, upload: &Url) -> Result<Response, CaseAbort> {
        self.send(&self.request("HEAD", upload))
    }

    /// The offset in a response.
    pub(super) fn offset_in(&self, response: &Response) -> Result<usize, CaseAbort> {
        let value = response.required("Upload-Offset")?;
        let offset = field::integer(&value).and_then(|offset| usize::try_from(offset).ok());
        let otherwise = || format!("expected an Integer as Upload-Offset, got {value:?}");
        offset.ok_or_else(|| CaseAbort::failed(otherwise()))
    }

    /// The offset in the response to HEAD.
    pub(super) fn offset(&self, upload: &Url) -> Result<usize, CaseAbort> {
        self.offset_in(&self.head(upload)?)
    }

    /// Checks that HEAD returns this offset.
    pub(super) fn expect_offset(&self, upload: &Url, expected: usize) -> Verdict {
        let offset = self.offset(upload)?;
        expect(offset == expected, || format!("expected offset {expected}, got {offset}"))
    }

    /// Waits until HEAD returns this offset, and returns the last one.
    pub(super) fn await_offset(&self, upload: &Url, expected: usize) -> Result<usize, CaseAbort> {
        poll(self.setup.response_timeout, || self.offset(upload), |offset| *offset == expected)
    }

    /// Checks the declared completeness in a response.
    pub(super) fn expect_complete(&self, response: &Response, expected: bool) -> Verdict {
        let (name, value) = self.draft.completeness(expected);
        expect(self.is_complete(response) == Some(expected), || {
            let got = response.header(name).map_or("none".to_owned(), |value| format!("{value:?}"));
            format!("expected {name}: {value}, got {got}")
        })
    }

    /// Whether a response declares the upload complete; `None` if it declares nothing.
    pub(super) fn is_complete(&self, head: &Head) -> Option<bool> {
        let (name, value) = self.draft.completeness(true);
        let declared = head.header(name).and_then(field::boolean)?;
        Some(declared == (value == "?1"))
    }

    /// The media type of appended bytes.
    pub(super) fn media_type(&self) -> &'static str {
        self.draft.media_type().unwrap_or("application/octet-stream")
    }
}

impl Deref for Fixture {
    type Target = CaseClient;

    fn deref(&self) -> &CaseClient {
        &self.case_client
    }
}
