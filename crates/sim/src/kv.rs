//! A key-value store in memory.

use std::collections::BTreeMap;

use crate::Random;

/// Keys and values, with failures on order.
#[derive(Clone, Debug, Default)]
pub struct Kv {
    /// What is stored.
    pub values: BTreeMap<String, Vec<u8>>,
    /// How often each key was written.
    pub writes: BTreeMap<String, u32>,
    /// The operation that is the nth from now (from 1) fails.
    pub fails_at: Option<u32>,
    /// So many of a thousand operations fail, half of the writes among them after they were done.
    pub mix: Option<(Random, u64)>,
    /// Whether anything was written or deleted since this was last looked at.
    pub changed: bool,
}

impl Kv {
    /// Reads a key.
    pub fn read(&mut self, key: &str) -> Result<Option<Vec<u8>>, String> {
        self.strike()?;
        Ok(self.values.get(key).cloned())
    }

    /// Writes a key.
    pub fn write(&mut self, key: &str, value: &[u8]) -> Result<Option<Vec<u8>>, String> {
        let struck = self.strike();
        if struck.is_ok() || self.is_done_all_the_same() {
            self.changed = true;
            *self.writes.entry(key.to_owned()).or_default() += 1;
            self.values.insert(key.to_owned(), value.to_vec());
        }
        struck.map(|()| None)
    }

    /// As [`Self::delete`], which may fail.
    pub fn try_delete(&mut self, key: &str) -> Result<Option<Vec<u8>>, String> {
        let struck = self.strike();
        if struck.is_ok() || self.is_done_all_the_same() {
            self.delete(key);
        }
        struck.map(|()| None)
    }

    /// Deletes a key; that does not fail.
    pub fn delete(&mut self, key: &str) {
        self.changed = true;
        self.values.remove(key);
    }

    /// The keys that hold `part`, such as `.c.` for checkpoints.
    pub fn keys_with(&self, part: &str) -> Vec<String> {
        self.values.keys().filter(|key| key.contains(part)).cloned().collect()
    }

    /// How often keys that hold `part` were written.
    pub fn writes_with(&self, part: &str) -> u32 {
        self.writes.iter().filter(|(key, _)| key.contains(part)).map(|(_, count)| count).sum()
    }

    fn strike(&mut self) -> Result<(), String> {
        match &mut self.fails_at {
            Some(1) => {
                self.fails_at = None;
                Err(FAILURE.into())
            }
            Some(left) => {
                *left -= 1;
                Ok(())
            }
            None => match &mut self.mix {
                Some((random, per_mille)) => {
                    if random.chance(*per_mille) {
                        Err(FAILURE.into())
                    } else {
                        Ok(())
                    }
                }
                None => Ok(()),
            },
        }
    }

    fn is_done_all_the_same(&mut self) -> bool {
        self.mix.as_mut().is_some_and(|(random, _)| random.chance(500))
    }
}

const FAILURE: &str = "the database is locked";
