//! The suites that lint the text of all files.

use super::context::TestContext;
use super::log::SuiteLog;
use super::suite_result::SuiteResult;
use crate::command_error::CommandError;
use crate::lint::baseline::{self, Baseline};
use crate::lint::{documentation, files, line_length, phrases};
use crate::report;

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
    compare(log, &Baseline::load(root)?, ("line-length", "shorter lines"), &hits)
}

/// Whether the phrases to avoid are absent.
pub(super) fn phrases(context: &TestContext, log: &SuiteLog) -> Result<SuiteResult, CommandError> {
    let root = &context.workspace.root;
    let (baseline, files) = (Baseline::load(root)?, files::list_files(root)?);
    phrases::rules(root)?.iter().try_fold(SuiteResult::default(), |result, rule| {
        let hits = rule.hits(&files);
        Ok(result.and(compare(log, &baseline, (&rule.name, &rule.instead), &hits)?))
    })
}

/// Fails if more lines break a rule than its baseline allows. If there are fewer, asks for a lower
/// baseline.
fn compare(
    log: &SuiteLog,
    baseline: &Baseline,
    (rule, instead): (&str, &str),
    hits: &[String],
) -> Result<SuiteResult, CommandError> {
    let (found, allowed) = (hits.len(), baseline.allowed(rule));
    if found > allowed {
        log.note(&format!("{rule}: {found} lines, {allowed} allowed: write {instead}"))?;
        hits.iter().try_for_each(|hit| log.note(&format!("  {hit}")))?;
    } else if found < allowed {
        report::progress(&format!("{}: set {rule} = {found}", baseline::PATH));
    }
    Ok(SuiteResult::from_success(found <= allowed))
}

/// Whether the targets of links between Markdown files exist, and `docs/SUMMARY.md` is complete.
pub(super) fn links(context: &TestContext, log: &SuiteLog) -> Result<SuiteResult, CommandError> {
    let root = &context.workspace.root;
    let broken = documentation::broken_links(root, &files::list_files(root)?)?;
    broken.iter().try_for_each(|line| log.note(line))?;
    Ok(SuiteResult::from_success(broken.is_empty()))
}
