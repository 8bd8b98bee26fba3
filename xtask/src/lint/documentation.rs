//! The links between the Markdown files, and the table of contents of `docs/`.

use std::collections::HashSet;
use std::path::{Component, Path};

use regex_lite::Regex;

use super::files::TextFile;
use crate::command_error::CommandError;

/// The errors in the links of the Markdown files: a relative target or a heading that does not
/// exist, or a page of `docs/` that `docs/SUMMARY.md` does not list.
pub(crate) fn broken_links(root: &Path, files: &[TextFile]) -> Result<Vec<String>, CommandError> {
    let link = Regex::new(LINK).map_err(|cause| CommandError::new(format!("{LINK}: {cause}")))?;
    let mut broken = Vec::new();
    let mut listed = HashSet::new();
    for file in files.iter().filter(|file| file.ends_with_one_of(&[".md"])) {
        for (number, line, fenced) in file.lines() {
            let targets = link.captures_iter(line).filter_map(|found| found.get(1));
            for target in targets.map(|found| found.as_str()) {
                if fenced || target.contains(':') {
                    continue;
                }
                let (path, heading) = target.split_once('#').unwrap_or((target, ""));
                let path = resolved(&file.path, path);
                if file.path == SUMMARY {
                    listed.insert(path.clone());
                }
                if !(root.join(&path).exists() && has_heading(files, &path, heading)) {
                    broken.push(format!("{}:{number}: {target} does not exist", file.path));
                }
            }
        }
    }
    let pages = files.iter().map(|file| &file.path).filter(|path| is_page(path));
    let unlisted = pages.filter(|path| !listed.contains(*path));
    broken.extend(unlisted.map(|path| format!("{SUMMARY} does not list {path}")));
    Ok(broken)
}

/// The path of a link, below the root. An empty one leads to the file itself.
fn resolved(file: &str, link: &str) -> String {
    if link.is_empty() {
        return file.to_owned();
    }
    let mut names: Vec<&str> = file.split('/').collect();
    names.pop();
    for component in Path::new(link).components() {
        match component {
            Component::ParentDir => drop(names.pop()),
            Component::Normal(name) => names.extend(name.to_str()),
            _ => {}
        }
    }
    names.join("/")
}

fn is_page(path: &str) -> bool {
    path.starts_with("docs/") && path.ends_with(".md") && path != SUMMARY
}

/// Whether a Markdown file has the heading or the element with this anchor. The anchors of other
/// files are not checked.
fn has_heading(files: &[TextFile], path: &str, anchor: &str) -> bool {
    let file = files.iter().find(|file| file.path == path && path.ends_with(".md"));
    anchor.is_empty()
        || file.is_none_or(|file| {
            let headings =
                file.lines().filter(|(_, line, fenced)| !fenced && line.starts_with('#'));
            headings.map(|(_, line, _)| anchor_of(line)).any(|found| found == anchor)
                || file.text.contains(&format!("<a id=\"{anchor}\""))
        })
}

/// The anchor that GitHub and mdBook give a heading.
fn anchor_of(heading: &str) -> String {
    let text = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = text.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

/// An inline link, with its target.
const LINK: &str = r"\]\(([^)\s]+)\)";

const SUMMARY: &str = "docs/SUMMARY.md";

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed assumption fails the test")]

    use super::*;

    /// The errors in these files of a checkout.
    fn broken(files: &[(&str, &str)]) -> Vec<String> {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir(root.path().join("docs")).unwrap();
        let files: Vec<_> = files
            .iter()
            .map(|(path, text)| {
                std::fs::write(root.path().join(path), text).unwrap();
                TextFile { path: (*path).to_owned(), text: (*text).to_owned() }
            })
            .collect();
        broken_links(root.path(), &files).unwrap()
    }

    #[test]
    fn links_lead_to_files_and_headings_that_exist() {
        let readme = ("README.md", "# A `b`: C\n[1](docs/a.md#two-words) [2](#a-b-c)\n");
        let page = ("docs/a.md", "## Two words\n[1](../README.md) [2](https://example.com/x)\n");
        let summary = ("docs/SUMMARY.md", "- [A](a.md)\n- [Draft]()\n");
        assert_eq!(broken(&[readme, page, summary]), [""; 0]);
        let wrong = ("README.md", "[1](b.md)\n```\n[no](link.md)\n```\n[2](docs/a.md#three)\n");
        let expected =
            ["README.md:1: b.md does not exist", "README.md:5: docs/a.md#three does not exist"];
        assert_eq!(broken(&[wrong, page, summary]), expected);
    }

    #[test]
    fn every_page_is_listed() {
        let page = ("docs/a.md", "");
        assert_eq!(broken(&[page]), ["docs/SUMMARY.md does not list docs/a.md"]);
        assert_eq!(broken(&[page, ("docs/SUMMARY.md", "[A](a.md)")]), [""; 0]);
    }
}
