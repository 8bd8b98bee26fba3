//! Paging over sorted names with prefix and delimiter, for all bucket listings.

/// One line of a listing.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line<Item> {
    /// A single name.
    Single(Item),
    /// All names with this prefix, which ends with the delimiter.
    CommonPrefix(String),
}

/// A page of a listing.
#[derive(Debug)]
pub(super) struct Page<Item> {
    /// The lines, in order of name.
    pub(super) lines: Vec<Line<Item>>,
    /// Whether there are further lines.
    pub(super) truncated: bool,
}

/// Returns at most `page_size` lines of `items`, which are sorted by name.
///
/// Names without `prefix` are omitted; names with `delimiter` after the prefix are grouped. `skip`
/// returns true for a single item on an earlier page; a common prefix is omitted if it is not above
/// `marker`.
pub(super) fn page<Item>(
    items: impl Iterator<Item = Item>,
    name: impl Fn(&Item) -> &str,
    prefix: &str,
    delimiter: &str,
    marker: &str,
    skip: impl Fn(&Item) -> bool,
    page_size: usize,
) -> Page<Item> {
    let mut lines: Vec<Line<Item>> = Vec::new();
    for item in items {
        let Some(rest) = name(&item).strip_prefix(prefix) else {
            continue;
        };
        let group = (!delimiter.is_empty())
            .then(|| rest.find(delimiter))
            .flatten()
            .map(|at| format!("{prefix}{}", &rest[..at + delimiter.len()]));
        let line = match group {
            Some(common) => {
                let seen = lines
                    .iter()
                    .any(|line| matches!(line, Line::CommonPrefix(before) if *before == common));
                if seen || common.as_str() <= marker {
                    continue;
                }
                Line::CommonPrefix(common)
            }
            None if skip(&item) => continue,
            None => Line::Single(item),
        };
        if lines.len() == page_size {
            return Page { lines, truncated: true };
        }
        lines.push(line);
    }
    Page { lines, truncated: false }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(prefix: &str, delimiter: &str, marker: &str, size: usize) -> (Vec<String>, bool) {
        let keys = ["a", "b/1", "b/2", "c", "d/e/1", "d/f"];
        let page = page(
            keys.into_iter(),
            |key| key,
            prefix,
            delimiter,
            marker,
            |key| *key <= marker,
            size,
        );
        let lines = page.lines.into_iter().map(|line| match line {
            Line::Single(key) => key.to_owned(),
            Line::CommonPrefix(common) => format!("[{common}]"),
        });
        (lines.collect(), page.truncated)
    }

    #[test]
    fn a_delimiter_groups_names_and_a_page_continues_after_the_previous_one() {
        let all = (vec!["a".into(), "[b/]".into(), "c".into(), "[d/]".into()], false);
        assert_eq!(names("", "/", "", 10), all);
        assert_eq!(names("", "/", "", 2), (vec!["a".into(), "[b/]".into()], true));
        assert_eq!(names("", "/", "b/", 2), (vec!["c".into(), "[d/]".into()], false));
        assert_eq!(names("d/", "/", "", 9), (vec!["[d/e/]".into(), "d/f".into()], false));
        assert_eq!(names("b", "", "b/1", 9), (vec!["b/2".into()], false));
    }
}
