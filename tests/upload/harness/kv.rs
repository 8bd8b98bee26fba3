//! A key-value store in memory.

use std::collections::BTreeMap;

/// Keys and values, with failures on order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Kv {
    pub(crate) values: BTreeMap<String, Vec<u8>>,
    /// How often each key was written.
    pub(crate) writes: BTreeMap<String, u32>,
    /// The operation that is the nth from now (from 1) fails.
    pub(crate) fails_at: Option<u32>,
    /// Whether anything was written or deleted since this was last looked at.
    pub(super) changed: bool,
}

impl Kv {
    pub(crate) fn read(&mut self, key: &str) -> Result<Option<Vec<u8>>, String> {
        self.strike()?;
        Ok(self.values.get(key).cloned())
    }

    pub(crate) fn write(&mut self, key: &str, value: &[u8]) -> Result<Option<Vec<u8>>, String> {
        self.strike()?;
        self.changed = true;
        *self.writes.entry(key.to_owned()).or_default() += 1;
        self.values.insert(key.to_owned(), value.to_vec());
        Ok(None)
    }

    pub(crate) fn delete(&mut self, key: &str) {
        self.changed = true;
        self.values.remove(key);
    }

    /// The keys that hold `part`, such as `.c.` for checkpoints.
    pub(crate) fn keys_with(&self, part: &str) -> Vec<String> {
        self.values.keys().filter(|key| key.contains(part)).cloned().collect()
    }

    /// How often keys that hold `part` were written.
    pub(crate) fn writes_with(&self, part: &str) -> u32 {
        self.writes.iter().filter(|(key, _)| key.contains(part)).map(|(_, count)| count).sum()
    }

    fn strike(&mut self) -> Result<(), String> {
        match &mut self.fails_at {
            Some(1) => {
                self.fails_at = None;
                Err("the database is locked".into())
            }
            Some(left) => {
                *left -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }
}
