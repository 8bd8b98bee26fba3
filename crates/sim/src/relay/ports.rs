//! The ports of one instance.
//!
//! The environment executes every operation: it arrives after a delay, takes effect, and is
//! answered after another delay. Dropping the future of an operation, or the instance, does not
//! undo an effect that is on its way. The start of an operation and its answer are the points at
//! which the instance can crash.

use std::future::pending;
use std::rc::Rc;
use std::time::Duration;

use futures::channel::oneshot;
use futures::future::LocalBoxFuture;
use futures::{FutureExt as _, StreamExt as _};
use vod_uploader::oss::{Body, HttpResponse, Request};
use vod_uploader::units::UnixMillis;
use vod_uploader_relay::ports::{
    Clock, HttpClient, KeyValue, KeyValueError, Random, SendBody, SendError, Spawn,
};

use super::executor::Owner;
use super::setting::{OperationFault, Orphans};
use super::simulation::Simulation;
use super::trace::{describe_kv, describe_request};
use crate::store::Answered;
use crate::{Content, Operation};

/// How long an operation takes in one direction, in milliseconds.
const LATENCY_MS_MAX: u64 = 8;

/// How long a slow operation takes in one direction, in milliseconds.
const SLOW_MS_MAX: u64 = 4_000;

/// How much longer an operation may take whose instance has crashed, in milliseconds: less than the
/// lease of the lock that elects who creates a FilePond upload (`retry_elapsed_max_ms` and
/// `request_timeout_ms`). The lock does not exclude a holder whose writes take effect after that.
const LINGER_MS_MAX: u64 = 15_000;

/// The ports of one instance.
pub(super) struct InstancePorts {
    simulation: Rc<Simulation>,
    instance: usize,
    /// How far the clock of the instance is ahead.
    skew_ms: i64,
}

/// An operation on the key-value store.
#[derive(Clone, Debug)]
pub(super) enum KvOperation {
    Get { key: String },
    Set { key: String, value: Vec<u8> },
    Delete { key: String },
    Keys,
}

/// The result of an operation on the key-value store.
pub(super) enum KvOutput {
    Value(Option<Vec<u8>>),
    Keys(Vec<String>),
}

impl InstancePorts {
    pub(super) fn new(simulation: Rc<Simulation>, instance: usize) -> Self {
        let skew_ms_max = simulation.setting.clock_skew_ms_max;
        let skew_ms = match skew_ms_max {
            0 => 0,
            max => simulation.below(2 * max).cast_signed() - max.cast_signed(),
        };
        Self { simulation, instance, skew_ms }
    }

    fn key_value(
        &self,
        operation: KvOperation,
    ) -> impl Future<Output = Result<KvOutput, KeyValueError>> + use<> {
        let (simulation, instance) = (Rc::clone(&self.simulation), self.instance);
        simulation.is_crash_point(instance);
        let fault = simulation.next_operation_fault();
        let (answer, answered) = oneshot::channel();
        let executed = async move {
            if !simulation.arrives(instance).await {
                simulation.trace(|| format!("lost: {}", describe_kv(instance, &operation)));
                return;
            }
            let result = simulation.apply(&operation, fault);
            simulation.trace(|| {
                let outcome = match &result {
                    Ok(KvOutput::Value(value)) => {
                        value.as_ref().map_or("none".to_owned(), |v| format!("{} bytes", v.len()))
                    }
                    Ok(KvOutput::Keys(keys)) => format!("{} keys", keys.len()),
                    Err(error) => error.message.clone(),
                };
                format!("{} -> {outcome}", describe_kv(instance, &operation))
            });
            let is_silent = fault == Some(OperationFault::Silent);
            if is_silent || simulation.chance(simulation.rates.get().kv_silent) {
                return;
            }
            simulation.sleep(simulation.latency()).await;
            if simulation.is_crash_point(instance) {
                return;
            }
            let is_ok = result.is_ok();
            let is_received = answer.send(result).is_ok();
            if let KvOperation::Set { key, value } = &operation
                && is_ok
                && is_received
            {
                simulation.checker.borrow_mut().observe_confirmed_write(key, value);
            }
        };
        self.simulation.executor.spawn(Owner::Environment, executed.boxed_local());
        async move {
            match answered.await {
                Ok(result) => result,
                Err(_) => pending().await,
            }
        }
    }
}

