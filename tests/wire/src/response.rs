//! Final responses, and reading their bodies.

use std::io::{self, BufRead, Read as _};
use std::ops::Deref;

use serde_json::Value;

use crate::head::{Head, malformed, read_line};
use crate::request::Request;

/// A final response; it dereferences to its head.
#[derive(Clone, Debug)]
pub struct Response {
    /// The head.
    pub head: Head,
    /// The interim responses before it.
    pub interim: Vec<Head>,
    /// The body.
    pub body: Vec<u8>,
}

impl Response {
    /// Returns true if the status is 2xx.
    #[must_use]
    pub const fn is_success(&self) -> bool {
        200 <= self.head.status && self.head.status < 300
    }

    /// The response, if it is a success.
    ///
    /// # Errors
    /// Returns an error with the status and the body if it is not.
    pub(crate) fn into_success(self, request: &Request) -> io::Result<Self> {
        if self.is_success() {
            return Ok(self);
        }
        let (Request { method, target, .. }, status) = (request, self.status);
        Err(io::Error::other(format!("{method} {target}: {status} {}", self.text().trim())))
    }

    /// The body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON, for tests that expect it.
    ///
    /// # Panics
    /// If it is not JSON.
    #[must_use]
    #[expect(clippy::panic, reason = "a failed assumption fails the test")]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {} {}", self.status, self.text()))
    }

    /// The `code` of problem details (RFC 9457); empty for any other response, and in response to
    /// HEAD.
    #[must_use]
    pub fn code(&self) -> String {
        let is_problem = self.header("content-type") == Some("application/problem+json");
        let problem: Value = serde_json::from_slice(&self.body).unwrap_or_default();
        problem["code"].as_str().filter(|_| is_problem).unwrap_or_default().to_owned()
    }

    /// `Upload-Offset`, for tests that expect it.
    ///
    /// # Panics
    /// If it is absent or not an integer.
    #[must_use]
    #[expect(clippy::panic, reason = "a failed assumption fails the test")]
    pub fn offset(&self) -> u64 {
        let offset = self.header("upload-offset").and_then(|value| value.parse().ok());
        offset.unwrap_or_else(|| panic!("no offset: {} {}", self.status, self.text()))
    }

    /// Reads the response to `method`. `interim` contains the heads that were read before.
    ///
    /// # Errors
    /// Returns an error if the connection ends before the response does, or it is malformed.
    pub(crate) fn read(
        method: &str,
        from: &mut impl BufRead,
        mut interim: Vec<Head>,
    ) -> io::Result<Self> {
        loop {
            let head = Head::read(from)?;
            if !head.is_interim() {
                let body = read_body(method, &head, from)?;
                return Ok(Self { head, interim, body });
            }
            interim.push(head);
        }
    }
}

impl Deref for Response {
    type Target = Head;

    fn deref(&self) -> &Head {
        &self.head
    }
}

/// RFC 9112, section 6.3.
fn read_body(method: &str, head: &Head, from: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    if method == "HEAD" || matches!(head.status, 204 | 304) {
        return Ok(body);
    }
    if head.is_chunked() {
        while read_chunk(from, &mut body)? {}
        return Ok(body);
    }
    match head.header("content-length").map(str::parse) {
        Some(Ok(length)) => read_exact(from, length, &mut body)?,
        Some(Err(_)) => return Err(malformed("Content-Length is not a number")),
        None => drop(from.read_to_end(&mut body)?),
    }
    Ok(body)
}

/// Appends a chunk to `body`. Returns false for the last one, after its trailer section.
///
/// # Errors
/// Returns an error if the connection ends inside it or it is malformed.
pub(crate) fn read_chunk(from: &mut impl BufRead, body: &mut Vec<u8>) -> io::Result<bool> {
    let line = read_line(from)?;
    let digits = line.split(';').next().unwrap_or_default().trim();
    let size = u64::from_str_radix(digits, 16)
        .map_err(|_| malformed(format!("{line:?} is not a chunk size")))?;
    read_exact(from, size, body)?;
    while !read_line(from)?.is_empty() {
        if size > 0 {
            return Err(malformed("a chunk is longer than its size"));
        }
    }
    Ok(size > 0)
}

fn read_exact(from: &mut impl BufRead, length: u64, body: &mut Vec<u8>) -> io::Result<()> {
    let read = from.take(length).read_to_end(body)?;
    if read as u64 == length { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed assumption fails the test")]

    use super::*;

    fn read(method: &str, text: &str) -> io::Result<Response> {
        Response::read(method, &mut text.as_bytes(), Vec::new())
    }

    #[test]
    fn interim_responses_are_separate_from_the_final_one() {
        let text = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 104 Upload Resumption Supported\r\n\
                    Location: /a\r\n\r\nHTTP/1.1 201 Created\r\nA: 1\r\na:2\r\n\
                    Content-Length: 2\r\n\r\nhi";
        let response = read("POST", text).unwrap();
        assert_eq!(response.status, 201);
        assert_eq!(response.header("A"), Some("1, 2"));
        assert_eq!(response.body, b"hi");
        let interim: Vec<_> = response.interim.iter().map(|head| head.status).collect();
        assert_eq!(interim, [100, 104]);
        assert_eq!(response.interim[1].header("location"), Some("/a"));
    }

    #[test]
    fn bodies_are_read_by_their_framing() {
        let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\
                       2\r\nhe\r\n3;x=y\r\nllo\r\n0\r\nA: b\r\n\r\n";
        assert_eq!(read("GET", chunked).unwrap().body, b"hello");
        assert!(read("GET", &chunked[..chunked.len() - 2]).is_err());
        assert_eq!(read("GET", "HTTP/1.1 200 OK\r\n\r\nall").unwrap().body, b"all");
        let head = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n";
        assert_eq!(read("HEAD", head).unwrap().body, b"");
        assert!(read("GET", head).is_err());
        assert!(read("GET", "nonsense\r\n\r\n").is_err());
    }

    #[test]
    fn only_problem_details_have_a_code() {
        let with_type = |media_type: &str| {
            let body = r#"{"code":"upload-ended"}"#;
            let head = format!("HTTP/1.1 409 Conflict\r\nContent-Type: {media_type}\r\n\r\n{body}");
            read("GET", &head).unwrap().code()
        };
        assert_eq!(with_type("application/problem+json"), "upload-ended");
        assert_eq!(with_type("application/json"), "");
    }
}
