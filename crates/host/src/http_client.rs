//! Outbound HTTP: sends the engine's requests unchanged and reads small responses.

use std::pin::pin;
use std::rc::Rc;

use futures::channel::mpsc;
use futures::future::LocalBoxFuture;
use futures::{FutureExt as _, StreamExt as _};
use http::{HeaderMap, Method, StatusCode};
use spin_sdk::wasip3::http::client;
use spin_sdk::wasip3::http::types::{self as wasi, ErrorCode, Fields, Request, Response, Scheme};
use spin_sdk::wasip3::wit_bindgen::{StreamReader, StreamResult, StreamWriter};
use spin_sdk::wasip3::{wit_future, wit_stream};
use url::Url;
use vod_uploader::oss::{self, HttpResponse};
use vod_uploader_relay::ports::{HttpClient, SendBody, SendError};

/// Bytes per read of a response.
const READ_BYTES: usize = 16 << 10;

/// Bytes per write of a buffered part. They are copied for the host, because the part itself is
/// kept for another attempt.
const WRITE_BYTES: usize = 128 << 10;

/// `wasi:http`.
pub(crate) struct HostHttpClient;

impl HttpClient for HostHttpClient {
    fn send(
        &self,
        request: oss::Request,
        body: SendBody,
        response_bytes_max: usize,
    ) -> LocalBoxFuture<'static, Result<HttpResponse, SendError>> {
        send(request, body, response_bytes_max).boxed_local()
    }
}

async fn send(
    mut request: oss::Request,
    body: SendBody,
    response_bytes_max: usize,
) -> Result<HttpResponse, SendError> {
    let body = match (body, std::mem::replace(&mut request.body, oss::Body::Empty)) {
        (SendBody::Inline, oss::Body::Bytes(bytes)) if !bytes.is_empty() => {
            SendBody::Buffered(Rc::new(bytes))
        }
        (body, _) => body,
    };
    let (contents, writer) = match body {
        SendBody::Inline => (None, None),
        body => {
            let (writer, reader) = wit_stream::new();
            (Some(reader), Some(write_body(writer, body)))
        }
    };
    let head = Head { method: &request.method, url: &request.url, headers: &request.headers };
    let outgoing = head.into_wasi(contents).map_err(SendError::NotConnected)?;
    let response = match writer {
        None => client::send(outgoing).await,
        Some(writer) => {
            // The response may arrive before the body is sent; the rest is not needed then.
            let mut response = pin!(client::send(outgoing).fuse());
            let mut written = pin!(writer.fuse());
            loop {
                futures::select_biased! {
                    response = response => break response,
                    () = written => {}
                }
            }
        }
    };
    read_response(response.map_err(|code| transport_error(&code))?, response_bytes_max).await
}

/// Writes a body until its end, or until the host accepts no more bytes; the response then has the
/// reason.
async fn write_body(writer: StreamWriter<u8>, body: SendBody) {
    match body {
        SendBody::Inline => {}
        SendBody::Buffered(bytes) => write_buffered(writer, &bytes).await,
        SendBody::Streamed(chunks) => write_streamed(writer, chunks).await,
    }
}

async fn write_buffered(mut writer: StreamWriter<u8>, bytes: &[u8]) {
    let mut copy = Vec::with_capacity(WRITE_BYTES.min(bytes.len()));
    for chunk in bytes.chunks(WRITE_BYTES) {
        copy.extend_from_slice(chunk);
        copy = writer.write_all(copy).await;
        if !copy.is_empty() {
            return;
        }
    }
}

async fn write_streamed(mut writer: StreamWriter<u8>, mut chunks: mpsc::Receiver<Vec<u8>>) {
    while let Some(chunk) = chunks.next().await {
        if !writer.write_all(chunk).await.is_empty() {
            return;
        }
    }
}

struct Head<'a> {
    method: &'a Method,
    url: &'a Url,
    headers: &'a HeaderMap,
}

impl Head<'_> {
    fn into_wasi(self, contents: Option<StreamReader<u8>>) -> Result<Request, String> {
        let entries: Vec<_> = self
            .headers
            .iter()
            .map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec()))
            .collect();
        let headers =
            Fields::from_list(&entries).map_err(|error| format!("invalid header: {error:?}"))?;
        let (trailers_writer, trailers) = wit_future::new(|| Ok(None));
        let (request, _sent) = Request::new(headers, contents, trailers, None);
        drop(trailers_writer);
        let scheme = match self.url.scheme() {
            "http" => Scheme::Http,
            _ => Scheme::Https,
        };
        let path = match self.url.query() {
            Some(query) => format!("{}?{query}", self.url.path()),
            None => self.url.path().to_owned(),
        };
        let rejected = |()| "the host rejects the request's head".to_owned();
        request.set_method(&method(self.method)).map_err(rejected)?;
        request.set_scheme(Some(&scheme)).map_err(rejected)?;
        request.set_authority(Some(self.url.authority())).map_err(rejected)?;
        request.set_path_with_query(Some(&path)).map_err(rejected)?;
        Ok(request)
    }
}

fn method(method: &Method) -> wasi::Method {
    match *method {
        Method::GET => wasi::Method::Get,
        Method::HEAD => wasi::Method::Head,
        Method::POST => wasi::Method::Post,
        Method::PUT => wasi::Method::Put,
        Method::DELETE => wasi::Method::Delete,
        _ => wasi::Method::Other(method.as_str().to_owned()),
    }
}

async fn read_response(
    response: Response,
    response_bytes_max: usize,
) -> Result<HttpResponse, SendError> {
    let status = StatusCode::from_u16(response.get_status_code())
        .map_err(|_| SendError::Interrupted("the response has no valid status".to_owned()))?;
    let headers = response.get_headers().copy_all();
    let (result_writer, result) = wit_future::new(|| Ok(()));
    let (mut stream, trailers) = Response::consume_body(response, result);
    drop(result_writer);
    let mut body = Vec::new();
    loop {
        body.reserve(READ_BYTES);
        let (result, read) = stream.read(body).await;
        body = read;
        match result {
            StreamResult::Complete(_) if body.len() <= response_bytes_max => {}
            StreamResult::Complete(_) => {
                return Err(SendError::Interrupted("the response is too large".to_owned()));
            }
            StreamResult::Dropped | StreamResult::Cancelled => break,
        }
    }
    // An ended stream is complete only if its trailers resolve.
    match trailers.await {
        Ok(_) => Ok(HttpResponse::new(status, headers, body)),
        Err(code) => Err(SendError::Interrupted(format!(
            "the response ended early: {}",
            transport_error(&code)
        ))),
    }
}

fn transport_error(code: &ErrorCode) -> SendError {
    match code {
        ErrorCode::HttpRequestDenied | ErrorCode::DestinationIpProhibited => SendError::HostDenied,
        ErrorCode::ConnectionRefused => SendError::NotConnected("connection refused".to_owned()),
        ErrorCode::ConnectionTimeout => {
            SendError::NotConnected("no connection within the timeout".to_owned())
        }
        ErrorCode::ConnectionTerminated => {
            SendError::Interrupted("the connection was interrupted".to_owned())
        }
        ErrorCode::DnsTimeout
        | ErrorCode::DnsError(_)
        | ErrorCode::DestinationNotFound
        | ErrorCode::DestinationUnavailable
        | ErrorCode::DestinationIpUnroutable => SendError::NotConnected(format!("{code:?}")),
        other => SendError::Interrupted(format!("{other:?}")),
    }
}