impl KeyValue for InstancePorts {
    fn get<'a>(
        &'a self,
        key: &'a str,
    ) -> LocalBoxFuture<'a, Result<Option<Vec<u8>>, KeyValueError>> {
        let operation = KvOperation::Get { key: key.to_owned() };
        let output = self.key_value(operation);
        async move {
            match output.await? {
                KvOutput::Value(value) => Ok(value),
                KvOutput::Keys(_) => unreachable!("a value was requested"),
            }
        }
        .boxed_local()
    }

    fn set<'a>(
        &'a self,
        key: &'a str,
        value: &'a [u8],
    ) -> LocalBoxFuture<'a, Result<(), KeyValueError>> {
        let operation = KvOperation::Set { key: key.to_owned(), value: value.to_vec() };
        self.key_value(operation).map(|result| result.map(drop)).boxed_local()
    }

    fn delete<'a>(&'a self, key: &'a str) -> LocalBoxFuture<'a, Result<(), KeyValueError>> {
        let operation = KvOperation::Delete { key: key.to_owned() };
        self.key_value(operation).map(|result| result.map(drop)).boxed_local()
    }

    fn keys(&self) -> LocalBoxFuture<'_, Result<Vec<String>, KeyValueError>> {
        let output = self.key_value(KvOperation::Keys);
        async move {
            match output.await? {
                KvOutput::Keys(keys) => Ok(keys),
                KvOutput::Value(_) => unreachable!("keys were requested"),
            }
        }
        .boxed_local()
    }
}

impl HttpClient for InstancePorts {
    fn send(
        &self,
        request: Request,
        body: SendBody,
        response_bytes_max: usize,
    ) -> LocalBoxFuture<'static, Result<HttpResponse, SendError>> {
        let (simulation, instance) = (Rc::clone(&self.simulation), self.instance);
        simulation.is_crash_point(instance);
        let fault = simulation.next_operation_fault();
        let (answer, answered) = oneshot::channel();
        let executed = async move {
            let Some(bytes) = request_body(&request, body).await else { return };
            let arrives = simulation.arrives(instance).await;
            // A request that was aborted may have been sent before.
            let is_aborted = answer.is_canceled() && simulation.chance(500);
            if !arrives || is_aborted {
                simulation.trace(|| format!("lost: {}", describe_request(instance, &request)));
                return;
            }
            let result = simulation.exchange(&request, bytes.as_deref(), fault);
            simulation.trace(|| {
                let outcome = match &result {
                    Answered::Response(reply) => reply.status.to_string(),
                    Answered::Broken => "connection reset".to_owned(),
                    Answered::Never => "no answer".to_owned(),
                };
                format!("{} -> {outcome}", describe_request(instance, &request))
            });
            simulation.sleep(simulation.latency()).await;
            let result = match result {
                Answered::Never => return,
                Answered::Response(reply) if reply.body.len() <= response_bytes_max => Ok(reply),
                Answered::Response(_) => Err(SendError::Interrupted("too large".to_owned())),
                Answered::Broken => Err(SendError::Interrupted("connection reset".to_owned())),
            };
            if !simulation.is_crash_point(instance) {
                let _ = answer.send(result);
            }
        };
        self.simulation.executor.spawn(Owner::Environment, executed.boxed_local());
        async move {
            match answered.await {
                Ok(result) => result,
                Err(_) => pending().await,
            }
        }
        .boxed_local()
    }
}

impl Clock for InstancePorts {
    fn now(&self) -> UnixMillis {
        self.simulation.now().shifted(self.skew_ms)
    }

    fn sleep(&self, duration: Duration) -> LocalBoxFuture<'static, ()> {
        self.simulation.sleep(duration).boxed_local()
    }
}

impl Random for InstancePorts {
    fn bits64(&self) -> u64 {
        self.simulation.below(u64::MAX)
    }
}

