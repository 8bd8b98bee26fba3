//! Counts of checks.

/// How the checks of a suite, or of all, ended.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct SuiteResult {
    pub(super) passed: u64,
    pub(super) failed: u64,
    /// Skipped checks that are not named one by one.
    skipped: u64,
    pub(super) skips: Vec<Skip>,
}

/// What was not run, and why.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Skip {
    pub(super) what: String,
    pub(super) reason: String,
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
        let skip = Skip { what: what.to_owned(), reason: reason.to_owned() };
        Self { skips: vec![skip], ..Self::default() }
    }

    /// One check, by whether it succeeded.
    pub(super) fn from_success(success: bool) -> Self {
        if success { Self::passed(1) } else { Self::failed(1) }
    }

    /// These checks and the others, as counts.
    pub(super) fn add(&mut self, other: &Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped_count();
    }

    /// These checks and the others.
    pub(super) fn and(mut self, other: Self) -> Self {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
        self.skips.extend(other.skips);
        self
    }

    /// `3 passed, 0 failed, 1 skipped`.
    pub(super) fn counts(&self) -> String {
        let skipped = self.skipped_count();
        format!("{} passed, {} failed, {skipped} skipped", self.passed, self.failed)
    }

    /// Adds up the results that `cargo test` printed for each of its binaries.
    ///
    /// A run that failed without a failed test (it did not compile, a test ended the process)
    /// counts as one failure, and so does a run without any test.
    pub(super) fn from_cargo_test(output: &str, success: bool) -> Self {
        let mut result = Self::default();
        for line in output.lines() {
            if let Some(results) = line.strip_prefix("test result: ") {
                result.passed += count_before(results, "passed");
                result.failed += count_before(results, "failed");
                let ignored = count_before(results, "ignored");
                if ignored > 0 {
                    result.skipped += ignored - 1;
                    let reason = "#[ignore] in the sources".to_owned();
                    result.skips.push(Skip { what: format!("{ignored} tests"), reason });
                }
            }
        }
        result.at_least_one(success)
    }

    /// Reads the last `3 passed, 0 failed` that a script printed, by the same rules.
    pub(super) fn from_script(output: &str, success: bool) -> Self {
        let last = output.lines().rev().find(|line| line.contains(" passed, "));
        let mut result = Self::default();
        if let Some(line) = last {
            result.passed = count_before(line, "passed");
            result.failed = count_before(line, "failed");
        }
        result.at_least_one(success)
    }

    fn at_least_one(mut self, success: bool) -> Self {
        let nothing_ran = self.passed + self.failed + self.skipped_count() == 0;
        if self.failed == 0 && (!success || nothing_ran) {
            self.failed = 1;
        }
        self
    }

    fn skipped_count(&self) -> u64 {
        self.skipped + self.skips.len() as u64
    }
}

/// The number in front of a word, 0 when there is none.
fn count_before(text: &str, word: &str) -> u64 {
    let words: Vec<_> = text.split([' ', ',', ';']).filter(|word| !word.is_empty()).collect();
    let found = words.windows(2).find(|pair| pair[1] == word);
    found.and_then(|pair| pair[0].parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTPUT: &str = "\
running 3 tests
test a ... ok
test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s

   Doc-tests vod_uploader
test result: FAILED. 12 passed; 2 failed; 4 ignored; 0 measured; 0 filtered out; finished in 1.5s
";

    #[test]
    fn the_results_of_all_test_binaries_are_added_up() {
        let result = SuiteResult::from_cargo_test(OUTPUT, false);
        assert_eq!(result.counts(), "15 passed, 2 failed, 4 skipped");
        assert_eq!(result.skips.len(), 1);
    }

    #[test]
    fn a_run_that_broke_off_or_ran_nothing_counts_as_a_failure() {
        assert_eq!(SuiteResult::from_cargo_test("error: could not compile", false).failed, 1);
        let aborted = "test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured";
        assert_eq!(SuiteResult::from_cargo_test(aborted, false).failed, 1);
        let empty = "test result: ok. 0 passed; 0 failed; 0 ignored; 0 measured";
        assert_eq!(SuiteResult::from_cargo_test(empty, true).failed, 1);
        assert_eq!(SuiteResult::from_cargo_test(aborted, true), SuiteResult::passed(3));
    }

    #[test]
    fn a_script_is_counted_by_its_last_line() {
        let output = "ok it says 9 passed, 9 failed\nok b\n2 passed, 0 failed\n";
        assert_eq!(SuiteResult::from_script(output, true), SuiteResult::passed(2));
        assert_eq!(SuiteResult::from_script("ok a\n1 passed, 1 failed\n", false).failed, 1);
        assert_eq!(SuiteResult::from_script("Traceback", false), SuiteResult::failed(1));
        assert_eq!(SuiteResult::from_script("", true), SuiteResult::failed(1));
    }

    #[test]
    fn a_total_counts_what_is_skipped_once() {
        let mut total = SuiteResult::default();
        total.add(&SuiteResult::passed(2).and(SuiteResult::skipped("npm", "not installed")));
        total.add(&SuiteResult::from_cargo_test(OUTPUT, false));
        assert_eq!(total.counts(), "17 passed, 2 failed, 5 skipped");
    }
}
