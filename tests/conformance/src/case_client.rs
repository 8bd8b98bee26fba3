//! The client of a case, for both protocols.

use url::Url;
use vod_uploader_wire::{Client, Exchange, Record, Request, Response, Transcript};

use crate::case::{CaseAbort, Verdict};
use crate::check::ResponseChecks;
use crate::setup::Setup;

/// A case's access to the server.
#[derive(Debug)]
pub struct CaseClient {
    pub(crate) setup: Setup,
    pub(crate) client: Client,
}

impl CaseClient {
    pub(crate) fn new(setup: &Setup) -> Self {
        Self { setup: setup.clone(), client: setup.client() }
    }

    /// A size for bodies that are interrupted: larger than one read.
    pub(crate) fn large(&self) -> usize {
        self.setup.size_max_bytes
    }

    /// Sends a request and reads its response.
    pub(crate) fn send(&self, request: &Request) -> Result<Response, CaseAbort> {
        Ok(self.client.send(request)?)
    }

    /// Sends the first `bytes` of a request's body and interrupts it.
    pub(crate) fn interrupt(&self, request: &Request, bytes: usize) -> Verdict {
        self.client.send_part(request, bytes)?.interrupt();
        Ok(())
    }

    /// Sends the first `bytes` of a request's body and leaves the connection open.
    pub(crate) fn start_hanging(
        &self,
        request: &Request,
        bytes: usize,
    ) -> Result<Exchange, CaseAbort> {
        let mut hanging = self.client.start(&request.clone().header("Expect", "100-continue"))?;
        hanging.await_continue(self.setup.hang_bound / 4);
        hanging.send(&request.content[..bytes]);
        Ok(hanging)
    }

    /// Sends a request whose body waits for `100 (Continue)`. Returns its response, or `None` if
    /// the server sends a final response without reading the body.
    pub(crate) fn send_after_continue(
        &self,
        request: &Request,
    ) -> Result<Option<Response>, CaseAbort> {
        let mut pending = self.client.start(&request.clone().header("Expect", "100-continue"))?;
        loop {
            let head = pending.next_head(self.setup.response_timeout).map_err(|cause| {
                CaseAbort::failed(format!(
                    "expected 100 or a final response before the content, got {cause}"
                ))
            })?;
            match head.status {
                100 => {
                    pending.send(&request.content);
                    return Ok(Some(pending.response()?));
                }
                101..200 => {}
                _ => return Ok(None),
            }
        }
    }

    /// The bytes of a complete upload, if the caller specified how to read them.
    pub(crate) fn read_back(&self, upload: &Url) -> Result<Vec<u8>, CaseAbort> {
        let url = self.setup.read_back_url(upload);
        let url = url.ok_or_else(|| CaseAbort::skipped("requires --read-back"))?;
        let response = self.send(&Request::new("GET", url.as_str()))?;
        response.expect_success()?;
        Ok(response.body)
    }

    /// All exchanges with the server.
    pub(crate) fn exchanges(&self) -> Vec<Record> {
        self.client.transcript().map(Transcript::records).unwrap_or_default()
    }
}
