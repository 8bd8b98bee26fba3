//! The life of one request: told apart, counted, struck by a fault, served.

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
    BodyError, Connection, Reply, RequestBody, RequestHead, full, received_then_cut, with_header,
};
use crate::oss::{self, Failure, Operation, OssError, Target};
use crate::state::SandboxState;
use crate::vod::{self, Parameters, VodError};

/// Answers one request, or resets its connection and never returns.
pub(crate) async fn answer(
    state: Arc<SandboxState>,
    connection: Arc<Connection>,
    request: Request<Incoming>,
) -> Reply {
    let started = Instant::now();
    let (parts, incoming) = request.into_parts();
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
    let Ok(asked) = ParsedRequest::classify(&state, &head, &mut body).await else {
        match connection.reset().await {}
    };
    let (name, part) = (asked.operation_name(), asked.part(&head));
    let mut counted = state.counters.begin(&name, part, received);
    let exchange =
        Exchange { state: &state, head: &head, asked: &asked, request_id: asked.new_request_id() };
    let outcome = exchange.run(&mut body, part).await;
    let status = outcome.as_ref().map_or(0, |reply| reply.status().as_u16());
    counted.answered(status);
    if state.config.log {
        let took_ms = started.elapsed().as_millis();
        let bytes = counted.received_bytes();
        let path = &head.path;
        eprintln!("{name} {path} part={part:?} {status} {bytes} bytes {took_ms} ms");
    }
    drop(counted);
    match outcome {
        Some(reply) => exchange.finish(reply),
        None => match connection.reset().await {},
    }
}

/// What a request asks for.
enum ParsedRequest {
    Vod(Parameters),
    Oss(Operation, Target),
    /// A host that leads to no bucket.
    Nowhere(OssError),
}

impl ParsedRequest {
    /// A VOD call comes to `/` with an action or with a form; all else is OSS.
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
            return Ok(Self::Vod(Parameters(parameters)));
        }
        Ok(match Target::locate(head, &state.bound_domains()) {
            Ok(target) => Self::Oss(Operation::identify(head, &target), target),
            Err(error) => Self::Nowhere(error),
        })
    }

    fn operation_name(&self) -> String {
        match self {
            Self::Vod(parameters) => parameters.optional("Action").unwrap_or("Unknown").to_owned(),
            Self::Oss(operation, _) => operation.name().to_owned(),
            Self::Nowhere(_) => Operation::Unsupported.name().to_owned(),
        }
    }

    /// A UUID for VOD, 24 hex digits for OSS.
    fn new_request_id(&self) -> String {
        let id = match self {
            Self::Vod(_) => [8, 4, 4, 4, 12].map(random_hex).join("-"),
            Self::Oss(..) | Self::Nowhere(_) => random_hex(24),
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

/// One request and what it is about.
struct Exchange<'a> {
    state: &'a SandboxState,
    head: &'a RequestHead,
    asked: &'a ParsedRequest,
    request_id: String,
}

impl Exchange<'_> {
    /// The reply, or `None` when the connection is to be reset instead.
    async fn run(&self, body: &mut RequestBody, part: Option<u16>) -> Option<Reply> {
        let fault = self.state.faults.take_matching(&self.asked.operation_name(), part);
        let (before, after) = fault.map_or((None, None), crate::fault_effects::split_effects);
        match before {
            None => {}
            Some(RequestEffect::ResetAtOnce) => return None,
            Some(RequestEffect::ResetMidBody) => {
                body.cut_after(self.head.content_length().unwrap_or(2) / 2);
                // Either outcome ends in the reset.
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
            Some(RequestEffect::Refuse(refusal)) => {
                drop(body.drain().await);
                let vod = matches!(self.asked, ParsedRequest::Vod(_));
                return Some(refusal.reply(self.state, self.head, vod, &self.request_id));
            }
        }
        let reply = self.serve(body).await?;
        match after {
            None => Some(reply),
            Some(ResponseEffect::Reset) => None,
            Some(ResponseEffect::Truncate) => Some(received_then_cut(reply).await),
            Some(ResponseEffect::WrongCrc) => Some(with_wrong_crc(reply)),
        }
    }

    async fn serve(&self, body: &mut RequestBody) -> Option<Reply> {
        let error = match self.asked {
            ParsedRequest::Vod(parameters) => return Some(self.serve_vod(parameters)),
            ParsedRequest::Nowhere(error) => error.clone(),
            ParsedRequest::Oss(operation, target) => {
                match oss::serve(self.state, self.head, target, *operation, body).await {
                    Ok(reply) => return Some(reply),
                    Err(Failure::Broken) => return None,
                    Err(Failure::Refused(error)) => error,
                }
            }
        };
        self.drain_body(body).await;
        let (method, host) = (&self.head.method, &self.head.host);
        Some(error.reply(method, host, &self.request_id))
    }

    fn serve_vod(&self, parameters: &Parameters) -> Reply {
        let call = vod::Call {
            state: self.state,
            method: &self.head.method,
            host: &self.head.host,
            parameters,
        };
        vod::serve(&call, &self.request_id)
            .unwrap_or_else(|error: VodError| error.reply(&self.head.host, &self.request_id))
    }

    /// Reads what is left of the body of a refused request: a client that is still sending would
    /// see a broken pipe instead of the error. A client that waits for leave to send gets none.
    async fn drain_body(&self, body: &mut RequestBody) {
        if self.head.header("expect").is_none() {
            // A client slower than this sees the close.
            drop(tokio::time::timeout(SWALLOW_LIMIT, body.drain()).await);
        }
    }

    fn finish(&self, reply: Reply) -> Reply {
        let reply = with_header(reply, "server", "AliyunOSS");
        let reply = with_header(reply, "date", &http_date(self.state.clock.now()));
        with_header(reply, "x-oss-request-id", &self.request_id)
    }
}

fn with_wrong_crc(reply: Reply) -> Reply {
    let crc = reply
        .headers()
        .get("x-oss-hash-crc64ecma")
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.parse::<u64>().ok());
    match crc {
        Some(crc) => with_header(reply, "x-oss-hash-crc64ecma", &(!crc).to_string()),
        None => reply,
    }
}

const MAX_FORM_BYTES: usize = 1024 * 1024;
const SWALLOW_LIMIT: Duration = Duration::from_secs(30);
