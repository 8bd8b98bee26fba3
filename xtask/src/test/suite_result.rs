//! Counts of checks.

/// The counts of the checks of a suite, or of all.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct SuiteResult {
    pub(super) passed: u64,
    pub(super) failed: u64,
    pub(super) skips: Vec<Skip>,
}

/// Checks that did not run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Skip {
    pub(super) what: String,
    pub(super) reason: String,
    pub(super) count: u64,
}

impl SuiteResult {
    /// This many checks passed.
    pub(super) fn passed(count: u64) -> Self {
        Self { passed: count, ..Self::default() }
    }

    /// This many checks failed.
    pub(super) fn failed(count: u64) -> Self {
        Self { failed: count, ..Self::default() }
    }

    /// One check was skipped.
    pub(super) fn skipped(what: &str, reason: &str) -> Self {
        let skip = Skip { what: what.to_owned(), reason: reason.to_owned(), count: 1 };
        Self { skips: vec![skip], ..Self::default() }
    }

    /// One check, by whether it succeeded.
    pub(super) fn from_success(success: bool) -> Self {
        if success { Self::passed(1) } else { Self::failed(1) }
    }

    /// The sum of both.
    pub(super) fn and(mut self, other: Self) -> Self {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skips.extend(other.skips);
        self
    }

    /// `3 passed, 0 failed, 1 skipped`.
    pub(super) fn counts(&self) -> String {
        let skipped: u64 = self.skips.iter().map(|skip| skip.count).sum();
        format!("{} passed, {} failed, {skipped} skipped", self.passed, self.failed)
    }

    /// Adds up the results that test programs printed.
    ///
    /// A run that failed without a failed test (it did not compile, or a test ended the process)
    /// counts as one failure, and so does a run without any test.
    pub(super) fn from_cargo_test(output: &str, success: bool) -> Self {
        let results = output.lines().filter_map(|line| line.strip_prefix("test result: "));
        let sum = results.fold(Self::default(), |mut sum, results| {
            sum.passed += count_before(results, "passed");
            sum.failed += count_before(results, "failed");
            let count = count_before(results, "ignored");
            if count > 0 {
                let reason = "#[ignore] in the sources".to_owned();
                sum.skips.push(Skip { what: format!("{count} tests"), reason, count });
            }
            sum
        });
        sum.at_least_one(success)
    }

    /// Reads the last `3 passed, 0 failed` that a script printed, by the same rules.
    pub(super) fn from_script(output: &str, success: bool) -> Self {
        let last = output.lines().rev().find(|line| line.contains(" passed, ")).unwrap_or_default();
        let (passed, failed) = (count_before(last, "passed"), count_before(last, "failed"));
        Self { passed, failed, skips: Vec::new() }.at_least_one(success)
    }

    fn at_least_one(mut self, success: bool) -> Self {
        let nothing_ran = self.passed == 0 && self.skips.is_empty();
        if self.failed == 0 && (!success || nothing_ran) {
            self.failed = 1;
        }
        self
    }
}

/// The number before a word, 0 if there is none.
fn count_before(text: &str, word: &str) -> u64 {
    let words: Vec<_> = text.split([' ', ',', ';']).filter(|word| !word.is_empty()).collect();
    let found = words.windows(2).find(|pair| pair[1] == word);
    found.and_then(|pair| pair[0].parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_results_of_all_test_programs_are_added_up() {
        let output = "test a ... ok\n\
            test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out\n\
            test result: FAILED. 12 passed; 2 failed; 4 ignored; 0 measured; 0 filtered out\n";
        let result = SuiteResult::from_cargo_test(output, false);
        assert_eq!(result.counts(), "15 passed, 2 failed, 4 skipped");
    }

    #[test]
    fn a_run_that_was_interrupted_or_ran_no_test_counts_as_a_failure() {
        assert_eq!(SuiteResult::from_cargo_test("error: could not compile", false).failed, 1);
        let passed = "test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured";
        assert_eq!(SuiteResult::from_cargo_test(passed, false).failed, 1);
        assert_eq!(SuiteResult::from_cargo_test(passed, true), SuiteResult::passed(3));
        let empty = "test result: ok. 0 passed; 0 failed; 0 ignored; 0 measured";
        assert_eq!(SuiteResult::from_cargo_test(empty, true).failed, 1);
        assert_eq!(SuiteResult::from_script("Traceback", false), SuiteResult::failed(1));
        assert_eq!(SuiteResult::from_script("", true), SuiteResult::failed(1));
    }

    #[test]
    fn a_script_is_counted_by_its_last_line() {
        let output = "ok it says 9 passed, 9 failed\nok b\n2 passed, 0 failed\n";
        assert_eq!(SuiteResult::from_script(output, true), SuiteResult::passed(2));
        assert_eq!(SuiteResult::from_script("ok a\n1 passed, 1 failed\n", false).failed, 1);
    }
}
