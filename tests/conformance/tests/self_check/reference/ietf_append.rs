//! The IETF's protocol: PATCH.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use super::Server;
use super::append::Appended;
use super::ietf::VERSION;
use super::upload::Upload;
use super::wire::{Incoming, Response};
use crate::fault::Fault;

impl Server {
    /// Appends. Returns `None` to close the connection.
    pub(super) fn ietf_patch(&self, id: &str, request: &mut Incoming) -> Option<Response> {
        if self.has(Fault::PatchWaits) {
            self.wait_for_writer(id);
        }
        if let Some((response, appends)) = self.ietf_check_patch(id, request)? {
            if appends {
                self.append(id, request);
            }
            return Some(response);
        }
        let missing = self.has(Fault::MissingCompletenessCompletes);
        let complete = self.completeness_of(request).unwrap_or(missing);
        self.report_progress(id, request);
        if request.field("Content-Digest").is_some() {
            if let Some(response) = self.ietf_digested(id, request)? {
                return Some(response);
            }
        } else {
            match self.append(id, request) {
                Appended::Complete => {}
                Appended::Interrupted | Appended::Replaced => return None,
                Appended::TooLong => return self.ietf_too_long(id, request),
            }
        }
        let mut uploads = self.uploads();
        let upload = uploads.get_mut(id)?;
        let (name, value) = self.completeness(request, complete);
        if !complete {
            let status = if self.has(Fault::IncompleteAppendIs303) { 303 } else { 204 };
            let says = !self.has(Fault::IncompleteUndeclared);
            return Some(Response::new(status).field_if(says, &name, value));
        }
        upload.is_complete = !self.has(Fault::LastDoesNotComplete);
        let right = sha_256(&upload.bytes);
        let is_wrong = upload.repr_digest.as_ref().is_some_and(|digest| *digest != right);
        let is_refused = is_wrong && !self.has(Fault::WrongReprAccepted)
            || upload.repr_digest.is_some() && self.has(Fault::RightReprRejected);
        let response = Response::new(if is_refused { 400 } else { 200 });
        let returns = upload.wants_digest && !self.has(Fault::WantedDigestUnreported);
        Some(response.field_if(!self.has(Fault::LastUndeclared), &name, value).field_if(
            returns,
            "Repr-Digest",
            right,
        ))
    }

    /// The rejection of a PATCH, and whether it is appended nevertheless, as a fault.
    fn ietf_check_patch(&self, id: &str, request: &Incoming) -> Option<Option<(Response, bool)>> {
        let rejected = |status| Some(Some((Response::new(status), false)));
        let mut uploads = self.uploads();
        let upload = uploads.get_mut(id)?;
        upload.requests += 1;
        if upload.is_stuck {
            return rejected(423);
        }
        let asks_type = !matches!(request.field(VERSION), Some("3" | "4" | "5"));
        let is_typed = request.field("Content-Type") == Some("application/partial-upload");
        if asks_type && !is_typed && !self.has(Fault::OtherTypeAccepted) {
            let returns = !self.has(Fault::OtherTypeUnreported);
            let response = Response::new(415);
            let response = response.field_if(returns, "Accept-Patch", "application/partial-upload");
            return Some(Some((response, false)));
        }
        let complete = self.completeness_of(request);
        if complete.is_none() && !self.has(Fault::MissingCompletenessCompletes) {
            return rejected(400);
        }
        let has_content = request.is_chunked() || request.content_length().unwrap_or(0) > 0;
        if upload.is_complete && has_content {
            let (name, value) = self.completeness(request, true);
            return Some(Some(if self.has(Fault::CompleteAppended) {
                (Response::new(204).field(&name, value), true)
            } else {
                (self.inconsistent(), false)
            }));
        }
        if upload.is_complete || !has_content && self.has(Fault::EmptyAppendRejected) {
            let status = if self.has(Fault::EmptyAppendToCompleteAccepted) { 204 } else { 400 };
            return Some(Some((Response::new(status).problem("completed-upload", &[]), false)));
        }
        let reported = request.field("Upload-Offset");
        let reported =
            reported.and_then(|value| self.ietf_integer(value, Fault::OffsetReadLeniently));
        let missing = self.has(Fault::MissingOffsetIs0).then_some(0);
        let Some(offset) = reported.or(missing) else { return rejected(400) };
        if offset != upload.offset() {
            let is_written = self.has(Fault::MismatchAppended);
            return Some(Some((self.mismatch(request, upload, offset), is_written)));
        }
        if !self.ietf_length(request, upload, complete == Some(true)) {
            return Some(Some((self.inconsistent(), false)));
        }
        Some(None)
    }

