//! `spin:key-value@3.0.0` over a SQLite file.
//!
//! The database has its own thread, so an instance continues with its other requests while a call
//! waits.

mod database;
mod key_stream;

use std::collections::BTreeSet;
use std::sync::Arc;

use wasmtime::component::{
    Accessor, FutureReader, HasData, Linker, Resource, ResourceTable, StreamReader,
};

pub(crate) use self::database::{Database, OpenDatabaseError};
use self::key_stream::KeyStream;
use crate::bindings::OpenStore;
use crate::bindings::spin::key_value::key_value::{
    self, Error, Host, HostStore, HostStoreWithStore,
};
use crate::stats::Stats;

/// The access of one component to the key-value stores.
#[derive(Clone)]
pub(crate) struct KeyValueAccess {
    /// The database of all stores.
    pub(crate) database: Database,
    /// The labels in the component's `key_value_stores`.
    pub(crate) labels: Arc<BTreeSet<String>>,
    /// The counters of calls.
    pub(crate) stats: Arc<Stats>,
}

/// The instance state that the interface uses.
pub(crate) struct KeyValueView<'a> {
    /// Holds the open stores.
    pub(crate) table: &'a mut ResourceTable,
    /// The component's stores.
    pub(crate) access: &'a KeyValueAccess,
}

/// Declares the interface's state to the linker.
pub(crate) struct KeyValue;

impl HasData for KeyValue {
    type Data<'a> = KeyValueView<'a>;
}

/// Adds the interface to a linker.
///
/// # Errors
/// Returns an error if the linker already has it.
pub(crate) fn add_to_linker<T: Send + 'static>(
    linker: &mut Linker<T>,
    view: fn(&mut T) -> KeyValueView<'_>,
) -> wasmtime::Result<()> {
    key_value::add_to_linker::<T, KeyValue>(linker, view)
}

impl Host for KeyValueView<'_> {}

impl HostStore for KeyValueView<'_> {}

impl<T: Send + 'static> HostStoreWithStore<T> for KeyValue {
    async fn drop(host: &Accessor<T, Self>, store: Resource<OpenStore>) -> wasmtime::Result<()> {
        host.with(|mut host| host.get().table.delete(store))?;
        Ok(())
    }

    async fn open(
        host: &Accessor<T, Self>,
        label: String,
    ) -> wasmtime::Result<Result<Resource<OpenStore>, Error>> {
        host.with(|mut host| {
            let KeyValueView { table, access } = host.get();
            if !access.labels.contains(&label) {
                tracing::warn!(
                    label,
                    "key-value store denied: add the label to the component's key_value_stores"
                );
                return Ok(Err(Error::AccessDenied));
            }
            let store = OpenStore { label: label.into() };
            // Only a full table causes an error.
            Ok(table.push(store).map_err(|_| Error::StoreTableFull))
        })
    }

    async fn get(
        host: &Accessor<T, Self>,
        store: Resource<OpenStore>,
        key: String,
    ) -> wasmtime::Result<Result<Option<Vec<u8>>, Error>> {
        let (access, label) = opened(host, &store)?;
        access.stats.kv_reads.add(1);
        Ok(access.database.value(label, key).await.map_err(other))
    }

    async fn set(
        host: &Accessor<T, Self>,
        store: Resource<OpenStore>,
        key: String,
        value: Vec<u8>,
    ) -> wasmtime::Result<Result<(), Error>> {
        let (access, label) = opened(host, &store)?;
        let value_bytes = value.len() as u64;
        let outcome = access.database.set(label, key, value).await;
        if outcome.is_ok() {
            access.stats.kv_writes.add(1);
            access.stats.kv_bytes_written.add(value_bytes);
        }
        Ok(outcome.map_err(other))
    }

    async fn delete(
        host: &Accessor<T, Self>,
        store: Resource<OpenStore>,
        key: String,
    ) -> wasmtime::Result<Result<(), Error>> {
        let (access, label) = opened(host, &store)?;
        access.stats.kv_deletes.add(1);
        Ok(access.database.delete(label, key).await.map_err(other))
    }

    async fn exists(
        host: &Accessor<T, Self>,
        store: Resource<OpenStore>,
        key: String,
    ) -> wasmtime::Result<Result<bool, Error>> {
        let (access, label) = opened(host, &store)?;
        access.stats.kv_reads.add(1);
        Ok(access.database.exists(label, key).await.map_err(other))
    }

    async fn get_keys(
        host: &Accessor<T, Self>,
        store: Resource<OpenStore>,
    ) -> wasmtime::Result<(StreamReader<String>, FutureReader<Result<(), Error>>)> {
        let (access, label) = opened(host, &store)?;
        access.stats.kv_reads.add(1);
        let (keys, outcome) = KeyStream::new(access.database, label);
        host.with(|mut host| {
            let outcome = async move { wasmtime::error::Ok(outcome.await.map_err(other)) };
            Ok((StreamReader::new(&mut host, keys)?, FutureReader::new(&mut host, outcome)?))
        })
    }
}

/// The access and the label of an open store.
fn opened<T>(
    host: &Accessor<T, KeyValue>,
    store: &Resource<OpenStore>,
) -> wasmtime::Result<(KeyValueAccess, Arc<str>)> {
    host.with(|mut host| {
        let KeyValueView { table, access } = host.get();
        let label = table.get(store)?.label.clone();
        Ok((access.clone(), label))
    })
}

fn other(failure: database::Failure) -> Error {
    Error::Other(failure.to_string())
}
