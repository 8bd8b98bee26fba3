#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed assumption fails the test")]

use super::*;

const LABEL: &str = "default";

fn opened() -> (tempfile::TempDir, Database) {
    let dir = tempfile::tempdir().unwrap();
    let database = Database::open(&dir.path().join("kv.sqlite")).unwrap();
    (dir, database)
}

#[tokio::test]
async fn a_value_is_found_until_it_is_deleted() {
    let (_directory, database) = opened();
    let key = || "key".to_owned();
    assert_eq!(database.value(LABEL.into(), key()).await, Ok(None));
    database.set(LABEL.into(), key(), vec![1]).await.unwrap();
    database.set(LABEL.into(), key(), vec![0, 255]).await.unwrap();
    assert_eq!(database.value(LABEL.into(), key()).await, Ok(Some(vec![0, 255])));
    assert_eq!(database.exists(LABEL.into(), key()).await, Ok(true));
    database.delete(LABEL.into(), key()).await.unwrap();
    database.delete(LABEL.into(), key()).await.unwrap();
    assert_eq!(database.exists(LABEL.into(), key()).await, Ok(false));
}

#[tokio::test]
async fn stores_of_different_labels_do_not_share_keys() {
    let (_directory, database) = opened();
    database.set("one".into(), "key".to_owned(), vec![1]).await.unwrap();
    assert_eq!(database.value("two".into(), "key".to_owned()).await, Ok(None));
}

#[tokio::test]
async fn a_second_connection_reads_a_value_once_set_has_returned() {
    let (dir, database) = opened();
    database.set(LABEL.into(), "key".to_owned(), b"value".to_vec()).await.unwrap();
    // The first handle stays open: durability must not depend on a clean close.
    let again = Database::open(&dir.path().join("kv.sqlite")).unwrap();
    let found = again.value(LABEL.into(), "key".to_owned()).await;
    assert_eq!(found, Ok(Some(b"value".to_vec())));
}

#[tokio::test]
async fn the_file_has_a_write_ahead_log_that_is_flushed_at_every_commit() {
    let dir = tempfile::tempdir().unwrap();
    let connection = prepare(Connection::open(dir.path().join("kv.sqlite")).unwrap()).unwrap();
    let journal: String =
        connection.query_row("PRAGMA journal_mode", [], |row| row.get(0)).unwrap();
    let synchronous: i64 =
        connection.query_row("PRAGMA synchronous", [], |row| row.get(0)).unwrap();
    assert_eq!((journal.as_str(), synchronous), ("wal", 2));
}

#[tokio::test]
async fn concurrent_calls_all_take_effect() {
    let (_directory, database) = opened();
    let calls = (0..300u32).map(|number| {
        let database = database.clone();
        async move {
            let value = number.to_le_bytes().to_vec();
            database.set(LABEL.into(), format!("{number}"), value).await
        }
    });
    let outcomes = futures::future::join_all(calls).await;
    assert!(outcomes.iter().all(Result::is_ok));
    let keys = database.clone().keys_after(LABEL.into(), None).await.unwrap();
    assert_eq!(keys.len(), 300);
}

#[tokio::test]
async fn keys_are_paged_without_gaps_or_duplicates() {
    let (_directory, database) = opened();
    let expected: Vec<_> = (0..KEYS_PER_PAGE + 1).map(|number| format!("{number:06}")).collect();
    let sets = expected.iter().map(|key| database.set(LABEL.into(), key.clone(), Vec::new()));
    assert!(futures::future::join_all(sets).await.iter().all(Result::is_ok));
    let mut keys = database.clone().keys_after(LABEL.into(), None).await.unwrap();
    assert_eq!(keys.len(), KEYS_PER_PAGE);
    let last = keys.last().cloned();
    keys.extend(database.clone().keys_after(LABEL.into(), last).await.unwrap());
    assert_eq!(keys, expected);
}

#[tokio::test]
async fn keys_and_values_above_their_limits_are_rejected() {
    let (_directory, database) = opened();
    let key = |bytes| "k".repeat(bytes);
    let set = |key, bytes| database.set(LABEL.into(), key, vec![7; bytes]);
    assert_eq!(set(key(KEY_MAX_BYTES), VALUE_MAX_BYTES).await, Ok(()));
    let bytes = KEY_MAX_BYTES + 1;
    assert_eq!(set(key(bytes), 1).await, Err(Failure::KeyTooLong { bytes }));
    let bytes = VALUE_MAX_BYTES + 1;
    assert_eq!(set(key(1), bytes).await, Err(Failure::ValueTooLong { bytes }));
}

#[test]
fn the_error_for_a_file_that_is_no_database_contains_its_path() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("kv.sqlite");
    std::fs::write(&path, "this is not a database, and long enough to be parsed".repeat(40))
        .unwrap();
    let Err(error) = Database::open(&path) else {
        panic!("opened a text file as a database");
    };
    assert!(error.to_string().contains(&path.display().to_string()), "{error}");
}
