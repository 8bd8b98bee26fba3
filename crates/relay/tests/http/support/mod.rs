//! A worker in memory, and its requests.

mod body;
mod ports;
mod services;

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use futures::FutureExt as _;
use futures::executor::LocalPool;
use futures::task::LocalSpawnExt as _;
use http::Method;
use vod_uploader_relay::engine::http::RequestHead;
use vod_uploader_relay::ports::{Body, Ports};
use vod_uploader_relay::{Config, Relay, Response, ResponseBody, Variables};

use self::body::PacedBody;
pub(crate) use self::body::SentBody;
use self::ports::Memory;
pub(crate) use self::services::{Fault, Services};

/// Headers of a request.
pub(crate) type Headers<'a> = &'a [(&'a str, &'a str)];

/// A worker.
pub(crate) struct Worker {
    relay: Relay,
    memory: Rc<Memory>,
    pub(crate) services: Rc<Services>,
}

/// A response, and whether the worker read the body of the request.
pub(crate) struct Reply {
    pub(crate) status: u16,
    headers: http::HeaderMap,
    body: Vec<u8>,
    pub(crate) has_read_body: bool,
}

impl Worker {
    /// A worker with an access key, unless it is set to be empty, and these variables.
    pub(crate) fn new(variables: Headers<'_>) -> Self {
        Self::on(Rc::default(), Rc::default(), variables)
    }

    /// Another worker with these variables, on the same key-value store.
    pub(crate) fn beside(&self, variables: Headers<'_>) -> Self {
        Self::on(Rc::clone(&self.memory), Rc::clone(&self.services), variables)
    }

    fn on(memory: Rc<Memory>, services: Rc<Services>, variables: Headers<'_>) -> Self {
        let mut set = Variables::default();
        let defaults = [
            ("vod_access_key_id", "key"),
            ("vod_access_key_secret", "secret"),
            ("default_extension", "mp4"),
        ];
        let is_set = |name| variables.iter().any(|(set, _)| *set == name);
        let defaults = defaults.iter().filter(|(name, _)| !is_set(*name));
        for (name, value) in defaults.chain(variables) {
            assert!(Variables::NAMES.contains(name), "{name}");
            set.set(name, value);
        }
        let ports = Ports {
            key_value: memory.clone(),
            http: services.clone(),
            clock: memory.clone(),
            random: memory.clone(),
            spawn: memory.clone(),
            log: memory.clone(),
        };
        let relay = Relay::new(ports, Config::new(&set).unwrap());
        Self { relay, memory, services }
    }

    /// Sends a request with a body of declared length; without bytes, the request has no body.
    pub(crate) fn send(
        &self,
        method: &str,
        path: &str,
        headers: Headers<'_>,
        bytes: &[u8],
    ) -> Reply {
        let length = bytes.len().to_string();
        let mut headers = headers.to_vec();
        if !bytes.is_empty() {
            headers.push(("content-length", &length));
        }
        self.send_body(method, path, &headers, SentBody::new(bytes))
    }

    /// Sends a request with a body of undeclared length.
    pub(crate) fn send_chunked(
        &self,
        method: &str,
        path: &str,
        headers: Headers<'_>,
        bytes: &[u8],
    ) -> Reply {
        self.send_body(method, path, headers, SentBody::new(bytes))
    }

    /// Sends a request with `body`.
    pub(crate) fn send_body(
        &self,
        method: &str,
        path: &str,
        headers: Headers<'_>,
        body: SentBody,
    ) -> Reply {
        let has_read = body.has_read();
        self.send_any(method, path, headers, Box::new(body), &has_read)
    }

    /// Sends a request of whose body `count` chunks arrive, one after each `interval`.
    pub(crate) fn send_paced(
        &self,
        method: &str,
        path: &str,
        headers: Headers<'_>,
        interval: Duration,
        chunk: &[u8],
        count: u32,
    ) -> Reply {
        let body = PacedBody::new(self.memory.clone(), interval, chunk, count);
        self.send_any(method, path, headers, Box::new(body), &Cell::new(true))
    }

    /// Sends a request. After the response, tasks run until the body has been read.
    fn send_any(
        &self,
        method: &str,
        path: &str,
        headers: Headers<'_>,
        body: Box<dyn Body>,
        has_read: &Cell<bool>,
    ) -> Reply {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let head = RequestHead::new(method, path, headers.iter().copied());
        let relay = self.relay.clone();
        let handled = async move { relay.handle(head, body).await }.boxed_local();
        let mut pool = LocalPool::new();
        let handled = pool.spawner().spawn_local_with_handle(handled).unwrap();
        let mut handled = std::pin::pin!(handled);
        let mut response: Option<Response> = None;
        loop {
            pool.run_until_stalled();
            for task in self.memory.take_tasks() {
                pool.spawner().spawn_local(task).unwrap();
            }
            if response.is_none() {
                response = handled.as_mut().now_or_never();
            }
            if pool.try_run_one() {
                continue;
            }
            // The tasks after a response wait for the limit of draining at most.
            if !self.memory.advance() || response.is_some() && has_read.get() {
                break;
            }
        }
        let (parts, body) = response.expect("a response").into_parts();
        let body = match body {
            ResponseBody::Bytes(bytes) => bytes,
            ResponseBody::Stream(_) => Vec::new(),
        };
        Reply {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body,
            has_read_body: has_read.get(),
        }
    }

