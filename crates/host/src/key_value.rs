//! The host's key-value store.

use std::cell::RefCell;
use std::rc::Rc;

use futures::FutureExt as _;
use futures::future::LocalBoxFuture;
use spin_sdk::key_value::{Error, Store};
use vod_uploader_relay::ports::{KeyValue, KeyValueError};

/// `spin:key-value`, the store with the label `default`. The first operation opens it. If that
/// fails, the next one tries again.
#[derive(Default)]
pub(crate) struct HostKeyValue {
    store: RefCell<Option<Rc<Store>>>,
}

impl HostKeyValue {
    async fn store(&self) -> Result<Rc<Store>, KeyValueError> {
        if let Some(store) = &*self.store.borrow() {
            return Ok(Rc::clone(store));
        }
        let store = Rc::new(Store::open_default().await.map_err(|error| from_host(&error))?);
        self.store.replace(Some(Rc::clone(&store)));
        Ok(store)
    }
}

impl KeyValue for HostKeyValue {
    fn get<'a>(
        &'a self,
        key: &'a str,
    ) -> LocalBoxFuture<'a, Result<Option<Vec<u8>>, KeyValueError>> {
        async move { self.store().await?.get(key).await.map_err(|error| from_host(&error)) }
            .boxed_local()
    }

    fn set<'a>(
        &'a self,
        key: &'a str,
        value: &'a [u8],
    ) -> LocalBoxFuture<'a, Result<(), KeyValueError>> {
        async move { self.store().await?.set(key, value).await.map_err(|error| from_host(&error)) }
            .boxed_local()
    }

    fn delete<'a>(&'a self, key: &'a str) -> LocalBoxFuture<'a, Result<(), KeyValueError>> {
        async move { self.store().await?.delete(key).await.map_err(|error| from_host(&error)) }
            .boxed_local()
    }
}

/// Only errors of a provider may be temporary. The others are mistakes in the manifest.
fn from_host(error: &Error) -> KeyValueError {
    let is_retryable = matches!(error, Error::Other(_));
    KeyValueError { message: error.to_string(), is_retryable }
}
