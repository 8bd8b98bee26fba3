//! Cases, and what came of them.

use std::fmt;
use std::io;

use vod_uploader_wire::Record;

/// One requirement, checked.
#[derive(Debug)]
pub struct Case<S: 'static> {
    /// Its name, a sentence.
    pub name: &'static str,
    /// How strongly the specification asks for it.
    pub level: RequirementLevel,
    /// The section of the specification.
    pub section: &'static str,
    /// Checks it.
    pub check: fn(&S) -> Verdict,
}

/// The requirement levels of RFC 2119.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequirementLevel {
    /// An absolute requirement.
    Must,
    /// A recommendation: a server may have reasons not to follow it.
    Should,
}

/// How a check ends: with nothing to say, or early.
pub type Verdict = Result<(), CaseAbort>;

/// Why a check ended early.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CaseAbort {
    /// The server does not do what it should: what was expected, and what came.
    Failed(String),
    /// The server does not offer what the check is about.
    Skipped(String),
}

/// What came of a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The server does what it should.
    Passed,
    /// It does not, and this is what was expected.
    Failed(String),
    /// This is why nothing was checked.
    Skipped(String),
}

/// A case that was run.
#[derive(Debug)]
pub struct Report {
    /// The case's name.
    pub name: &'static str,
    /// The case's level.
    pub level: RequirementLevel,
    /// The case's section.
    pub section: &'static str,
    /// What came of it.
    pub outcome: Outcome,
    /// What was sent and received, in order.
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

    /// Checks it on a fresh fixture, from which `exchanges` takes what was said.
    pub(crate) fn run(&self, fixture: &S, exchanges: fn(&S) -> Vec<Record>) -> Report {
        let outcome = Outcome::from((self.check)(fixture));
        let Self { name, level, section, .. } = *self;
        Report { name, level, section, outcome, exchanges: exchanges(fixture) }
    }
}

impl CaseAbort {
    /// A failure with what was expected and what came.
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
    /// Whether the case failed.
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
