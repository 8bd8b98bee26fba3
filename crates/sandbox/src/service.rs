//! Handling of a request: classification, counting, fault injection, service.

use std::sync::Arc;
use std::time::{Duration, Instant};

use http::{Method, Request, StatusCode};
use hyper::body::Incoming;

use crate::clock::http_date;
use crate::control;
use crate::credential::random_hex;
use crate::encoding::decode_pairs;
use crate::fault_effects::{RequestEffect, ResponseEffect};
use crate::http::{
    BodyError, Connection, RequestBody, RequestHead, Response, full, truncated, with_header,
};
use crate::oss::{self, Failure, Operation, OssError, Target};
use crate::state::SandboxState;
use crate::vod::{self, Parameters, VodError};

/// Handles one request. If the connection is reset, it never returns.
pub(crate) async fn handle(
    state: Arc<SandboxState>,
    connection: Arc<Connection>,
    incoming: Request<Incoming>,
) -> Response {
    let started = Instant::now();
    let (parts, incoming) = incoming.into_parts();
    let Some(head) = RequestHead::decode(parts) else {
        return full(
            StatusCode::BAD_REQUEST,
            "text/html",
            "<html><head><title>400 Bad Request</title></head></html>\n",
        );
    };
    let received = Arc::default();
    let mut body = RequestBody::new(incoming, Arc::clone(&received));
    if head.path.starts_with(control::PREFIX) {
        return control::serve(&state, &head, &mut body).await;
    }
    let Ok(request) = ParsedRequest::classify(&state, &head, &mut body).await else {
        match connection.reset().await {}
    };
    let (name, part) = (request.operation_name(), request.part(&head));
    let mut counted = state.counters.start(&name, part, received);
    let exchange = Exchange {
        state: &state,
        head: &head,
        request: &request,
        request_id: request.new_request_id(),
    };
    let outcome = exchange.run(&mut body, part).await;
    let status = outcome.as_ref().map_or(0, |response| response.status().as_u16());
    counted.set_status(status);
    if state.config.log {
        let took_ms = started.elapsed().as_millis();
        let bytes = counted.received_bytes();
        let path = &head.path;
        eprintln!("{name} {path} part={part:?} {status} {bytes} bytes {took_ms} ms");
    }
    drop(counted);
    match outcome {
        Some(response) => exchange.finish(response),
        None => match connection.reset().await {},
    }
}

/// A request by its service.
enum ParsedRequest {
    Vod(Parameters),
    Oss(Operation, Target),
    /// A request whose host matches no bucket.
    Unroutable(OssError),
}

impl ParsedRequest {
    /// A VOD call is a request for `/` with an action or a form. Everything else is OSS.
    async fn classify(
        state: &SandboxState,
        head: &RequestHead,
        body: &mut RequestBody,
    ) -> Result<Self, BodyError> {
        let form = head.method == Method::POST
            && head
                .header("content-type")
                .is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
        if head.path == "/" && (form || head.has_query("Action")) {
            let mut parameters = head.query.clone();
            if head.method == Method::POST {
                let text = body.collect(MAX_FORM_BYTES).await?;
                let text = String::from_utf8_lossy(&text);
                parameters.extend(decode_pairs(&text).unwrap_or_default());
            }
            return Ok(Self::Vod(Parameters::new(parameters)));
        }
        Ok(match Target::locate(head, &state.bound_domains()) {
            Ok(target) => Self::Oss(Operation::identify(head, &target), target),
            Err(error) => Self::Unroutable(error),
        })
    }

    fn operation_name(&self) -> String {
        match self {
            Self::Vod(parameters) => parameters.optional("Action").unwrap_or("Unknown").to_owned(),
            Self::Oss(operation, _) => operation.name().to_owned(),
            Self::Unroutable(_) => Operation::Unsupported.name().to_owned(),
        }
    }

    /// A UUID for VOD, 24 hex digits for OSS.
    fn new_request_id(&self) -> String {
        let id = match self {
            Self::Vod(_) => [8, 4, 4, 4, 12].map(random_hex).join("-"),
            Self::Oss(..) | Self::Unroutable(_) => random_hex(24),
        };
        id.to_ascii_uppercase()
    }

