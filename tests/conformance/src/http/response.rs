//! Responses, and reading them.

use std::io::{self, BufRead, BufReader, Read};

/// A status line and its fields.
#[derive(Clone, Debug)]
pub struct Head {
    /// The status code.
    pub status: u16,
    /// What follows the code in the status line.
    pub reason: String,
    /// The fields, in order.
    pub fields: Vec<(String, String)>,
}

/// A final response with what came before it.
#[derive(Clone, Debug)]
pub struct Response {
    /// Its head.
    pub head: Head,
    /// The heads of the interim responses (RFC 9110, section 15.2) that came first.
    pub interim: Vec<Head>,
    /// Its body.
    pub body: Vec<u8>,
}

impl Head {
    /// The value of a field, several of the same name joined (RFC 9110, section 5.3).
    #[must_use]
    pub fn field(&self, name: &str) -> Option<String> {
        let same = self.fields.iter().filter(|(set, _)| set.eq_ignore_ascii_case(name));
        let values: Vec<_> = same.map(|(_, value)| value.as_str()).collect();
        (!values.is_empty()).then(|| values.join(", "))
    }

    /// Reads one head.
    pub(super) fn read(from: &mut impl BufRead) -> io::Result<Self> {
        let status_line = read_line(from)?;
        let mut words = status_line.splitn(3, ' ');
        let version = words.next().unwrap_or_default();
        let status = words.next().and_then(|code| code.parse().ok());
        let (true, Some(status)) = (version.starts_with("HTTP/1."), status) else {
            return Err(malformed(&format!("{status_line:?} is no status line")));
        };
        let reason = words.next().unwrap_or_default().to_owned();
        let mut fields = Vec::new();
        loop {
            let line = read_line(from)?;
            if line.is_empty() {
                return Ok(Self { status, reason, fields });
            }
            let Some((name, value)) = line.split_once(':') else {
                return Err(malformed(&format!("{line:?} is no field")));
            };
            fields.push((name.to_owned(), value.trim().to_owned()));
        }
    }
}

impl Response {
    /// The status code.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.head.status
    }

    /// The value of a field.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<String> {
        self.head.field(name)
    }

    /// Reads what is left of a response to `method`, whose heads up to the final one are known.
    pub(super) fn read<R: Read>(
        method: &str,
        from: &mut BufReader<R>,
        mut interim: Vec<Head>,
    ) -> io::Result<Self> {
        let head = loop {
            let head = Head::read(from)?;
            if !(100..200).contains(&head.status) {
                break head;
            }
            interim.push(head);
        };
        let body = read_body(method, &head, from)?;
        Ok(Self { head, interim, body })
    }
}

/// RFC 9112, section 6.3.
fn read_body(method: &str, head: &Head, from: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    if method == "HEAD" || matches!(head.status, 204 | 304) {
        return Ok(body);
    }
    if head.field("Transfer-Encoding").is_some_and(|coding| coding.ends_with("chunked")) {
        loop {
            let size = read_line(from)?;
            let digits = size.split(';').next().unwrap_or_default().trim();
            let size = u64::from_str_radix(digits, 16).map_err(|_| malformed("no chunk size"))?;
            let before = body.len() as u64;
            from.take(size).read_to_end(&mut body)?;
            if body.len() as u64 - before < size {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let end = read_line(from)?;
            if size == 0 && end.is_empty() {
                return Ok(body);
            }
        }
    }
    match head.field("Content-Length").map(|length| length.parse::<u64>()) {
        Some(Ok(length)) => {
            from.take(length).read_to_end(&mut body)?;
            if (body.len() as u64) < length {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        Some(Err(_)) => return Err(malformed("Content-Length is no number")),
        None => {
            from.read_to_end(&mut body)?;
        }
    }
    Ok(body)
}

fn read_line(from: &mut impl BufRead) -> io::Result<String> {
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

fn malformed(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

/// Longer lines than any server sends.
const LINE_BYTES_MAX: u64 = 64 * 1024;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed assumption fails the test")]

    use super::*;

    fn read(method: &str, text: &str) -> io::Result<Response> {
        Response::read(method, &mut BufReader::new(text.as_bytes()), Vec::new())
    }

    #[test]
    fn interim_responses_come_apart_from_the_final_one() {
        let text = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 104 Upload Resumption Supported\r\n\
                    Location: /a\r\n\r\nHTTP/1.1 201 Created\r\nA: 1\r\na:2\r\nContent-Length: 2\r\n\r\nhi";
        let response = read("POST", text).unwrap();
        assert_eq!(response.status(), 201);
        assert_eq!(response.field("A").as_deref(), Some("1, 2"));
        assert_eq!(response.body, b"hi");
        let interim: Vec<_> = response.interim.iter().map(|head| head.status).collect();
        assert_eq!(interim, [100, 104]);
        assert_eq!(response.interim[1].field("location").as_deref(), Some("/a"));
    }

    #[test]
    fn bodies_are_read_by_their_framing() {
        let chunked =
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n";
        assert_eq!(read("GET", chunked).unwrap().body, b"hello");
        assert_eq!(read("GET", "HTTP/1.1 200 OK\r\n\r\nall").unwrap().body, b"all");
        let head = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n";
        assert_eq!(read("HEAD", head).unwrap().body, b"");
        assert!(read("GET", head).is_err());
        assert!(read("GET", "nonsense\r\n\r\n").is_err());
    }
}
