//! A client that costs little: it writes the same block of memory over and over.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use crate::failure::Failure;

/// A connection of HTTP/1.1, for one request after another.
#[derive(Debug)]
pub(super) struct Connection {
    address: SocketAddr,
    stream: BufReader<TcpStream>,
}

/// The head of a request.
#[derive(Debug)]
pub(super) struct Head<'a> {
    pub(super) method: &'a str,
    pub(super) path: &'a str,
    /// Lines below Host and Content-Length.
    pub(super) headers: &'a [(&'a str, String)],
}

/// A response whose body was read and forgotten.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Reply {
    pub(super) status: u16,
    /// Names in lower case.
    headers: Vec<(String, String)>,
}

impl Connection {
    /// Connects.
    ///
    /// # Errors
    /// Nothing listens there.
    pub(super) fn open(address: SocketAddr) -> Result<Self, Failure> {
        let connect = || {
            let stream = TcpStream::connect(address)?;
            stream.set_nodelay(true)?;
            stream.set_read_timeout(Some(REPLY_LIMIT))?;
            stream.set_write_timeout(Some(REPLY_LIMIT))?;
            Ok(stream)
        };
        let stream = connect().map_err(|cause: io::Error| {
            Failure::new(format!("{address} cannot be connected to ({cause})"))
        })?;
        Ok(Self { address, stream: BufReader::new(stream) })
    }

    /// Sends a request with a body of `length_bytes`, taken from `block` again and again.
    ///
    /// # Errors
    /// The connection breaks, or the status is not `expected`.
    pub(super) fn send(
        &mut self,
        head: &Head<'_>,
        length_bytes: u64,
        block: &[u8],
        expected: u16,
    ) -> Result<Reply, Failure> {
        let fail = |why: String| Failure::new(format!("{} {}: {why}", head.method, head.path));
        let written = self.write(head, length_bytes, block);
        // A server that refuses a body answers before it has read it: its answer says more.
        match (Reply::read(&mut self.stream), written) {
            (Ok(reply), _) if reply.status != expected => {
                Err(fail(format!("status {} instead of {expected}", reply.status)))
            }
            (Ok(reply), Ok(())) => Ok(reply),
            (_, Err(cause)) => Err(fail(format!("the body could not be sent ({cause})"))),
            (Err(cause), _) => Err(fail(format!("no answer ({cause})"))),
        }
    }

    fn write(&mut self, head: &Head<'_>, length_bytes: u64, block: &[u8]) -> io::Result<()> {
        let stream = self.stream.get_mut();
        let mut text = format!("{} {} HTTP/1.1\r\n", head.method, head.path);
        text.push_str(&format!("host: {}\r\ncontent-length: {length_bytes}\r\n", self.address));
        for (name, value) in head.headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        text.push_str("\r\n");
        stream.write_all(text.as_bytes())?;
        let mut left = length_bytes;
        while left > 0 {
            let length = usize::try_from(left).unwrap_or(usize::MAX).min(block.len());
            stream.write_all(&block[..length])?;
            left -= length as u64;
        }
        Ok(())
    }
}

impl Reply {
    /// The value of a header, its name in lower case.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    fn read(stream: &mut BufReader<TcpStream>) -> io::Result<Self> {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if stream.read_line(&mut head)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        let reply = Self::parse(&head).ok_or(io::ErrorKind::InvalidData)?;
        match reply.header("content-length").map(str::parse::<u64>) {
            Some(Ok(length)) => io::copy(&mut stream.take(length), &mut io::sink())?,
            // A body without a length ends with the connection, or there is none.
            _ if reply.header("connection") == Some("close") => io::copy(stream, &mut io::sink())?,
            _ => 0,
        };
        Ok(reply)
    }

    fn parse(head: &str) -> Option<Self> {
        let mut lines = head.lines();
        let status = lines.next()?.strip_prefix("HTTP/1.1 ")?.split(' ').next()?.parse().ok()?;
        let headers = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        Some(Self { status, headers })
    }
}

/// Completing a large object takes its time.
const REPLY_LIMIT: Duration = Duration::from_secs(120);

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed assumption fails the test")]

    use super::super::sink::Sink;
    use super::*;

    #[test]
    fn one_connection_sends_bodies_one_after_another_and_every_byte_arrives() {
        let sink = Sink::start().unwrap();
        let mut connection = Connection::open(sink.address()).unwrap();
        let head = Head { method: "PUT", path: "/", headers: &[] };
        for length in [0, 1, 1_000, 100_001] {
            connection.send(&head, length, &[7; 1_000], 200).unwrap();
        }
        assert_eq!(sink.requests().written_bytes, 101_002);
    }

    #[test]
    fn another_status_than_the_expected_one_is_an_error_that_names_both() {
        let sink = Sink::start().unwrap();
        let mut connection = Connection::open(sink.address()).unwrap();
        let head = Head { method: "PUT", path: "/p", headers: &[] };
        let failure = connection.send(&head, 1, &[7], 201).unwrap_err().to_string();
        assert!(failure.contains("PUT /p") && failure.contains("200"), "{failure}");
        assert!(failure.contains("201"), "{failure}");
    }

    #[test]
    fn a_reply_has_a_status_and_headers_without_regard_to_case() {
        let reply = Reply::parse("HTTP/1.1 204 No Content\r\nUpload-Offset: 5\r\n\r\n").unwrap();
        assert_eq!((reply.status, reply.header("upload-offset")), (204, Some("5")));
        assert_eq!(Reply::parse("SMTP ready\r\n\r\n"), None);
    }
}
