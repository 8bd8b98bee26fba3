//! The part of a key-value store that belongs to one deployment.
//!
//! Other components and deployments may use the same store. Every key of a deployment starts with
//! its prefix, and the record with the key [`StoreOwner::KEY`] identifies the deployment, so that
//! two with the same prefix do not process each other's uploads.

use std::cell::Cell;
use std::rc::Rc;

use futures::FutureExt as _;
use futures::future::{LocalBoxFuture, try_join};
use vod_uploader::upload::StoreOwner;
use vod_uploader::{Error, ErrorKind, Result};

use crate::ports::{KeyValue, KeyValueError};

/// A key-value store in which every key has a prefix. The first operation verifies the owner.
pub struct KeySpace {
    inner: Rc<dyn KeyValue>,
    prefix: KeyPrefix,
    owner: StoreOwner,
    is_verified: Cell<bool>,
}

/// The prefix of the keys of a deployment: 1 to 64 characters of `[A-Za-z0-9._-]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyPrefix(String);

impl KeySpace {
    /// The keys of `owner` in `inner`.
    #[must_use]
    pub fn new(inner: Rc<dyn KeyValue>, prefix: KeyPrefix, owner: StoreOwner) -> Self {
        Self { inner, prefix, owner, is_verified: Cell::new(false) }
    }

    async fn verify_owner(&self) -> Result<(), KeyValueError> {
        if self.is_verified.get() {
            return Ok(());
        }
        let key = self.prefixed(StoreOwner::KEY);
        if self.must_write_owner(&key).await? {
            let mark = self.owner.encode().map_err(permanent)?;
            self.inner.set(&key, &mark).await?;
            // Another deployment may write its mark at the same time: the last one remains.
            if self.must_write_owner(&key).await? {
                return Err(KeyValueError {
                    message: INCONSISTENT.to_owned(),
                    is_retryable: false,
                });
            }
        }
        self.is_verified.set(true);
        Ok(())
    }

    async fn must_write_owner(&self, key: &str) -> Result<bool, KeyValueError> {
        let stored = self.inner.get(key).await?;
        self.owner.must_write(stored.as_deref()).map_err(permanent)
    }

    fn prefixed(&self, key: &str) -> String {
        format!("{}{key}", self.prefix.0)
    }
}

impl KeyValue for KeySpace {
    fn get<'a>(
        &'a self,
        key: &'a str,
    ) -> LocalBoxFuture<'a, Result<Option<Vec<u8>>, KeyValueError>> {
        async move {
            let key = self.prefixed(key);
            let (value, ()) = try_join(self.inner.get(&key), self.verify_owner()).await?;
            Ok(value)
        }
        .boxed_local()
    }

    fn set<'a>(
        &'a self,
        key: &'a str,
        value: &'a [u8],
    ) -> LocalBoxFuture<'a, Result<(), KeyValueError>> {
        async move {
            self.verify_owner().await?;
            self.inner.set(&self.prefixed(key), value).await
        }
        .boxed_local()
    }

    fn delete<'a>(&'a self, key: &'a str) -> LocalBoxFuture<'a, Result<(), KeyValueError>> {
        async move {
            self.verify_owner().await?;
            self.inner.delete(&self.prefixed(key)).await
        }
        .boxed_local()
    }
}

impl KeyPrefix {
    /// The prefix of the component that exports `vod:uploader`.
    #[must_use]
    pub fn uploader() -> Self {
        Self(UPLOADER_PREFIX.to_owned())
    }

    /// Parses a prefix.
    ///
    /// # Errors
    /// Returns [`ErrorKind::Misconfigured`] if it is too long or has other characters.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        if (1..=PREFIX_BYTES_MAX).contains(&text.len()) && text.bytes().all(is_allowed) {
            return Ok(Self(text.to_owned()));
        }
        let message = format!(
            "a prefix has 1 to {PREFIX_BYTES_MAX} of the characters a-z, A-Z, 0-9, '.', '-' and '_'"
        );
        Err(Error::new(ErrorKind::Misconfigured, message))
    }
}

impl Default for KeyPrefix {
    fn default() -> Self {
        Self(WORKER_PREFIX.to_owned())
    }
}

fn permanent(error: Error) -> KeyValueError {
    KeyValueError { message: error.message().to_owned(), is_retryable: false }
}

/// The error for a store whose reads do not see completed writes.
const INCONSISTENT: &str = "a read does not return a completed write: configure consistent reads \
                            (DynamoDB: consistent_read = true; Cosmos DB: strong consistency)";

const WORKER_PREFIX: &str = "vod-uploader.";
const UPLOADER_PREFIX: &str = "vod-uploader-component.";

/// With the longest key of a record, a key stays below the 255 characters of Cosmos DB.
const PREFIX_BYTES_MAX: usize = 64;
