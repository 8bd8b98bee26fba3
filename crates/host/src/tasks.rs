//! Work that runs beside a driver's loop and ends in an input for it.

use std::collections::HashMap;
use std::future::poll_fn;
use std::hash::Hash;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures::future::{AbortHandle, Abortable, LocalBoxFuture};
use futures::stream::FuturesUnordered;
use futures::{FutureExt as _, Stream};

/// Everything that runs for one driver: what can be cut off has a key.
pub(crate) struct Tasks<K, I> {
    running: FuturesUnordered<LocalBoxFuture<'static, Ended<K, I>>>,
    handles: HashMap<K, AbortHandle>,
}

struct Ended<K, I> {
    key: Option<K>,
    input: Option<I>,
}

impl<K: Copy + Eq + Hash + 'static, I: 'static> Tasks<K, I> {
    pub(crate) fn new() -> Self {
        Self { running: FuturesUnordered::new(), handles: HashMap::new() }
    }

    /// Runs `task` to its end, whatever happens.
    pub(crate) fn run(&self, task: impl Future<Output = Option<I>> + 'static) {
        let ended = async move { Ended { key: None, input: task.await } };
        self.running.push(ended.boxed_local());
    }

    /// Runs `task` to its end, or until it is cut off.
    pub(crate) fn run_until_cut(&mut self, key: K, task: impl Future<Output = I> + 'static) {
        let (handle, registration) = AbortHandle::new_pair();
        self.handles.insert(key, handle);
        let task = Abortable::new(task, registration);
        let ended = async move { Ended { key: Some(key), input: task.await.ok() } };
        self.running.push(ended.boxed_local());
    }

    /// Cuts a task off: it gives no input.
    pub(crate) fn cut(&mut self, key: K) {
        if let Some(handle) = self.handles.remove(&key) {
            handle.abort();
        }
    }

    /// Cuts off everything that can be, and waits for the rest: what is being written must not be
    /// lost with its driver.
    pub(crate) async fn close(mut self) {
        for (_, handle) in self.handles.drain() {
            handle.abort();
        }
        while poll_fn(|cx| Pin::new(&mut self.running).poll_next(cx)).await.is_some() {}
    }

    /// The next input, if one has come.
    pub(crate) fn poll_input(&mut self, cx: &mut Context<'_>) -> Poll<I> {
        loop {
            match Pin::new(&mut self.running).poll_next(cx) {
                Poll::Ready(Some(ended)) => {
                    if let Some(key) = ended.key {
                        self.handles.remove(&key);
                    }
                    if let Some(input) = ended.input {
                        return Poll::Ready(input);
                    }
                }
                Poll::Ready(None) | Poll::Pending => return Poll::Pending,
            }
        }
    }
}
