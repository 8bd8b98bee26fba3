//! Ports in memory, with virtual time.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::time::Duration;

use futures::FutureExt as _;
use futures::channel::oneshot;
use futures::future::LocalBoxFuture;
use vod_uploader_relay::engine::units::UnixMillis;
use vod_uploader_relay::ports::{Clock, KeyValue, KeyValueError, Log, Random, Spawn};

/// The storage, the time, randomness and the tasks of one worker.
#[derive(Default)]
pub(crate) struct Memory {
    values: RefCell<BTreeMap<String, Vec<u8>>>,
    elapsed: Cell<Duration>,
    timers: RefCell<Vec<(Duration, oneshot::Sender<()>)>>,
    bits: Cell<u64>,
    tasks: RefCell<Vec<LocalBoxFuture<'static, ()>>>,
    log: RefCell<Vec<String>>,
    /// Whether reads do not see writes.
    pub(crate) is_stale: Cell<bool>,
    /// A change by another instance, once a key that contains the text is written.
    pub(crate) next_change: RefCell<Option<(String, Change)>>,
    /// Writes of keys that contain this text fail.
    pub(crate) refused: RefCell<Option<String>>,
    /// The operation and the text in its key that fails, after a number that succeed.
    pub(crate) failing: RefCell<Option<(&'static str, String, u32)>>,
}

/// A key and its new value; `None` deletes it.
pub(crate) type Change = (String, Option<Vec<u8>>);

impl Memory {
    /// All keys.
    pub(crate) fn keys(&self) -> Vec<String> {
        self.values.borrow().keys().cloned().collect()
    }

    /// The time since the start.
    pub(crate) fn elapsed(&self) -> Duration {
        self.elapsed.get()
    }

    /// All lines of the log.
    pub(crate) fn log(&self) -> Vec<String> {
        self.log.borrow().clone()
    }

    /// Advances the clock. Nothing may sleep.
    pub(crate) fn pass(&self, duration: Duration) {
        self.elapsed.set(self.elapsed.get() + duration);
    }

    /// The tasks that were started since the last call.
    pub(crate) fn take_tasks(&self) -> Vec<LocalBoxFuture<'static, ()>> {
        std::mem::take(&mut self.tasks.borrow_mut())
    }

    /// Continues at the end of the next sleep. Returns false if nothing sleeps.
    pub(crate) fn advance(&self) -> bool {
        let mut timers = self.timers.borrow_mut();
        timers.retain(|(_, timer)| !timer.is_canceled());
        let Some(next) = (0..timers.len()).min_by_key(|index| timers[*index].0) else {
            return false;
        };
        let (end, timer) = timers.swap_remove(next);
        self.elapsed.set(end);
        timer.send(()).is_ok()
    }

    /// The value of `key`.
    pub(crate) fn value(&self, key: &str) -> Option<Vec<u8>> {
        self.values.borrow().get(key).cloned()
    }

    /// Sets or deletes the value of a key.
    pub(crate) fn change(&self, (key, value): Change) {
        let mut values = self.values.borrow_mut();
        match value {
            Some(value) => values.insert(key, value),
            None => values.remove(&key),
        };
    }

    fn fails(&self, operation: &str, key: &str) -> Result<(), KeyValueError> {
        if let Some((failing, text, successes_left)) = &mut *self.failing.borrow_mut()
            && *failing == operation
            && key.contains(&text[..])
        {
            if *successes_left == 0 {
                let message = "the store is down".to_owned();
                return Err(KeyValueError { message, is_retryable: true });
            }
            *successes_left -= 1;
        }
        Ok(())
    }
}

impl KeyValue for Memory {
    fn get<'a>(
        &'a self,
        key: &'a str,
    ) -> LocalBoxFuture<'a, Result<Option<Vec<u8>>, KeyValueError>> {
        let value = self.values.borrow().get(key).filter(|_| !self.is_stale.get()).cloned();
        let result = self.fails("get", key).map(|()| value);
        async move { result }.boxed_local()
    }

    fn set<'a>(
        &'a self,
        key: &'a str,
        value: &'a [u8],
    ) -> LocalBoxFuture<'a, Result<(), KeyValueError>> {
        if self.refused.borrow().as_ref().is_some_and(|text| key.contains(text)) {
            let error = KeyValueError { message: "refused".to_owned(), is_retryable: false };
            return async { Err(error) }.boxed_local();
        }
        let result = self.fails("set", key);
        if result.is_ok() {
            self.values.borrow_mut().insert(key.to_owned(), value.to_vec());
        }
        if let Some((_, change)) =
            self.next_change.borrow_mut().take_if(|(text, _)| key.contains(&**text))
        {
            self.change(change);
        }
        async move { result }.boxed_local()
    }

    fn delete<'a>(&'a self, key: &'a str) -> LocalBoxFuture<'a, Result<(), KeyValueError>> {
        let result = self.fails("delete", key);
        if result.is_ok() {
            self.values.borrow_mut().remove(key);
        }
        async move { result }.boxed_local()
    }
}

impl Clock for Memory {
    fn now(&self) -> UnixMillis {
        UnixMillis(1_800_000_000_000) + self.elapsed.get()
    }

    fn sleep(&self, duration: Duration) -> LocalBoxFuture<'static, ()> {
        let (sender, receiver) = oneshot::channel();
        self.timers.borrow_mut().push((self.elapsed.get() + duration, sender));
        receiver.map(drop).boxed_local()
    }
}

impl Random for Memory {
    fn bits64(&self) -> u64 {
        self.bits.set(self.bits.get() + 1);
        self.bits.get().wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }
}

impl Spawn for Memory {
    fn spawn(&self, task: LocalBoxFuture<'static, ()>) {
        self.tasks.borrow_mut().push(task);
    }
}

impl Log for Memory {
    fn warn(&self, line: &str) {
        self.log.borrow_mut().push(line.to_owned());
    }
}
