//! Outbound requests over the raw interface.

use spin_sdk::wasip3::http::client;
use spin_sdk::wasip3::http::types::{
    ErrorCode, Fields, Method, Request, RequestOptions, Response, Scheme,
};
use spin_sdk::wasip3::{wit_future, wit_stream};
use spin_sdk::wit_bindgen::{StreamReader, StreamResult, spawn};

use crate::body::{READ_BYTES, header, respond};

/// Sends `x-length` bytes to `x-url` by `x-method` and returns the outcome.
pub async fn call(request: Request) -> Response {
    let url = header(&request, "x-url").unwrap_or_default();
    let method = header(&request, "x-method").unwrap_or_else(|| "GET".to_owned());
    let length = header(&request, "x-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let options = RequestOptions::new();
    if let Some(ms) = header(&request, "x-first-byte-ms").and_then(|ms| ms.parse::<u64>().ok()) {
        options.set_first_byte_timeout(Some(ms * 1_000_000)).ok();
    }
    match send(&method, &url, vec![b'x'; length], Some(options)).await {
        Ok(status) => respond(200, &format!("status {status}")),
        Err(error) => respond(200, &format!("{error:?}")),
    }
}

pub async fn fetch(method: &str, url: &str, bytes: Vec<u8>) -> Result<u16, ErrorCode> {
    send(method, url, bytes, None).await
}

/// Streams the request's body to `x-url`, chunk by chunk.
pub async fn relay(request: Request) -> Result<Response, ErrorCode> {
    let url = header(&request, "x-url").unwrap_or_default();
    let length = header(&request, "content-length").unwrap_or_default();
    let (done, done_reader) = wit_future::new(|| Ok(()));
    let (mut incoming, _trailers) = Request::consume_body(request, done_reader);
    let (mut writer, reader) = wit_stream::new();
    spawn(async move {
        let mut buffer = Vec::with_capacity(READ_BYTES);
        loop {
            let (result, chunk) = incoming.read(buffer).await;
            if matches!(result, StreamResult::Dropped | StreamResult::Cancelled) {
                break;
            }
            buffer = writer.write_all(chunk).await;
            buffer.clear();
            buffer.reserve(READ_BYTES);
        }
        drop(writer);
        drop(done);
    });
    let status = start("PUT", &url, Some(reader), length.parse().unwrap_or(0), None).await?;
    Ok(respond(status, "relayed"))
}

async fn send(
    method: &str,
    url: &str,
    bytes: Vec<u8>,
    options: Option<RequestOptions>,
) -> Result<u16, ErrorCode> {
    let length = bytes.len() as u64;
    if bytes.is_empty() {
        return start(method, url, None, length, options).await;
    }
    let (mut writer, reader) = wit_stream::new();
    spawn(async move {
        writer.write_all(bytes).await;
    });
    start(method, url, Some(reader), length, options).await
}

async fn start(
    method: &str,
    url: &str,
    body: Option<StreamReader<u8>>,
    length: u64,
    options: Option<RequestOptions>,
) -> Result<u16, ErrorCode> {
    let (scheme, rest) = url.split_once("://").unwrap_or(("http", url));
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let headers = Fields::new();
    if method != "GET" {
        headers.append("content-length", length.to_string().as_bytes()).ok();
    }
    let (trailers, trailers_reader) = wit_future::new(|| Ok(None));
    let (request, _sent) = Request::new(headers, body, trailers_reader, options);
    drop(trailers);
    let method = match method {
        "GET" => Method::Get,
        "PUT" => Method::Put,
        other => Method::Other(other.to_owned()),
    };
    request.set_method(&method).ok();
    let scheme = if scheme == "https" { Scheme::Https } else { Scheme::Http };
    request.set_scheme(Some(&scheme)).ok();
    request.set_authority(Some(authority)).ok();
    request.set_path_with_query(Some(&format!("/{path}"))).ok();
    let response = client::send(request).await?;
    Ok(response.get_status_code())
}
