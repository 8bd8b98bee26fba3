//! The body of a form: its parts in order, and the bytes of each file as a source.
//!
//! The source of a file owns the form while it is read and returns it when it is dropped. If it is
//! dropped in the middle of a read, the next part continues that read, so that no byte is lost.

use std::future::poll_fn;
use std::task::{Context, Poll, ready};

use futures::FutureExt as _;
use futures::channel::oneshot;
use futures::future::LocalBoxFuture;
use vod_uploader::http::form::{Boundary, Field, FormEvent, FormParser, PartHeaders};
use vod_uploader::upload::SourceStatus;
use vod_uploader::{Error, ErrorKind, Result};

use super::request_body::interrupted;
use super::{ByteStream, RequestBody};

/// The parts of a form.
pub(crate) struct FormBody(Box<State>);

/// The next part of a form.
pub(crate) enum FormPart {
    Field(Field),
    /// A file, whose bytes [`FormBody::into_file`] returns.
    File(PartHeaders),
}

/// The bytes of the current file of a form.
pub(crate) struct FilePartBody {
    /// `Some` until this is dropped.
    form: Option<FormBody>,
    returned: Option<oneshot::Sender<FormBody>>,
}

/// The form after the source of one of its files is dropped.
pub(crate) struct ReturnedForm(oneshot::Receiver<FormBody>);

struct State {
    parser: FormParser,
    reading: Reading,
    /// The bytes of the last read, and how many of them are parsed.
    chunk: Vec<u8>,
    parsed: usize,
    body_end: Option<SourceStatus>,
    /// How the current file ended.
    file_end: Option<SourceStatus>,
    /// Bytes of the current file that did not fit into a buffer: they looked like the start of a
    /// delimiter.
    overflow: Vec<u8>,
    form_end: Option<Result<()>>,
}

enum Reading {
    Idle(Box<RequestBody>),
    Busy(LocalBoxFuture<'static, (Box<RequestBody>, Vec<u8>, Option<SourceStatus>)>),
    /// Between the other two; never observed by a caller.
    Moving,
}

impl FormBody {
    pub(crate) fn new(body: RequestBody, boundary: &Boundary) -> Self {
        Self(Box::new(State {
            parser: FormParser::new(boundary),
            reading: Reading::Idle(Box::new(body)),
            chunk: Vec::with_capacity(CHUNK_BYTES),
            parsed: 0,
            body_end: None,
            file_end: None,
            overflow: Vec::new(),
            form_end: None,
        }))
    }

    /// Skips the unread rest of the current part and returns the next one; `None` at the end.
    ///
    /// # Errors
    /// Returns [`ErrorKind::RequestInvalid`] for a malformed form, and
    /// [`ErrorKind::LengthMismatch`] for one that was interrupted; no part follows after that.
    pub(crate) async fn next_part(&mut self) -> Result<Option<FormPart>> {
        poll_fn(|cx| self.0.poll_part(cx)).await
    }

    /// The bytes of the current file, and the form once these are dropped.
    pub(crate) fn into_file(self) -> (FilePartBody, ReturnedForm) {
        let (sender, receiver) = oneshot::channel();
        (FilePartBody { form: Some(self), returned: Some(sender) }, ReturnedForm(receiver))
    }

