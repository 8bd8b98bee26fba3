//! Response heads, and reading them.

use std::io::{self, BufRead, Read as _};

/// A status line and its headers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// The status code.
    pub status: u16,
    /// The reason phrase.
    pub reason: String,
    /// The headers in order, their names as received. The values of repeated headers are joined by
    /// commas (RFC 9110, section 5.3).
    pub headers: Vec<(String, String)>,
}

impl Head {
    /// The value of a header; its name is case-insensitive.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(found, _)| found.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// Returns true for an interim response (RFC 9110, section 15.2).
    #[must_use]
    pub fn is_interim(&self) -> bool {
        (100..200).contains(&self.status)
    }

    /// Returns true if the body is chunked.
    pub(crate) fn is_chunked(&self) -> bool {
        self.header("transfer-encoding").is_some_and(|coding| coding.ends_with("chunked"))
    }

    /// Reads one head.
    ///
    /// # Errors
    /// Returns an error if the connection ends inside it or it is malformed.
    pub(crate) fn read(from: &mut impl BufRead) -> io::Result<Self> {
        let status_line = read_line(from)?;
        let mut words = status_line.splitn(3, ' ');
        let version = words.next().unwrap_or_default();
        let status = words.next().and_then(|code| code.parse().ok());
        let (true, Some(status)) = (version.starts_with("HTTP/1."), status) else {
            return Err(malformed(format!("{status_line:?} is not a status line")));
        };
        let reason = words.next().unwrap_or_default().to_owned();
        let mut head = Self { status, reason, headers: Vec::new() };
        loop {
            let line = read_line(from)?;
            if line.is_empty() {
                return Ok(head);
            }
            let Some((name, value)) = line.split_once(':') else {
                return Err(malformed(format!("{line:?} is not a header")));
            };
            head.add(name, value.trim());
        }
    }

    fn add(&mut self, name: &str, value: &str) {
        let same = self.headers.iter_mut().find(|(found, _)| found.eq_ignore_ascii_case(name));
        match same {
            Some((_, joined)) => *joined = format!("{joined}, {value}"),
            None => self.headers.push((name.to_owned(), value.to_owned())),
        }
    }
}

/// Reads a line and removes its end.
///
/// # Errors
/// Returns an error if the connection ends before the line does.
pub(crate) fn read_line(from: &mut impl BufRead) -> io::Result<String> {
    let mut line = Vec::new();
    from.take(LINE_BYTES_MAX).read_until(b'\n', &mut line)?;
    if line.pop() != Some(b'\n') {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    Ok(String::from_utf8_lossy(&line).into_owned())
}

/// An error for bytes that are not HTTP.
pub(crate) fn malformed(what: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.into())
}

/// Longer than any line that a server sends.
const LINE_BYTES_MAX: u64 = 64 * 1024;
