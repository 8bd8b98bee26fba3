//! tus: PATCH, with checksums.

use super::append::Appended;
use super::wire::{Answer, Incoming};
use super::{Server, tus_creation};
use crate::fault::Fault;

impl Server {
    /// Appends. `None` hangs up.
    pub(super) fn tus_patch(&self, id: &str, request: &mut Incoming) -> Option<Answer> {
        let refusal = self.tus_check_patch(id, request);
        if let Some((answer, appends)) = refusal {
            if appends {
                self.append(id, request);
            }
            return Some(answer);
        }
        let is_checked =
            request.field("Upload-Checksum").is_some() || request.field("Trailer").is_some();
        if is_checked {
            if let Some(answer) = self.tus_checked(id, request)? {
                return Some(answer);
            }
        } else {
            match self.append(id, request) {
                Appended::Whole => {}
                Appended::Cut | Appended::Replaced => return None,
                Appended::TooLong => return Some(Answer::new(400)),
            }
        }
        let offset = self.uploads().get(id)?.offset();
        Some(
            Answer::new(if self.has(Fault::PatchIs200) { 200 } else { 204 })
                .field_if(!self.has(Fault::PatchWithoutOffset), "Upload-Offset", offset)
                .field_if(!self.has(Fault::PatchWithoutExpiry), "Upload-Expires", self.expiry()),
        )
    }

    /// What is wrong with a PATCH, and whether it is appended nevertheless, as a fault.
    fn tus_check_patch(&self, id: &str, request: &Incoming) -> Option<(Answer, bool)> {
        let refused = |status| Some((Answer::new(status), false));
        let mut uploads = self.uploads();
        let upload = uploads.get_mut(id)?;
        upload.requests += 1;
        upload.interrupt(self.has(Fault::ReplacedWrites));
        if !upload.parts.is_empty() {
            let status = if self.has(Fault::FinalPatchIs409) { 409 } else { 403 };
            return Some((Answer::new(status), self.has(Fault::FinalPatched)));
        }
        if upload.is_stuck && (self.has(Fault::CutSticks) || self.has(Fault::MismatchSticks)) {
            return refused(423);
        }
        let is_typed = request.field("Content-Type") == Some("application/offset+octet-stream");
        if !is_typed && !self.has(Fault::OtherTypeTaken) {
            return refused(415);
        }
        if request.is_chunked() && self.has(Fault::ChunksRefused) {
            return refused(411);
        }
        let missing = self.has(Fault::MissingOffsetIs0).then_some(0);
        let told = request.field("Upload-Offset");
        let offset = match told.map(|value| self.tus_integer(value, Fault::OffsetReadLeniently)) {
            None if missing.is_none() => return refused(400),
            None => missing,
            Some(offset) => offset,
        };
        let Some(offset) = offset else { return refused(400) };
        if offset != upload.offset() {
            let status = if self.has(Fault::WrongOffsetIs400) { 400 } else { 409 };
            return Some((Answer::new(status), self.has(Fault::WrongOffsetAppended)));
        }
        if let Some(value) = request.field("Upload-Length") {
            let Some(length) = self.tus_integer(value, Fault::LengthReadLeniently) else {
                return refused(400);
            };
            let is_changed = upload.length.is_some_and(|known| known != length);
            if is_changed && !self.has(Fault::LengthChanges) {
                return refused(400);
            }
            if length < offset && !self.has(Fault::LateLengthBelowTaken) {
                return refused(400);
            }
            if !self.has(Fault::LateLengthIgnored) && length >= offset {
                upload.length = Some(length);
            }
        }
        None
    }

    /// A PATCH with a checksum: `Some` is the answer that refuses it.
    fn tus_checked(&self, id: &str, request: &mut Incoming) -> Option<Option<Answer>> {
        let has_trailer = request.field("Trailer").is_some();
        if has_trailer && self.has(Fault::TrailerRefused) {
            return Some(Some(Answer::new(400)));
        }
        let body = self.whole_body(request)?;
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
        Some((status != 204).then(|| Answer::new(status)))
    }
}
