//! Converts the host's request to the relay's, and the relay's response to the host's.

use futures::StreamExt as _;
use futures::channel::mpsc;
use spin_sdk::wasip3::http::types::{ErrorCode, Fields, Method, Request, Response};
use spin_sdk::wasip3::wit_bindgen::StreamReader;
use spin_sdk::wasip3::{wit_bindgen, wit_future, wit_stream};
use vod_uploader::http::Head;
use vod_uploader_relay::{self as relay, Relay};

use crate::body::HostBody;
use crate::instance;

/// Serves one request. Every error is a response: a trap would end every upload of the instance.
///
/// # Errors
/// Those of the host, if it rejects the response.
pub async fn serve(request: Request) -> Result<Response, ErrorCode> {
    let head = head_of(&request);
    let body = HostBody::new(request);
    let is_bodiless = head.meant_method() == "HEAD" || head.method == "HEAD";
    let response = match instance::relay().await {
        Ok(relay) => relay.handle(head, Box::new(body)).await,
        Err(error) => Relay::respond_without_instance(&head, &error),
    };
    into_wasi(response, is_bodiless)
}

fn head_of(request: &Request) -> Head {
    let method = match request.get_method() {
        Method::Get => "GET".to_owned(),
        Method::Head => "HEAD".to_owned(),
        Method::Post => "POST".to_owned(),
        Method::Put => "PUT".to_owned(),
        Method::Delete => "DELETE".to_owned(),
        Method::Options => "OPTIONS".to_owned(),
        Method::Patch => "PATCH".to_owned(),
        Method::Connect => "CONNECT".to_owned(),
        Method::Trace => "TRACE".to_owned(),
        Method::Other(other) => other,
    };
    let target = request.get_path_with_query().unwrap_or_default();
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let headers = request
        .get_headers()
        .copy_all()
        .into_iter()
        .map(|(name, value)| (name, String::from_utf8_lossy(&value).into_owned()))
        .collect();
    Head { method, path: path.to_owned(), query: query.to_owned(), headers }
}

fn into_wasi(response: relay::Response, is_bodiless: bool) -> Result<Response, ErrorCode> {
    let relay::Response { head, stream } = response;
    let mut entries: Vec<_> = head
        .headers
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.into_bytes()))
        .collect();
    let is_bodiless = is_bodiless || head.status == 204;
    if !is_bodiless && stream.is_none() {
        let length = head.body.len().to_string().into_bytes();
        entries.push(("content-length".to_owned(), length));
    }
    let refused = |what: String| ErrorCode::InternalError(Some(what));
    let headers = Fields::from_list(&entries).map_err(|error| refused(format!("{error:?}")))?;
    let (trailers_writer, trailers) = wit_future::new(|| Ok(None));
    drop(trailers_writer);
    let contents = match stream {
        Some(stream) => Some(write_stream(stream)),
        None => (!is_bodiless && !head.body.is_empty()).then(|| write_bytes(head.body)),
    };
    let (response, _sent) = Response::new(headers, contents, trailers);
    response
        .set_status_code(head.status)
        .map_err(|()| refused(format!("status {} is none", head.status)))?;
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
