//! How a client sends requests: in chunks, with interruptions, and with lost responses.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use futures::channel::mpsc;
use futures::future::{Either, select};
use futures::{FutureExt as _, SinkExt as _, StreamExt as _};
use serde_json::Value;
use vod_uploader_relay::{Response, ResponseBody};

use super::body::{BodyEvent, ChannelBody};
use super::environment::Environment;
use super::message::{Reply, Request};
use super::sent::{SentRequest, upload_id};
use super::simulation::Simulation;
use crate::world::{Owner, Random};

/// How long a client waits for a response.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(100);

/// How long a connection stays open whose client has stopped sending without closing it.
const HALF_OPEN: Duration = Duration::from_secs(150);

/// Requests of one client after the last fault, after which it counts as stuck.
const CALM_REQUESTS_MAX: u32 = 60;

/// Bytes that a client sends at a time.
const CHUNK_BYTES: usize = 48_000;

/// One client.
pub(crate) struct Client {
    simulation: Rc<Simulation>,
    pub(crate) environment: Rc<Environment>,
    index: usize,
    random: RefCell<Random>,
    calm_requests: Cell<u32>,
}

/// How a request is sent.
struct Delivery {
    /// The body ends without its end after this many bytes.
    interrupt_after: Option<usize>,
    /// Whether the connection stays open after the interruption.
    is_half_open: bool,
    timeout: Duration,
}

impl Client {
    pub(crate) fn new(simulation: &Rc<Simulation>, index: usize) -> Self {
        let seed =
            simulation.environment.setting.seed.wrapping_mul(31).wrapping_add(index as u64 + 1);
        Self {
            simulation: Rc::clone(simulation),
            environment: Rc::clone(&simulation.environment),
            index,
            random: RefCell::new(Random::seeded(seed)),
            calm_requests: Cell::new(0),
        }
    }

    /// The response to `request`, or `None` if the client does not receive one.
    ///
    /// # Panics
    /// If the response violates an invariant, or the client is stuck.
    pub(crate) async fn send(&self, request: Request) -> Option<Reply> {
        self.count_request();
        let environment = &self.environment;
        let sent = environment.observe_request(&request);
        let delivery = self.delivery(request.body().len());
        let (sender, body) = ChannelBody::new();
        let (task, response) = self.simulation.serve(request.head(), body);
        let body = send_body(Rc::clone(environment), request, delivery.interrupt_after, sender);
        let owner =
            if delivery.is_half_open { Owner::Environment } else { Owner::Client(self.index) };
        let is_half_open = delivery.is_half_open;
        let held = Rc::clone(environment);
        let sending = async move {
            let sender = body.await;
            if is_half_open {
                held.sleep(HALF_OPEN).await;
            }
            drop(sender);
        };
        let sending = environment.executor.spawn(owner, sending.boxed_local());
        let received = select(response, environment.sleep(delivery.timeout)).await;
        let response = match received {
            Either::Left((Ok(response), _)) => response,
            Either::Left((Err(_), _)) => return None,
            Either::Right(_) => {
                if !is_half_open {
                    environment.executor.cancel(sending);
                    if self.chance(300) {
                        // The host detects the disconnect and drops the request.
                        environment.executor.cancel(task);
                        environment.observe_disturbance();
                    }
                }
                environment.trace(|| format!("client {} stops waiting", self.index));
                return None;
            }
        };
        if self.chance(environment.rates().lost_responses) {
            return None;
        }
        Some(self.received(&sent, response))
    }

