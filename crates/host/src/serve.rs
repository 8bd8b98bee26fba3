//! Converts the host's request to the relay's, and the relay's response to the host's.

use futures::StreamExt as _;
use futures::channel::mpsc;
use http::{Method, StatusCode};
use spin_sdk::wasip3::http::types::{self as wasi, ErrorCode, Fields, Request, Response};
use spin_sdk::wasip3::wit_bindgen::StreamReader;
use spin_sdk::wasip3::{wit_bindgen, wit_future, wit_stream};
use vod_uploader::http::RequestHead;
use vod_uploader_relay::{self as relay, Relay, ResponseBody};

use crate::body::HostBody;
use crate::instance;

/// Serves one request. Every error is a response: a trap would end every upload of the instance.
///
/// # Errors
/// Returns the host's error if it rejects the response.
pub async fn serve(request: Request) -> Result<Response, ErrorCode> {
    let head = head_of(&request);
    let body = HostBody::new(request);
    let is_bodiless =
        head.effective_method() == Some(Method::HEAD) || head.method() == Method::HEAD;
    let response = match instance::relay().await {
        Ok(relay) => relay.handle(head, Box::new(body)).await,
        Err(error) => {
            let ports = instance::ports();
            Relay::respond_without_instance(ports, &head, Box::new(body), &error)
        }
    };
    into_wasi(response, is_bodiless)
}

fn head_of(request: &Request) -> RequestHead {
    let target = request.get_path_with_query().unwrap_or_default();
    let mut headers = request.get_headers().copy_all();
    // HTTP/2 has no Host, and a host may omit it.
    if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
        let authority = request.get_authority().map(String::into_bytes);
        headers.extend(authority.map(|authority| ("host".to_owned(), authority)));
    }
    RequestHead::new(method_of(request), &target, headers)
}

fn method_of(request: &Request) -> Method {
    match request.get_method() {
        wasi::Method::Get => Method::GET,
        wasi::Method::Head => Method::HEAD,
        wasi::Method::Post => Method::POST,
        wasi::Method::Put => Method::PUT,
        wasi::Method::Delete => Method::DELETE,
        wasi::Method::Options => Method::OPTIONS,
        wasi::Method::Patch => Method::PATCH,
        wasi::Method::Connect => Method::CONNECT,
        wasi::Method::Trace => Method::TRACE,
        // No path has the method CONNECT, so an invalid name has the same result.
        wasi::Method::Other(name) => Method::from_bytes(name.as_bytes()).unwrap_or(Method::CONNECT),
    }
}

fn into_wasi(response: relay::Response, is_bodiless: bool) -> Result<Response, ErrorCode> {
    let (parts, body) = response.into_parts();
    let mut entries: Vec<_> = parts
        .headers
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec()))
        .collect();
    let is_bodiless = is_bodiless || parts.status == StatusCode::NO_CONTENT;
    if let ResponseBody::Bytes(bytes) = &body
        && !is_bodiless
    {
        entries.push(("content-length".to_owned(), bytes.len().to_string().into_bytes()));
    }
    let rejected = |what: String| ErrorCode::InternalError(Some(what));
    let headers = Fields::from_list(&entries).map_err(|error| rejected(format!("{error:?}")))?;
    let (trailers_writer, trailers) = wit_future::new(|| Ok(None));
    drop(trailers_writer);
    let contents = match body {
        ResponseBody::Stream(stream) => Some(write_stream(stream)),
        ResponseBody::Bytes(bytes) if is_bodiless || bytes.is_empty() => None,
        ResponseBody::Bytes(bytes) => Some(write_bytes(bytes)),
    };
    let (response, _sent) = Response::new(headers, contents, trailers);
    response
        .set_status_code(parts.status.as_u16())
        .map_err(|()| rejected(format!("the host rejects status {}", parts.status)))?;
    Ok(response)
}

/// A client that has disconnected accepts nothing: the rest of the body is dropped.
fn write_bytes(bytes: Vec<u8>) -> StreamReader<u8> {
    let (mut writer, reader) = wit_stream::new();
    wit_bindgen::spawn(async move {
        let _ = writer.write_all(bytes).await;
    });
    reader
}

fn write_stream(mut stream: mpsc::Receiver<Vec<u8>>) -> StreamReader<u8> {
    let (mut writer, reader) = wit_stream::new();
    wit_bindgen::spawn(async move {
        while let Some(chunk) = stream.next().await {
            if !writer.write_all(chunk).await.is_empty() {
                return;
            }
        }
    });
    reader
}
