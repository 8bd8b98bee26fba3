//! Files that are sent in several requests, each at the offset that the worker reports.

use std::io;
use std::ops::Range;

use vod_uploader_component_tests::body::Body;
use vod_uploader_component_tests::source::{MIB, Source};
use vod_uploader_wire::ietf::Draft;
use vod_uploader_wire::{Request, Response, tus};

use crate::append::RequestResult;
use crate::client::Client;
use crate::context::count;
use crate::expected_state::{Acknowledgment, OffsetHistory, Retention};
use crate::protocol::Tus;
use crate::upload_handle::{RemoteState, UploadHandle, WireFormat};

/// How an upload is split into requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ChunkPlan {
    /// All remaining bytes in one request.
    All,
    /// This many bytes each; requests of FilePond start at multiples of it.
    Of(u64),
    /// Any number of bytes up to this.
    UpTo(u64),
}

/// How an upload ended from its client's point of view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    Stored,
    Deleted,
    /// It no longer exists; the status.
    Gone(u16),
}

impl Client<'_> {
    /// A file by tus.
    pub(crate) fn send_by_tus(&mut self, style: Tus) -> Result<(), String> {
        let (chunks, size_max) = match style {
            Tus::OneRequest | Tus::CreationWithUpload => (ChunkPlan::All, u64::MAX),
            Tus::Chunks => (ChunkPlan::Of(3 * MIB), u64::MAX),
            Tus::Checksums => (ChunkPlan::UpTo(MIB), 6 * MIB),
            Tus::DeferredLength => (ChunkPlan::UpTo(3 * MIB), u64::MAX),
            Tus::Odd => (ChunkPlan::UpTo(400_000), 3 * MIB),
        };
        let source = self.new_source(size_max);
        let deferred = style == Tus::DeferredLength;
        let first = match style {
            Tus::CreationWithUpload => 1 + self.random.below(source.length().min(2 * MIB)),
            _ => 0,
        };
        let (upload, offset) = self.create(&source, |client, name| {
            let creation = tus::request("POST", "/v1/files")
                .header("upload-metadata", tus::metadata(&[("filename", name)]));
            let creation = match deferred {
                true => creation.header("upload-defer-length", 1),
                false => creation.header("upload-length", source.length()),
            };
            if first == 0 {
                return client.send(&creation);
            }
            let creation = creation.header("content-type", tus::CONTENT_TYPE);
            Body::Range(&source, 0..first).send(client, creation)
        })?;
        let upload = UploadHandle { deferred, ..upload };
        self.send_file(&upload, &source, chunks, offset, style == Tus::Checksums)
    }

    /// A file by the IETF's draft, in several requests.
    pub(crate) fn send_by_ietf(&mut self, draft: Draft) -> Result<(), String> {
        let source = self.new_source(u64::MAX);
        let first = self.random.below(source.length().min(MIB));
        let (upload, offset) = self.create(&source, |client, name| {
            let creation = draft
                .creation("POST", "/v1/files", false)
                .header("upload-length", source.length())
                .header("content-disposition", format!("attachment; filename=\"{name}\""));
            Body::Range(&source, 0..first).send(client, creation)
        })?;
        let upload = UploadHandle { format: WireFormat::Ietf(draft), ..upload };
        self.send_file(&upload, &source, ChunkPlan::UpTo(2 * MIB), offset, false)
    }

    /// A file in FilePond's chunks.
    pub(crate) fn send_by_filepond(&mut self) -> Result<(), String> {
        let source = self.new_source(12 * MIB);
        let (upload, _) = self.create(&source, |client, _| {
            let form =
                b"--b\r\nContent-Disposition: form-data; name=\"filepond\"\r\n\r\n{}\r\n--b--\r\n";
            let creation = Request::new("POST", "/v1/filepond")
                .header("content-type", "multipart/form-data; boundary=b")
                .header("upload-length", source.length())
                .body(form);
            client.send(&creation)
        })?;
        let id = upload.path.rsplit('/').next().unwrap_or_default();
        let path = format!("/v1/files/{id}");
        let upload = UploadHandle { format: WireFormat::FilePond(CHUNK_BYTES), path, ..upload };
        self.send_file(&upload, &source, ChunkPlan::Of(CHUNK_BYTES), 0, false)
    }

    /// Creates an upload, with a new name for each attempt. Returns it with the offset in the
    /// response.
    fn create(
        &mut self,
        source: &Source,
        post: impl Fn(&vod_uploader_wire::Client, &str) -> io::Result<Response>,
    ) -> Result<(UploadHandle, u64), String> {
        loop {
            self.check_time()?;
            let name = self.new_name();
            self.context.expected.start(&name, source, Retention::UntilExpired);
            let response = post(&self.context.http(), &name);
            let Ok(response) = response else {
                self.without_response();
                self.context.expected.abandon(&name);
                continue;
            };
            self.log_event(&format!("POST {name}: {} {:?}", response.status, response.headers));
            if let Some(upload) = self.addressed(&response, &name, source.length()) {
                let offset = response.header("upload-offset").map_or(0, |_| response.offset());
                return Ok((upload, offset));
            }
            self.context.expected.abandon(&name);
            self.retry_later(&response)?;
        }
    }

    /// The upload in the `Location` of a response, whatever its status.
    pub(crate) fn addressed(
        &mut self,
        response: &Response,
        file_name: &str,
        length: u64,
    ) -> Option<UploadHandle> {
        let path = response.header("location")?.to_owned();
        self.context.expected.add_address(&path, Some(file_name));
        let file_name = Some(file_name.to_owned());
        Some(UploadHandle {
            format: WireFormat::Tus,
            path,
            file_name,
            base: 0,
            length,
            deferred: false,
        })
    }

    /// Counts a response that asks to retry, and waits.
    ///
    /// # Errors
    /// Returns an error for any other response.
    pub(crate) fn retry_later(&mut self, response: &Response) -> Result<(), String> {
        if !matches!(response.status, 502 | 503) {
            return Err(format!("{}: {}", response.status, response.text()));
        }
        count(&self.context.counts.rejected);
        self.sleep_up_to(200);
        Ok(())
    }

    /// Sends a file to its end, and records the acknowledgment.
    pub(crate) fn send_file(
        &mut self,
        upload: &UploadHandle,
        source: &Source,
        chunks: ChunkPlan,
        offset: u64,
        checked: bool,
    ) -> Result<(), String> {
        let name = upload.file_name.as_deref().expect("a file has a name");
        let mut history = OffsetHistory::default();
        history.acknowledged(offset);
        match self.send_all(upload, source, chunks, &mut history, checked)? {
            Ending::Stored => {
                count(&self.context.counts.stored);
                self.context.expected.acknowledge(name, Acknowledgment::Stored);
            }
            Ending::Deleted => {}
            Ending::Gone(status) => return Err(format!("the upload no longer exists: {status}")),
        }
        Ok(())
    }

    /// Sends the missing bytes until the upload is complete.
    ///
    /// # Errors
    /// Returns an error if the worker violates a rule, or after the deadline.
    pub(crate) fn send_all(
        &mut self,
        upload: &UploadHandle,
        source: &Source,
        chunks: ChunkPlan,
        history: &mut OffsetHistory,
        checked: bool,
    ) -> Result<Ending, String> {
        let mut known = Some(history.highest());
        let ending = loop {
            self.check_time()?;
            let offset = match known.take() {
                Some(offset) => offset,
                None => match self.query_offset(upload, history)? {
                    RemoteState::At(offset) => offset,
                    RemoteState::Gone(status) => break Ending::Gone(status),
                    RemoteState::Later(_) => {
                        self.sleep_up_to(100);
                        continue;
                    }
                },
            };
            if offset == upload.length && self.is_completed(upload) {
                break Ending::Stored;
            }
            let range = self.next_range(offset, upload.length, chunks);
            match self.append(upload, source, range, history, checked)? {
                RequestResult::Complete => break Ending::Stored,
                RequestResult::Stored(offset) => known = Some(offset),
                // Sometimes without a query first. Only a known offset shows whether bytes of a
                // request with a checksum were stored.
                RequestResult::Nothing => known = (!checked && self.is_faulty(4)).then_some(offset),
                RequestResult::Deleted => break Ending::Deleted,
                RequestResult::Gone(status) => break Ending::Gone(status),
            }
        };
        self.resume_stalled(upload, source, history, ending == Ending::Deleted)?;
        Ok(ending)
    }

    fn is_completed(&mut self, upload: &UploadHandle) -> bool {
        let state = upload.upload_state(&self.context.http());
        self.log_event(&format!("{} is {state:?}", upload.path));
        state.as_deref() == Some("completed")
    }

    fn next_range(&mut self, offset: u64, length: u64, chunks: ChunkPlan) -> Range<u64> {
        let end = match chunks {
            ChunkPlan::All => length,
            ChunkPlan::Of(bytes) => offset + bytes - offset % bytes,
            ChunkPlan::UpTo(bytes) => offset + 1 + self.random.below(bytes),
        };
        offset..end.min(length)
    }
}

const CHUNK_BYTES: u64 = 1_000_000;
