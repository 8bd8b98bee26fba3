//! A deadline for every operation on the key-value store: an operation that never returns must not
//! block a request, its buffers and its upload forever.

use std::rc::Rc;
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::{Either, LocalBoxFuture, select};

use crate::ports::{Clock, KeyValue, KeyValueError};

/// A key-value store whose operations fail if they take too long. Such a write may still take
/// effect.
pub(crate) struct KeyValueDeadline {
    pub(crate) inner: Rc<dyn KeyValue>,
    pub(crate) clock: Rc<dyn Clock>,
    /// Time limit of one operation.
    pub(crate) limit: Duration,
}

impl KeyValueDeadline {
    fn limited<'a, T: 'a>(
        &self,
        operation: LocalBoxFuture<'a, Result<T, KeyValueError>>,
    ) -> LocalBoxFuture<'a, Result<T, KeyValueError>> {
        let deadline = self.clock.sleep(self.limit);
        let limited = async move {
            match select(operation, deadline).await {
                Either::Left((result, _)) => result,
                Either::Right(((), _)) => Err(KeyValueError {
                    message: "no response from the key-value store within the timeout".to_owned(),
                    is_retryable: true,
                }),
            }
        };
        limited.boxed_local()
    }
}

impl KeyValue for KeyValueDeadline {
    fn get<'a>(
        &'a self,
        key: &'a str,
    ) -> LocalBoxFuture<'a, Result<Option<Vec<u8>>, KeyValueError>> {
        self.limited(self.inner.get(key))
    }

    fn set<'a>(
        &'a self,
        key: &'a str,
        value: &'a [u8],
    ) -> LocalBoxFuture<'a, Result<(), KeyValueError>> {
        self.limited(self.inner.set(key, value))
    }

    fn delete<'a>(&'a self, key: &'a str) -> LocalBoxFuture<'a, Result<(), KeyValueError>> {
        self.limited(self.inner.delete(key))
    }
}