    fn part(&self, head: &RequestHead) -> Option<u16> {
        match self {
            Self::Oss(Operation::UploadPart | Operation::UploadPartCopy, _) => {
                head.query_value("partNumber")?.parse().ok()
            }
            _ => None,
        }
    }
}

/// One request in progress.
struct Exchange<'a> {
    state: &'a SandboxState,
    head: &'a RequestHead,
    request: &'a ParsedRequest,
    request_id: String,
}

impl Exchange<'_> {
    /// The response, or `None` when the connection is to be reset instead.
    async fn run(&self, body: &mut RequestBody, part: Option<u16>) -> Option<Response> {
        let fault = self.state.faults.take_matching(&self.request.operation_name(), part);
        let (before, after) = fault.map_or((None, None), crate::fault_effects::split_effects);
        match before {
            None => {}
            Some(RequestEffect::ResetBeforeBody) => return None,
            Some(RequestEffect::ResetMidBody) => {
                body.truncate_after(self.head.content_length().unwrap_or(2) / 2);
                // The connection is reset either way.
                drop(body.drain().await);
                return None;
            }
            Some(RequestEffect::ResetAfterBody) => {
                drop(body.drain().await);
                return None;
            }
            Some(RequestEffect::Hang(limit)) => {
                drop(body.drain().await);
                match limit {
                    Some(limit) => tokio::time::sleep(limit).await,
                    None => std::future::pending().await,
                }
                return None;
            }
            Some(RequestEffect::Delay(delay)) => tokio::time::sleep(delay).await,
            Some(RequestEffect::Corrupt) => body.corrupt(),
            Some(RequestEffect::Reject(error)) => {
                drop(body.drain().await);
                let vod = matches!(self.request, ParsedRequest::Vod(_));
                return Some(error.response(self.state, self.head, vod, &self.request_id));
            }
        }
        let response = self.serve(body).await?;
        match after {
            None => Some(response),
            Some(ResponseEffect::Reset) => None,
            Some(ResponseEffect::Truncate) => Some(truncated(response).await),
            Some(ResponseEffect::WrongCrc) => Some(with_wrong_crc(response)),
        }
    }

    async fn serve(&self, body: &mut RequestBody) -> Option<Response> {
        let error = match self.request {
            ParsedRequest::Vod(parameters) => return Some(self.serve_vod(parameters)),
            ParsedRequest::Unroutable(error) => error.clone(),
            ParsedRequest::Oss(operation, target) => {
                match oss::serve(self.state, self.head, target, *operation, body).await {
                    Ok(response) => return Some(response),
                    Err(Failure::Interrupted) => return None,
                    Err(Failure::Rejected(error)) => error,
                }
            }
        };
        self.drain_body(body).await;
        let (method, host) = (&self.head.method, &self.head.host);
        Some(error.response(method, host, &self.request_id))
    }

    fn serve_vod(&self, parameters: &Parameters) -> Response {
        let call = vod::Call {
            state: self.state,
            method: &self.head.method,
            host: &self.head.host,
            parameters,
        };
        vod::serve(&call, &self.request_id)
            .unwrap_or_else(|error: VodError| error.response(&self.head.host, &self.request_id))
    }

    /// Reads the rest of the body of a rejected request: otherwise a client that is still sending
    /// gets a connection error instead of the response. A client that waits for `100 (Continue)`
    /// sends no body.
    async fn drain_body(&self, body: &mut RequestBody) {
        if self.head.header("expect").is_none() {
            // After the timeout the connection is closed.
            drop(tokio::time::timeout(DRAIN_TIMEOUT, body.drain()).await);
        }
    }

    fn finish(&self, response: Response) -> Response {
        let response = with_header(response, "server", "AliyunOSS");
        let response = with_header(response, "date", &http_date(self.state.clock.now()));
        with_header(response, "x-oss-request-id", &self.request_id)
    }
}

fn with_wrong_crc(response: Response) -> Response {
    let crc = response
        .headers()
        .get("x-oss-hash-crc64ecma")
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.parse::<u64>().ok());
    match crc {
        Some(crc) => with_header(response, "x-oss-hash-crc64ecma", &(!crc).to_string()),
        None => response,
    }
}

const MAX_FORM_BYTES: usize = 1024 * 1024;
const DRAIN_TIMEOUT: Duration = Duration::from_secs(30);
