//! The outputs of a session that are in progress: key-value operations, calls to OSS, a credential
//! refresh.

use std::rc::Rc;
use std::task::{Context, Poll};

use vod_uploader::oss;
use vod_uploader::upload::{CallId, Input, KvId};
use vod_uploader::{Error, ErrorKind};

use super::TaskSet;
use crate::ports::{KeyValueCall, Ports, SendBody, SendError};
use crate::retrying_client::RESPONSE_BYTES_MAX;

/// The operations of one session that are in progress.
pub(super) struct PendingOps {
    ports: Ports,
    tasks: TaskSet<CallId, Input>,
}

impl PendingOps {
    pub(super) fn new(ports: Ports) -> Self {
        Self { ports, tasks: TaskSet::default() }
    }

    pub(super) fn key_value(&self, id: KvId, call: KeyValueCall) {
        let performed = call.perform(Rc::clone(&self.ports.key_value));
        self.tasks.spawn(async move {
            let result = performed.await.map_err(Error::from);
            Some(Input::Kv { id, result })
        });
    }

    /// The result is ignored: a key that is not deleted only occupies space.
    pub(super) fn delete_key(&self, key: String) {
        let deleted = KeyValueCall::Delete(key).perform(Rc::clone(&self.ports.key_value));
        self.tasks.spawn(async move {
            let _ = deleted.await;
            None
        });
    }

    /// An address that the host does not allow is not retried: the session is canceled.
    pub(super) fn send(&mut self, call: CallId, request: oss::Request, body: SendBody) {
        let sent = self.ports.http.send(request, body, RESPONSE_BYTES_MAX);
        self.tasks.spawn_abortable(call, async move {
            match sent.await {
                Ok(response) => Input::StoreResponse { call, result: Ok(response) },
                Err(denied @ SendError::HostDenied) => {
                    Input::Cancel(denied.into_error(ErrorKind::StoreUnavailable))
                }
                Err(error) => Input::StoreResponse { call, result: Err(error.to_string()) },
            }
        });
    }

    pub(super) fn cancel(&mut self, call: CallId) {
        self.tasks.abort(call);
    }

    /// Runs a task that resolves to the session's new credential.
    pub(super) fn spawn_refresh(&self, refresh: impl Future<Output = Input> + 'static) {
        self.tasks.spawn(async move { Some(refresh.await) });
    }

    /// Aborts every call and waits for the rest: deletions must not be lost.
    pub(super) async fn shutdown(self) {
        self.tasks.shutdown().await;
    }

    /// The next input, if there is one.
    pub(super) fn poll_input(&mut self, cx: &mut Context<'_>) -> Poll<Input> {
        self.tasks.poll_input(cx)
    }
}
