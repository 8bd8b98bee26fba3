//! The reviewed survivors: `xtask/mutants/survivors.txt`.

/// The survivors without a line in the reviewed list, and the lines without a survivor.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Review<'a> {
    pub(super) unreviewed: Vec<&'a str>,
    /// Lines about mutants that are detected, do not compile or do not exist.
    pub(super) stale: Vec<&'a str>,
}

impl<'a> Review<'a> {
    /// Compares the survivors with the list. Lines about files other than `files` are not stale.
    pub(super) fn new(
        survivors: impl Iterator<Item = &'a str>,
        reviewed: &'a str,
        is_checked: impl Fn(&str) -> bool,
    ) -> Self {
        let mut lines: Vec<(&str, &str)> =
            reviewed.lines().filter_map(|line| Some((line.split_once(REASON)?.0, line))).collect();
        let mut unreviewed = Vec::new();
        for survivor in survivors {
            let name = without_position(survivor);
            match lines.iter().position(|(known, _)| *known == name) {
                Some(found) => drop(lines.remove(found)),
                None => unreviewed.push(survivor),
            }
        }
        let is_of_checked = |name: &str| is_checked(name.split(':').next().unwrap_or_default());
        let stale = lines.into_iter().filter(|(name, _)| is_of_checked(name));
        Self { unreviewed, stale: stale.map(|(_, line)| line).collect() }
    }
}

/// `src/a.rs:1:2: replace b` without line and column, which other changes of the file move.
pub(super) fn without_position(mutant: &str) -> String {
    match mutant.splitn(4, ':').collect::<Vec<_>>()[..] {
        [file, _, _, change] => format!("{file}:{change}"),
        _ => mutant.to_owned(),
    }
}

/// The list, one survivor per line: the mutant, the separator, the reason.
pub(super) const PATH: &str = "xtask/mutants/survivors.txt";

const REASON: &str = " -- ";

#[cfg(test)]
mod tests {
    use super::*;

    const REVIEWED: &str =
        "# comment\nsrc/a.rs: replace < with <= in b -- equal values are rejected\n";

    fn review<'a>(survivors: &[&'a str]) -> Review<'a> {
        Review::new(survivors.iter().copied(), REVIEWED, |file| file == "src/a.rs")
    }

    #[test]
    fn a_reviewed_survivor_is_matched_without_its_position_and_once_a_line() {
        let found = review(&[
            "src/a.rs:1:2: replace < with <= in b",
            "src/a.rs:3:4: replace c -> bool with t",
            "src/a.rs:9:2: replace < with <= in b",
        ]);
        assert_eq!(
            found.unreviewed,
            ["src/a.rs:3:4: replace c -> bool with t", "src/a.rs:9:2: replace < with <= in b"]
        );
        assert!(found.stale.is_empty());
    }

    #[test]
    fn a_line_of_a_checked_file_without_a_survivor_is_stale() {
        assert_eq!(review(&[]).stale, [REVIEWED.lines().last().unwrap_or_default()]);
        assert_eq!(Review::new([].into_iter(), REVIEWED, |_| false), Review::default());
    }
}
