//! The maximum line length.
//!
//! | exempt | why |
//! |---|---|
//! | addresses (`https://…`) within a line | they cannot be broken |
//! | tables and fenced blocks of Markdown | a row or a command is one line |
//! | TOML, except comments | an inline table is one line |
//! | `docs/wit.md` | it is generated from `wit/` |
//! | `openapi.yaml` | a description is one string |

use super::files::TextFile;

/// The numbers of the lines that are too long, each with its length in characters.
pub(crate) fn too_long(file: &TextFile) -> Vec<(usize, usize)> {
    if file.is_generated() || file.ends_with_one_of(&["openapi.yaml"]) {
        return Vec::new();
    }
    let is_toml = file.ends_with_one_of(&[".toml"]);
    let is_markdown = file.ends_with_one_of(&[".md"]);
    file.lines()
        .filter(|(_, line, fenced)| {
            let is_table = is_markdown && line.trim_start().starts_with('|');
            !fenced && !is_table && (!is_toml || line.starts_with('#'))
        })
        .map(|(number, line, _)| (number, length_without_addresses(line)))
        .filter(|(_, length)| *length > COLUMNS_MAX)
        .collect()
}

fn length_without_addresses(line: &str) -> usize {
    let addresses = line.split_whitespace().filter(|word| word.contains("://"));
    line.chars().count() - addresses.map(|address| address.chars().count()).sum::<usize>()
}

const COLUMNS_MAX: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;

    fn lengths(path: &str, text: &str) -> Vec<(usize, usize)> {
        too_long(&TextFile { path: path.to_owned(), text: text.to_owned() })
    }

    #[test]
    fn a_line_is_measured_in_characters() {
        let text = format!("{}\n{}\n", "ü".repeat(100), "ü".repeat(101));
        assert_eq!(lengths("a.rs", &text), [(2, 101)]);
    }

    #[test]
    fn what_cannot_be_broken_is_exempt() {
        let long = "word ".repeat(30);
        let address = format!("// <https://example.com/{}>", "x".repeat(100));
        assert_eq!(lengths("a.rs", &address), []);
        assert_eq!(lengths("a.md", &format!("| {long} |\n```sh\n{long}\n```\n")), []);
        assert_eq!(lengths("a.md", &format!("```sh\n```\n{long}\n")).len(), 1);
        assert_eq!(lengths("Cargo.toml", &long), []);
        assert_eq!(lengths("Cargo.toml", &format!("# {long}")).len(), 1);
        assert_eq!(lengths("openapi.yaml", &long), []);
    }
}