impl Spawn for InstancePorts {
    fn spawn(&self, task: LocalBoxFuture<'static, ()>) {
        self.simulation.spawn_in(self.instance, task);
    }
}

impl Simulation {
    /// Waits for the arrival of an operation of `instance`. Returns false if it never arrives.
    async fn arrives(&self, instance: usize) -> bool {
        self.sleep(self.latency()).await;
        if self.is_alive(instance) {
            return true;
        }
        let orphans = match self.setting.orphans {
            Orphans::Mixed => {
                [Orphans::Land, Orphans::Lost, Orphans::Linger][self.below(3) as usize]
            }
            orphans => orphans,
        };
        if orphans == Orphans::Linger {
            self.sleep(Duration::from_millis(self.below(LINGER_MS_MAX))).await;
        }
        orphans != Orphans::Lost
    }

    fn latency(&self) -> Duration {
        let slow = self.chance(self.rates.get().slow);
        Duration::from_millis(1 + self.below(if slow { SLOW_MS_MAX } else { LATENCY_MS_MAX }))
    }

    fn apply(
        &self,
        operation: &KvOperation,
        fault: Option<OperationFault>,
    ) -> Result<KvOutput, KeyValueError> {
        let failed = KeyValueError { message: "the store failed".to_owned(), is_retryable: true };
        if fault == Some(OperationFault::Failed) {
            return Err(failed);
        }
        let mut kv = self.kv.borrow_mut();
        let result = match operation {
            KvOperation::Get { key } => kv.read(key).map(KvOutput::Value),
            KvOperation::Set { key, value } => {
                let written = kv.write(key, value).map(KvOutput::Value);
                if kv.values.get(key) == Some(value) {
                    self.checker.borrow_mut().observe_write(key, value);
                }
                written
            }
            KvOperation::Delete { key } => kv.try_delete(key).map(KvOutput::Value),
            KvOperation::Keys => {
                kv.read("").map(|_| KvOutput::Keys(kv.values.keys().cloned().collect()))
            }
        };
        if fault == Some(OperationFault::Unconfirmed) {
            return Err(failed);
        }
        result.map_err(|message| KeyValueError { message, is_retryable: true })
    }

    fn exchange(
        &self,
        request: &Request,
        body: Option<&[u8]>,
        fault: Option<OperationFault>,
    ) -> Answered {
        if fault == Some(OperationFault::Failed) {
            return Answered::Broken;
        }
        let answered = self.call_service(request, body);
        match fault {
            Some(OperationFault::Silent) => Answered::Never,
            Some(OperationFault::Unconfirmed) => Answered::Broken,
            _ => answered,
        }
    }

    fn call_service(&self, request: &Request, body: Option<&[u8]>) -> Answered {
        let mut store = self.store.borrow_mut();
        if request.url.host_str().is_some_and(|host| host.starts_with("vod.")) {
            return self.vod.borrow_mut().call(&mut store, self.now(), request);
        }
        let answered = store.call(self.now(), request, body);
        let operation = Operation::of(request);
        if matches!(operation, Operation::Complete | Operation::PutObject) {
            let key = request.url.path().trim_start_matches('/');
            if let Some(stored) = store.objects.get(key) {
                self.checker.borrow_mut().observe_object(key, &stored.bytes);
            }
        }
        answered
    }
}

/// The bytes of a request's body, if they are not in the request itself. `None` if the body ends
/// before its length.
async fn request_body(request: &Request, body: SendBody) -> Option<Option<Vec<u8>>> {
    let bytes = match body {
        SendBody::Inline => match &request.body {
            Body::Bytes(bytes) => return Some(Some(bytes.clone())),
            _ => Vec::new(),
        },
        SendBody::Buffered(bytes) => bytes.to_vec(),
        SendBody::Streamed(chunks) => chunks.concat().await,
    };
    let is_complete = bytes.len() as u64 == request.body.len().bytes();
    is_complete.then_some(Some(bytes))
}

/// The bytes of a client's file, distinct from those of every other file of a run.
pub(super) fn content(simulation: &Simulation, len: u64, salt: u8) -> Content {
    let content = Content::salted(len, salt);
    simulation.checker.borrow_mut().expect_content(&content);
    content
}
