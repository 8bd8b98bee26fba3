//! An incremental parser of `multipart/form-data` (RFC 7578,
//! <https://www.rfc-editor.org/rfc/rfc7578>, and RFC 2046 §5.1).

use memchr::{memchr, memmem, memrchr};
use zeroize::Zeroizing;

use super::{Boundary, Field, FormEvent, PartHeaders};
use crate::error::{Error, ErrorKind, Result};
use crate::units::KIB;

/// Parses one form.
///
/// It buffers the complete value of a field, and of a file only the bytes that may start a
/// boundary. Events and errors do not depend on how the input is split, except for the number of
/// [`FormEvent::Bytes`] events of a file.
#[derive(Debug)]
pub struct FormParser {
    delimiter: Vec<u8>,
    finder: memmem::Finder<'static>,
    state: State,
    fields: u32,
    files: u32,
}

#[derive(Debug)]
enum State {
    /// Before the first boundary, or in a part.
    Content(Content),
    /// After a boundary, which ends `part`.
    Boundary { part: Part, tail: Tail },
    /// In the lines of a part's head; `line` is the start of the current line.
    Head { lines: Vec<u8>, line: usize },
    /// The next event is `FormEvent::End`.
    Closing,
    /// After the form, or after an error.
    Ended,
}

#[derive(Debug)]
struct Content {
    part: Part,
    /// Number of delimiter bytes at the end of the input so far.
    matched: usize,
    /// Number of those that do not belong to the part. A boundary may also be at the start of the
    /// body, and directly after the empty line that ends a part's head, whose line break it then
    /// shares.
    borrowed: usize,
}

#[derive(Debug)]
enum Part {
    Preamble,
    Field(Field),
    File,
}

/// The state of the rest of a boundary's line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tail {
    Empty,
    /// White space, which a gateway may have added (RFC 2046 §5.1.1, "transport-padding").
    Padding,
    Dash,
    CarriageReturn,
}

impl FormParser {
    /// A parser of a form whose parts are separated by `boundary`.
    #[must_use]
    pub fn new(boundary: &Boundary) -> Self {
        let delimiter = boundary.delimiter();
        let finder = memmem::Finder::new(&delimiter).into_owned();
        let state = State::Content(Content::new(Part::Preamble));
        Self { delimiter, finder, state, fields: 0, files: 0 }
    }

    /// The next event; its bytes are removed from the start of `input`. `None` if `input` is empty
    /// or the form has ended.
    ///
    /// # Errors
    /// Returns [`ErrorKind::RequestInvalid`] with the invalid field. After an error, every call
    /// returns `None`.
    pub fn next<'a, 'i: 'a>(&'a mut self, input: &mut &'i [u8]) -> Result<Option<FormEvent<'a>>> {
        loop {
            match std::mem::replace(&mut self.state, State::Ended) {
                State::Ended => {
                    *input = &[];
                    return Ok(None);
                }
                State::Closing => return Ok(Some(FormEvent::End)),
                state if input.is_empty() => {
                    self.state = state;
                    return Ok(None);
                }
                State::Content(content) => {
                    if let Some(bytes) = self.read_content(content, input)? {
                        return Ok(Some(FormEvent::Bytes(match bytes {
                            Found::Input(bytes) => bytes,
                            Found::Held(range) => &self.delimiter[range],
                        })));
                    }
                }
                State::Boundary { part, tail } => {
                    if let Some(event) = self.read_boundary_tail(part, tail, input)? {
                        return Ok(Some(event));
                    }
                }
                State::Head { lines, line } => {
                    if let Some(head) = self.read_head(lines, line, input)? {
                        return Ok(Some(FormEvent::File(head)));
                    }
                }
            }
        }
    }

    /// Checks that the form is complete, at the end of the input.
    ///
    /// # Errors
    /// Returns [`ErrorKind::LengthMismatch`] for an incomplete form, and
    /// [`ErrorKind::RequestInvalid`] for a body without the boundary of its Content-Type.
    pub fn finish(&self) -> Result<()> {
        match &self.state {
            State::Closing | State::Ended => Ok(()),
            State::Content(Content { part: Part::Preamble, .. }) => {
                Err(Error::field_invalid("boundary", "the delimiter between the form's parts"))
            }
            _ => {
                let message = "the form ended before its closing boundary";
                Err(Error::new(ErrorKind::LengthMismatch, message))
            }
        }
    }

