//! All key-value stores in one SQLite file, written by one thread.
//!
//! A call returns when its change is on disk (write-ahead log, `synchronous = FULL`): a power cut
//! or SIGKILL after that loses nothing. Calls that wait at the same time share one transaction, and
//! so one flush to disk; they take effect in order of arrival.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc;
use std::thread;

use rusqlite::{Connection, OptionalExtension as _, params};
use tokio::sync::oneshot;

/// The longest key, as Spin's SQLite provider documents it.
pub(crate) const KEY_MAX_BYTES: usize = 256;
/// The longest value, as Spin's SQLite provider documents it (1 MB).
pub(crate) const VALUE_MAX_BYTES: usize = 1_000_000;
/// The page size of key listings.
pub(super) const KEYS_PER_PAGE: usize = 1_000;

/// An error of a call.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub(crate) enum Failure {
    #[error("the key has {bytes} bytes; the limit is {KEY_MAX_BYTES}")]
    KeyTooLong { bytes: usize },
    #[error("the value has {bytes} bytes; the limit is {VALUE_MAX_BYTES}")]
    ValueTooLong { bytes: usize },
    #[error("the key-value file failed ({0}); nothing was stored and the call can be repeated")]
    File(String),
}

/// An error of opening the file.
#[derive(Debug, thiserror::Error)]
#[error(
    "{path}: cannot be opened as the key-value file ({cause}); it may be locked by another \
     process, or not be a SQLite file; pass another directory with --data"
)]
pub(crate) struct OpenDatabaseError {
    path: String,
    cause: String,
}

/// A handle to the database thread. The thread ends when the last handle is dropped.
#[derive(Clone)]
pub(crate) struct Database(mpsc::Sender<Call>);

impl Database {
    /// Opens the file, creates the missing tables and starts its thread.
    ///
    /// # Errors
    /// Returns an error if the file cannot be opened or is not a database.
    pub(crate) fn open(path: &Path) -> Result<Self, OpenDatabaseError> {
        let error = |cause: String| OpenDatabaseError { path: path.display().to_string(), cause };
        let connection =
            Connection::open(path).and_then(prepare).map_err(|cause| error(cause.to_string()))?;
        let (sender, receiver) = mpsc::channel();
        thread::Builder::new()
            .name("key-value".to_owned())
            .spawn(move || serve(&connection, &receiver))
            .map_err(|cause| error(cause.to_string()))?;
        Ok(Self(sender))
    }

    /// The value of a key; `None` if absent.
    pub(crate) async fn value(
        &self,
        label: Arc<str>,
        key: String,
    ) -> Result<Option<Vec<u8>>, Failure> {
        check_key(&key)?;
        self.call(|result| Call::Value { label, key, result }).await
    }

    /// Sets the value of a key.
    pub(crate) async fn set(
        &self,
        label: Arc<str>,
        key: String,
        value: Vec<u8>,
    ) -> Result<(), Failure> {
        check_key(&key)?;
        if value.len() > VALUE_MAX_BYTES {
            return Err(Failure::ValueTooLong { bytes: value.len() });
        }
        self.call(|result| Call::Set { label, key, value, result }).await
    }

    /// Removes a key, if present.
    pub(crate) async fn delete(&self, label: Arc<str>, key: String) -> Result<(), Failure> {
        check_key(&key)?;
        self.call(|result| Call::Delete { label, key, result }).await
    }

    /// Returns true if the key is present.
    pub(crate) async fn exists(&self, label: Arc<str>, key: String) -> Result<bool, Failure> {
        check_key(&key)?;
        self.call(|result| Call::Exists { label, key, result }).await
    }

    /// The first [`KEYS_PER_PAGE`] keys after `after`, in byte order.
    pub(super) async fn keys_after(
        self,
        label: Arc<str>,
        after: Option<String>,
    ) -> Result<Vec<String>, Failure> {
        self.call(|result| Call::Keys { label, after, result }).await
    }

    async fn call<V>(&self, call: impl FnOnce(ResultSender<V>) -> Call) -> Result<V, Failure> {
        let (result, outcome) = oneshot::channel();
        let no_result = || Failure::File("its thread returned no result".to_owned());
        self.0.send(call(result)).map_err(|_| no_result())?;
        outcome.await.unwrap_or_else(|_| Err(no_result()))
    }
}

type ResultSender<V> = oneshot::Sender<Result<V, Failure>>;

