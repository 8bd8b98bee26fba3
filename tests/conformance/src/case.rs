//! Cases and their results.

use std::fmt;
use std::io;

use vod_uploader_wire::Record;

/// A check of one requirement.
#[derive(Debug)]
pub struct Case<S: 'static> {
    /// Its name: a sentence.
    pub name: &'static str,
    /// The requirement level.
    pub level: RequirementLevel,
    /// The section of the specification.
    pub section: &'static str,
    /// The check.
    pub check: fn(&S) -> Verdict,
}

/// The requirement levels of RFC 2119.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequirementLevel {
    /// An absolute requirement.
    Must,
    /// A recommendation.
    Should,
}

/// The result of a check.
pub type Verdict = Result<(), CaseAbort>;

/// Why a check did not pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CaseAbort {
    /// The server violates the requirement: the expected and the actual result.
    Failed(String),
    /// The server does not support the subject of the check: the reason.
    Skipped(String),
}

/// The outcome of a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The server meets the requirement.
    Passed,
    /// The server violates the requirement: the expected and the actual result.
    Failed(String),
    /// Nothing was checked: the reason.
    Skipped(String),
}

/// The report of a case.
#[derive(Debug)]
pub struct Report {
    /// The case's name.
    pub name: &'static str,
    /// The case's level.
    pub level: RequirementLevel,
    /// The case's section.
    pub section: &'static str,
    /// The outcome.
    pub outcome: Outcome,
    /// The exchanges, in order.
    pub exchanges: Vec<Record>,
}

impl<S> Case<S> {
    /// A case for a MUST, SHALL or REQUIRED.
    pub(crate) const fn must(
        name: &'static str,
        section: &'static str,
        check: fn(&S) -> Verdict,
    ) -> Self {
        Self { name, level: RequirementLevel::Must, section, check }
    }

    /// A case for a SHOULD or RECOMMENDED.
    pub(crate) const fn should(
        name: &'static str,
        section: &'static str,
        check: fn(&S) -> Verdict,
    ) -> Self {
        Self { name, level: RequirementLevel::Should, section, check }
    }

    /// Runs the check with a new fixture. `exchanges` returns the exchanges of the fixture.
    pub(crate) fn run(&self, fixture: &S, exchanges: fn(&S) -> Vec<Record>) -> Report {
        let outcome = Outcome::from((self.check)(fixture));
        let Self { name, level, section, .. } = *self;
        Report { name, level, section, outcome, exchanges: exchanges(fixture) }
    }
}

impl CaseAbort {
    /// A failure with the expected and the actual result.
    pub fn failed(text: impl Into<String>) -> Self {
        Self::Failed(text.into())
    }

    /// A skip with its reason.
    pub fn skipped(reason: impl Into<String>) -> Self {
        Self::Skipped(reason.into())
    }
}

impl From<io::Error> for CaseAbort {
    fn from(error: io::Error) -> Self {
        Self::Failed(error.to_string())
    }
}

impl Report {
    /// Returns true if the case failed.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        matches!(self.outcome, Outcome::Failed(_))
    }
}

impl From<Verdict> for Outcome {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Ok(()) => Self::Passed,
            Err(CaseAbort::Failed(expected)) => Self::Failed(expected),
            Err(CaseAbort::Skipped(reason)) => Self::Skipped(reason),
        }
    }
}

impl fmt::Display for RequirementLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Must => "MUST",
            Self::Should => "SHOULD",
        })
    }
}
