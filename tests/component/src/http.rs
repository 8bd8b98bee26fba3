//! A small HTTP/1.1 client over a bare socket: it can send half a body and leave, or leave the
//! connection hanging, which no library lets one do on purpose.

use std::io::{self, BufRead, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::ops::Range;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;

use crate::source::Source;

/// A client of one server. Every connection serves one request.
#[derive(Clone, Debug)]
pub struct Client {
    address: SocketAddr,
    transcript: Transcript,
}

/// The heads and bodies of all answers that clients received.
#[derive(Clone, Debug, Default)]
pub struct Transcript(Arc<Mutex<Vec<u8>>>);

/// A request's headers: names and values.
pub type Headers<'a> = &'a [(&'a str, &'a str)];

/// A request's body.
#[derive(Clone, Debug)]
pub enum Body<'a> {
    /// None, and no Content-Length.
    None,
    /// These bytes, with their Content-Length.
    Bytes(&'a [u8]),
    /// A range of a file, with its Content-Length.
    Range(&'a Source, Range<u64>),
    /// A range of a file, its length not declared.
    Chunked(&'a Source, Range<u64>),
}

/// How the end of a body is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// There is no body.
    None,
    /// By this Content-Length.
    Length(u64),
    /// By the last chunk.
    Chunked,
}

/// The lines of an answer that is still being written.
#[derive(Debug)]
pub struct Lines {
    reader: BufReader<TcpStream>,
    unread: Vec<u8>,
    transcript: Transcript,
}

/// An answer.
#[derive(Clone, Debug)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// The headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Client {
    /// A client of the server at `origin` (`http://127.0.0.1:PORT`).
    ///
    /// # Panics
    /// Where that is no such origin.
    #[must_use]
    pub fn new(origin: &str, transcript: Transcript) -> Self {
        let address = origin.strip_prefix("http://").and_then(|authority| authority.parse().ok());
        Self { address: address.expect("an origin of this machine"), transcript }
    }

    /// Sends a request and reads its answer, which may come before the body's end.
    ///
    /// # Errors
    /// Where no whole answer comes.
    pub fn request(
        &self,
        method: &str,
        path: &str,
        headers: Headers<'_>,
        body: &Body<'_>,
    ) -> io::Result<Response> {
        let framing = match body {
            Body::None => Framing::None,
            Body::Bytes(bytes) => Framing::Length(bytes.len() as u64),
            Body::Range(_, range) => Framing::Length(range.end - range.start),
            Body::Chunked(..) => Framing::Chunked,
        };
        let mut exchange = self.begin(method, path, headers, framing)?;
        match body {
            Body::None => {}
            Body::Bytes(bytes) => {
                exchange.send(bytes);
            }
            Body::Range(source, range) | Body::Chunked(source, range) => {
                source.read(range.clone(), |chunk| exchange.send(chunk));
            }
        }
        exchange.finish()
    }

    /// Opens a connection and sends a request's head.
    ///
    /// # Errors
    /// Where there is no connection.
    pub fn begin(
        &self,
        method: &str,
        path: &str,
        headers: Headers<'_>,
        framing: Framing,
    ) -> io::Result<Exchange> {
        let stream = TcpStream::connect(self.address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(ANSWER_LIMIT))?;
        stream.set_write_timeout(Some(ANSWER_LIMIT))?;
        let mut head = format!("{method} {path} HTTP/1.1\r\nhost: {}\r\n", self.address);
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        match framing {
            Framing::None => {}
            Framing::Length(length) => head.push_str(&format!("content-length: {length}\r\n")),
            Framing::Chunked => head.push_str("transfer-encoding: chunked\r\n"),
        }
        head.push_str("connection: close\r\n\r\n");
        let mut exchange = Exchange {
            stream,
            framing,
            refused: false,
            bodiless: method == "HEAD",
            transcript: self.transcript.clone(),
        };
        exchange.stream.write_all(head.as_bytes())?;
        Ok(exchange)
    }
}

/// A request under way. Dropping it closes the connection.
#[derive(Debug)]
pub struct Exchange {
    stream: TcpStream,
    framing: Framing,
    /// The server takes no more of the body.
    refused: bool,
    bodiless: bool,
    transcript: Transcript,
}

impl Exchange {
    /// Sends more of the body. False once the server takes no more: its answer says why.
    pub fn send(&mut self, bytes: &[u8]) -> bool {
        if self.refused || bytes.is_empty() {
            return !self.refused;
        }
        self.refused = match self.framing {
            Framing::Chunked => {
                let mut chunk = format!("{:x}\r\n", bytes.len()).into_bytes();
                chunk.extend_from_slice(bytes);
                chunk.extend_from_slice(b"\r\n");
                self.stream.write_all(&chunk).is_err()
            }
            Framing::None | Framing::Length(_) => self.stream.write_all(bytes).is_err(),
        };
        !self.refused
    }

    /// Ends the body and reads the answer.
    ///
    /// # Errors
    /// Where no whole answer comes.
    pub fn finish(mut self) -> io::Result<Response> {
        if self.framing == Framing::Chunked && !self.refused {
            self.refused = self.stream.write_all(LAST_CHUNK).is_err();
        }
        self.answer()
    }

    /// Ends the chunked body with this trailer and reads the answer.
    ///
    /// # Errors
    /// Where no whole answer comes.
    pub fn finish_with_trailer(mut self, name: &str, value: &str) -> io::Result<Response> {
        let end = format!("0\r\n{name}: {value}\r\n\r\n");
        self.refused |= self.stream.write_all(end.as_bytes()).is_err();
        self.answer()
    }

    /// Reads the answer's head, and gives its body line by line while this side sends on.
    ///
    /// # Errors
    /// Where no head comes, or one of a failure.
    pub fn lines(&self) -> io::Result<Lines> {
        let mut reader = BufReader::new(self.stream.try_clone()?);
        let (status, headers) = read_head(&mut reader)?;
        let chunked = headers.iter().any(is_chunked);
        if status != 200 || !chunked {
            return Err(invalid(&format!("status {status}, chunked {chunked}")));
        }
        Ok(Lines { reader, unread: Vec::new(), transcript: self.transcript.clone() })
    }

    /// Ends the body, and leaves the answer to be read.
    ///
    /// # Errors
    /// Where the connection is gone.
    pub fn end(&mut self) -> io::Result<()> {
        self.stream.write_all(LAST_CHUNK)
    }

    /// Reads the answer without ending the body.
    ///
    /// # Errors
    /// Where no whole answer comes.
    pub fn answer(self) -> io::Result<Response> {
        let response = read_response(BufReader::new(&self.stream), self.bodiless)?;
        self.transcript.add(&response);
        Ok(response)
    }
}

impl Lines {
    /// The next line; `None` after the last one.
    ///
    /// # Errors
    /// Where the answer breaks off, or nothing comes for long.
    pub fn next_line(&mut self) -> io::Result<Option<String>> {
        loop {
            if let Some(end) = self.unread.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.unread.drain(..=end).collect();
                self.transcript.lock().extend_from_slice(&line);
                return Ok(Some(String::from_utf8_lossy(&line).into_owned()));
            }
            if !read_chunk(&mut self.reader, &mut self.unread)? {
                return Ok(None);
            }
        }
    }
}