    /// Reads up to the next boundary. Returns bytes of a file, and buffers those of a field.
    fn read_content<'a>(
        &mut self,
        mut content: Content,
        input: &mut &'a [u8],
    ) -> Result<Option<Found<'a>>> {
        let mut found = None;
        if content.matched > 0 {
            let expected = &self.delimiter[content.matched..];
            let compared = expected.len().min(input.len());
            if expected[..compared] == input[..compared] {
                *input = &input[compared..];
                content.matched += compared;
                self.state = content.after(self.delimiter.len());
                return Ok(None);
            }
            // Only the first byte of the delimiter is a CR, so all bytes that were held back belong
            // to the part.
            let held = content.borrowed..content.matched;
            (content.matched, content.borrowed) = (0, 0);
            if !held.is_empty() {
                found = Some(Found::Held(held));
            }
        }
        if found.is_none() {
            let (end, taken) = match self.finder.find(input) {
                Some(at) => (at, at + self.delimiter.len()),
                None => (input.len() - self.partial_len(input), input.len()),
            };
            content.matched = taken - end;
            let (bytes, rest) = (&input[..end], &input[taken..]);
            *input = rest;
            if !bytes.is_empty() {
                found = Some(Found::Input(bytes));
            }
        }
        let given = match (&mut content.part, found) {
            (Part::Field(field), Some(found)) => {
                let bytes = match found {
                    Found::Input(bytes) => bytes,
                    Found::Held(range) => &self.delimiter[range],
                };
                extend(field, bytes)?;
                None
            }
            (Part::File, found) => found,
            (Part::Preamble | Part::Field(_), _) => None,
        };
        self.state = content.after(self.delimiter.len());
        Ok(given)
    }

    /// The number of bytes at the end of `input` that may be the start of a delimiter.
    fn partial_len(&self, input: &[u8]) -> usize {
        let window = &input[input.len().saturating_sub(self.delimiter.len() - 1)..];
        match memrchr(b'\r', window) {
            Some(at) if self.delimiter.starts_with(&window[at..]) => window.len() - at,
            _ => 0,
        }
    }

    /// Reads the rest of a boundary's line, which ends the part. A line that only starts with the
    /// boundary does not.
    fn read_boundary_tail(
        &mut self,
        part: Part,
        mut tail: Tail,
        input: &mut &[u8],
    ) -> Result<Option<FormEvent<'static>>> {
        while let Some((byte, rest)) = input.split_first() {
            *input = rest;
            tail = match (tail, byte) {
                (Tail::Empty, b'-') => Tail::Dash,
                (Tail::Dash, b'-') => {
                    self.state = State::Closing;
                    return Ok(part.ended());
                }
                (Tail::Empty | Tail::Padding, b' ' | b'\t') => Tail::Padding,
                (Tail::Empty | Tail::Padding, b'\r') => Tail::CarriageReturn,
                (Tail::CarriageReturn, b'\n') => {
                    self.state = State::Head { lines: Vec::new(), line: 0 };
                    return Ok(part.ended());
                }
                _ => {
                    let allowed = "absent from the content of the form's parts (RFC 2046 §5.1)";
                    return Err(Error::field_invalid("boundary", allowed));
                }
            };
        }
        self.state = State::Boundary { part, tail };
        Ok(None)
    }

    /// Reads lines up to the empty one. Returns the head of a file.
    fn read_head(
        &mut self,
        mut lines: Vec<u8>,
        mut line: usize,
        input: &mut &[u8],
    ) -> Result<Option<PartHeaders>> {
        while !input.is_empty() {
            let line_end = memchr(b'\n', input).map(|at| at + 1);
            let (read, rest) = input.split_at(line_end.unwrap_or(input.len()));
            *input = rest;
            if lines.len() + read.len() > PART_HEAD_BYTES_MAX {
                let allowed =
                    format!("a form whose part headers have at most {PART_HEAD_BYTES_MAX} bytes");
                return Err(Error::field_invalid("form", allowed));
            }
            lines.extend_from_slice(read);
            if line_end.is_none() {
                break;
            }
            if !lines[line..].ends_with(b"\r\n") {
                let allowed = "a form whose part headers have lines that end with CR LF";
                return Err(Error::field_invalid("form", allowed));
            }
            if lines.len() - line == 2 {
                return self.start_part(PartHeaders::parse(&lines[..line])?);
            }
            line = lines.len();
        }
        self.state = State::Head { lines, line };
        Ok(None)
    }

    fn start_part(&mut self, head: PartHeaders) -> Result<Option<PartHeaders>> {
        if head.file_name.is_some() {
            self.files += 1;
            if self.files > FILES_MAX {
                return Err(Error::field_invalid(
                    "form",
                    format!("a form of at most {FILES_MAX} files"),
                ));
            }
            self.state = State::Content(Content::new(Part::File));
            return Ok(Some(head));
        }
        self.fields += 1;
        if self.fields > FIELDS_MAX {
            return Err(Error::field_invalid(
                "form",
                format!("a form of at most {FIELDS_MAX} fields"),
            ));
        }
        let field = Field { name: head.field, value: Zeroizing::default() };
        self.state = State::Content(Content::new(Part::Field(field)));
        Ok(None)
    }
}

/// Bytes of a part.
enum Found<'a> {
    Input(&'a [u8]),
    /// Bytes held back from earlier input: this range of the delimiter.
    Held(std::ops::Range<usize>),
}

impl Content {
    const fn new(part: Part) -> Self {
        Self { part, matched: LINE_END_BYTES, borrowed: LINE_END_BYTES }
    }

    fn after(self, delimiter_len: usize) -> State {
        if self.matched == delimiter_len {
            return State::Boundary { part: self.part, tail: Tail::Empty };
        }
        State::Content(self)
    }
}

impl Part {
    fn ended(self) -> Option<FormEvent<'static>> {
        match self {
            Self::Preamble => None,
            Self::Field(field) => Some(FormEvent::Field(field)),
            Self::File => Some(FormEvent::FileEnd),
        }
    }
}

/// Appends `bytes` to the value of a field.
fn extend(field: &mut Field, bytes: &[u8]) -> Result<()> {
    if field.value.len() + bytes.len() > FIELD_BYTES_MAX {
        let allowed =
            format!("a form of fields of at most {FIELD_BYTES_MAX} bytes: {} has more", field.name);
        return Err(Error::field_invalid("form", allowed));
    }
    field.value.extend_from_slice(bytes);
    Ok(())
}

const LINE_END_BYTES: usize = b"\r\n".len();

/// Longest head of a part, in bytes.
const PART_HEAD_BYTES_MAX: usize = 16 * KIB as usize;
/// Longest value of a field, in bytes.
const FIELD_BYTES_MAX: usize = 64 * KIB as usize;
/// Most fields of a form.
const FIELDS_MAX: u32 = 64;
/// Most files of a form, including inputs in which no file was selected.
const FILES_MAX: u32 = 32;

#[cfg(test)]
#[path = "parser_tests.rs"]
mod tests;
