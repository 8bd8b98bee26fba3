//! VOD and OSS as the relay needs them here: every request succeeds, unless OSS is unavailable.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures::FutureExt as _;
use futures::future::{LocalBoxFuture, pending};
use futures::{StreamExt as _, channel::oneshot};
use http::{Method, StatusCode};
use serde_json::json;
use vod_uploader_relay::engine::crc64::Crc64Digest;
use vod_uploader_relay::engine::oss::{Body, HttpResponse, Request};
use vod_uploader_relay::ports::{HttpClient, SendBody, SendError};

/// The state of VOD and OSS.
#[derive(Default)]
pub(crate) struct Services {
    /// The parameters of each call of VOD.
    pub(crate) calls: RefCell<Vec<BTreeMap<String, String>>>,
    /// Complete objects, in the order of their keys.
    pub(crate) objects: RefCell<BTreeMap<String, Vec<u8>>>,
    /// The Content-Type of each object or multipart upload.
    pub(crate) types: RefCell<BTreeMap<String, Option<String>>>,
    parts: RefCell<BTreeMap<u32, Vec<u8>>>,
    /// The keys of the multipart uploads that were aborted.
    pub(crate) aborted: RefCell<Vec<String>>,
    /// Whether OSS is unavailable.
    pub(crate) is_unavailable: Cell<bool>,
    /// What happens to a request whose method and URL contain a text.
    pub(crate) fault: RefCell<Option<(&'static str, Fault)>>,
    /// Whether a request has received no response.
    pub(crate) has_hung: Cell<bool>,
}

/// What OSS does instead of processing a request.
#[derive(Clone, Copy)]
pub(crate) enum Fault {
    /// It responds with this status and this code.
    Reject(u16, &'static str),
    /// It does not respond.
    Silence,
}

impl HttpClient for Services {
    fn send(
        &self,
        request: Request,
        body: SendBody,
        _response_bytes_max: usize,
    ) -> LocalBoxFuture<'static, Result<HttpResponse, SendError>> {
        // The body of a streamed part arrives while the request is sent; no test has such a part.
        let body = match body {
            SendBody::Inline => match &request.body {
                Body::Bytes(bytes) => bytes.clone(),
                _ => Vec::new(),
            },
            SendBody::Buffered(bytes) => bytes.to_vec(),
            SendBody::Streamed(chunks) => chunks.concat().now_or_never().unwrap(),
        };
        let faulty = match self.fault_of(&request) {
            None => None,
            Some(Fault::Reject(status, code)) => Some(rejected(status, code)),
            Some(Fault::Silence) => {
                self.has_hung.set(true);
                return pending().boxed_local();
            }
        };
        let is_vod = request.url.host_str().is_some_and(|host| host.starts_with("vod."));
        let response = faulty.unwrap_or_else(|| match is_vod {
            true => self.call(&body),
            false => self.store(&request, body),
        });
        let (sender, receiver) = oneshot::channel();
        let _ = sender.send(Ok(response));
        async move { receiver.await.unwrap() }.boxed_local()
    }
}

impl Services {
    /// The parameter `name` of every call of VOD.
    pub(crate) fn parameters(&self, name: &str) -> Vec<String> {
        self.calls.borrow().iter().filter_map(|call| call.get(name).cloned()).collect()
    }

    fn call(&self, form: &[u8]) -> HttpResponse {
        let form: BTreeMap<_, _> = url::form_urlencoded::parse(form).into_owned().collect();
        let refreshed = form.get("VideoId").cloned();
        self.calls.borrow_mut().push(form);
        let number = self.calls.borrow().len();
        let address = json!({
            "Endpoint": "https://oss-cn-shanghai.aliyuncs.com",
            "Bucket": "media",
            "FileName": format!("sv/{number}"),
        });
        let auth = json!({
            "AccessKeyId": "STS.key",
            "AccessKeySecret": "secret",
            "SecurityToken": "token",
            "Expiration": "3000",
            "Region": "cn-shanghai",
        });
        let body = json!({
            "VideoId": refreshed.unwrap_or_else(|| format!("media{number}")),
            "UploadAddress": STANDARD.encode(address.to_string()),
            "UploadAuth": STANDARD.encode(auth.to_string()),
        });
        HttpResponse::new(StatusCode::OK, NO_HEADERS, body.to_string().into_bytes())
    }

