//! Retries and deadlines for the key-value store: an operation that never returns must not block a
//! request, its buffers and its upload forever, and one failed operation must not end an upload.

use std::rc::Rc;
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::{Either, LocalBoxFuture, select};

use crate::ports::{Clock, KeyValue, KeyValueError, Log};

/// A key-value store whose operations fail if they take too long, and whose reads and deletions are
/// retried. Errors that no retry helps against are logged.
///
/// A write is attempted once. An attempt that failed may take effect at any later time: after a
/// second attempt has succeeded, it could replace a later value.
pub(crate) struct RetryingKeyValue {
    pub(crate) inner: Rc<dyn KeyValue>,
    pub(crate) clock: Rc<dyn Clock>,
    pub(crate) log: Rc<dyn Log>,
    /// Time limit of one attempt.
    pub(crate) timeout: Duration,
}

impl RetryingKeyValue {
    async fn retried<T, F>(&self, attempt: impl Fn() -> F) -> Result<T, KeyValueError>
    where
        F: Future<Output = Result<T, KeyValueError>>,
    {
        for pause in PAUSES {
            match self.limited(attempt()).await {
                Err(error) if error.is_retryable => self.clock.sleep(pause).await,
                result => return result,
            }
        }
        self.limited(attempt()).await
    }

    async fn limited<T>(
        &self,
        attempt: impl Future<Output = Result<T, KeyValueError>>,
    ) -> Result<T, KeyValueError> {
        match select(std::pin::pin!(attempt), self.clock.sleep(self.timeout)).await {
            Either::Left((Err(error), _)) if !error.is_retryable => {
                self.log.warn(&format!("the key-value store cannot be used: {}", error.message));
                Err(error)
            }
            Either::Left((result, _)) => result,
            Either::Right(((), _)) => Err(KeyValueError {
                message: "no response from the key-value store within the timeout".to_owned(),
                is_retryable: true,
            }),
        }
    }
}

impl KeyValue for RetryingKeyValue {
    fn get<'a>(
        &'a self,
        key: &'a str,
    ) -> LocalBoxFuture<'a, Result<Option<Vec<u8>>, KeyValueError>> {
        self.retried(|| self.inner.get(key)).boxed_local()
    }

    fn set<'a>(
        &'a self,
        key: &'a str,
        value: &'a [u8],
    ) -> LocalBoxFuture<'a, Result<(), KeyValueError>> {
        self.limited(self.inner.set(key, value)).boxed_local()
    }

    fn delete<'a>(&'a self, key: &'a str) -> LocalBoxFuture<'a, Result<(), KeyValueError>> {
        self.retried(|| self.inner.delete(key)).boxed_local()
    }
}

/// The pauses between the attempts: short, because a client waits.
const PAUSES: [Duration; 3] =
    [Duration::from_millis(100), Duration::from_millis(400), Duration::from_millis(1_500)];

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed assumption fails the test")]

    use std::cell::{Cell, RefCell};
    use std::future::{pending, ready};

    use vod_uploader::units::UnixMillis;

    use super::*;

    /// A clock whose sleeps are recorded and end immediately.
    #[derive(Default)]
    struct RecordingClock(RefCell<Vec<Duration>>);

    impl Clock for RecordingClock {
        fn now(&self) -> UnixMillis {
            UnixMillis(0)
        }

        fn sleep(&self, duration: Duration) -> LocalBoxFuture<'static, ()> {
            self.0.borrow_mut().push(duration);
            ready(()).boxed_local()
        }
    }

    /// The number of lines.
    #[derive(Default)]
    struct CountingLog(Cell<usize>);

    impl Log for CountingLog {
        fn warn(&self, _line: &str) {
            self.0.set(self.0.get() + 1);
        }
    }

    /// A store whose first attempts fail, or do not return.
    struct FailingStore {
        failures_left: Cell<u32>,
        attempts: Cell<u32>,
        is_retryable: bool,
        is_silent: bool,
    }

    impl FailingStore {
        fn attempt<T: 'static>(
            &self,
            value: T,
        ) -> LocalBoxFuture<'static, Result<T, KeyValueError>> {
            self.attempts.set(self.attempts.get() + 1);
            if self.failures_left.get() == 0 {
                return ready(Ok(value)).boxed_local();
            }
            self.failures_left.set(self.failures_left.get() - 1);
            if self.is_silent {
                return pending().boxed_local();
            }
            let (message, is_retryable) = ("down".to_owned(), self.is_retryable);
            ready(Err(KeyValueError { message, is_retryable })).boxed_local()
        }
    }

    impl KeyValue for FailingStore {
        fn get<'a>(
            &'a self,
            _key: &'a str,
        ) -> LocalBoxFuture<'a, Result<Option<Vec<u8>>, KeyValueError>> {
            self.attempt(Some(vec![1]))
        }

        fn set<'a>(
            &'a self,
            _key: &'a str,
            _value: &'a [u8],
        ) -> LocalBoxFuture<'a, Result<(), KeyValueError>> {
            self.attempt(())
        }

        fn delete<'a>(&'a self, _key: &'a str) -> LocalBoxFuture<'a, Result<(), KeyValueError>> {
            self.attempt(())
        }
    }

    fn store(
        failures: u32,
        is_retryable: bool,
        is_silent: bool,
    ) -> (Rc<FailingStore>, Rc<RecordingClock>, RetryingKeyValue) {
        let failing = Rc::new(FailingStore {
            failures_left: Cell::new(failures),
            attempts: Cell::new(0),
            is_retryable,
            is_silent,
        });
        let clock = Rc::new(RecordingClock::default());
        let retrying = RetryingKeyValue {
            inner: failing.clone(),
            clock: clock.clone(),
            log: Rc::new(CountingLog::default()),
            timeout: Duration::from_secs(9),
        };
        (failing, clock, retrying)
    }

    #[test]
    fn reads_and_deletions_are_retried_up_to_three_times() {
        for (failures, succeeds) in [(0, true), (1, true), (3, true), (4, false)] {
            let (failing, _, retrying) = store(failures, true, false);
            let read = retrying.get("k").now_or_never().unwrap();
            assert_eq!(read.is_ok(), succeeds, "{failures}");
            assert_eq!(failing.attempts.get(), (failures + 1).min(4));
            let (_, _, retrying) = store(failures, true, false);
            assert_eq!(retrying.delete("k").now_or_never().unwrap().is_ok(), succeeds);
        }
    }

    #[test]
    fn an_attempt_that_does_not_return_is_retried_after_its_timeout() {
        let (failing, clock, retrying) = store(1, true, true);
        assert_eq!(retrying.get("k").now_or_never().unwrap(), Ok(Some(vec![1])));
        assert_eq!(failing.attempts.get(), 2);
        let sleeps = [9_000, 100, 9_000].map(Duration::from_millis);
        assert_eq!(*clock.0.borrow(), sleeps);
    }

    #[test]
    fn writes_and_permanent_errors_are_not_retried() {
        let (failing, _, retrying) = store(1, true, false);
        assert!(retrying.set("k", b"v").now_or_never().unwrap().is_err());
        assert_eq!(failing.attempts.get(), 1);
        let (failing, _, mut retrying) = store(1, false, false);
        let log = Rc::new(CountingLog::default());
        retrying.log = log.clone();
        assert!(retrying.get("k").now_or_never().unwrap().is_err());
        assert_eq!((failing.attempts.get(), log.0.get()), (1, 1));
    }
}
