//! The host's key-value store.

use spin_sdk::key_value::Store;
use vod_uploader::{Error, ErrorKind, Result};

/// The store with the label `default`.
pub(crate) struct KeyValue(Store);

impl KeyValue {
    /// Opens the store.
    pub(crate) async fn open() -> Result<Self> {
        Store::open_default().await.map(Self).map_err(|error| unavailable(&error))
    }

    /// The value of `key`, or `None` where there is none.
    pub(crate) async fn get(&self, key: &str) -> Result<Option<Vec<u8>>> {
        self.0.get(key).await.map_err(|error| unavailable(&error))
    }

    /// Writes `key`; durable when it returns, as far as the host's provider is.
    pub(crate) async fn set(&self, key: &str, value: &[u8]) -> Result<()> {
        self.0.set(key, value).await.map_err(|error| unavailable(&error))
    }

    /// Deletes `key`, whether or not it is there.
    pub(crate) async fn delete(&self, key: &str) -> Result<()> {
        self.0.delete(key).await.map_err(|error| unavailable(&error))
    }
}

fn unavailable(error: &spin_sdk::key_value::Error) -> Error {
    Error::new(ErrorKind::KeyValueUnavailable, error.to_string())
}