impl Transcript {
    /// Whether any answer had these bytes in it.
    #[must_use]
    pub fn contains(&self, wanted: &str) -> bool {
        contains(&self.lock(), wanted.as_bytes())
    }

    fn add(&self, response: &Response) {
        let mut all = self.lock();
        for (name, value) in &response.headers {
            all.extend_from_slice(format!("{name}: {value}\n").as_bytes());
        }
        all.extend_from_slice(&response.body);
        all.push(b'\n');
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<u8>> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Response {
    /// The header of this name, in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    /// The body as JSON.
    ///
    /// # Panics
    /// Where it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {} {}", self.status, self.text()))
    }

    /// The `code` of problem details; empty for another answer, and for one to HEAD.
    #[must_use]
    pub fn code(&self) -> String {
        let is_problem = self.header("content-type") == Some("application/problem+json")
            && !self.body.is_empty();
        let code = is_problem.then(|| self.json()["code"].as_str().map(str::to_owned));
        code.flatten().unwrap_or_default()
    }

    /// The body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// `Upload-Offset` of tus.
    ///
    /// # Panics
    /// Where there is none.
    #[must_use]
    pub fn offset(&self) -> u64 {
        let offset = self.header("upload-offset").and_then(|value| value.parse().ok());
        offset.unwrap_or_else(|| panic!("no offset: {} {}", self.status, self.text()))
    }

    /// Whether it reports success.
    #[must_use]
    pub const fn is_success(&self) -> bool {
        200 <= self.status && self.status < 300
    }
}

/// Whether `needle` stands somewhere in `hay`.
#[must_use]
pub fn contains(hay: &[u8], needle: &[u8]) -> bool {
    hay.windows(needle.len()).any(|window| window == needle)
}

fn read_response(mut reader: BufReader<&TcpStream>, bodiless: bool) -> io::Result<Response> {
    let (status, headers) = read_head(&mut reader)?;
    let mut response = Response { status, headers, body: Vec::new() };
    if bodiless || matches!(status, 204 | 304) {
        return Ok(response);
    }
    let length = response.header("content-length").and_then(|value| value.parse().ok());
    match length {
        Some(length) => {
            response.body = vec![0; length];
            reader.read_exact(&mut response.body)?;
        }
        None if response.headers.iter().any(is_chunked) => {
            while read_chunk(&mut reader, &mut response.body)? {}
        }
        None => {
            reader.read_to_end(&mut response.body)?;
        }
    }
    Ok(response)
}

fn read_head(reader: &mut impl BufRead) -> io::Result<(u16, Vec<(String, String)>)> {
    let status_line = read_line(reader)?;
    let status = status_line.split(' ').nth(1).and_then(|status| status.parse().ok());
    let status = status.ok_or_else(|| invalid(&status_line))?;
    let mut headers = Vec::new();
    loop {
        let line = read_line(reader)?;
        if line.is_empty() {
            return Ok((status, headers));
        }
        let (name, value) = line.split_once(':').ok_or_else(|| invalid(&line))?;
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
}

fn is_chunked((name, value): &(String, String)) -> bool {
    name == "transfer-encoding" && value == "chunked"
}

/// Adds a chunk to `body`. False for the last one.
fn read_chunk(reader: &mut impl BufRead, body: &mut Vec<u8>) -> io::Result<bool> {
    let line = read_line(reader)?;
    let size = usize::from_str_radix(line.trim(), 16).map_err(|_| invalid(&line))?;
    let begin = body.len();
    body.resize(begin + size, 0);
    reader.read_exact(&mut body[begin..])?;
    read_line(reader)?;
    Ok(size > 0)
}

fn read_line(reader: &mut impl BufRead) -> io::Result<String> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(line.trim_end().to_owned())
}

fn invalid(line: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("not HTTP: {line}"))
}

const LAST_CHUNK: &[u8] = b"0\r\n\r\n";

/// Longer than any retry budget that a test configures.
const ANSWER_LIMIT: Duration = Duration::from_secs(90);