    fn store(&self, request: &Request, body: Vec<u8>) -> HttpResponse {
        let query: BTreeMap<_, _> = request.url.query_pairs().into_owned().collect();
        let key = request.url.path().trim_start_matches('/').to_owned();
        if self.is_unavailable.get() {
            return HttpResponse::new(StatusCode::SERVICE_UNAVAILABLE, NO_HEADERS, Vec::new());
        }
        let content_type = || request.header("content-type").map(str::to_owned);
        match (&request.method, query.get("partNumber")) {
            (&Method::POST, _) if query.contains_key("uploads") => {
                self.types.borrow_mut().insert(key, content_type());
                let id = "<InitiateMultipartUploadResult><UploadId>A1</UploadId>\
                          </InitiateMultipartUploadResult>";
                HttpResponse::new(StatusCode::OK, NO_HEADERS, id.into())
            }
            (&Method::PUT, Some(number)) => {
                let body = match copied(request) {
                    Some(source) => self.objects.borrow()[&source].clone(),
                    None => body,
                };
                let response = confirmed(&body, COPIED);
                self.parts.borrow_mut().insert(number.parse().unwrap(), body);
                response
            }
            (&Method::PUT, None) => {
                let response = confirmed(&body, "");
                self.types.borrow_mut().insert(key.clone(), content_type());
                self.objects.borrow_mut().insert(key, body);
                response
            }
            (&Method::POST, _) => {
                let parts = std::mem::take(&mut *self.parts.borrow_mut());
                let object = parts.into_values().collect::<Vec<_>>().concat();
                let response = confirmed(&object, COMPLETED);
                self.objects.borrow_mut().insert(key, object);
                response
            }
            (&Method::GET, _) => {
                let object = self.objects.borrow()[&key].clone();
                let range = format!("bytes 0-{}/{}", object.len() - 1, object.len());
                HttpResponse::new(
                    StatusCode::PARTIAL_CONTENT,
                    [("content-range", range.as_str())],
                    object,
                )
            }
            (&Method::DELETE, _) => {
                if query.contains_key("uploadId") {
                    self.aborted.borrow_mut().push(key);
                } else {
                    self.objects.borrow_mut().remove(&key);
                }
                HttpResponse::new(StatusCode::NO_CONTENT, NO_HEADERS, Vec::new())
            }
            _ => HttpResponse::new(StatusCode::NO_CONTENT, NO_HEADERS, Vec::new()),
        }
    }

    fn fault_of(&self, request: &Request) -> Option<Fault> {
        let line = format!("{} {}", request.method, request.url);
        let fault = self.fault.borrow();
        fault.filter(|(text, _)| line.contains(text)).map(|(_, fault)| fault)
    }
}

fn rejected(status: u16, code: &str) -> HttpResponse {
    let body = format!("<Error><Code>{code}</Code><Message>rejected</Message></Error>");
    HttpResponse::new(StatusCode::from_u16(status).unwrap(), NO_HEADERS, body.into_bytes())
}

/// The key of the object that a part is copied from.
fn copied(request: &Request) -> Option<String> {
    let source = request.header("x-oss-copy-source")?.replace("%2F", "/");
    source.trim_start_matches('/').split_once('/').map(|(_, key)| key.to_owned())
}

fn confirmed(bytes: &[u8], body: &str) -> HttpResponse {
    let mut digest = Crc64Digest::new();
    digest.update(bytes);
    let crc64 = digest.value().to_string();
    let headers = [("etag", ETAG), ("x-oss-hash-crc64ecma", crc64.as_str())];
    HttpResponse::new(StatusCode::OK, headers, body.into())
}

const NO_HEADERS: [(&str, &str); 0] = [];
const ETAG: &str = "\"5D41402ABC4B2A76B9719D911017C592\"";
const COPIED: &str =
    "<CopyPartResult><ETag>\"5D41402ABC4B2A76B9719D911017C592\"</ETag></CopyPartResult>";
const COMPLETED: &str =
    "<CompleteMultipartUploadResult><ETag>\"5D-2\"</ETag></CompleteMultipartUploadResult>";
