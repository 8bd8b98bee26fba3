//! The durable offset of each file, across all queues of a run.

use std::collections::BTreeMap;

/// What was reported about each file, by name.
#[derive(Debug, Default)]
pub(super) struct DurableOffsets {
    files: BTreeMap<String, FileObservations>,
    /// Whether checkpoints expire, so that any file may restart.
    checkpoints_expire: bool,
}

#[derive(Debug, Default)]
struct FileObservations {
    /// The offset that was reported last.
    durable: u64,
    /// Whether the offset may regress, because what was stored is deleted.
    may_restart: bool,
}

impl DurableOffsets {
    /// What is stored of a file is or will be deleted.
    pub(super) fn allow_restart(&mut self, name: &str) {
        self.files.entry(name.to_owned()).or_default().may_restart = true;
    }

    /// What is stored of any file may be deleted.
    pub(super) fn allow_all_restarts(&mut self) {
        self.files.values_mut().for_each(|file| file.may_restart = true);
    }

    pub(super) const fn set_checkpoints_expire(&mut self) {
        self.checkpoints_expire = true;
    }

    /// A file is read from its start again.
    pub(super) fn restart(&mut self, name: &str) {
        let file = self.files.entry(name.to_owned()).or_default();
        assert!(file.may_restart, "{name} is read again although nothing of it was lost");
        file.durable = 0;
    }

    /// An offset is reported as durable: it does not regress, and it is `stored`.
    pub(super) fn observe(
        &mut self,
        name: &str,
        durable: u64,
        stored: Option<u64>,
        is_replaced: bool,
    ) {
        let file = self.files.entry(name.to_owned()).or_default();
        if durable < file.durable {
            let may_regress = file.may_restart || self.checkpoints_expire || is_replaced;
            assert!(may_regress, "{name} regresses from {} to {durable}", file.durable);
            file.may_restart = false;
        }
        file.durable = durable;
        if let Some(stored) = stored.filter(|_| !self.checkpoints_expire) {
            assert!(stored >= durable, "{name}: {durable} is reported and {stored} is stored");
        }
    }

    /// The file is uploaded or canceled.
    pub(super) fn remove(&mut self, name: &str) {
        self.files.remove(name);
    }
}
