//! The text files of the checkout.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::command_error::CommandError;

/// A text file.
#[derive(Debug)]
pub(crate) struct TextFile {
    /// Its path below the root, with `/` between names.
    pub(crate) path: String,
    pub(crate) text: String,
}

impl TextFile {
    /// Whether the name ends with one of these.
    pub(crate) fn ends_with_one_of(&self, endings: &[&str]) -> bool {
        endings.iter().any(|ending| self.path.ends_with(ending))
    }

    /// Whether it is generated.
    pub(crate) fn is_generated(&self) -> bool {
        self.path == "docs/wit.md"
    }

    /// The lines, each with its number from 1 and whether it belongs to a fenced block of Markdown.
    pub(crate) fn lines(&self) -> impl Iterator<Item = (usize, &str, bool)> {
        let is_markdown = self.path.ends_with(".md");
        let mut fenced = false;
        self.text.lines().zip(1..).map(move |(line, number)| {
            let is_fence = is_markdown && line.trim_start().starts_with("```");
            fenced ^= is_fence;
            (number, line, fenced || is_fence)
        })
    }
}

/// The files that git tracks or would track, except those of other projects.
pub(crate) fn list_files(root: &Path) -> Result<Vec<TextFile>, CommandError> {
    let mut git = Command::new("git");
    git.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]).current_dir(root);
    let output = git.output().map_err(|cause| fail("git", &cause))?;
    if !output.status.success() {
        return Err(fail("git ls-files", &String::from_utf8_lossy(&output.stderr).trim()));
    }
    let mut files = Vec::new();
    for path in String::from_utf8_lossy(&output.stdout).split_terminator('\0') {
        let is_foreign = FOREIGN.iter().any(|foreign| path.contains(foreign));
        let is_text = ENDINGS.iter().any(|ending| path.ends_with(ending));
        // A file whose deletion is not in the index yet does not exist.
        if is_text && !is_foreign && root.join(path).is_file() {
            let text = fs::read_to_string(root.join(path)).map_err(|cause| fail(path, &cause))?;
            files.push(TextFile { path: path.to_owned(), text });
        }
    }
    Ok(files)
}

/// Reads a TOML file, whose path is below the root.
pub(super) fn read_table(root: &Path, path: &str) -> Result<toml::Table, CommandError> {
    let text = fs::read_to_string(root.join(path)).map_err(|cause| fail(path, &cause))?;
    text.parse().map_err(|cause| fail(path, &cause))
}

fn fail(what: &str, cause: &dyn std::fmt::Display) -> CommandError {
    CommandError::new(format!("{what}: {cause}"))
}

const ENDINGS: &[&str] =
    &[".rs", ".md", ".wit", ".mjs", ".js", ".py", ".toml", ".sh", "openapi.yaml"];

/// WIT packages of other projects.
const FOREIGN: &[&str] = &["wit/deps/"];
