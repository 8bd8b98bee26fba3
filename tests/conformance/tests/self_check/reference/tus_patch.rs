//! tus: PATCH, with checksums.

use super::append::Appended;
use super::wire::{Incoming, Response};
use super::{Server, tus_creation};
use crate::fault::Fault;

impl Server {
    /// Appends. Returns `None` to close the connection.
    pub(super) fn tus_patch(&self, id: &str, request: &mut Incoming) -> Option<Response> {
        let rejection = self.tus_check_patch(id, request);
        if let Some((response, appends)) = rejection {
            if appends {
                self.append(id, request);
            }
            return Some(response);
        }
        let is_checked =
            request.field("Upload-Checksum").is_some() || request.field("Trailer").is_some();
        if is_checked {
            if let Some(response) = self.tus_checked(id, request)? {
                return Some(response);
            }
        } else {
            match self.append(id, request) {
                Appended::Complete => {}
                Appended::Interrupted | Appended::Replaced => return None,
                Appended::TooLong => return Some(Response::new(400)),
            }
        }
        let offset = self.uploads().get(id)?.offset();
        Some(
            Response::new(if self.has(Fault::PatchIs200) { 200 } else { 204 })
                .field_if(!self.has(Fault::PatchWithoutOffset), "Upload-Offset", offset)
                .field_if(!self.has(Fault::PatchWithoutExpiry), "Upload-Expires", self.expiry()),
        )
    }

    /// The rejection of a PATCH, and whether it is appended nevertheless, as a fault.
    fn tus_check_patch(&self, id: &str, request: &Incoming) -> Option<(Response, bool)> {
        let rejected = |status| Some((Response::new(status), false));
        let mut uploads = self.uploads();
        let upload = uploads.get_mut(id)?;
        upload.requests += 1;
        upload.interrupt(self.has(Fault::ReplacedWrites));
        if !upload.parts.is_empty() {
            let status = if self.has(Fault::FinalPatchIs409) { 409 } else { 403 };
            return Some((Response::new(status), self.has(Fault::FinalPatched)));
        }
        if upload.is_stuck
            && (self.has(Fault::InterruptionSticks) || self.has(Fault::MismatchSticks))
        {
            return rejected(423);
        }
        let is_typed = request.field("Content-Type") == Some("application/offset+octet-stream");
        if !is_typed && !self.has(Fault::OtherTypeAccepted) {
            return rejected(415);
        }
        if request.is_chunked() && self.has(Fault::ChunksRejected) {
            return rejected(411);
        }
        let missing = self.has(Fault::MissingOffsetIs0).then_some(0);
        let reported = request.field("Upload-Offset");
        let offset = match reported.map(|value| self.tus_integer(value, Fault::OffsetReadLeniently))
        {
            None if missing.is_none() => return rejected(400),
            None => missing,
            Some(offset) => offset,
        };
        let Some(offset) = offset else { return rejected(400) };
        if offset != upload.offset() {
            let status = if self.has(Fault::WrongOffsetIs400) { 400 } else { 409 };
            return Some((Response::new(status), self.has(Fault::WrongOffsetAppended)));
        }
        if let Some(value) = request.field("Upload-Length") {
            let Some(length) = self.tus_integer(value, Fault::LengthReadLeniently) else {
                return rejected(400);
            };
            let is_changed = upload.length.is_some_and(|known| known != length);
            if is_changed && !self.has(Fault::LengthChanges) {
                return rejected(400);
            }
            if length < offset && !self.has(Fault::LateLengthBelowAccepted) {
                return rejected(400);
            }
            if !self.has(Fault::LateLengthIgnored) && length >= offset {
                upload.length = Some(length);
            }
        }
        None
    }

    /// A PATCH with a checksum: `Some` is the response that rejects it.
    fn tus_checked(&self, id: &str, request: &mut Incoming) -> Option<Option<Response>> {
        let has_trailer = request.field("Trailer").is_some();
        if has_trailer && self.has(Fault::TrailerRejected) {
            return Some(Some(Response::new(400)));
        }
        let body = self.read_body(request)?;
        let written = request.field("Upload-Checksum").unwrap_or_default();
        let (algorithm, sum) = written.split_once(' ').unwrap_or((written, ""));
        let right = tus_creation::checksum(algorithm, &body);
        let (status, appends) = match right {
            _ if has_trailer && self.has(Fault::TrailerIgnored) => (204, true),
            _ if sum.is_empty() && self.has(Fault::MalformedSumIgnored) => (204, true),
            None if self.has(Fault::UnknownAlgorithmIs460) => (460, false),
            None => (400, self.has(Fault::UnknownAlgorithmAppended)),
            Some(_) if algorithm == "sha256" && self.has(Fault::Sha256Misread) => (460, false),
            Some(right) if right == sum => (204, true),
            Some(_) if self.has(Fault::WrongSumIs400) => (400, false),
            Some(_) => (460, self.has(Fault::WrongSumAppended)),
        };
        let mut uploads = self.uploads();
        let upload = uploads.get_mut(id)?;
        if appends {
            upload.bytes.extend(&body);
        } else {
            upload.is_stuck = self.has(Fault::MismatchSticks);
        }
        Some((status != 204).then(|| Response::new(status)))
    }
}
