//! A file in several partial uploads that the worker concatenates.

use vod_uploader_component_tests::source::{MIB, Source};
use vod_uploader_wire::tus;

use crate::client::Client;
use crate::context::count;
use crate::expected_state::{Acknowledgment, OffsetHistory, Retention};
use crate::resumable::{ChunkPlan, Ending};
use crate::upload_handle::{RemoteState, UploadHandle, WireFormat};

/// The state of a final upload.
enum ConcatState {
    Stored,
    /// Not all partial uploads are complete, or that is unknown.
    NotYet,
    /// It can no longer be made of these partial uploads.
    Never,
}

impl Client<'_> {
    /// A file in two to four partial uploads. The final upload is created before or after their
    /// bytes are sent.
    pub(crate) fn send_concatenated(&mut self) -> Result<(), String> {
        let source = self.new_source(u64::MAX);
        // If the response to the creation of a final upload was lost, it may consume its partial
        // uploads at any time, and everything is sent again.
        while !self.send_partials(&source)? {
            self.check_time()?;
        }
        Ok(())
    }

    /// Returns true if the file is stored.
    fn send_partials(&mut self, source: &Source) -> Result<bool, String> {
        let mut partials = Vec::new();
        for range in self.interrupted(source.length()) {
            partials.push(self.create_partial(range)?);
        }
        let mut lost_final = false;
        let before_bytes = self.random.below(2) == 0;
        let mut final_upload = None;
        if before_bytes {
            final_upload = self.create_final(&partials, source, &mut lost_final)?;
        }
        for partial in &partials {
            let mut history = OffsetHistory::default();
            let ending =
                self.send_all(partial, source, ChunkPlan::UpTo(4 * MIB), &mut history, false)?;
            match ending {
                Ending::Stored => {}
                // Its last byte started the concatenation.
                Ending::Gone(404) if final_upload.is_some() || lost_final => {}
                ending => return Err(format!("a partial upload ended with {ending:?}")),
            }
        }
        if final_upload.is_none() {
            final_upload = self.create_final(&partials, source, &mut lost_final)?;
        }
        let Some(final_upload) = final_upload else { return Ok(false) };
        let name = final_upload.file_name.clone().expect("a file has a name");
        loop {
            self.check_time()?;
            match self.concat_state(&final_upload)? {
                ConcatState::Stored => break,
                ConcatState::NotYet => self.sleep_up_to(200),
                ConcatState::Never if lost_final => {
                    self.context.expected.abandon(&name);
                    return Ok(false);
                }
                ConcatState::Never => return Err("the partial uploads no longer exist".to_owned()),
            }
        }
        count(&self.context.counts.stored);
        self.context.expected.acknowledge(&name, Acknowledgment::Stored);
        Ok(true)
    }

    fn create_partial(&mut self, range: std::ops::Range<u64>) -> Result<UploadHandle, String> {
        let length = range.end - range.start;
        loop {
            self.check_time()?;
            let creation = tus::request("POST", "/v1/files")
                .header("upload-length", length)
                .header("upload-concat", "partial");
            let Ok(response) = self.context.http().send(&creation) else {
                self.without_response();
                continue;
            };
            self.log_event(&format!("POST partial: {} {:?}", response.status, response.headers));
            if let Some(path) = response.header("location") {
                let (format, path) = (WireFormat::Tus, path.to_owned());
                self.context.expected.add_address(&path, None);
                let base = range.start;
                return Ok(UploadHandle {
                    format,
                    path,
                    file_name: None,
                    base,
                    length,
                    deferred: false,
                });
            }
            self.retry_later(&response)?;
        }
    }

    /// `None` if the partial uploads were consumed by a final upload whose address was lost.
    fn create_final(
        &mut self,
        partials: &[UploadHandle],
        source: &Source,
        lost: &mut bool,
    ) -> Result<Option<UploadHandle>, String> {
        let paths: Vec<_> = partials.iter().map(|partial| partial.path.as_str()).collect();
        loop {
            self.check_time()?;
            let name = self.new_name();
            self.context.expected.start(&name, source, Retention::UntilExpired);
            let creation = tus::concatenation("/v1/files", &paths)
                .header("upload-metadata", tus::metadata(&[("filename", &name)]));
            let response = self.context.http().send(&creation);
            let Ok(response) = response else {
                *lost = true;
                self.without_response();
                self.context.expected.abandon(&name);
                continue;
            };
            self.log_event(&format!(
                "POST {name} {paths:?}: {} {}",
                response.status,
                response.text()
            ));
            if let Some(upload) = self.addressed(&response, &name, source.length()) {
                return Ok(Some(upload));
            }
            self.context.expected.abandon(&name);
            match response.status {
                400 | 410 if *lost => return Ok(None),
                // A final upload that was created before the store failed may still be completed.
                502 | 503 => *lost = true,
                _ => {}
            }
            self.retry_later(&response)?;
        }
    }

    fn concat_state(&mut self, final_upload: &UploadHandle) -> Result<ConcatState, String> {
        let mut history = OffsetHistory::default();
        Ok(match self.query_offset(final_upload, &mut history)? {
            RemoteState::At(offset) if offset == final_upload.length => ConcatState::Stored,
            RemoteState::At(offset) => return Err(format!("the final upload has offset {offset}")),
            RemoteState::Later(_) => ConcatState::NotYet,
            RemoteState::Gone(_) => ConcatState::Never,
        })
    }

    /// Two to four ranges of at least one byte.
    fn interrupted(&mut self, length: u64) -> Vec<std::ops::Range<u64>> {
        let mut bounds = vec![0, length];
        for _ in 0..1 + self.random.below(3) {
            bounds.push(self.random.below(length));
        }
        bounds.sort_unstable();
        bounds.dedup();
        bounds.windows(2).map(|pair| pair[0]..pair[1]).collect()
    }
}
