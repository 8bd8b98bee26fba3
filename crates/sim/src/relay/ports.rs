//! The ports of one instance.
//!
//! The environment executes every operation: it arrives after a delay, takes effect, and its result
//! arrives after another delay. Dropping the future of an operation, or the instance, does not
//! undo an effect that is in flight. The start of an operation, the arrival of its result, the end
//! of a sleep, the start of a task, and a read of a body are the points at which the instance can
//! crash.

use std::future::pending;
use std::rc::Rc;
use std::time::Duration;

use futures::channel::oneshot;
use futures::future::LocalBoxFuture;
use futures::{FutureExt as _, StreamExt as _};
use vod_uploader::oss::{Body, HttpResponse, Request};
use vod_uploader::units::UnixMillis;
use vod_uploader_relay::ports::{
    Clock, HttpClient, KeyValue, KeyValueError, Log, Random, SendBody, SendError, Spawn,
};

#[cfg(test)]
use super::costs::KeyValueCost;
use super::environment::Environment;
use super::setting::OperationFault;
use super::variables::KEY_PREFIX;
use crate::world::{Owner, ServiceCall, ServiceResult};

/// The ports of one instance.
pub(super) struct InstancePorts {
    environment: Rc<Environment>,
    instance: usize,
    /// How far the clock of the instance is ahead.
    skew_ms: i64,
}

impl InstancePorts {
    pub(super) fn new(environment: Rc<Environment>, instance: usize) -> Self {
        let skew_ms = match environment.setting.clock_skew_ms_max {
            0 => 0,
            max => environment.below(2 * max).cast_signed() - max.cast_signed(),
        };
        Self { environment, instance, skew_ms }
    }

    /// Executes an operation of the key-value store.
    fn key_value(&self, call: ServiceCall) -> impl Future<Output = ServiceResult> + use<> {
        let (environment, instance) = (Rc::clone(&self.environment), self.instance);
        environment.is_crash_point(instance);
        let fault = environment.next_operation_fault();
        let sent_at = environment.now();
        let (sender, receiver) = oneshot::channel();
        let executed = async move {
            if !environment.arrives(instance).await {
                environment.trace(|| format!("lost: instance {instance}: {call}"));
                return;
            }
            let result = environment.execute(&call, sent_at, fault);
            trace_result(&environment, instance, &call, result.as_ref());
            // The result of a silent operation never arrives.
            if fault == Some(OperationFault::Silent) {
                return;
            }
            if environment.chance(environment.rates().kv_silent) {
                environment.observe_disturbance();
                return;
            }
            environment.sleep(environment.latency()).await;
            let Some(result) = result.filter(|_| !environment.is_crash_point(instance)) else {
                return;
            };
            let is_ok = matches!(result, ServiceResult::Kv(Ok(_)));
            #[cfg(test)]
            if let Some(costs) = &mut *environment.costs.borrow_mut() {
                costs.push(KeyValueCost::new(&call, sent_at, environment.now()));
            }
            let is_received = sender.send(result).is_ok();
            if let ServiceCall::KvSet { key, value } = &call
                && is_ok
                && is_received
            {
                let (mut checker, world) =
                    (environment.checker.borrow_mut(), environment.world.borrow());
                checker.observe_confirmed_write(key, value, &world.kv);
            }
        };
        self.environment.executor.spawn(Owner::Environment, executed.boxed_local());
        received(receiver)
    }

    /// Executes an operation of the key-value store on one key.
    fn key_operation(
        &self,
        call: ServiceCall,
    ) -> LocalBoxFuture<'static, Result<Option<Vec<u8>>, KeyValueError>> {
        let result = self.key_value(call);
        async move {
            match result.await {
                ServiceResult::Kv(result) => result.map_err(retryable),
                other => unreachable!("the value of a key was requested: {other}"),
            }
        }
        .boxed_local()
    }
}

impl KeyValue for InstancePorts {
    fn get<'a>(
        &'a self,
        key: &'a str,
    ) -> LocalBoxFuture<'a, Result<Option<Vec<u8>>, KeyValueError>> {
        self.key_operation(ServiceCall::KvGet { key: own_key(key) })
    }

    fn set<'a>(
        &'a self,
        key: &'a str,
        value: &'a [u8],
    ) -> LocalBoxFuture<'a, Result<(), KeyValueError>> {
        assert!(value.len() < VALUE_BYTES_MAX, "{key} has {} bytes", value.len());
        let call = ServiceCall::KvSet { key: own_key(key), value: value.to_vec() };
        self.key_operation(call).map(|result| result.map(drop)).boxed_local()
    }

    fn delete<'a>(&'a self, key: &'a str) -> LocalBoxFuture<'a, Result<(), KeyValueError>> {
        let call = ServiceCall::KvDelete { key: own_key(key) };
        self.key_operation(call).map(|result| result.map(drop)).boxed_local()
    }
}

