//! Responses in the format of OSS.

use http::{HeaderName, HeaderValue, StatusCode};
use vod_uploader::oss::HttpResponse;

pub(super) fn empty(status: u16) -> HttpResponse {
    let status = StatusCode::from_u16(status).unwrap();
    HttpResponse::new(status, [("x-oss-request-id", "5F3A0D4B7B0E1F3330AB1234")], Vec::new())
}

pub(super) fn xml(status: u16, body: &str) -> HttpResponse {
    let body = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>{body}").into_bytes();
    HttpResponse { body, ..empty(status) }
}

pub(super) fn error(status: u16, code: &str, more: &str) -> HttpResponse {
    if code.is_empty() {
        return empty(status);
    }
    xml(status, &format!("<Error><Code>{code}</Code><Message>No.</Message>{more}</Error>"))
}

/// The same response without its body, as to a HEAD.
pub(super) fn without_body(reply: HttpResponse) -> HttpResponse {
    HttpResponse { body: Vec::new(), ..reply }
}

pub(super) fn with_headers<const N: usize>(
    reply: HttpResponse,
    added: [(&'static str, String); N],
) -> HttpResponse {
    let mut headers = reply.headers;
    for (name, value) in added {
        headers.append(HeaderName::from_static(name), HeaderValue::try_from(value).unwrap());
    }
    HttpResponse { headers, ..reply }
}
