//! The key that encrypts stored credentials, one per data directory.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use crate::command_error::CommandError;

/// The key of the data directory: 32 random bytes in base64, created at the first start and stored
/// in `seal.key`, which only its owner can read. Without it, credentials stored there are lost.
pub(crate) fn load_or_create(directory: &Path) -> Result<String, CommandError> {
    let path = directory.join("seal.key");
    let refuse = CommandError::file(&path, "cannot be used");
    match fs::read_to_string(&path) {
        Ok(text) => {
            let key = text.trim();
            if BASE64_STANDARD.decode(key).is_ok_and(|bytes| bytes.len() == KEY_BYTES) {
                return Ok(key.to_owned());
            }
            Err(CommandError::new(format!(
                "{}: holds no key of {KEY_BYTES} bytes in base64: restore it, or delete it to \
                 start with a new key (stored credentials are then requested again)",
                path.display()
            )))
        }
        Err(cause) if cause.kind() == ErrorKind::NotFound => {
            let key = new_key().map_err(&refuse)?;
            // Written to another file and renamed, so that a crash leaves a complete key or none.
            let unfinished = directory.join("seal.key.new");
            OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(true)
                .mode(0o600)
                .open(&unfinished)
                .and_then(|mut file| writeln!(file, "{key}").and_then(|()| file.sync_all()))
                .and_then(|()| fs::rename(&unfinished, &path))
                .map_err(refuse)?;
            Ok(key)
        }
        Err(cause) => Err(refuse(cause)),
    }
}

fn new_key() -> std::io::Result<String> {
    let mut bytes = [0; KEY_BYTES];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(BASE64_STANDARD.encode(bytes))
}

const KEY_BYTES: usize = 32;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed assumption fails the test")]

    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_directory_keeps_its_key_and_only_the_owner_reads_it() {
        let directory = tempfile::tempdir().unwrap();
        let key = load_or_create(directory.path()).unwrap();
        assert_eq!(BASE64_STANDARD.decode(&key).unwrap().len(), KEY_BYTES);
        assert_eq!(load_or_create(directory.path()).unwrap(), key);
        let mode = fs::metadata(directory.path().join("seal.key")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let other = tempfile::tempdir().unwrap();
        assert_ne!(load_or_create(other.path()).unwrap(), key);
    }

    #[test]
    fn a_damaged_key_is_rejected_and_never_replaced_or_shown() {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("seal.key"), "c2hvcnQ=").unwrap();
        let failure = load_or_create(directory.path()).unwrap_err().to_string();
        assert!(failure.contains("seal.key") && !failure.contains("c2hvcnQ="), "{failure}");
        assert_eq!(fs::read_to_string(directory.path().join("seal.key")).unwrap(), "c2hvcnQ=");
    }
}
