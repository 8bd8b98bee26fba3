//! Converts the bytes of a fuzzer into inputs of the engine.
//!
//! Inputs are HTTP messages in plain text with LF line ends, so that seeds and reproducers are
//! readable and editable.

use http::{Method, StatusCode};
use vod_uploader::http::RequestHead;
use vod_uploader::oss::HttpResponse;
use vod_uploader::units::UnixMillis;

/// The head of a request: `METHOD target`, then one header per line.
#[must_use]
pub fn head(bytes: &[u8]) -> RequestHead {
    let text = String::from_utf8_lossy(bytes);
    let mut lines = text.split('\n');
    let (method, target) = split(lines.next().unwrap_or_default(), ' ');
    let method = Method::from_bytes(method.as_bytes()).unwrap_or_default();
    RequestHead::new(method, target, headers(lines))
}

/// A response: the status, one header per line, an empty line, and the body.
#[must_use]
pub fn response(bytes: &[u8]) -> HttpResponse {
    let (head, body) = match bytes.windows(2).position(|pair| pair == b"\n\n") {
        Some(end) => (&bytes[..end], &bytes[end + 2..]),
        None => (bytes, &[][..]),
    };
    let text = String::from_utf8_lossy(head);
    let mut lines = text.split('\n');
    let status = lines.next().and_then(|line| line.parse().ok()).unwrap_or(200);
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    HttpResponse::new(status, headers(lines), body.to_vec())
}

/// Splits a text at the first `separator`. The second half is empty if there is none.
#[must_use]
pub fn split(text: &str, separator: char) -> (&str, &str) {
    text.split_once(separator).unwrap_or((text, ""))
}

fn headers<'a>(lines: impl Iterator<Item = &'a str>) -> Vec<(String, String)> {
    lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// 2020-07-26T04:42:09Z, the current time of every input.
pub const NOW: UnixMillis = UnixMillis(1_595_738_529_000);