enum Call {
    Value { label: Arc<str>, key: String, result: ResultSender<Option<Vec<u8>>> },
    Set { label: Arc<str>, key: String, value: Vec<u8>, result: ResultSender<()> },
    Delete { label: Arc<str>, key: String, result: ResultSender<()> },
    Exists { label: Arc<str>, key: String, result: ResultSender<bool> },
    Keys { label: Arc<str>, after: Option<String>, result: ResultSender<Vec<String>> },
}

/// Returns the result of a call after its transaction was committed or rolled back.
type Completion = Box<dyn FnOnce(Result<(), Failure>)>;

impl Call {
    fn run(self, database: &Connection) -> Completion {
        match self {
            Self::Value { label, key, result } => {
                let value = database
                    .prepare_cached("SELECT value FROM entry WHERE label = ?1 AND key = ?2")
                    .and_then(|mut rows| {
                        rows.query_row(params![label, key], |row| row.get(0)).optional()
                    });
                complete(result, value)
            }
            Self::Set { label, key, value, result } => {
                let stored = database
                    .prepare_cached(
                        "INSERT INTO entry (label, key, value) VALUES (?1, ?2, ?3)
                         ON CONFLICT (label, key) DO UPDATE SET value = excluded.value",
                    )
                    .and_then(|mut insert| insert.execute(params![label, key, value]));
                complete(result, stored.map(drop))
            }
            Self::Delete { label, key, result } => {
                let deleted = database
                    .prepare_cached("DELETE FROM entry WHERE label = ?1 AND key = ?2")
                    .and_then(|mut delete| delete.execute(params![label, key]));
                complete(result, deleted.map(drop))
            }
            Self::Exists { label, key, result } => {
                let found = database
                    .prepare_cached("SELECT 1 FROM entry WHERE label = ?1 AND key = ?2")
                    .and_then(|mut rows| rows.exists(params![label, key]));
                complete(result, found)
            }
            Self::Keys { label, after, result } => {
                let keys = database
                    .prepare_cached(
                        "SELECT key FROM entry
                         WHERE label = ?1 AND (?2 IS NULL OR key > ?2) ORDER BY key LIMIT ?3",
                    )
                    .and_then(|mut rows| {
                        let limit = KEYS_PER_PAGE as i64;
                        rows.query_map(params![label, after, limit], |row| row.get(0))?.collect()
                    });
                complete(result, keys)
            }
        }
    }
}

fn complete<V: 'static>(result: ResultSender<V>, outcome: rusqlite::Result<V>) -> Completion {
    Box::new(move |committed| {
        let outcome = committed.and_then(|()| outcome.map_err(file_failure));
        // Fails if the guest has dropped the call.
        let _ = result.send(outcome);
    })
}

fn prepare(database: Connection) -> rusqlite::Result<Connection> {
    database.busy_timeout(std::time::Duration::from_secs(5))?;
    database.pragma_update(None, "journal_mode", "WAL")?;
    database.pragma_update(None, "synchronous", "FULL")?;
    database.execute_batch(
        "CREATE TABLE IF NOT EXISTS entry (
             label TEXT NOT NULL,
             key TEXT NOT NULL,
             value BLOB NOT NULL,
             PRIMARY KEY (label, key)
         )",
    )?;
    Ok(database)
}

fn serve(database: &Connection, calls: &mpsc::Receiver<Call>) {
    while let Ok(first) = calls.recv() {
        if let Err(cause) = database.execute_batch("BEGIN") {
            // Dropping the call makes it fail. Outside a transaction it could be stored although it
            // is reported as failed.
            tracing::error!(%cause, "the key-value file cannot start a transaction");
            continue;
        }
        let waiting = calls.try_iter().take(CALLS_PER_TRANSACTION - 1);
        let completions: Vec<_> =
            std::iter::once(first).chain(waiting).map(|call| call.run(database)).collect();
        let committed = database.execute_batch("COMMIT");
        if committed.is_err() && !database.is_autocommit() {
            // The failed changes must not become part of the next transaction.
            if let Err(cause) = database.execute_batch("ROLLBACK") {
                tracing::error!(%cause, "the key-value file cannot roll back");
            }
        }
        let committed = committed.map_err(file_failure);
        completions.into_iter().for_each(|complete| complete(committed.clone()));
    }
}

fn file_failure(cause: rusqlite::Error) -> Failure {
    Failure::File(cause.to_string())
}

fn check_key(key: &str) -> Result<(), Failure> {
    match key.len() {
        bytes if bytes > KEY_MAX_BYTES => Err(Failure::KeyTooLong { bytes }),
        _ => Ok(()),
    }
}

/// Limits how long the first call of a transaction waits for the others.
const CALLS_PER_TRANSACTION: usize = 64;

#[cfg(test)]
mod tests;
