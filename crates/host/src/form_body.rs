//! The body of a request that is a form: its parts one after the other, and the bytes of each file
//! as a source of its own.
//!
//! A file's source may be dropped in the middle of a read, when its upload has failed. The read goes
//! on all the same, with the form: otherwise bytes of the next part would be lost with it.

use std::cell::RefCell;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use futures::FutureExt as _;
use futures::future::LocalBoxFuture;
use vod_uploader::http::form::{Boundary, Field, FormEvent, FormParser, PartHead};
use vod_uploader::upload::SourceEnd;
use vod_uploader::{Error, ErrorKind, Result};

use crate::byte_stream::ByteStream;
use crate::request_body::RequestBody;

/// How much of the body is read at a time.
const CHUNK_BYTES: usize = 64 << 10;

/// A form that is being read.
pub(crate) struct FormBody(Rc<RefCell<State>>);

/// What comes next in a form.
pub(crate) enum FormPart {
    Field(Field),
    /// Its bytes are those of [`FormBody::file`].
    File(PartHead),
}

/// The bytes of the file that the form is at.
pub(crate) struct FileBytes(Rc<RefCell<State>>);

struct State {
    parser: FormParser,
    reading: Reading,
    /// What has been read of the body, and how much of it has been parsed.
    chunk: Vec<u8>,
    parsed: usize,
    /// How the body ended.
    body_end: Option<SourceEnd>,
    /// How the present file ended.
    file_end: Option<SourceEnd>,
    /// Bytes of the present file for which a buffer had no room: a piece of a boundary that turned
    /// out to be none.
    kept: Vec<u8>,
    /// How the form ended: whole, or not.
    form_end: Option<Result<()>>,
}

enum Reading {
    Idle(Box<RequestBody>),
    Busy(LocalBoxFuture<'static, (Box<RequestBody>, Vec<u8>, Option<SourceEnd>)>),
    /// While the one becomes the other.
    Between,
}

impl FormBody {
    pub(crate) fn new(body: RequestBody, boundary: &Boundary) -> Self {
        Self(Rc::new(RefCell::new(State {
            parser: FormParser::new(boundary),
            reading: Reading::Idle(Box::new(body)),
            chunk: Vec::with_capacity(CHUNK_BYTES),
            parsed: 0,
            body_end: None,
            file_end: None,
            kept: Vec::new(),
            form_end: None,
        })))
    }

    /// The next part; what is left of the file before is read past. `None` once the form is whole.
    ///
    /// # Errors
    /// [`ErrorKind::RequestInvalid`] for a malformed form, [`ErrorKind::LengthMismatch`] for one
    /// that broke off; then there is nothing more.
    pub(crate) async fn next_part(&self) -> Result<Option<FormPart>> {
        poll_fn(|cx| self.0.borrow_mut().poll_part(cx)).await
    }

    /// The bytes of the file that [`FormBody::next_part`] has just returned.
    pub(crate) fn file(&self) -> FileBytes {
        FileBytes(Rc::clone(&self.0))
    }

    /// True where the file has been read to its end, and has one.
    pub(crate) fn is_file_whole(&self) -> bool {
        self.0.borrow().file_end == Some(SourceEnd::Ended)
    }
}

impl ByteStream for FileBytes {
    async fn read(&mut self, mut buffer: Vec<u8>) -> (Vec<u8>, Option<SourceEnd>) {
        let end = poll_fn(|cx| self.0.borrow_mut().poll_file(&mut buffer, cx)).await;
        (buffer, end)
    }
}

impl State {
    fn poll_part(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<FormPart>>> {
        self.kept.clear();
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

    /// Adds bytes of the present file to `buffer`, as many as are there and as it has room for.
    fn poll_file(&mut self, buffer: &mut Vec<u8>, cx: &mut Context<'_>) -> Poll<Option<SourceEnd>> {
        let before = buffer.len();
        loop {
            let room = buffer.capacity() - buffer.len();
            let fitting = self.kept.len().min(room);
            buffer.extend(self.kept.drain(..fitting));
            let room = room - fitting;
            if room == 0 || !self.kept.is_empty() {
                return Poll::Ready(None);
            }
            if self.file_end.is_some() {
                return Poll::Ready(self.file_end);
            }
            if self.form_end.is_some() {
                self.file_end = Some(SourceEnd::Cut);
                continue;
            }
            // No more than there is room for: what is not parsed need not be kept.
            let unparsed = self.chunk.get(self.parsed..).unwrap_or_default();
            let offered = unparsed.get(..room).unwrap_or(unparsed);
            let mut input = offered;
            let event = self.parser.next(&mut input);
            self.parsed += offered.len() - input.len();
            match event {
                Ok(Some(FormEvent::Bytes(bytes))) => {
                    let (fitting, over) = bytes.split_at(bytes.len().min(room));
                    buffer.extend_from_slice(fitting);
                    self.kept.extend_from_slice(over);
                }
                Ok(Some(FormEvent::FileEnd)) => self.file_end = Some(SourceEnd::Ended),
                Ok(None) if self.parsed < self.chunk.len() => {}
                Ok(None) if buffer.len() > before => return Poll::Ready(None),
                Ok(None) => ready!(self.poll_chunk(cx)),
                Err(error) => self.form_end = Some(Err(error)),
                // A file ends before anything else comes.
                Ok(Some(FormEvent::Field(_) | FormEvent::File(_) | FormEvent::End)) => {
                    let message = "a part of the form begins within a file";
                    self.form_end = Some(Err(Error::new(ErrorKind::Internal, message)));
                }
            }
        }
    }

    /// Reads on, once all of the chunk is parsed; where the body has ended, the form has.
    fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if let Some(end) = self.body_end {
            let broke_off = || {
                let message = "the request broke off before its end";
                Err(Error::new(ErrorKind::LengthMismatch, message))
            };
            let whole = end == SourceEnd::Ended;
            self.form_end = Some(if whole { self.parser.finish() } else { broke_off() });
            return Poll::Ready(());
        }
        loop {
            match std::mem::replace(&mut self.reading, Reading::Between) {
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
                // Nothing is awaited between the two.
                Reading::Between => {
                    self.body_end = Some(SourceEnd::Cut);
                    return Poll::Ready(());
                }
            }
        }
    }
}
