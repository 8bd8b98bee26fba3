//! The output of a run.

use crate::case::{Case, Outcome, Report, RequirementLevel};

/// The line of a case and, if it failed, its last exchanges.
#[must_use]
pub fn shown(report: &Report) -> String {
    let Report { name, level, section, outcome, exchanges } = report;
    let word = match (outcome, level) {
        (Outcome::Passed, _) => "pass",
        (Outcome::Failed(_), RequirementLevel::Must) => "FAIL",
        (Outcome::Failed(_), RequirementLevel::Should) => "warn",
        (Outcome::Skipped(_), _) => "skip",
    };
    let mut text = format!("{word} {level:6} {name} ({section})\n");
    match outcome {
        Outcome::Passed => {}
        Outcome::Skipped(reason) => text.push_str(&format!("     {reason}\n")),
        Outcome::Failed(expected) => {
            text.push_str(&format!("     {expected}\n"));
            let skipped = exchanges.len().saturating_sub(EXCHANGES_SHOWN);
            if skipped > 0 {
                text.push_str(&format!("     ({skipped} exchanges before these)\n"));
            }
            for exchange in exchanges.iter().skip(skipped) {
                for line in exchange.to_string().lines() {
                    text.push_str(&format!("     {line}\n"));
                }
            }
        }
    }
    text
}

/// The line of a listed case.
#[must_use]
pub fn listed<S>(case: &Case<S>) -> String {
    format!("{:6} {} ({})\n", case.level, case.name, case.section)
}

/// The counts of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    passed: usize,
    failed: usize,
    warned: usize,
    skipped: usize,
}

impl Summary {
    /// Counts a case.
    pub fn add(&mut self, report: &Report) {
        let counter = match (&report.outcome, report.level) {
            (Outcome::Passed, _) => &mut self.passed,
            (Outcome::Failed(_), RequirementLevel::Must) => &mut self.failed,
            (Outcome::Failed(_), RequirementLevel::Should) => &mut self.warned,
            (Outcome::Skipped(_), _) => &mut self.skipped,
        };
        *counter += 1;
    }

    /// `61 passed, 0 failed, 2 warnings, 3 skipped`, warnings are failures of a SHOULD.
    #[must_use]
    pub fn line(self) -> String {
        let Self { passed, failed, warned, skipped } = self;
        format!("{passed} passed, {failed} failed, {warned} warnings, {skipped} skipped")
    }

    /// Returns true if the server conforms; `strict` treats every SHOULD as a MUST. A run without
    /// passed cases does not conform.
    #[must_use]
    pub fn conforms(self, strict: bool) -> bool {
        self.failed == 0 && (!strict || self.warned == 0) && self.passed > 0
    }
}

/// The last exchanges are the relevant ones; those before are preparation.
const EXCHANGES_SHOWN: usize = 2;

#[cfg(test)]
mod tests {
    use super::*;

    fn report(level: RequirementLevel, outcome: Outcome) -> Report {
        Report { name: "it_works", level, section: "4.2", outcome, exchanges: Vec::new() }
    }

    #[test]
    fn a_failed_should_is_a_failure_only_in_strict_runs() {
        let mut summary = Summary::default();
        assert!(!summary.conforms(false));
        summary.add(&report(RequirementLevel::Must, Outcome::Passed));
        summary.add(&report(RequirementLevel::Should, Outcome::Failed("no".into())));
        assert!(summary.conforms(false) && !summary.conforms(true));
        summary.add(&report(RequirementLevel::Must, Outcome::Failed("no".into())));
        assert!(!summary.conforms(false));
        assert_eq!(summary.line(), "1 passed, 1 failed, 1 warnings, 0 skipped");
    }

    #[test]
    fn a_line_contains_level_section_and_reason() {
        let failed =
            shown(&report(RequirementLevel::Must, Outcome::Failed("expected 201, got 200".into())));
        assert_eq!(failed, "FAIL MUST   it_works (4.2)\n     expected 201, got 200\n");
        let skipped =
            shown(&report(RequirementLevel::Should, Outcome::Skipped("not offered".into())));
        assert_eq!(skipped, "skip SHOULD it_works (4.2)\n     not offered\n");
    }
}