    /// Reads the events of the upload at `path` until the stream ends. Returns `true` if the upload
    /// has ended.
    ///
    /// # Panics
    /// If an event violates an invariant, or the client is stuck.
    pub(crate) async fn read_events(&self, path: &str) -> bool {
        self.count_request();
        let id = upload_id(path).unwrap();
        let mut floor = self.environment.checker.borrow().acknowledged(id);
        let (mut sender, body) = ChannelBody::new();
        sender.try_send(BodyEvent::End).unwrap();
        let request = Request::new("GET", format!("{path}/events"));
        let (_, response) = self.simulation.serve(request.head(), body);
        let received = select(response, self.environment.sleep(RESPONSE_TIMEOUT)).await;
        let Either::Left((Ok(response), _)) = received else { return false };
        let (head, body) = response.into_parts();
        let ResponseBody::Stream(mut events) = body else {
            let is_gone = matches!(head.status.as_u16(), 404 | 410);
            if is_gone {
                self.environment.checker.borrow_mut().observe_gone(id, self.environment.now());
            }
            return is_gone;
        };
        let mut has_ended = false;
        while let Some(text) = events.next().await {
            assert!(!has_ended, "an event after the last one");
            self.environment.checker.borrow().check_body(&text);
            let text = String::from_utf8(text).unwrap();
            self.environment.trace(|| format!("client {}: {text:?}", self.index));
            for line in text.lines() {
                if let Some(data) = line.strip_prefix("data:") {
                    let data: Value = serde_json::from_str(data).unwrap();
                    if let Some(durable) = data["bytes_durable"].as_u64() {
                        let mut checker = self.environment.checker.borrow_mut();
                        checker.observe_offset(id, floor, durable);
                        floor = durable;
                    }
                }
                let name = line.strip_prefix("event:").map(str::trim);
                has_ended |= matches!(name, Some("succeeded" | "failed"));
            }
        }
        has_ended
    }

    /// The client starts again, because one of the uploads at `paths` is gone.
    ///
    /// # Panics
    /// If all of them have to exist.
    pub(crate) fn restart<'a>(&self, paths: impl IntoIterator<Item = &'a str>) {
        let ids = paths.into_iter().filter_map(upload_id);
        self.environment.checker.borrow_mut().observe_restart(ids, self.environment.now());
    }

    /// Waits before the next attempt.
    pub(crate) async fn back_off(&self) {
        let delay = Duration::from_millis(50 + self.below(3_000));
        self.environment.sleep(delay).await;
    }

    pub(crate) fn chance(&self, per_mille: u64) -> bool {
        per_mille > 0 && self.random.borrow_mut().chance(per_mille)
    }

    pub(crate) fn below(&self, bound: u64) -> u64 {
        self.random.borrow_mut().below(bound)
    }

    fn count_request(&self) {
        if self.environment.is_calm() {
            self.calm_requests.set(self.calm_requests.get() + 1);
            let requests = self.calm_requests.get();
            assert!(requests <= CALM_REQUESTS_MAX, "client {} does not complete", self.index);
        }
    }

    fn delivery(&self, body_len: usize) -> Delivery {
        let rates = self.environment.rates();
        let is_half_open = body_len > 0 && self.chance(rates.stalled);
        let is_interrupted = is_half_open || body_len > 0 && self.chance(rates.interrupted);
        let is_canceled = is_half_open || self.chance(rates.lost_responses);
        let timeout = Duration::from_millis(1 + self.below(2_000));
        Delivery {
            interrupt_after: is_interrupted.then(|| self.below(body_len as u64) as usize),
            is_half_open,
            timeout: if is_canceled { timeout } else { RESPONSE_TIMEOUT },
        }
    }

    fn received(&self, sent: &SentRequest, response: Response) -> Reply {
        let reply = Reply::from_response(response);
        self.environment.trace(|| {
            let offset = reply.header("upload-offset").unwrap_or("-");
            let text = String::from_utf8_lossy(reply.body());
            format!("client {}: {} offset {offset} {text}", self.index, reply.status)
        });
        self.environment.observe_response(sent, &reply);
        reply
    }
}

/// Sends a body, and returns its sender, unless the body has ended. The worker may stop reading.
async fn send_body(
    environment: Rc<Environment>,
    request: Request,
    interrupt_after: Option<usize>,
    mut sender: mpsc::Sender<BodyEvent>,
) -> Option<mpsc::Sender<BodyEvent>> {
    let sent = interrupt_after.map_or(request.body(), |len| &request.body()[..len]);
    let chunk_bytes = match request.pause() {
        Duration::ZERO => CHUNK_BYTES,
        _ => sent.len().div_ceil(2).max(1),
    };
    for chunk in sent.chunks(chunk_bytes) {
        environment.sleep(Duration::from_millis(1)).await;
        sender.send(BodyEvent::Bytes(chunk.to_vec())).await.ok()?;
        environment.sleep(request.pause()).await;
    }
    if interrupt_after.is_none() {
        sender.send(BodyEvent::End).await.ok()?;
        return None;
    }
    Some(sender)
}
