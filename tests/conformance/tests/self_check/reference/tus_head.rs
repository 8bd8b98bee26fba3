//! tus: HEAD.

use super::Server;
use super::upload::{self, Upload, Uploads};
use super::wire::Answer;
use crate::fault::Fault;

impl Server {
    pub(super) fn tus_head(&self, id: &str) -> Answer {
        if self.has(Fault::HeadWaits) {
            self.wait_for_writer(id);
        }
        let mut uploads = self.uploads();
        if let Some(upload) = uploads.get_mut(id) {
            if upload.requests == 0 && self.has(Fault::FoundAfterFirstPatch) {
                return Answer::new(404);
            }
            upload.interrupt(self.has(Fault::ReplacedWrites));
        }
        let uploads = uploads;
        let Some(upload) = uploads.get(id) else { return Answer::new(404) };
        let (offset, length) = self.tus_offset(&uploads, upload);
        let status = if self.has(Fault::HeadIs206) { 206 } else { 200 };
        let defers = upload.length.is_none() && upload.parts.is_empty();
        let tells_defer = defers && !self.has(Fault::DeferForgotten)
            || !defers && self.has(Fault::DeferToldForever);
        let mut answer = Answer::new(status)
            .field_if(!self.has(Fault::HeadIsCached), "Cache-Control", "no-store")
            .field_if(tells_defer, "Upload-Defer-Length", 1);
        if let Some(offset) = offset.filter(|offset| self.tells_offset(upload, *offset)) {
            answer = answer.field("Upload-Offset", offset);
        }
        if let Some(length) = length.or(self.has(Fault::DeferredHasLength).then_some(0)) {
            answer = answer.field_if(!self.has(Fault::HeadWithoutLength), "Upload-Length", length);
        }
        if let Some(metadata) = &upload.metadata {
            let tells = !self.has(Fault::MetadataForgotten);
            answer = answer.field_if(tells, "Upload-Metadata", metadata);
        }
        if let Some(concat) = &upload.concat {
            let is_partial = concat == "partial";
            let is_forgotten = is_partial && self.has(Fault::PartialForgotten)
                || !is_partial && self.has(Fault::FinalForgotten);
            answer = answer.field_if(!is_forgotten, "Upload-Concat", concat);
        }
        answer
    }

    /// Offset and length, those of a final upload being its parts'.
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
        // Bytes that a fault appended come on top.
        let extra = upload.offset();
        let offset = upload::joined(uploads, parts).map(|bytes| bytes.len() + extra);
        let is_early = upload.is_stuck;
        let offset = match self.fault {
            Some(Fault::FinalNeverDone) => None,
            Some(Fault::UnfinishedNeverEnds) if is_early => None,
            Some(Fault::UnfinishedTellsOffset) => offset.or(Some(0)),
            _ => offset,
        };
        (offset, length)
    }

    fn tells_offset(&self, upload: &Upload, offset: usize) -> bool {
        let is_partial = upload.concat.as_deref() == Some("partial");
        let is_whole = upload.length == Some(offset);
        match self.fault {
            Some(Fault::HeadWithoutOffsetAt0) => offset > 0 || upload.requests > 0,
            Some(Fault::HeadWithoutOffsetInTheMiddle) => {
                offset == 0 || is_whole || upload.was_interrupted
            }
            Some(Fault::HeadWithoutOffsetWhenComplete) => !is_whole,
            Some(Fault::EmptyIsNotComplete) => upload.length != Some(0),
            Some(Fault::PartialWithoutOffset) => !is_partial,
            _ => true,
        }
    }
}