    /// Returns true if the current file has been read to its end.
    pub(crate) fn is_file_complete(&self) -> bool {
        self.0.file_end == Some(SourceStatus::Eof)
    }
}

impl ReturnedForm {
    /// Waits until the source of the file is dropped.
    ///
    /// # Errors
    /// Returns [`ErrorKind::Internal`], which dropping the source cannot cause.
    pub(crate) async fn form(self) -> Result<FormBody> {
        let lost = |_| Error::new(ErrorKind::Internal, "the form was not returned");
        self.0.await.map_err(lost)
    }
}

impl ByteStream for FilePartBody {
    async fn read(&mut self, mut buffer: Vec<u8>) -> (Vec<u8>, Option<SourceStatus>) {
        let Some(form) = &mut self.form else { return (buffer, Some(SourceStatus::Interrupted)) };
        let end = poll_fn(|cx| form.0.poll_file(&mut buffer, cx)).await;
        (buffer, end)
    }
}

impl Drop for FilePartBody {
    fn drop(&mut self) {
        if let (Some(form), Some(returned)) = (self.form.take(), self.returned.take()) {
            // If the receiver was dropped, dropping the form drains the rest of the body.
            let _ = returned.send(form);
        }
    }
}

impl State {
    fn poll_part(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<FormPart>>> {
        self.overflow.clear();
        loop {
            if let Some(end) = &self.form_end {
                return Poll::Ready(end.clone().map(|()| None));
            }
            let mut input = self.chunk.get(self.parsed..).unwrap_or_default();
            let event = self.parser.next(&mut input);
            self.parsed = self.chunk.len() - input.len();
            match event {
                Ok(Some(FormEvent::Field(field))) => {
                    return Poll::Ready(Ok(Some(FormPart::Field(field))));
                }
                Ok(Some(FormEvent::File(head))) => {
                    self.file_end = None;
                    return Poll::Ready(Ok(Some(FormPart::File(head))));
                }
                Ok(Some(FormEvent::Bytes(_) | FormEvent::FileEnd)) => {}
                Ok(Some(FormEvent::End)) => self.form_end = Some(Ok(())),
                Ok(None) => ready!(self.poll_chunk(cx)),
                Err(error) => self.form_end = Some(Err(error)),
            }
        }
    }

    /// Appends bytes of the current file to `buffer`, as many as are available and fit.
    fn poll_file(
        &mut self,
        buffer: &mut Vec<u8>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<SourceStatus>> {
        let before = buffer.len();
        loop {
            let room = buffer.capacity() - buffer.len();
            let fitting = self.overflow.len().min(room);
            buffer.extend(self.overflow.drain(..fitting));
            let room = room - fitting;
            if room == 0 || !self.overflow.is_empty() {
                return Poll::Ready(None);
            }
            if self.file_end.is_some() {
                return Poll::Ready(self.file_end);
            }
            if self.form_end.is_some() {
                self.file_end = Some(SourceStatus::Interrupted);
                continue;
            }
            // Only as many bytes as fit are parsed, so that few bytes overflow.
            let unparsed = self.chunk.get(self.parsed..).unwrap_or_default();
            let offered = unparsed.get(..room).unwrap_or(unparsed);
            let mut input = offered;
            let event = self.parser.next(&mut input);
            self.parsed += offered.len() - input.len();
            match event {
                Ok(Some(FormEvent::Bytes(bytes))) => {
                    let (fitting, over) = bytes.split_at(bytes.len().min(room));
                    buffer.extend_from_slice(fitting);
                    self.overflow.extend_from_slice(over);
                }
                Ok(Some(FormEvent::FileEnd)) => self.file_end = Some(SourceStatus::Eof),
                Ok(None) if self.parsed < self.chunk.len() => {}
                Ok(None) if buffer.len() > before => return Poll::Ready(None),
                Ok(None) => ready!(self.poll_chunk(cx)),
                Err(error) => self.form_end = Some(Err(error)),
                // A file ends before anything else follows.
                Ok(Some(FormEvent::Field(_) | FormEvent::File(_) | FormEvent::End)) => {
                    let message = "a part of the form starts within a file";
                    self.form_end = Some(Err(Error::new(ErrorKind::Internal, message)));
                }
            }
        }
    }

    /// Reads the next chunk. The form ends with the body.
    fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if let Some(end) = self.body_end {
            let is_complete = end == SourceStatus::Eof;
            let form_end = if is_complete { self.parser.finish() } else { Err(interrupted()) };
            self.form_end = Some(form_end);
            return Poll::Ready(());
        }
        loop {
            match std::mem::replace(&mut self.reading, Reading::Moving) {
                Reading::Idle(mut body) => {
                    let mut chunk = std::mem::take(&mut self.chunk);
                    chunk.clear();
                    self.parsed = 0;
                    let read = async move {
                        let (chunk, end) = body.read(chunk).await;
                        (body, chunk, end)
                    };
                    self.reading = Reading::Busy(read.boxed_local());
                }
                Reading::Busy(mut read) => {
                    let Poll::Ready((body, chunk, end)) = read.poll_unpin(cx) else {
                        self.reading = Reading::Busy(read);
                        return Poll::Pending;
                    };
                    self.reading = Reading::Idle(body);
                    self.chunk = chunk;
                    self.body_end = end;
                    return Poll::Ready(());
                }
                // Unreachable: nothing is awaited between the two states.
                Reading::Moving => {
                    self.body_end = Some(SourceStatus::Interrupted);
                    return Poll::Ready(());
                }
            }
        }
    }
}

/// Bytes per read of the body.
const CHUNK_BYTES: usize = 64 << 10;