    fn mismatch(&self, request: &Incoming, upload: &Upload, offset: usize) -> Response {
        let (name, value) = self.completeness(request, self.has(Fault::MismatchSaysComplete));
        let response = Response::new(if self.has(Fault::MismatchIs400) { 400 } else { 409 })
            .field(&name, value)
            .field_if(!self.has(Fault::MismatchWithoutOffset), "Upload-Offset", upload.offset());
        let members = [("expected-offset", upload.offset()), ("provided-offset", offset)];
        match self.fault {
            Some(Fault::MismatchIsPlain) => response,
            Some(Fault::MismatchWithoutMembers) => {
                response.problem("mismatching-upload-offset", &[])
            }
            _ => response.problem("mismatching-upload-offset", &members),
        }
    }

    /// Sets the length that a PATCH declares. Returns false if it is contradictory.
    fn ietf_length(&self, request: &Incoming, upload: &mut Upload, complete: bool) -> bool {
        let written = request.field("Upload-Length");
        let written =
            written.and_then(|value| self.ietf_integer(value, Fault::LengthReadLeniently));
        let content = request.content_length().and_then(|length| usize::try_from(length).ok());
        let derived = content.filter(|_| complete).map(|length| upload.offset() + length);
        let differ = |one: Option<usize>, other: Option<usize>| {
            one.is_some_and(|one| other.is_some_and(|other| one != other))
        };
        if differ(written, derived) && !self.has(Fault::TwoLengthsInAppendAccepted) {
            return false;
        }
        let changes = differ(upload.length, written) || differ(upload.length, derived);
        if changes && !self.has(Fault::AnotherLengthAccepted) {
            return false;
        }
        let written = written.filter(|_| !self.has(Fault::LengthOfAppendDropped));
        let derived = derived.filter(|_| !self.has(Fault::LengthOfContentDropped));
        upload.length = derived.or(written).or(upload.length);
        true
    }

    fn ietf_too_long(&self, id: &str, request: &Incoming) -> Option<Response> {
        if self.has(Fault::BeyondIsTruncated) {
            let (name, value) = self.completeness(request, false);
            return Some(Response::new(204).field(&name, value));
        }
        self.uploads().get_mut(id)?.is_invalid = !self.has(Fault::BeyondStaysValid);
        Some(self.inconsistent())
    }

    /// An append with Content-Digest: `Some` is the response that rejects it.
    fn ietf_digested(&self, id: &str, request: &mut Incoming) -> Option<Option<Response>> {
        let body = self.read_body(request)?;
        let is_right = request.field("Content-Digest") == Some(sha_256(&body).as_str());
        let (is_taken, is_written) = match self.fault {
            Some(Fault::RightDigestRejected) => (false, false),
            Some(Fault::WrongDigestAccepted) => (true, is_right),
            Some(Fault::WrongDigestAppended) => (is_right, true),
            _ => (is_right, is_right),
        };
        if is_written {
            self.uploads().get_mut(id)?.bytes.extend(&body);
        }
        Some((!is_taken).then(|| Response::new(400)))
    }

    /// Sends the 104 of an append.
    fn report_progress(&self, id: &str, request: &Incoming) {
        let Some(version) = self.version_of(request) else { return };
        let offset = self.uploads().get(id).map_or(0, Upload::offset);
        let offset = if self.has(Fault::InterimReportsTooMuch) { offset + 50_000 } else { offset };
        let mut fields = vec![("Upload-Offset", offset.to_string()), (VERSION, version)];
        if self.has(Fault::InterimOfAppendWithLocation) {
            fields.push(("Location", format!("/files/{id}")));
        }
        request.interim(104, &fields);
    }
}

fn sha_256(content: &[u8]) -> String {
    format!("sha-256=:{}:", STANDARD.encode(Sha256::digest(content)))
}