/// The key without the prefix of the deployment, so that the checks and the traces are short.
///
/// # Panics
/// If a provider of Spin would reject the key.
fn own_key(key: &str) -> String {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    assert!(key.len() < KEY_BYTES_MAX && key.bytes().all(is_allowed), "{key}");
    key.strip_prefix(KEY_PREFIX).expect("every key has the prefix").to_owned()
}

impl HttpClient for InstancePorts {
    fn send(
        &self,
        request: Request,
        body: SendBody,
        response_bytes_max: usize,
    ) -> LocalBoxFuture<'static, Result<HttpResponse, SendError>> {
        let (environment, instance) = (Rc::clone(&self.environment), self.instance);
        environment.is_crash_point(instance);
        let fault = environment.next_operation_fault();
        let sent_at = environment.now();
        let (sender, receiver) = oneshot::channel();
        let executed = async move {
            let Some(bytes) = request_body(&request, body).await else { return };
            let call = ServiceCall::Send { request: Box::new(request), body: Some(Rc::new(bytes)) };
            let arrives = environment.arrives(instance).await;
            // A request that was aborted may have been sent before.
            let is_aborted = sender.is_canceled() && environment.chance(500);
            if !arrives || is_aborted {
                environment.trace(|| format!("lost: instance {instance}: {call}"));
                return;
            }
            let result = environment.execute(&call, sent_at, fault);
            trace_result(&environment, instance, &call, result.as_ref());
            environment.sleep(environment.latency()).await;
            let result = match result {
                None => return,
                Some(ServiceResult::Http(Ok(response)))
                    if response.body.len() > response_bytes_max =>
                {
                    Err(SendError::Interrupted("too large".to_owned()))
                }
                Some(ServiceResult::Http(result)) => result.map_err(SendError::Interrupted),
                Some(other) => unreachable!("a request was sent: {other}"),
            };
            if !environment.is_crash_point(instance) {
                let _ = sender.send(result);
            }
        };
        self.environment.executor.spawn(Owner::Environment, executed.boxed_local());
        received(receiver).boxed_local()
    }
}

impl Clock for InstancePorts {
    fn now(&self) -> UnixMillis {
        self.environment.now().shifted(self.skew_ms)
    }

    fn sleep(&self, duration: Duration) -> LocalBoxFuture<'static, ()> {
        let (environment, instance) = (Rc::clone(&self.environment), self.instance);
        let sleep = environment.sleep(duration);
        async move {
            sleep.await;
            environment.survive(instance).await;
        }
        .boxed_local()
    }
}

impl Random for InstancePorts {
    fn bits64(&self) -> u64 {
        self.environment.below(u64::MAX)
    }
}

impl Spawn for InstancePorts {
    fn spawn(&self, task: LocalBoxFuture<'static, ()>) {
        self.environment.is_crash_point(self.instance);
        self.environment.spawn_in(self.instance, task);
    }
}

impl Log for InstancePorts {
    fn warn(&self, line: &str) {
        self.environment.trace(|| format!("instance {}: log: {line}", self.instance));
        self.environment.checker.borrow().check_log(line);
    }
}

fn retryable(message: String) -> KeyValueError {
    KeyValueError { message, is_retryable: true }
}

fn trace_result(
    environment: &Environment,
    instance: usize,
    call: &ServiceCall,
    result: Option<&ServiceResult>,
) {
    environment.trace(|| match result {
        Some(result) => format!("instance {instance}: {call} -> {result}"),
        None => format!("instance {instance}: {call} -> no response"),
    });
}

/// Waits for a result, forever if its sender is dropped.
async fn received<T>(receiver: oneshot::Receiver<T>) -> T {
    match receiver.await {
        Ok(result) => result,
        Err(_) => pending().await,
    }
}

/// The bytes of a request's body. `None` if the body ends before its length.
async fn request_body(request: &Request, body: SendBody) -> Option<Vec<u8>> {
    let bytes = match body {
        SendBody::Inline => match &request.body {
            Body::Bytes(bytes) => return Some(bytes.clone()),
            _ => Vec::new(),
        },
        SendBody::Buffered(bytes) => bytes.to_vec(),
        SendBody::Streamed(chunks) => chunks.concat().await,
    };
    let is_complete = bytes.len() as u64 == request.body.len().bytes();
    is_complete.then_some(bytes)
}

/// Limits of providers: Cosmos DB, and the items of DynamoDB.
const KEY_BYTES_MAX: usize = 255;
const VALUE_BYTES_MAX: usize = 400_000;
