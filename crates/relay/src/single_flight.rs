//! Work that runs at most once at a time for each key, regardless of how many requests wait for it.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use futures::FutureExt as _;
use futures::future::{LocalBoxFuture, Shared};
use vod_uploader::Result;

use crate::ports::Spawn;

/// The work of an instance that is in progress, by key.
#[derive(Default)]
pub(crate) struct SingleFlight {
    running: Rc<RefCell<HashMap<String, Running>>>,
}

/// Resolves to the result of the work. The work continues even if no request waits for it.
pub(crate) type Running = Shared<LocalBoxFuture<'static, Result<()>>>;

impl SingleFlight {
    /// The work of `key` that is in progress. If there is none, starts `work`.
    pub(crate) fn join_or_start(
        &self,
        spawn: &dyn Spawn,
        key: &str,
        work: impl Future<Output = Result<()>> + 'static,
    ) -> Running {
        if let Some(running) = self.running.borrow().get(key) {
            return running.clone();
        }
        let (all, key) = (Rc::clone(&self.running), key.to_owned());
        let finished_key = key.clone();
        let running = async move {
            let result = work.await;
            all.borrow_mut().remove(&finished_key);
            result
        };
        let running = running.boxed_local().shared();
        self.running.borrow_mut().insert(key, running.clone());
        spawn.spawn(running.clone().map(drop).boxed_local());
        running
    }
}
