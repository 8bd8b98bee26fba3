//! Outbound HTTP: sends the engine's requests as they are and reads small replies whole.

use std::fmt;
use std::rc::Rc;

use futures::FutureExt as _;
use spin_sdk::wasip3::http::client;
use spin_sdk::wasip3::http::types::{ErrorCode, Fields, Method, Request, Response, Scheme};
use spin_sdk::wasip3::wit_bindgen::{StreamReader, StreamResult, StreamWriter};
use spin_sdk::wasip3::{wit_future, wit_stream};
use url::Url;
use vod_uploader::oss::{self, Reply};
use vod_uploader::{Error, ErrorKind};

/// Replies are XML or JSON of a few hundred KiB at most (a page of 1,000 parts).
const REPLY_BYTES_MAX: usize = 2 << 20;
const REPLY_READ_BYTES: usize = 16 << 10;

/// How much of a held part is copied at a time into what the host takes: the part itself is kept
/// for another attempt.
const WRITE_BYTES: usize = 128 << 10;

/// The bytes of a request's body.
pub(crate) enum SendBody {
    /// None, or those that the request itself has.
    Inline,
    /// A filled part buffer.
    Held(Rc<Vec<u8>>),
    /// Bytes that somebody else writes.
    Streamed(StreamReader<u8>),
}

/// Why no reply came. It does not name the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SendError {
    /// The host does not allow the address.
    Denied,
    /// There was no connection: nothing was sent.
    NotConnected(String),
    /// Anything else: the request may have been taken.
    Broken(String),
}

impl SendError {
    /// As an error of `kind`, or [`ErrorKind::Misconfigured`] for an address that is not allowed.
    pub(crate) fn into_error(self, kind: ErrorKind) -> Error {
        let kind = match self {
            Self::Denied => ErrorKind::Misconfigured,
            Self::NotConnected(_) | Self::Broken(_) => kind,
        };
        Error::new(kind, self.to_string())
    }
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Denied => {
                f.write_str("the host does not allow this address: see allowed_outbound_hosts")
            }
            Self::NotConnected(text) | Self::Broken(text) => f.write_str(text),
        }
    }
}

/// Sends `request` and reads its reply.
pub(crate) async fn send(request: oss::Request, body: SendBody) -> Result<Reply, SendError> {
    let inline = match request.body {
        oss::Body::Bytes(bytes) if !bytes.is_empty() => Some(Rc::new(bytes)),
        _ => None,
    };
    let held = match &body {
        SendBody::Held(bytes) => Some(Rc::clone(bytes)),
        SendBody::Inline => inline,
        SendBody::Streamed(_) => None,
    };
    let (contents, writer) = match (held, body) {
        (Some(bytes), _) => {
            let (writer, reader) = wit_stream::new();
            (Some(reader), Some((writer, bytes)))
        }
        (None, SendBody::Streamed(reader)) => (Some(reader), None),
        (None, _) => (None, None),
    };
    let head = Head { method: request.method, url: &request.url, headers: &request.headers };
    let outgoing = head.into_wasi(contents).map_err(SendError::NotConnected)?;
    let response = match writer {
        None => client::send(outgoing).await,
        Some((writer, bytes)) => {
            // The answer may come before the body has been taken: then the rest is not wanted.
            let mut answer = std::pin::pin!(client::send(outgoing).fuse());
            let mut written = std::pin::pin!(write_all(writer, &bytes).fuse());
            loop {
                futures::select_biased! {
                    answer = answer => break answer,
                    () = written => {}
                }
            }
        }
    };
    read_reply(response.map_err(|code| transport_error(&code))?).await
}

struct Head<'a> {
    method: oss::Method,
    url: &'a Url,
    headers: &'a [(String, String)],
}

impl Head<'_> {
    fn into_wasi(self, contents: Option<StreamReader<u8>>) -> Result<Request, String> {
        let entries: Vec<_> = self
            .headers
            .iter()
            .map(|(name, value)| (name.clone(), value.clone().into_bytes()))
            .collect();
        let headers =
            Fields::from_list(&entries).map_err(|error| format!("wrong header: {error:?}"))?;
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
        let refused = |()| "the host refuses the request's head".to_owned();
        request.set_method(&method(self.method)).map_err(refused)?;
        request.set_scheme(Some(&scheme)).map_err(refused)?;
        request.set_authority(Some(self.url.authority())).map_err(refused)?;
        request.set_path_with_query(Some(&path)).map_err(refused)?;
        Ok(request)
    }
}

fn method(method: oss::Method) -> Method {
    match method {
        oss::Method::Get => Method::Get,
        oss::Method::Head => Method::Head,
        oss::Method::Post => Method::Post,
        oss::Method::Put => Method::Put,
        oss::Method::Delete => Method::Delete,
    }
}

async fn write_all(mut writer: StreamWriter<u8>, bytes: &[u8]) {
    let mut copy = Vec::with_capacity(WRITE_BYTES.min(bytes.len()));
    for chunk in bytes.chunks(WRITE_BYTES) {
        copy.extend_from_slice(chunk);
        copy = writer.write_all(copy).await;
        if !copy.is_empty() {
            // The host takes no more: its answer says why.
            return;
        }
    }
}

async fn read_reply(response: Response) -> Result<Reply, SendError> {
    let status = response.get_status_code();
    let headers = response
        .get_headers()
        .copy_all()
        .into_iter()
        .map(|(name, value)| (name, String::from_utf8_lossy(&value).into_owned()))
        .collect();
    let (result_writer, result) = wit_future::new(|| Ok(()));
    let (mut stream, trailers) = Response::consume_body(response, result);
    drop(result_writer);
    let mut body = Vec::new();
    loop {
        body.reserve(REPLY_READ_BYTES);
        let (result, read) = stream.read(body).await;
        body = read;
        match result {
            StreamResult::Complete(_) if body.len() <= REPLY_BYTES_MAX => {}
            StreamResult::Complete(_) => {
                return Err(SendError::Broken("the reply is too large".to_owned()));
            }
            StreamResult::Dropped | StreamResult::Cancelled => break,
        }
    }
    // A stream that has ended is not yet a reply that is whole.
    match trailers.await {
        Ok(_) => Ok(Reply { status, headers, body }),
        Err(code) => {
            Err(SendError::Broken(format!("the reply broke off: {}", transport_error(&code))))
        }
    }
}

fn transport_error(code: &ErrorCode) -> SendError {
    match code {
        ErrorCode::HttpRequestDenied | ErrorCode::DestinationIpProhibited => SendError::Denied,
        ErrorCode::ConnectionRefused => SendError::NotConnected("connection refused".to_owned()),
        ErrorCode::ConnectionTimeout => {
            SendError::NotConnected("no connection within the timeout".to_owned())
        }
        ErrorCode::ConnectionTerminated => SendError::Broken("the connection was cut".to_owned()),
        ErrorCode::DnsTimeout
        | ErrorCode::DnsError(_)
        | ErrorCode::DestinationNotFound
        | ErrorCode::DestinationUnavailable
        | ErrorCode::DestinationIpUnroutable => SendError::NotConnected(format!("{code:?}")),
        other => SendError::Broken(format!("{other:?}")),
    }
}
