//! Everything a session has asked for and that has not ended: key-value operations, calls to the
//! store, a new credential.

use std::collections::HashMap;
use std::pin::Pin;
use std::rc::Rc;

use futures::future::{AbortHandle, Abortable, LocalBoxFuture};
use futures::stream::FuturesUnordered;
use futures::{FutureExt as _, Stream};
use std::task::{Context, Poll};
use vod_uploader::oss;
use vod_uploader::upload::{CallId, Input, KvId};

use crate::credential_source::CredentialSource;
use crate::key_value::KeyValue;
use crate::store_client::{self, SendBody};

/// What runs for one session.
pub(crate) struct Outbox {
    kv: Rc<KeyValue>,
    credentials: Rc<CredentialSource>,
    running: FuturesUnordered<LocalBoxFuture<'static, Option<Input>>>,
    calls: HashMap<CallId, AbortHandle>,
}

impl Outbox {
    pub(crate) fn new(kv: Rc<KeyValue>, credentials: Rc<CredentialSource>) -> Self {
        Self { kv, credentials, running: FuturesUnordered::new(), calls: HashMap::new() }
    }

    pub(crate) fn kv_get(&self, id: KvId, key: String) {
        let kv = Rc::clone(&self.kv);
        self.run(async move {
            let result = kv.get(&key).await.map_err(|error| error.message().to_owned());
            Some(Input::Kv { id, result })
        });
    }

    pub(crate) fn kv_set(&self, id: KvId, key: String, value: Vec<u8>) {
        let kv = Rc::clone(&self.kv);
        self.run(async move {
            let result = kv.set(&key, &value).await;
            let result = result.map(|()| None).map_err(|error| error.message().to_owned());
            Some(Input::Kv { id, result })
        });
    }

    /// A key that is not deleted costs room and nothing else: the result is not looked at.
    pub(crate) fn kv_delete(&self, key: String) {
        let kv = Rc::clone(&self.kv);
        self.run(async move {
            let _ = kv.delete(&key).await;
            None
        });
    }

    pub(crate) fn send(&mut self, call: CallId, request: oss::Request, body: SendBody) {
        let (handle, registration) = AbortHandle::new_pair();
        self.calls.insert(call, handle);
        let sending = Abortable::new(store_client::send(request, body), registration);
        self.run(async move {
            match sending.await {
                Ok(result) => Some(Input::Replied { call, result }),
                Err(_aborted) => None,
            }
        });
    }

    pub(crate) fn cancel(&mut self, call: CallId) {
        if let Some(handle) = self.calls.remove(&call) {
            handle.abort();
        }
    }

    pub(crate) fn refresh_credential(&self) {
        let credentials = Rc::clone(&self.credentials);
        let kv = Rc::clone(&self.kv);
        self.run(async move { Some(Input::Credential(credentials.refresh(&kv).await)) });
    }

    /// Cuts off every call and waits for what is left: deletions must not be lost with the
    /// request's end.
    pub(crate) async fn close(mut self) {
        for (_, handle) in self.calls.drain() {
            handle.abort();
        }
        while std::future::poll_fn(|cx| Pin::new(&mut self.running).poll_next(cx)).await.is_some() {
        }
    }

    /// The next input, if one has come.
    pub(crate) fn poll_input(&mut self, cx: &mut Context<'_>) -> Poll<Input> {
        loop {
            match Pin::new(&mut self.running).poll_next(cx) {
                Poll::Ready(Some(Some(input))) => {
                    if let Input::Replied { call, .. } = &input {
                        self.calls.remove(call);
                    }
                    return Poll::Ready(input);
                }
                Poll::Ready(Some(None)) => {}
                Poll::Ready(None) | Poll::Pending => return Poll::Pending,
            }
        }
    }

    fn run(&self, task: impl Future<Output = Option<Input>> + 'static) {
        self.running.push(task.boxed_local());
    }
}
