//! The server's side of HTTP/1.1: one request per connection.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

/// A request whose body has not been read.
pub(crate) struct Incoming {
    pub(crate) method: String,
    pub(crate) path: String,
    fields: Vec<(String, String)>,
    stream: BufReader<TcpStream>,
    framing: Framing,
}

enum Framing {
    Sized(u64),
    Chunked,
    Ended,
}

/// A response.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) fields: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Incoming {
    pub(crate) fn read(stream: TcpStream) -> io::Result<Self> {
        stream.set_read_timeout(Some(Duration::from_secs(20)))?;
        let mut stream = BufReader::new(stream);
        let request_line = line(&mut stream)?;
        let mut words = request_line.split(' ').map(str::to_owned);
        let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let fields = fields(&mut stream)?;
        let mut incoming = Self { method, path, fields, stream, framing: Framing::Ended };
        if incoming.field("Transfer-Encoding").is_some() {
            incoming.framing = Framing::Chunked;
        } else if let Some(length) = incoming.content_length() {
            incoming.framing = Framing::Sized(length);
        }
        Ok(incoming)
    }

    /// A header, or a trailer field once it was read.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        let same = self.fields.iter().find(|(set, _)| set.eq_ignore_ascii_case(name));
        same.map(|(_, value)| value.as_str())
    }

    pub(crate) fn content_length(&self) -> Option<u64> {
        self.field("Content-Length").and_then(|length| length.parse().ok())
    }

    pub(crate) fn is_chunked(&self) -> bool {
        self.field("Transfer-Encoding").is_some()
    }

    /// Another handle of the connection, to close it from another thread.
    pub(crate) fn connection(&self) -> Option<TcpStream> {
        self.stream.get_ref().try_clone().ok()
    }

    /// The next bytes of the body; `None` at its end.
    pub(crate) fn read_some(&mut self) -> io::Result<Option<Vec<u8>>> {
        match self.framing {
            Framing::Ended | Framing::Sized(0) => Ok(None),
            Framing::Sized(left) => {
                let bytes = some(&mut self.stream, left)?;
                self.framing = Framing::Sized(left - bytes.len() as u64);
                Ok(Some(bytes))
            }
            Framing::Chunked => {
                let size = line(&mut self.stream)?;
                let size =
                    usize::from_str_radix(&size, 16).map_err(|_| io::ErrorKind::InvalidData)?;
                if size == 0 {
                    let trailers = fields(&mut self.stream)?;
                    self.fields.extend(trailers);
                    self.framing = Framing::Ended;
                    return Ok(None);
                }
                let mut bytes = vec![0; size];
                self.stream.read_exact(&mut bytes)?;
                line(&mut self.stream)?;
                Ok(Some(bytes))
            }
        }
    }

    /// Sends an interim response.
    pub(crate) fn interim(&self, status: u16, fields: &[(&str, String)]) {
        let mut text = format!("HTTP/1.1 {status} Interim\r\n");
        for (name, value) in fields {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        // A disconnect is detected when the body is read.
        let _ = self.stream.get_ref().write_all(format!("{text}\r\n").as_bytes());
    }

    /// Sends the response and reads the rest of the request: a connection that is closed with
    /// unread bytes is reset, and the response may be lost.
    pub(crate) fn respond(mut self, response: &Response) {
        let mut text = format!("HTTP/1.1 {} Final\r\n", response.status);
        for (name, value) in &response.fields {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        if response.status != 204 {
            text.push_str(&format!("Content-Length: {}\r\n", response.body.len()));
        }
        let mut message = format!("{text}\r\n").into_bytes();
        if self.method != "HEAD" {
            message.extend(&response.body);
        }
        let stream = self.stream.get_mut();
        let _ = stream.write_all(&message).and_then(|()| stream.shutdown(Shutdown::Write));
        let _ = stream.set_read_timeout(Some(Duration::from_millis(300)));
        let _ = io::copy(&mut self.stream, &mut io::sink());
    }
}

impl Response {
    pub(crate) fn new(status: u16) -> Self {
        Self { status, fields: Vec::new(), body: Vec::new() }
    }

    pub(crate) fn field(mut self, name: &str, value: impl ToString) -> Self {
        self.fields.push((name.to_owned(), value.to_string()));
        self
    }

    pub(crate) fn field_if(self, holds: bool, name: &str, value: impl ToString) -> Self {
        if holds { self.field(name, value) } else { self }
    }

    pub(crate) fn body(mut self, media_type: &str, body: Vec<u8>) -> Self {
        self.body = body;
        self.field("Content-Type", media_type)
    }
}

fn line(from: &mut impl BufRead) -> io::Result<String> {
    let mut line = String::new();
    from.read_line(&mut line)?;
    match line.strip_suffix('\n') {
        Some(line) => Ok(line.trim_end_matches('\r').to_owned()),
        None => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

fn fields(from: &mut impl BufRead) -> io::Result<Vec<(String, String)>> {
    let mut fields = Vec::new();
    loop {
        let line = line(from)?;
        if line.is_empty() {
            return Ok(fields);
        }
        let (name, value) = line.split_once(':').ok_or(io::ErrorKind::InvalidData)?;
        fields.push((name.to_owned(), value.trim().to_owned()));
    }
}

fn some(from: &mut impl BufRead, most: u64) -> io::Result<Vec<u8>> {
    let buffered = from.fill_buf()?;
    if buffered.is_empty() {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let count = buffered.len().min(usize::try_from(most).unwrap_or(usize::MAX));
    let bytes = buffered[..count].to_vec();
    from.consume(count);
    Ok(bytes)
}
