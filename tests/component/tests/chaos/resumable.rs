//! Files that are sent in several requests, and continued where the worker says.

use std::io;
use std::ops::Range;

use vod_uploader_component_tests::body::Body;
use vod_uploader_component_tests::source::{MIB, Source};
use vod_uploader_wire::ietf::Draft;
use vod_uploader_wire::{Request, Response, tus};

use crate::append::RequestResult;
use crate::client::Client;
use crate::expected_state::{Acknowledgment, OffsetHistory, Retention};
use crate::protocol::Tus;
use crate::remote::{Remote, Standing, Words};
use crate::world::count;

/// How an upload is cut into requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Steps {
    /// All that is left.
    All,
    /// As many bytes each; the requests of FilePond begin at multiples of them.
    Of(u64),
    /// Any number up to this.
    UpTo(u64),
}

/// How an upload ended for its client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    Stored,
    Deleted,
    /// It is not there any more; the status.
    Gone(u16),
}

impl Client<'_> {
    /// A file by tus.
    pub(crate) fn send_by_tus(&mut self, style: Tus) -> Result<(), String> {
        let (steps, size_max) = match style {
            Tus::Whole | Tus::CreationWithUpload => (Steps::All, u64::MAX),
            Tus::Chunks => (Steps::Of(3 * MIB), u64::MAX),
            Tus::Checksums => (Steps::UpTo(MIB), 6 * MIB),
            Tus::DeferredLength => (Steps::UpTo(3 * MIB), u64::MAX),
            Tus::Odd => (Steps::UpTo(400_000), 3 * MIB),
        };
        let source = self.new_source(size_max);
        let deferred = style == Tus::DeferredLength;
        let first = match style {
            Tus::CreationWithUpload => 1 + self.random.below(source.length().min(2 * MIB)),
            _ => 0,
        };
        let (remote, offset) = self.create(&source, |client, name| {
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
        let remote = Remote { deferred, ..remote };
        self.send_file(&remote, &source, steps, offset, style == Tus::Checksums)
    }

    /// A file by the IETF's draft, in several requests.
    pub(crate) fn send_by_ietf(&mut self, draft: Draft) -> Result<(), String> {
        let source = self.new_source(u64::MAX);
        let first = self.random.below(source.length().min(MIB));
        let (remote, offset) = self.create(&source, |client, name| {
            let creation = draft
                .creation("POST", "/v1/files", false)
                .header("upload-length", source.length())
                .header("content-disposition", format!("attachment; filename=\"{name}\""));
            Body::Range(&source, 0..first).send(client, creation)
        })?;
        let remote = Remote { words: Words::Ietf(draft), ..remote };
        self.send_file(&remote, &source, Steps::UpTo(2 * MIB), offset, false)
    }

    /// A file in FilePond's chunks.
    pub(crate) fn send_by_filepond(&mut self) -> Result<(), String> {
        let source = self.new_source(12 * MIB);
        let (remote, _) = self.create(&source, |client, _| {
            let form =
                b"--b\r\nContent-Disposition: form-data; name=\"filepond\"\r\n\r\n{}\r\n--b--\r\n";
            let creation = Request::new("POST", "/v1/filepond")
                .header("content-type", "multipart/form-data; boundary=b")
                .header("upload-length", source.length())
                .body(form);
            client.send(&creation)
        })?;
        let id = remote.path.rsplit('/').next().unwrap_or_default();
        let path = format!("/v1/files/{id}");
        let remote = Remote { words: Words::FilePond(CHUNK_BYTES), path, ..remote };
        self.send_file(&remote, &source, Steps::Of(CHUNK_BYTES), 0, false)
    }

    /// Creates an upload, with a new name for each attempt. Returns it with the offset in the
    /// response.
    fn create(
        &mut self,
        source: &Source,
        post: impl Fn(&vod_uploader_wire::Client, &str) -> io::Result<Response>,
    ) -> Result<(Remote, u64), String> {
        loop {
            self.check_time()?;
            let name = self.new_name();
            self.world.expected.start(&name, source, Retention::UntilExpired);
            let answer = post(&self.world.http(), &name);
            let Ok(answer) = answer else {
                self.unanswered();
                self.world.expected.abandon(&name);
                continue;
            };
            self.notes(&format!("POST {name}: {} {:?}", answer.status, answer.headers));
            if let Some(remote) = self.addressed(&answer, &name, source.length()) {
                let offset = answer.header("upload-offset").map_or(0, |_| answer.offset());
                return Ok((remote, offset));
            }
            self.world.expected.abandon(&name);
            self.refused(&answer)?;
        }
    }

    /// The upload that an answer names, whatever else it says.
    pub(crate) fn addressed(
        &mut self,
        answer: &Response,
        file_name: &str,
        length: u64,
    ) -> Option<Remote> {
        let path = answer.header("location")?.to_owned();
        self.world.expected.add_address(&path, Some(file_name));
        let file_name = Some(file_name.to_owned());
        Some(Remote { words: Words::Tus, path, file_name, base: 0, length, deferred: false })
    }

    /// An answer that asks to try again.
    ///
    /// # Errors
    /// Where it does not.
    pub(crate) fn refused(&mut self, answer: &Response) -> Result<(), String> {
        if !matches!(answer.status, 502 | 503) {
            return Err(format!("{}: {}", answer.status, answer.text()));
        }
        count(&self.world.counts.refused);
        self.rest(200);
        Ok(())
    }

    /// Sends a file to its end, and records the acknowledgment.
    pub(crate) fn send_file(
        &mut self,
        remote: &Remote,
        source: &Source,
        steps: Steps,
        offset: u64,
        checked: bool,
    ) -> Result<(), String> {
        let name = remote.file_name.as_deref().expect("a file has a name");
        let mut history = OffsetHistory::default();
        history.acknowledged(offset);
        match self.send_all(remote, source, steps, &mut history, checked)? {
            Ending::Stored => {
                count(&self.world.counts.stored);
                self.world.expected.acknowledge(name, Acknowledgment::Stored);
            }
            Ending::Deleted => {}
            Ending::Gone(status) => return Err(format!("the upload is gone: {status}")),
        }
        Ok(())
    }

    /// Sends what is missing of an upload until it is whole.
    ///
    /// # Errors
    /// Where the worker breaks a rule, or everybody should have ended.
    pub(crate) fn send_all(
        &mut self,
        remote: &Remote,
        source: &Source,
        steps: Steps,
        history: &mut OffsetHistory,
        checked: bool,
    ) -> Result<Ending, String> {
        let mut known = Some(history.highest());
        let ending = loop {
            self.check_time()?;
            let offset = match known.take() {
                Some(offset) => offset,
                None => match self.ask(remote, history)? {
                    Standing::At(offset) => offset,
                    Standing::Gone(status) => break Ending::Gone(status),
                    Standing::Later(_) => {
                        self.rest(100);
                        continue;
                    }
                },
            };
            if offset == remote.length && self.is_completed(remote) {
                break Ending::Stored;
            }
            let range = self.next_range(offset, remote.length, steps);
            match self.append(remote, source, range, history, checked)? {
                RequestResult::Complete => break Ending::Stored,
                RequestResult::Stored(offset) => known = Some(offset),
                // Now and then without asking first. Whether nothing of a checked request counts
                // can only be told from a known offset.
                RequestResult::Nothing => known = (!checked && self.is_faulty(4)).then_some(offset),
                RequestResult::Deleted => break Ending::Deleted,
                RequestResult::Gone(status) => break Ending::Gone(status),
            }
        };
        self.wake(remote, source, history, ending == Ending::Deleted)?;
        Ok(ending)
    }

    fn is_completed(&mut self, remote: &Remote) -> bool {
        let state = remote.state(&self.world.http());
        self.notes(&format!("{} is {state:?}", remote.path));
        state.as_deref() == Some("completed")
    }

    fn next_range(&mut self, offset: u64, length: u64, steps: Steps) -> Range<u64> {
        let end = match steps {
            Steps::All => length,
            Steps::Of(bytes) => offset + bytes - offset % bytes,
            Steps::UpTo(bytes) => offset + 1 + self.random.below(bytes),
        };
        offset..end.min(length)
    }
}

const CHUNK_BYTES: u64 = 1_000_000;
