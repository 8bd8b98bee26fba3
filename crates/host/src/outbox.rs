//! Everything a session has asked for and that has not ended: key-value operations, calls to the
//! store, a new credential.

use std::rc::Rc;
use std::task::{Context, Poll};

use vod_uploader::ErrorKind;
use vod_uploader::oss;
use vod_uploader::upload::{CallId, Input, KvId};

use crate::key_value::KeyValue;
use crate::store_client::{self, SendBody, SendError};
use crate::tasks::Tasks;

/// What runs for one session.
pub(crate) struct Outbox {
    kv: Rc<KeyValue>,
    tasks: Tasks<CallId, Input>,
}

impl Outbox {
    pub(crate) fn new(kv: Rc<KeyValue>) -> Self {
        Self { kv, tasks: Tasks::new() }
    }

    pub(crate) fn kv_get(&self, id: KvId, key: String) {
        let kv = Rc::clone(&self.kv);
        self.tasks.run(async move {
            let result = kv.get(&key).await.map_err(|error| error.message().to_owned());
            Some(Input::Kv { id, result })
        });
    }

    pub(crate) fn kv_set(&self, id: KvId, key: String, value: Vec<u8>) {
        let kv = Rc::clone(&self.kv);
        self.tasks.run(async move {
            let result = kv.set(&key, &value).await;
            let result = result.map(|()| None).map_err(|error| error.message().to_owned());
            Some(Input::Kv { id, result })
        });
    }

    /// A key that is not deleted costs room and nothing else: the result is not looked at.
    pub(crate) fn kv_delete(&self, key: String) {
        let kv = Rc::clone(&self.kv);
        self.tasks.run(async move {
            let _ = kv.delete(&key).await;
            None
        });
    }

    /// An address that the host does not allow is not tried again: the session is given up.
    pub(crate) fn send(&mut self, call: CallId, request: oss::Request, body: SendBody) {
        self.tasks.run_until_cut(call, async move {
            match store_client::send(request, body).await {
                Ok(reply) => Input::Replied { call, result: Ok(reply) },
                Err(denied @ SendError::Denied) => {
                    Input::GiveUp(denied.into_error(ErrorKind::StoreUnavailable))
                }
                Err(error) => Input::Replied { call, result: Err(error.to_string()) },
            }
        });
    }

    pub(crate) fn cancel(&mut self, call: CallId) {
        self.tasks.cut(call);
    }

    /// Runs what ends in the session's new credential.
    pub(crate) fn refresh(&self, refresh: impl Future<Output = Input> + 'static) {
        self.tasks.run(async move { Some(refresh.await) });
    }

    /// Cuts off every call and waits for what is left: deletions must not be lost with the
    /// request's end.
    pub(crate) async fn close(self) {
        self.tasks.close().await;
    }

    /// The next input, if one has come.
    pub(crate) fn poll_input(&mut self, cx: &mut Context<'_>) -> Poll<Input> {
        self.tasks.poll_input(cx)
    }
}
