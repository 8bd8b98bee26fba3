//! The record that identifies the deployment to which the records of a key-value store belong.

use serde::{Deserialize, Serialize};

use super::record::impl_record;
use crate::credential::SealKey;
use crate::error::{Error, ErrorKind, Result};

/// The owner of all records whose keys have the same prefix. Contains no secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreOwner {
    component: Component,
    /// [`SealKey::id`]; `None` if the deployment has no key.
    seal_key_id: Option<String>,
}

/// The component that writes the records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Component {
    /// The edge worker.
    Worker,
    /// The component that exports `vod:uploader`.
    Uploader,
}

impl_record!(StoreOwner, StoreOwner);

impl StoreOwner {
    /// The key of the record, without the prefix.
    pub const KEY: &str = "owner";

    /// Returns the mark of an edge worker with this key for sealed records.
    #[must_use]
    pub fn worker(seal_key: Option<&SealKey>) -> Self {
        Self { component: Component::Worker, seal_key_id: seal_key.map(SealKey::id) }
    }

    /// Returns the mark of the component that exports `vod:uploader`.
    #[must_use]
    pub const fn uploader() -> Self {
        Self { component: Component::Uploader, seal_key_id: None }
    }

    /// Compares this deployment with the `stored` owner. Returns true if the record must be written
    /// because it is missing, or because a seal key was configured since it was written.
    ///
    /// # Errors
    /// Returns [`ErrorKind::Misconfigured`] if the records belong to another deployment, and the
    /// errors of [`StoreOwner::decode`].
    pub fn must_write(&self, stored: Option<&[u8]>) -> Result<bool> {
        let Some(stored) = stored else { return Ok(true) };
        let stored = Self::decode(stored)?;
        if stored.component != self.component {
            return Err(Error::new(
                ErrorKind::Misconfigured,
                "the keys with this prefix belong to another component; use another key_prefix",
            ));
        }
        if stored.seal_key_id.is_some() && stored.seal_key_id != self.seal_key_id {
            return Err(Error::new(
                ErrorKind::Misconfigured,
                "the keys with this prefix were written with another seal_key; restore it, or use \
                 another key_prefix",
            ));
        }
        Ok(stored != *self)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed assumption fails the test")]

    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    fn worker(key: u8) -> StoreOwner {
        StoreOwner::worker(Some(&SealKey::parse(&STANDARD.encode([key; 32])).unwrap()))
    }

    /// What `own` finds if `stored` is the owner.
    fn found(own: &StoreOwner, stored: &StoreOwner) -> Result<bool> {
        own.must_write(Some(&stored.encode().unwrap()))
    }

    #[test]
    fn a_missing_mark_is_written_and_an_equal_one_is_kept() {
        let keyless = StoreOwner::worker(None);
        for own in [keyless, worker(1), StoreOwner::uploader()] {
            assert_eq!(own.must_write(None), Ok(true));
            assert_eq!(found(&own, &own), Ok(false));
        }
    }

    #[test]
    fn a_seal_key_may_be_added_but_not_replaced_or_removed() {
        let keyless = StoreOwner::worker(None);
        assert_eq!(found(&worker(1), &keyless), Ok(true));
        for own in [worker(2), keyless] {
            let error = found(&own, &worker(1)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Misconfigured);
            assert!(error.message().contains("seal_key"), "{error}");
        }
    }

    #[test]
    fn records_of_another_component_or_of_a_newer_version_are_rejected() {
        let (worker, uploader) = (StoreOwner::worker(None), StoreOwner::uploader());
        assert_eq!(found(&worker, &uploader).unwrap_err().kind(), ErrorKind::Misconfigured);
        assert_eq!(found(&uploader, &worker).unwrap_err().kind(), ErrorKind::Misconfigured);
        let foreign = worker.must_write(Some(b"value of another application"));
        assert_eq!(foreign.unwrap_err().kind(), ErrorKind::CheckpointCorrupt);
    }

    #[test]
    fn the_mark_does_not_contain_the_key() {
        let encoded = worker(7).encode().unwrap();
        assert!(!encoded.windows(8).any(|window| window == [7; 8]));
        assert_ne!(worker(7), worker(8));
    }
}
