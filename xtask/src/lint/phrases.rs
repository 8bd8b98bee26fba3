//! Phrases to avoid.
//!
//! `xtask/lint/phrases.toml` has the rules.

use std::path::Path;

use regex_lite::Regex;
use toml::{Table, Value};

use super::files::{TextFile, read_table};
use crate::command_error::CommandError;

/// A phrase, and what to write instead.
#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) name: String,
    pub(crate) instead: String,
    pattern: Regex,
}

impl Rule {
    /// The lines that break the rule, each as `path:line: text`.
    pub(crate) fn hits(&self, files: &[TextFile]) -> Vec<String> {
        let files = files.iter().filter(|file| is_checked(file));
        files
            .flat_map(|file| {
                let lines = file.lines().filter(|(_, line, _)| self.pattern.is_match(line));
                lines.map(|(number, line, _)| format!("{}:{number}: {}", file.path, line.trim()))
            })
            .collect()
    }
}

/// Reads the rules of a checkout.
pub(crate) fn rules(root: &Path) -> Result<Vec<Rule>, CommandError> {
    parse(&read_table(root, RULES)?)
}

fn parse(rules: &Table) -> Result<Vec<Rule>, CommandError> {
    let parse_rule = |(name, rule): (&String, &Value)| {
        let text = |key: &str| {
            let value = rule.get(key).and_then(Value::as_str);
            value.ok_or_else(|| CommandError::new(format!("{RULES}: {name} has no {key}")))
        };
        let pattern = Regex::new(text("pattern")?)
            .map_err(|cause| CommandError::new(format!("{RULES}: {name}: {cause}")))?;
        Ok(Rule { name: name.clone(), instead: text("instead")?.to_owned(), pattern })
    };
    rules.iter().map(parse_rule).collect()
}

/// Published entries of a changelog are not changed, and a generated page repeats its source.
fn is_checked(file: &TextFile) -> bool {
    file.ends_with_one_of(&[".rs", ".md", ".wit", ".mjs", ".py", "openapi.yaml"])
        && file.path != "CHANGELOG.md"
        && !file.is_generated()
}

const RULES: &str = "xtask/lint/phrases.toml";

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed assumption fails the test")]

    use super::*;

    fn rules(rules: &str) -> Result<Vec<Rule>, CommandError> {
        parse(&rules.parse().unwrap())
    }

    #[test]
    fn hits_are_counted_by_line_in_checked_files() {
        let rules = rules("[rule]\npattern = '\\bfoo\\b'\ninstead = 'bar'").unwrap();
        let file = |path: &str| TextFile {
            path: path.to_owned(),
            text: "// foo foo\nfood\nfoo\n".to_owned(),
        };
        let files = ["a.rs", "CHANGELOG.md", "docs/wit.md", "Cargo.toml"].map(file);
        assert_eq!(rules[0].hits(&files), ["a.rs:1: // foo foo", "a.rs:3: foo"]);
    }

    #[test]
    fn an_incomplete_rule_is_rejected() {
        assert!(rules("[rule]\npattern = 'foo'").is_err());
        assert!(rules("[rule]\npattern = '('\ninstead = ''").is_err());
        assert!(rules("[rule]\npattern = 'foo'\ninstead = 'bar'").is_ok());
    }
}
