//! The mutants: which expressions cargo-mutants would change, and to what.

use std::process::Command;

use serde_json::Value;

use crate::command_error::CommandError;
use crate::tool::CrateTool;
use crate::workspace::Workspace;

/// A change of one expression of the sources.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mutant {
    /// The path from the root of the workspace.
    pub(super) file: String,
    /// File, line, column, and the change in words.
    pub(super) name: String,
    /// What is replaced.
    pub(super) span: Span,
    pub(super) replacement: String,
    /// The function with its documentation; `None` for the value of a constant.
    pub(super) function: Option<Function>,
}

/// The function that a mutant changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Function {
    pub(super) span: Span,
    /// `-> Type`, or nothing.
    pub(super) return_type: String,
}

/// The beginning and the end: line and column, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) start: (usize, usize),
    pub(super) end: (usize, usize),
}

/// Lists the mutants of the files that match `files`, or of a shard of them.
pub(super) fn list<'a>(
    workspace: &Workspace,
    files: impl Iterator<Item = &'a str>,
    shard: Option<&str>,
) -> Result<Vec<Mutant>, CommandError> {
    let mut command = Command::new(CARGO_MUTANTS.install(workspace)?);
    command.args(["mutants", "--workspace", "--list", "--json"]);
    command.args(files.flat_map(|file| ["--file", file]));
    command.args(shard.iter().flat_map(|shard| ["--shard", shard]));
    let output = command.current_dir(&workspace.root).output()?;
    let parsed = serde_json::from_slice::<Vec<Value>>(&output.stdout).ok();
    let mutants = parsed.and_then(|list| list.iter().map(mutant).collect::<Option<Vec<_>>>());
    mutants.filter(|_| output.status.success()).ok_or_else(|| {
        let stderr = String::from_utf8_lossy(&output.stderr);
        CommandError::new(format!("cargo-mutants lists no mutants: {}", stderr.trim()))
    })
}

/// One element of the list: <https://mutants.rs/list.html>.
fn mutant(value: &Value) -> Option<Mutant> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let function = &value["function"];
    let function = if function.is_null() {
        None
    } else {
        let return_type = text(&function["return_type"])?;
        Some(Function { span: span(&function["span"])?, return_type })
    };
    Some(Mutant {
        file: text(&value["file"])?,
        name: text(&value["name"])?,
        span: span(&value["span"])?,
        replacement: text(&value["replacement"])?,
        function,
    })
}

fn span(value: &Value) -> Option<Span> {
    let position = |value: &Value| {
        let number = |name: &str| usize::try_from(value[name].as_u64()?).ok();
        Some((number("line")?, number("column")?))
    };
    Some(Span { start: position(&value["start"])?, end: position(&value["end"])? })
}

const CARGO_MUTANTS: CrateTool =
    CrateTool { name: "cargo-mutants", version: "27.1.0", options: &[] };