    /// All keys of the key-value store.
    pub(crate) fn keys(&self) -> Vec<String> {
        self.memory.keys()
    }

    /// Reads of the key-value store do not see writes.
    pub(crate) fn make_stale(&self) {
        self.memory.is_stale.set(true);
    }

    /// All lines of the log.
    pub(crate) fn log(&self) -> Vec<String> {
        self.memory.log()
    }

    /// The time since the start.
    pub(crate) fn elapsed(&self) -> Duration {
        self.memory.elapsed()
    }

    /// Advances the clock.
    pub(crate) fn pass_seconds(&self, seconds: u64) {
        self.memory.pass(Duration::from_secs(seconds));
    }

    /// The only complete object.
    pub(crate) fn only_object(&self) -> Vec<u8> {
        let objects = self.services.objects.borrow();
        assert_eq!(objects.len(), 1, "{:?}", objects.keys());
        objects.values().next().unwrap().clone()
    }

    /// Asserts that no call of VOD and no object exists.
    pub(crate) fn assert_untouched(&self) {
        assert!(self.services.objects.borrow().is_empty());
        assert!(self.services.calls.borrow().is_empty());
    }

    /// Advances the clock to this time since the start.
    pub(crate) fn pass_until(&self, seconds: u64) {
        self.memory.pass(Duration::from_secs(seconds) - self.memory.elapsed());
    }

    /// The value of a key.
    pub(crate) fn value(&self, key: &str) -> Option<Vec<u8>> {
        self.memory.value(key)
    }

    /// Sets or deletes the value of a key, as another instance does.
    pub(crate) fn change(&self, key: &str, value: Option<Vec<u8>>) {
        self.memory.change((key.to_owned(), value));
    }

    /// Makes a change once the worker has written a key that contains `text`.
    pub(crate) fn change_after(&self, text: &str, key: &str, value: Option<Vec<u8>>) {
        let change = (text.to_owned(), (key.to_owned(), value));
        *self.memory.next_change.borrow_mut() = Some(change);
    }

    /// Writes of keys that contain `text` fail.
    pub(crate) fn refuse_writes(&self, text: Option<&str>) {
        *self.memory.refused.borrow_mut() = text.map(str::to_owned);
    }

    /// Sends a request of whose body a KiB arrives every second, until the worker stops at this
    /// time since the start.
    pub(crate) fn send_until_stopped(
        &self,
        method: &str,
        path: &str,
        headers: Headers<'_>,
        at: u64,
    ) {
        let body = PacedBody::new(self.memory.clone(), Duration::from_secs(1), &[7; 1_024], 1_024);
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let head = RequestHead::new(method, path, headers.iter().copied());
        let relay = self.relay.clone();
        let handled = async move { drop(relay.handle(head, Box::new(body)).await) };
        let mut pool = LocalPool::new();
        pool.spawner().spawn_local(handled).unwrap();
        pool.run_until_stalled();
        while self.memory.elapsed() < Duration::from_secs(at) && self.memory.advance() {
            pool.run_until_stalled();
        }
    }

    /// Sends a request; the worker stops while it waits for a response of OSS.
    pub(crate) fn send_and_crash(
        &self,
        method: &str,
        path: &str,
        headers: Headers<'_>,
        bytes: &[u8],
    ) {
        let length = bytes.len().to_string();
        let headers = [headers, &[("content-length", length.as_str())]].concat();
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let head = RequestHead::new(method, path, headers.iter().copied());
        let (relay, body) = (self.relay.clone(), Box::new(SentBody::new(bytes)));
        let mut tasks = vec![async move { drop(relay.handle(head, body).await) }.boxed_local()];
        let mut pool = LocalPool::new();
        while !tasks.is_empty() {
            for task in tasks {
                pool.spawner().spawn_local(task).unwrap();
            }
            pool.run_until_stalled();
            tasks = self.memory.take_tasks();
        }
        assert!(self.services.has_hung.take(), "no request waits");
    }

    /// Operations on keys with this text fail, after a number that succeed.
    pub(crate) fn fail_keys(&self, operation: &'static str, text: &str, successes: u32) {
        *self.memory.failing.borrow_mut() = Some((operation, text.to_owned(), successes));
    }

    /// No operation fails.
    pub(crate) fn repair_keys(&self) {
        *self.memory.failing.borrow_mut() = None;
    }
}

impl Reply {
    /// The first header of this name.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// The URL of the upload.
    pub(crate) fn location(&self) -> &str {
        self.header("location").unwrap_or_else(|| panic!("{}: {}", self.status, self.text()))
    }

    /// The body as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    /// The body as JSON.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|_| panic!("{} {}", self.status, self.text()))
    }

    /// The code of the problem.
    pub(crate) fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }

    /// Asserts the status and the code of a problem.
    #[track_caller]
    pub(crate) fn assert_problem(&self, status: u16, code: &str) {
        assert_eq!((self.status, self.code().as_str()), (status, code), "{}", self.text());
    }
}
