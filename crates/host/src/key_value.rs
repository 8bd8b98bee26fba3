//! The host's key-value store.

use std::cell::RefCell;
use std::rc::Rc;

use spin_sdk::key_value::Store;
use vod_uploader::{Error, ErrorKind, Result};

/// The store with the label `default`.
pub(crate) struct KeyValue {
    opened: RefCell<Option<Rc<Store>>>,
}

impl KeyValue {
    /// Opens the store.
    pub(crate) async fn open() -> Result<Self> {
        let kv = Self::opened_when_used();
        kv.store().await?;
        Ok(kv)
    }

    /// A store that its first operation opens, and each further one as long as that fails.
    pub(crate) const fn opened_when_used() -> Self {
        Self { opened: RefCell::new(None) }
    }

    /// The value of `key`, or `None` where there is none.
    pub(crate) async fn get(&self, key: &str) -> Result<Option<Vec<u8>>> {
        self.store().await?.get(key).await.map_err(|error| unavailable(&error))
    }

    /// Writes `key`; durable when it returns, as far as the host's provider is.
    pub(crate) async fn set(&self, key: &str, value: &[u8]) -> Result<()> {
        self.store().await?.set(key, value).await.map_err(|error| unavailable(&error))
    }

    /// Deletes `key`, whether or not it is there.
    pub(crate) async fn delete(&self, key: &str) -> Result<()> {
        self.store().await?.delete(key).await.map_err(|error| unavailable(&error))
    }

    /// The names of all keys.
    pub(crate) async fn keys(&self) -> Result<Vec<String>> {
        let keys = self.store().await?.get_keys().await;
        keys.collect().await.map_err(|error| unavailable(&error))
    }

    async fn store(&self) -> Result<Rc<Store>> {
        if let Some(store) = &*self.opened.borrow() {
            return Ok(Rc::clone(store));
        }
        let store = Store::open_default().await.map_err(|error| unavailable(&error))?;
        let store = Rc::new(store);
        self.opened.replace(Some(Rc::clone(&store)));
        Ok(store)
    }
}

fn unavailable(error: &spin_sdk::key_value::Error) -> Error {
    Error::new(ErrorKind::KeyValueUnavailable, error.to_string())
}
