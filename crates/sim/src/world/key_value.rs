//! A key-value store.

use std::collections::BTreeMap;

use super::random::Random;

/// Keys and values, and the operations that fail.
#[derive(Clone, Debug, Default)]
pub struct KeyValueStore {
    /// What is stored.
    pub values: BTreeMap<String, Vec<u8>>,
    /// How often each key was written.
    pub writes: BTreeMap<String, u32>,
    /// The operation with this number fails. The next operation has the number 1.
    pub fails_at: Option<u32>,
    /// How many of a thousand operations fail; half of the writes among them take effect.
    pub mix: Option<(Random, u64)>,
    /// Whether every write fails.
    pub fails_writes: bool,
    /// The writes that failed without effect. They may take effect later.
    pub failed_writes: Vec<(String, Vec<u8>)>,
    has_changed: bool,
}

impl KeyValueStore {
    /// Reads a key.
    pub fn read(&mut self, key: &str) -> Result<Option<Vec<u8>>, String> {
        self.next_result()?;
        Ok(self.values.get(key).cloned())
    }

    /// Writes a key.
    pub fn write(&mut self, key: &str, value: &[u8]) -> Result<Option<Vec<u8>>, String> {
        let result = match self.fails_writes {
            true => Err("the database is locked".into()),
            false => self.next_result(),
        };
        if self.takes_effect(&result) {
            *self.writes.entry(key.to_owned()).or_default() += 1;
            self.values.insert(key.to_owned(), value.to_vec());
        } else {
            self.failed_writes.push((key.to_owned(), value.to_vec()));
        }
        result.map(|()| None)
    }

    /// The writes that failed take effect.
    pub fn apply_failed_writes(&mut self) {
        self.values.extend(std::mem::take(&mut self.failed_writes));
    }

    /// Deletes a key.
    pub fn delete(&mut self, key: &str) -> Result<Option<Vec<u8>>, String> {
        let result = self.next_result();
        if self.takes_effect(&result) {
            self.values.remove(key);
        }
        result.map(|()| None)
    }

    /// The keys that contain `part`, such as `.c.` for checkpoints.
    #[must_use]
    pub fn keys_with(&self, part: &str) -> Vec<String> {
        self.values.keys().filter(|key| key.contains(part)).cloned().collect()
    }

    /// How often keys that contain `part` were written.
    #[must_use]
    pub fn writes_with(&self, part: &str) -> u32 {
        self.writes.iter().filter(|(key, _)| key.contains(part)).map(|(_, count)| count).sum()
    }

    /// Removes all faults.
    pub fn clear_faults(&mut self) {
        self.fails_at = None;
        self.mix = None;
    }

    /// Returns `true` if a write or a deletion took effect since the last call.
    pub(crate) fn take_has_changed(&mut self) -> bool {
        std::mem::take(&mut self.has_changed)
    }

    fn next_result(&mut self) -> Result<(), String> {
        let fails = match (&mut self.fails_at, &mut self.mix) {
            (Some(number), _) => {
                *number -= 1;
                *number == 0
            }
            (None, Some((random, per_mille))) => random.chance(*per_mille),
            (None, None) => false,
        };
        if self.fails_at == Some(0) {
            self.fails_at = None;
        }
        if fails { Err("the database is locked".into()) } else { Ok(()) }
    }

    fn takes_effect(&mut self, result: &Result<(), String>) -> bool {
        let takes_effect =
            result.is_ok() || self.mix.as_mut().is_some_and(|(random, _)| random.chance(500));
        self.has_changed |= takes_effect;
        takes_effect
    }
}
