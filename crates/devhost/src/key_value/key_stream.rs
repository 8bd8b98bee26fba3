//! The keys of a store as a `stream<string>`, read in pages, so that a large store need not fit
//! in memory.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures::FutureExt as _;
use futures::future::BoxFuture;
use tokio::sync::oneshot;
use wasmtime::StoreContextMut;
use wasmtime::component::{Destination, StreamProducer, StreamResult, VecBuffer};

use super::database::{Database, Failure, KEYS_PER_PAGE};

/// Produces the keys in order. Concurrent changes may or may not be included.
pub(super) struct KeyStream {
    database: Database,
    label: Arc<str>,
    /// The next page; `None` after the last one.
    page: Option<BoxFuture<'static, Result<Vec<String>, Failure>>>,
    outcome: Option<oneshot::Sender<Result<(), Failure>>>,
}

impl KeyStream {
    /// The stream, and its outcome, which resolves when the stream has ended or was dropped.
    pub(super) fn new(
        database: Database,
        label: Arc<str>,
    ) -> (Self, impl Future<Output = Result<(), Failure>> + Send + 'static) {
        let (sender, receiver) = oneshot::channel();
        let page = Some(database.clone().keys_after(label.clone(), None).boxed());
        let stream = Self { database, label, page, outcome: Some(sender) };
        (stream, receiver.map(|outcome| outcome.unwrap_or(Ok(()))))
    }

    fn end(&mut self, outcome: Result<(), Failure>) {
        if let Some(sender) = self.outcome.take() {
            // Fails if the guest has dropped its future.
            let _ = sender.send(outcome);
        }
    }
}

impl<D> StreamProducer<D> for KeyStream {
    type Item = String;
    type Buffer = VecBuffer<String>;

    fn poll_produce<'a>(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        _store: StoreContextMut<'a, D>,
        mut destination: Destination<'a, String, VecBuffer<String>>,
        finish: bool,
    ) -> Poll<wasmtime::Result<StreamResult>> {
        // A guest that reads the last page in several steps polls again.
        let Some(page) = &mut self.page else {
            return Poll::Ready(Ok(StreamResult::Dropped));
        };
        let polled = page.as_mut().poll(cx);
        if polled.is_pending() && finish {
            return Poll::Ready(Ok(StreamResult::Cancelled));
        }
        let keys = ready!(polled);
        self.page = None;
        let keys = match keys {
            Ok(keys) => keys,
            Err(failure) => {
                self.end(Err(failure));
                return Poll::Ready(Ok(StreamResult::Dropped));
            }
        };
        let result = match keys.last() {
            Some(last) if keys.len() == KEYS_PER_PAGE => {
                let (database, label) = (self.database.clone(), self.label.clone());
                self.page = Some(database.keys_after(label, Some(last.clone())).boxed());
                StreamResult::Completed
            }
            _ => {
                self.end(Ok(()));
                StreamResult::Dropped
            }
        };
        destination.set_buffer(keys.into());
        Poll::Ready(Ok(result))
    }
}
