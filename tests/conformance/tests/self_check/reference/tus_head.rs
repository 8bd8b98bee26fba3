//! tus: HEAD.

use super::Server;
use super::upload::{self, Upload, Uploads};
use super::wire::Response;
use crate::fault::Fault;

impl Server {
    pub(super) fn tus_head(&self, id: &str) -> Response {
        if self.has(Fault::HeadWaits) {
            self.wait_for_writer(id);
        }
        let mut uploads = self.uploads();
        if let Some(upload) = uploads.get_mut(id) {
            if upload.requests == 0 && self.has(Fault::FoundAfterFirstPatch) {
                return Response::new(404);
            }
            upload.interrupt(self.has(Fault::ReplacedWrites));
        }
        let uploads = uploads;
        let Some(upload) = uploads.get(id) else { return Response::new(404) };
        let (offset, length) = self.tus_offset(&uploads, upload);
        let status = if self.has(Fault::HeadIs206) { 206 } else { 200 };
        let defers = upload.length.is_none() && upload.parts.is_empty();
        let returns_defer = defers && !self.has(Fault::DeferDropped)
            || !defers && self.has(Fault::DeferAlwaysReported);
        let mut response = Response::new(status)
            .field_if(!self.has(Fault::HeadIsCached), "Cache-Control", "no-store")
            .field_if(returns_defer, "Upload-Defer-Length", 1);
        if let Some(offset) = offset.filter(|offset| self.returns_offset(upload, *offset)) {
            response = response.field("Upload-Offset", offset);
        }
        if let Some(length) = length.or(self.has(Fault::DeferredHasLength).then_some(0)) {
            response =
                response.field_if(!self.has(Fault::HeadWithoutLength), "Upload-Length", length);
        }
        if let Some(metadata) = &upload.metadata {
            let returns = !self.has(Fault::MetadataDropped);
            response = response.field_if(returns, "Upload-Metadata", metadata);
        }
        if let Some(concat) = &upload.concat {
            let is_partial = concat == "partial";
            let is_forgotten = is_partial && self.has(Fault::PartialDropped)
                || !is_partial && self.has(Fault::FinalDropped);
            response = response.field_if(!is_forgotten, "Upload-Concat", concat);
        }
        response
    }

    /// Offset and length; for a final upload, those of its parts.
    fn tus_offset(&self, uploads: &Uploads, upload: &Upload) -> (Option<usize>, Option<usize>) {
        if upload.parts.is_empty() {
            return (Some(upload.offset()), upload.length);
        }
        let mut parts = upload.parts.as_slice();
        if self.has(Fault::FinalLengthOfFirst) {
            parts = &parts[..1];
        }
        let lengths = parts.iter().map(|id| uploads.get(id).and_then(|part| part.length));
        let length = lengths.sum::<Option<usize>>();
        // Includes bytes that a fault appended.
        let extra = upload.offset();
        let offset = upload::concatenated(uploads, parts).map(|bytes| bytes.len() + extra);
        let is_early = upload.is_stuck;
        let offset = match self.fault {
            Some(Fault::FinalNeverDone) => None,
            Some(Fault::UnfinishedNeverEnds) if is_early => None,
            Some(Fault::UnfinishedHasOffset) => offset.or(Some(0)),
            _ => offset,
        };
        (offset, length)
    }

    fn returns_offset(&self, upload: &Upload, offset: usize) -> bool {
        let is_partial = upload.concat.as_deref() == Some("partial");
        let is_complete = upload.length == Some(offset);
        match self.fault {
            Some(Fault::HeadWithoutOffsetAt0) => offset > 0 || upload.requests > 0,
            Some(Fault::HeadWithoutOffsetInTheMiddle) => {
                offset == 0 || is_complete || upload.was_interrupted
            }
            Some(Fault::HeadWithoutOffsetWhenComplete) => !is_complete,
            Some(Fault::EmptyIsNotComplete) => upload.length != Some(0),
            Some(Fault::PartialWithoutOffset) => !is_partial,
            _ => true,
        }
    }
}
