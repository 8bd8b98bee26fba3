//! The suites that lint the text of all files.

use super::context::TestContext;
use super::log::SuiteLog;
use super::suite_result::SuiteResult;
use crate::command_error::CommandError;
use crate::lint::{documentation, files, line_length, phrases};

/// Whether all lines have at most 100 columns.
pub(super) fn line_length(
    context: &TestContext,
    log: &SuiteLog,
) -> Result<SuiteResult, CommandError> {
    let root = &context.workspace.root;
    let mut hits = Vec::new();
    for file in files::list_files(root)? {
        for (number, length) in line_length::too_long(&file) {
            hits.push(format!("{}:{number}: {length} columns", file.path));
        }
    }
    expect_none(log, "line-length", "shorter lines", &hits)
}

/// Whether the phrases to avoid are absent.
pub(super) fn phrases(context: &TestContext, log: &SuiteLog) -> Result<SuiteResult, CommandError> {
    let root = &context.workspace.root;
    let files = files::list_files(root)?;
    phrases::rules(root)?.iter().try_fold(SuiteResult::default(), |result, rule| {
        Ok(result.and(expect_none(log, &rule.name, &rule.instead, &rule.hits(&files))?))
    })
}

/// Fails if lines break a rule.
fn expect_none(
    log: &SuiteLog,
    rule: &str,
    instead: &str,
    hits: &[String],
) -> Result<SuiteResult, CommandError> {
    if !hits.is_empty() {
        log.note(&format!("{rule}: {} lines: write {instead}", hits.len()))?;
        hits.iter().try_for_each(|hit| log.note(&format!("  {hit}")))?;
    }
    Ok(SuiteResult::from_success(hits.is_empty()))
}

/// Whether the targets of links between Markdown files exist, and `docs/SUMMARY.md` is complete.
pub(super) fn links(context: &TestContext, log: &SuiteLog) -> Result<SuiteResult, CommandError> {
    let root = &context.workspace.root;
    let broken = documentation::broken_links(root, &files::list_files(root)?)?;
    broken.iter().try_for_each(|line| log.note(line))?;
    Ok(SuiteResult::from_success(broken.is_empty()))
}
