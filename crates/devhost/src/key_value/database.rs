//! All key-value stores in one SQLite file, written by one thread.
//!
//! A call returns when its change is on disk (write-ahead log, `synchronous = FULL`): a power cut
//! or SIGKILL right after loses nothing. Calls that wait at the same moment share one transaction,
//! so that one flush to disk serves them all; they take effect in the order they came.

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
/// How many keys one read of a listing fetches.
pub(super) const KEYS_PER_PAGE: usize = 1_000;

/// Why a call failed.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub(crate) enum Failure {
    #[error("the key is {bytes} bytes long, the limit is {KEY_MAX_BYTES}")]
    KeyTooLong { bytes: usize },
    #[error("the value is {bytes} bytes long, the limit is {VALUE_MAX_BYTES}")]
    ValueTooLong { bytes: usize },
    #[error("the key-value file failed: {0}; nothing was stored, the call may be repeated")]
    File(String),
}

/// Why the file cannot be used.
#[derive(Debug, thiserror::Error)]
#[error(
    "{path}: cannot be used as the key-value file ({cause}): another process may hold it, \
     or it is not a SQLite file; pass another folder with --data"
)]
pub(crate) struct OpenDatabaseError {
    path: String,
    cause: String,
}

/// A handle to the database thread. The thread ends when the last handle is dropped.
#[derive(Clone)]
pub(crate) struct Database(mpsc::Sender<Call>);

impl Database {
    /// Opens the file, creates what is missing in it and starts its thread.
    ///
    /// # Errors
    /// The file cannot be opened or is not a database.
    pub(crate) fn open(path: &Path) -> Result<Self, OpenDatabaseError> {
        let refuse = |cause: String| OpenDatabaseError { path: path.display().to_string(), cause };
        let connection =
            Connection::open(path).and_then(prepare).map_err(|cause| refuse(cause.to_string()))?;
        let (sender, receiver) = mpsc::channel();
        thread::Builder::new()
            .name("key-value".to_owned())
            .spawn(move || serve(&connection, &receiver))
            .map_err(|cause| refuse(cause.to_string()))?;
        Ok(Self(sender))
    }

    /// The value of a key, or `None`.
    pub(crate) async fn value(
        &self,
        label: Arc<str>,
        key: String,
    ) -> Result<Option<Vec<u8>>, Failure> {
        check_key(&key)?;
        self.call(|reply| Call::Value { label, key, reply }).await
    }

    /// Stores a value under a key, over any other.
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
        self.call(|reply| Call::Set { label, key, value, reply }).await
    }

    /// Removes a key, if it is there.
    pub(crate) async fn delete(&self, label: Arc<str>, key: String) -> Result<(), Failure> {
        check_key(&key)?;
        self.call(|reply| Call::Delete { label, key, reply }).await
    }

    /// Whether a key is there.
    pub(crate) async fn exists(&self, label: Arc<str>, key: String) -> Result<bool, Failure> {
        check_key(&key)?;
        self.call(|reply| Call::Exists { label, key, reply }).await
    }

    /// The first [`KEYS_PER_PAGE`] keys behind `after`, in byte order.
    pub(super) async fn keys_after(
        self,
        label: Arc<str>,
        after: Option<String>,
    ) -> Result<Vec<String>, Failure> {
        self.call(|reply| Call::Keys { label, after, reply }).await
    }

    async fn call<V>(&self, call: impl FnOnce(Reply<V>) -> Call) -> Result<V, Failure> {
        let (reply, outcome) = oneshot::channel();
        let unanswered = || Failure::File("its thread gave no answer".to_owned());
        self.0.send(call(reply)).map_err(|_| unanswered())?;
        outcome.await.unwrap_or_else(|_| Err(unanswered()))
    }
}

type Reply<V> = oneshot::Sender<Result<V, Failure>>;

enum Call {
    Value { label: Arc<str>, key: String, reply: Reply<Option<Vec<u8>>> },
    Set { label: Arc<str>, key: String, value: Vec<u8>, reply: Reply<()> },
    Delete { label: Arc<str>, key: String, reply: Reply<()> },
    Exists { label: Arc<str>, key: String, reply: Reply<bool> },
    Keys { label: Arc<str>, after: Option<String>, reply: Reply<Vec<String>> },
}

/// Answers a call once it is known whether its transaction was committed.
type Answer = Box<dyn FnOnce(Result<(), Failure>)>;

impl Call {
    fn run(self, database: &Connection) -> Answer {
        match self {
            Self::Value { label, key, reply } => {
                let value = database
                    .prepare_cached("SELECT value FROM entry WHERE label = ?1 AND key = ?2")
                    .and_then(|mut rows| {
                        rows.query_row(params![label, key], |row| row.get(0)).optional()
                    });
                answer(reply, value)
            }
            Self::Set { label, key, value, reply } => {
                let stored = database
                    .prepare_cached(
                        "INSERT INTO entry (label, key, value) VALUES (?1, ?2, ?3)
                         ON CONFLICT (label, key) DO UPDATE SET value = excluded.value",
                    )
                    .and_then(|mut insert| insert.execute(params![label, key, value]));
                answer(reply, stored.map(drop))
            }
            Self::Delete { label, key, reply } => {
                let deleted = database
                    .prepare_cached("DELETE FROM entry WHERE label = ?1 AND key = ?2")
                    .and_then(|mut delete| delete.execute(params![label, key]));
                answer(reply, deleted.map(drop))
            }
            Self::Exists { label, key, reply } => {
                let found = database
                    .prepare_cached("SELECT 1 FROM entry WHERE label = ?1 AND key = ?2")
                    .and_then(|mut rows| rows.exists(params![label, key]));
                answer(reply, found)
            }
            Self::Keys { label, after, reply } => {
                let keys = database
                    .prepare_cached(
                        "SELECT key FROM entry
                         WHERE label = ?1 AND (?2 IS NULL OR key > ?2) ORDER BY key LIMIT ?3",
                    )
                    .and_then(|mut rows| {
                        let limit = KEYS_PER_PAGE as i64;
                        rows.query_map(params![label, after, limit], |row| row.get(0))?.collect()
                    });
                answer(reply, keys)
            }
        }
    }
}

fn answer<V: 'static>(reply: Reply<V>, outcome: rusqlite::Result<V>) -> Answer {
    Box::new(move |committed| {
        let outcome = committed.and_then(|()| outcome.map_err(file_failure));
        // The guest may have dropped the call: then nobody asks.
        let _ = reply.send(outcome);
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
            // The dropped call fails; run outside a transaction it might be stored and reported
            // lost.
            tracing::error!(%cause, "the key-value file cannot begin a transaction");
            continue;
        }
        let waiting = calls.try_iter().take(CALLS_PER_TRANSACTION - 1);
        let answers: Vec<_> =
            std::iter::once(first).chain(waiting).map(|call| call.run(database)).collect();
        let committed = database.execute_batch("COMMIT");
        if committed.is_err() && !database.is_autocommit() {
            // What cannot be committed must not linger in the next transaction.
            if let Err(cause) = database.execute_batch("ROLLBACK") {
                tracing::error!(%cause, "the key-value file cannot roll back");
            }
        }
        let committed = committed.map_err(file_failure);
        answers.into_iter().for_each(|answer| answer(committed.clone()));
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

/// Bounds how long the first caller of a transaction waits for the others'.
const CALLS_PER_TRANSACTION: usize = 64;

#[cfg(test)]
mod tests;
