//! The fixture of a case.

use std::ops::Deref;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use url::Url;
use vod_uploader_wire::{Request, Response, tus};

use super::capabilities::ServerCapabilities;
use crate::case::{CaseAbort, Verdict};
use crate::case_client::CaseClient;
use crate::check::{ResponseChecks, expect};
use crate::poll::poll;
use crate::setup::Setup;

/// A case's access to the server. Its methods are lenient: a case that needs an upload accepts any
/// successful response to its creation.
#[derive(Debug)]
pub struct Fixture {
    case_client: CaseClient,
    pub(super) capabilities: ServerCapabilities,
}

impl Fixture {
    pub(super) fn new(setup: &Setup, capabilities: &ServerCapabilities) -> Self {
        Self { case_client: CaseClient::new(setup), capabilities: capabilities.clone() }
    }

    /// Skips the case unless the server announces an extension.
    pub(super) fn needs(&self, extension: &str) -> Verdict {
        if self.offers(extension) {
            Ok(())
        } else {
            Err(CaseAbort::skipped(format!("the extension {extension} is not announced")))
        }
    }

    pub(super) fn offers(&self, extension: &str) -> bool {
        self.capabilities.extensions.iter().any(|offered| offered == extension)
    }

    /// A request in this version of the protocol.
    pub(super) fn request(&self, method: &str, url: &Url) -> Request {
        tus::request(method, url.as_str())
    }

    /// A creation request without a length.
    pub(super) fn creation(&self) -> Request {
        let request = self.request("POST", &self.setup.url).body(b"");
        match self.metadata().as_str() {
            "" => request,
            metadata => request.header("Upload-Metadata", metadata),
        }
    }

    /// The metadata of the settings, as a value of `Upload-Metadata`.
    pub(super) fn metadata(&self) -> String {
        tus::metadata(&self.setup.metadata)
    }

    /// A new upload of this length.
    pub(super) fn create(&self, length: usize) -> Result<Url, CaseAbort> {
        self.create_by(&self.creation().header("Upload-Length", length))
    }

    /// The upload that this request creates.
    pub(super) fn create_by(&self, request: &Request) -> Result<Url, CaseAbort> {
        self.needs("creation")?;
        let response = self.send(request)?;
        response.expect_success()?;
        response.location(&self.setup.url)
    }

    /// A PATCH with these bytes.
    pub(super) fn patch(&self, upload: &Url, offset: usize, content: &[u8]) -> Request {
        tus::patch(upload.as_str(), offset).body(content)
    }

    /// Appends these bytes.
    pub(super) fn append(&self, upload: &Url, offset: usize, content: &[u8]) -> Verdict {
        self.send(&self.patch(upload, offset, content))?.expect_success()
    }

    /// A complete upload of these bytes.
    pub(super) fn complete(&self, content: &[u8]) -> Result<Url, CaseAbort> {
        let upload = self.create(content.len())?;
        self.append(&upload, 0, content)?;
        Ok(upload)
    }

    /// The response to HEAD.
    pub(super) fn head(&self, upload: &Url) -> Result<Response, CaseAbort> {
        self.send(&self.request("HEAD", upload))
    }

    /// The offset in the response to HEAD.
    pub(super) fn offset(&self, upload: &Url) -> Result<u64, CaseAbort> {
        self.head(upload)?.integer("Upload-Offset")
    }

    /// Checks that HEAD returns this offset.
    pub(super) fn expect_offset(&self, upload: &Url, expected: usize) -> Verdict {
        let offset = self.offset(upload)?;
        expect(offset == expected as u64, || format!("expected offset {expected}, got {offset}"))
    }

    /// Waits until HEAD returns this offset, and returns the last one.
    pub(super) fn await_offset(&self, upload: &Url, expected: usize) -> Result<u64, CaseAbort> {
        let request = || self.offset(upload);
        poll(self.setup.response_timeout, request, |offset| *offset == expected as u64)
    }
}

impl Deref for Fixture {
    type Target = CaseClient;

    fn deref(&self) -> &CaseClient {
        &self.case_client
    }
}

/// A metadata value.
pub(super) fn encoded(value: &str) -> String {
    STANDARD.encode(value)
}
