//! The number of lines that still break each rule, which may only fall.

use std::path::Path;

use toml::Table;

use super::files::read_table;
use crate::command_error::CommandError;

/// The numbers of `xtask/lint/baseline.toml`.
#[derive(Debug)]
pub(crate) struct Baseline(Table);

impl Baseline {
    /// Reads the numbers of a checkout.
    pub(crate) fn load(root: &Path) -> Result<Self, CommandError> {
        read_table(root, PATH).map(Self)
    }

    /// How many lines may break `rule`. A rule without a number has none.
    pub(crate) fn allowed(&self, rule: &str) -> usize {
        let number = self.0.get(rule).and_then(toml::Value::as_integer).unwrap_or(0);
        usize::try_from(number).unwrap_or(0)
    }
}

/// The file of the numbers, below the root.
pub(crate) const PATH: &str = "xtask/lint/baseline.toml";
