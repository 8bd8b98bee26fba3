//! Reads variables and collects all problems, so that an operator can correct them at once.

use std::fmt;
use std::ops::RangeInclusive;

use vod_uploader::{Error, ErrorKind, Result};

use super::Variables;

/// The variables that are invalid, each with what it must be. Contains no values, which may be
/// secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidConfig {
    problems: Vec<String>,
}

/// Reads variables, and replaces invalid values by defaults until all problems are known.
pub(super) struct Validation<'a> {
    variables: &'a Variables,
    problems: Vec<String>,
}

impl InvalidConfig {
    /// One sentence for each problem, which starts with the name of the variable.
    pub fn problems(&self) -> impl Iterator<Item = &str> {
        self.problems.iter().map(String::as_str)
    }
}

impl fmt::Display for InvalidConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.problems.join("; "))
    }
}

impl std::error::Error for InvalidConfig {}

impl From<InvalidConfig> for Error {
    fn from(invalid: InvalidConfig) -> Self {
        Self::new(ErrorKind::Misconfigured, invalid.to_string())
    }
}

impl<'a> Validation<'a> {
    pub(super) fn new(variables: &'a Variables) -> Self {
        Self { variables, problems: Vec::new() }
    }

    /// The value of a variable that is set.
    pub(super) fn text(&self, name: &str) -> Option<&'a str> {
        self.variables.get(name)
    }

    /// The same, owned.
    pub(super) fn owned(&self, name: &str) -> Option<String> {
        self.text(name).map(str::to_owned)
    }

    /// The value as `parse` reads it; `default` if it is not set or invalid.
    pub(super) fn read<T>(
        &mut self,
        name: &str,
        default: T,
        parse: impl FnOnce(&str) -> Result<T>,
    ) -> T {
        let parsed = self.text(name).map(parse);
        parsed.and_then(|parsed| self.accept(name, parsed)).unwrap_or(default)
    }

    /// A number in `range`.
    pub(super) fn number<T>(&mut self, name: &str, default: T, range: RangeInclusive<T>) -> T
    where
        T: std::str::FromStr + PartialOrd + fmt::Display,
    {
        let Some(text) = self.text(name) else { return default };
        match text.parse() {
            Ok(number) if range.contains(&number) => number,
            _ => {
                let (min, max) = range.into_inner();
                self.reject(name, &format!("must be a number from {min} to {max}"));
                default
            }
        }
    }

    /// `true` or `false`.
    pub(super) fn flag(&mut self, name: &str) -> bool {
        match self.text(name) {
            None | Some("false") => false,
            Some("true") => true,
            Some(_) => {
                self.reject(name, "must be true or false");
                false
            }
        }
    }

    /// The value of `result`. An error is a problem of the variable.
    pub(super) fn accept<T>(&mut self, name: &str, result: Result<T>) -> Option<T> {
        result.map_err(|error| self.reject(name, error.message())).ok()
    }

    /// Adds a problem of a variable.
    pub(super) fn reject(&mut self, name: &str, problem: &str) {
        self.problems.push(format!("{name}: {problem}"));
    }

    /// Ends the validation.
    pub(super) fn finish(self) -> Result<(), InvalidConfig> {
        match self.problems.is_empty() {
            true => Ok(()),
            false => Err(InvalidConfig { problems: self.problems }),
        }
    }
}
