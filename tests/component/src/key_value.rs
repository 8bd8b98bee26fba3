//! Reads the key-value store from the host's database.

use std::path::Path;

use rusqlite::{Connection, OpenFlags};

/// Every key with its value, without the prefix of its component and the record of the owner.
///
/// # Panics
/// If the host's directory `data` has no readable database.
#[must_use]
pub fn entries(data: &Path) -> Vec<(String, Vec<u8>)> {
    let path = data.join("key-value.sqlite");
    let database = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)
        .expect("the database of the host");
    database.busy_timeout(std::time::Duration::from_secs(5)).expect("a timeout can be set");
    let mut statement = database.prepare("SELECT key, value FROM entry").expect("the table exists");
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).expect("it is read");
    let rows = rows.map(|row| row.expect("a row is a key and a value"));
    let own = rows.map(|(key, value): (String, Vec<u8>)| {
        let own = PREFIXES.iter().find_map(|prefix| key.strip_prefix(prefix));
        (own.expect("every key has a prefix").to_owned(), value)
    });
    own.filter(|(key, _)| key != "owner").collect()
}

/// All keys of uploads with their values. Those of the index by expiry are not among them.
#[must_use]
pub fn records(data: &Path) -> Vec<(String, Vec<u8>)> {
    let mut entries = entries(data);
    entries.retain(|(key, _)| !key.starts_with("x."));
    entries
}

/// The bytes of the database's files, including free pages and the log.
///
/// # Panics
/// If the directory cannot be read.
#[must_use]
pub fn files(data: &Path) -> Vec<u8> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(data).expect("a readable directory") {
        let path = entry.expect("an entry can be read").path();
        let of_database = path
            .file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with("key-value.sqlite"));
        if of_database {
            all.extend(std::fs::read(path).unwrap_or_default());
        }
    }
    all
}

/// The prefixes of the worker and of the component that exports `vod:uploader`.
const PREFIXES: [&str; 2] = ["vod-uploader.", "vod-uploader-component."];
