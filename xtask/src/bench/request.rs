//! Requests as they come over a connection.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;

/// The head of a request.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) method: String,
    pub(super) path: String,
    /// Still percent-encoded.
    query: String,
    /// Names in lower case.
    headers: Vec<(String, String)>,
    pub(super) content_length: u64,
}

impl Head {
    /// Reads the next one. `None` when the connection ended before it.
    pub(super) fn read(stream: &mut BufReader<TcpStream>) -> io::Result<Option<Self>> {
        let mut text = String::new();
        while !text.ends_with("\r\n\r\n") {
            if stream.read_line(&mut text)? == 0 {
                return Ok(None);
            }
        }
        Self::parse(&text).map(Some).ok_or_else(|| io::ErrorKind::InvalidData.into())
    }

    /// The value of a header, its name in lower case.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    /// Headers whose names begin so.
    pub(super) fn headers_with(&self, prefix: &str) -> Vec<(String, String)> {
        self.headers.iter().filter(|(name, _)| name.starts_with(prefix)).cloned().collect()
    }

    /// The value of a parameter, empty when it has none.
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        self.query.split('&').find_map(|pair| {
            let (found, value) = pair.split_once('=').unwrap_or((pair, ""));
            (found == name).then_some(value)
        })
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let mut words = lines.next()?.split(' ');
        let (method, target) = (words.next()?.to_owned(), words.next()?);
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let headers: Vec<_> = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        let mut head = Self {
            method,
            path: path.to_owned(),
            query: query.to_owned(),
            headers,
            content_length: 0,
        };
        if head.header("transfer-encoding").is_some() {
            return None;
        }
        if let Some(length) = head.header("content-length") {
            head.content_length = length.parse().ok()?;
        }
        Some(head)
    }
}

/// Reads the whole body.
pub(super) fn read_body(stream: &mut BufReader<TcpStream>, head: &Head) -> io::Result<Vec<u8>> {
    invite_body(stream, head)?;
    let mut body = Vec::new();
    stream.take(head.content_length).read_to_end(&mut body)?;
    if body.len() as u64 == head.content_length {
        Ok(body)
    } else {
        Err(io::ErrorKind::UnexpectedEof.into())
    }
}

/// Takes the body off the connection and forgets it.
pub(super) fn discard_body(stream: &mut BufReader<TcpStream>, head: &Head) -> io::Result<()> {
    invite_body(stream, head)?;
    let mut left = head.content_length;
    while left > 0 {
        let available = stream.fill_buf()?.len() as u64;
        if available == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let taken = available.min(left);
        stream.consume(usize::try_from(taken).unwrap_or(usize::MAX));
        left -= taken;
    }
    Ok(())
}

/// The AWS client holds the body back until it is asked for it (RFC 9110, section 10.1.1).
fn invite_body(stream: &mut BufReader<TcpStream>, head: &Head) -> io::Result<()> {
    match head.header("expect") {
        Some(_) => stream.get_mut().write_all(b"HTTP/1.1 100 Continue\r\n\r\n"),
        None => Ok(()),
    }
}
