//! Tasks that run concurrently with a driver's loop, each of which resolves to an input for it.

use std::collections::HashMap;
use std::future::poll_fn;
use std::hash::Hash;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures::future::{AbortHandle, Abortable, LocalBoxFuture};
use futures::stream::FuturesUnordered;
use futures::{FutureExt as _, Stream};

/// The tasks of one driver. Those that can be aborted have a key.
pub struct TaskSet<K, I> {
    running: FuturesUnordered<LocalBoxFuture<'static, Finished<K, I>>>,
    handles: HashMap<K, AbortHandle>,
}

struct Finished<K, I> {
    key: Option<K>,
    input: Option<I>,
}

impl<K: Copy + Eq + Hash + 'static, I: 'static> Default for TaskSet<K, I> {
    fn default() -> Self {
        Self { running: FuturesUnordered::new(), handles: HashMap::new() }
    }
}

impl<K: Copy + Eq + Hash + 'static, I: 'static> TaskSet<K, I> {
    /// Runs `task` to its end.
    pub fn spawn(&self, task: impl Future<Output = Option<I>> + 'static) {
        let finished = async move { Finished { key: None, input: task.await } };
        self.running.push(finished.boxed_local());
    }

    /// Runs `task` to its end, or until it is aborted.
    pub fn spawn_abortable(&mut self, key: K, task: impl Future<Output = I> + 'static) {
        let (handle, registration) = AbortHandle::new_pair();
        self.handles.insert(key, handle);
        let task = Abortable::new(task, registration);
        let finished = async move { Finished { key: Some(key), input: task.await.ok() } };
        self.running.push(finished.boxed_local());
    }

    /// Aborts a task: it produces no input.
    pub fn abort(&mut self, key: K) {
        if let Some(handle) = self.handles.remove(&key) {
            handle.abort();
        }
    }

    /// Aborts every task that can be aborted and waits for the others: a write in progress must not
    /// be lost.
    pub async fn shutdown(mut self) {
        for (_, handle) in self.handles.drain() {
            handle.abort();
        }
        while poll_fn(|cx| Pin::new(&mut self.running).poll_next(cx)).await.is_some() {}
    }

    /// The next input, if there is one.
    pub fn poll_input(&mut self, cx: &mut Context<'_>) -> Poll<I> {
        loop {
            match Pin::new(&mut self.running).poll_next(cx) {
                Poll::Ready(Some(finished)) => {
                    if let Some(key) = finished.key {
                        self.handles.remove(&key);
                    }
                    if let Some(input) = finished.input {
                        return Poll::Ready(input);
                    }
                }
                Poll::Ready(None) | Poll::Pending => return Poll::Pending,
            }
        }
    }
}
