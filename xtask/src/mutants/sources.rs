//! The copy of the workspace that contains all mutants.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::generate::Mutant;
use super::rewrite;
use crate::command_error::CommandError;
use crate::workspace::Workspace;

/// The copy of the workspace.
#[derive(Debug)]
pub(super) struct Sources {
    pub(super) root: PathBuf,
    /// The lines of the mutants in each file.
    arms: BTreeMap<String, Vec<(Range<usize>, usize)>>,
    /// The mutants of each function, by the number that the function has in a trace.
    pub(super) functions: BTreeMap<usize, Vec<usize>>,
}

impl Sources {
    /// Copies the tracked files to `root`, those of `mutants` with all mutants except the ones that
    /// do not compile. Unchanged files keep their time, so that cargo builds only the others.
    pub(super) fn write(
        workspace: &Workspace,
        root: &Path,
        mutants: &[Mutant],
        unviable: &BTreeSet<usize>,
    ) -> Result<Self, CommandError> {
        let crates: BTreeSet<&str> = mutants.iter().filter_map(|mutant| crate_of(mutant)).collect();
        let mut sources =
            Self { root: root.to_owned(), arms: BTreeMap::new(), functions: BTreeMap::new() };
        for path in tracked_files(workspace)? {
            let from = workspace.root.join(&path);
            let mut bytes = fs::read(&from).map_err(CommandError::file(&from, "cannot be read"))?;
            let is_of_file = |(number, mutant): &(usize, &Mutant)| {
                mutant.file == path && !unviable.contains(number)
            };
            let of_file: Vec<_> = mutants.iter().enumerate().filter(is_of_file).collect();
            if !of_file.is_empty() {
                let rewritten = rewrite::rewrite(&String::from_utf8_lossy(&bytes), &of_file);
                sources.functions.extend(rewritten.functions);
                sources.arms.insert(path.clone(), rewritten.arms);
                bytes = rewritten.text.into_bytes();
            } else if path.strip_suffix("lib.rs").is_some_and(|source| crates.contains(source)) {
                bytes.extend(b"\nmod active_mutant;\n");
            }
            write_if_changed(&root.join(&path), &bytes)?;
        }
        for source in crates {
            write_if_changed(&root.join(source).join("active_mutant.rs"), ACTIVE_MUTANT)?;
        }
        Ok(sources)
    }

    /// The mutant at a line of a file of the copy.
    pub(super) fn mutant_at(&self, file: &str, line: usize) -> Option<usize> {
        let found = self.arms.get(file)?.iter().find(|(lines, _)| lines.contains(&line));
        found.map(|(_, number)| *number)
    }
}

/// The directory of the sources of the mutant's crate, with `/` at the end.
fn crate_of(mutant: &Mutant) -> Option<&str> {
    mutant.file.find("src/").map(|at| &mutant.file[..at + "src/".len()])
}

fn tracked_files(workspace: &Workspace) -> Result<Vec<String>, CommandError> {
    let mut git = Command::new("git");
    git.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
    let output = git.current_dir(&workspace.root).output()?;
    if !output.status.success() {
        return Err(CommandError::new("git ls-files failed: run this command in a git checkout"));
    }
    let paths = String::from_utf8_lossy(&output.stdout).into_owned();
    let paths = paths.split_terminator('\0').filter(|path| workspace.root.join(path).is_file());
    Ok(paths.map(str::to_owned).collect())
}

fn write_if_changed(path: &Path, bytes: &[u8]) -> Result<(), CommandError> {
    if fs::read(path).is_ok_and(|present| present == bytes) {
        return Ok(());
    }
    let created = path.parent().map_or(Ok(()), fs::create_dir_all);
    created.and_then(|()| fs::write(path, bytes)).map_err(CommandError::file(path, "not written"))
}

/// The module that selects the mutant.
const ACTIVE_MUTANT: &[u8] = include_bytes!("../../mutants/active_mutant.rs");
