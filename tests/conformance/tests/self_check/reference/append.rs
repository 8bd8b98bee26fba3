//! Appends a request's body to an upload, for both protocols.

use super::Server;
use super::wire::Incoming;
use crate::fault::Fault;

/// The result of an append.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Appended {
    /// The entire body was appended.
    Complete,
    /// The body was interrupted.
    Interrupted,
    /// Another request took over.
    Replaced,
    /// The body exceeds the length of the upload.
    TooLong,
}

impl Server {
    /// Appends the body while it is received.
    pub(super) fn append(&self, id: &str, request: &mut Incoming) -> Appended {
        let Some((epoch, begin)) = self.take_over(id, request) else { return Appended::Replaced };
        self.continue_if_expected(request);
        let appended = loop {
            let read = request.read_some();
            let mut uploads = self.uploads();
            let Some(upload) = uploads.get_mut(id) else { return Appended::Replaced };
            if upload.epoch != epoch && !self.has(Fault::ReplacedWrites) {
                return Appended::Replaced;
            }
            let Ok(read) = read else { break Appended::Interrupted };
            let Some(mut bytes) = read else { break Appended::Complete };
            if self.has(Fault::ChunksCountedRaw) && request.is_chunked() {
                bytes.extend(b"\r\n");
            }
            if self.has(Fault::BytesGarbled) {
                bytes[0] ^= 1;
            }
            let is_beyond = upload.length.is_some_and(|n| upload.offset() + bytes.len() > n);
            if is_beyond && !self.has(Fault::LengthExceeded) {
                bytes.truncate(upload.length.unwrap_or(0) - upload.offset());
                upload.bytes.extend(bytes);
                break Appended::TooLong;
            }
            upload.bytes.extend(bytes);
        };
        let mut uploads = self.uploads();
        if let Some(upload) = uploads.get_mut(id).filter(|upload| upload.epoch == epoch) {
            upload.writer = None;
            if appended == Appended::Interrupted {
                if self.has(Fault::InterruptionLoses) {
                    upload.bytes.truncate(begin);
                }
                if self.has(Fault::InterruptionLosesMore) {
                    let length = if begin > 0 { begin / 2 } else { upload.offset() };
                    upload.bytes.truncate(length);
                }
                upload.is_stuck |= self.has(Fault::InterruptionSticks);
                upload.is_complete |= self.has(Fault::InterruptionCompletes);
            }
        }
        appended
    }

    /// Reads the entire body without appending it. Returns `None` if it is interrupted.
    pub(super) fn read_body(&self, request: &mut Incoming) -> Option<Vec<u8>> {
        self.continue_if_expected(request);
        let mut body = Vec::new();
        while let Some(bytes) = request.read_some().ok()? {
            body.extend(bytes);
        }
        Some(body)
    }

    /// Makes this request the writer of the upload.
    fn take_over(&self, id: &str, request: &Incoming) -> Option<(u64, usize)> {
        let mut uploads = self.uploads();
        let upload = uploads.get_mut(id)?;
        upload.interrupt(self.has(Fault::ReplacedWrites));
        upload.writer = request.connection();
        let begin = upload.offset();
        if begin > 0 && !upload.was_interrupted && self.has(Fault::AppendsOverwrite) {
            upload.bytes.clear();
        }
        Some((upload.epoch, begin))
    }

    fn continue_if_expected(&self, request: &Incoming) {
        let expects = request.field("Expect").is_some_and(|value| value == "100-continue");
        if expects && !self.has(Fault::ExpectIgnored) {
            request.interim(100, &[]);
        }
    }
}
