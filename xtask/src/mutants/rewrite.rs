//! Rewrites a file so that it contains all its mutants, and the running program selects one.
//!
//! ```text
//! fn is_full(&self) -> bool { self.len >= MAX }
//! ```
//! becomes
//! ```text
//! fn is_full(&self) -> bool {
//! match crate::active_mutant::select(3) {
//! 17 => {  self.len < MAX  }
//! 18 => {  true  }
//! _ => {  self.len >= MAX  }
//! } }
//! ```
//! Here, 3 is the number of the function, and 17 and 18 are those of the mutants. A `const fn`
//! becomes a `fn`, and a private constant a function.

use std::collections::BTreeMap;
use std::ops::Range;

use super::generate::{Mutant, Span};

/// A file with its mutants.
#[derive(Debug, Default)]
pub(super) struct Rewritten {
    pub(super) text: String,
    /// The lines of each mutant, from 1.
    pub(super) arms: Vec<(Range<usize>, usize)>,
    /// The mutants of each function or constant, by its number. Those that do not compile are
    /// absent.
    pub(super) functions: BTreeMap<usize, Vec<usize>>,
}

/// Rewrites `source` with `mutants`, all of this file, each with its number. The number of a
/// function is that of its first mutant.
pub(super) fn rewrite(source: &str, mutants: &[(usize, &Mutant)]) -> Rewritten {
    let mut items: BTreeMap<usize, Item> = BTreeMap::new();
    for (number, mutant) in mutants {
        let Some(found) = Item::find(source, mutant) else { continue };
        let item = items.entry(found.range.start).or_insert(found);
        item.mutants.push((*number, mutant));
    }
    let constants: Vec<String> = items.values().filter_map(|item| item.constant.clone()).collect();
    let mut rewritten = Rewritten::default();
    let mut end = 0;
    for item in items.into_values() {
        let between = with_calls(&source[end..item.range.start], &constants);
        rewritten.text.push_str(&between);
        end = item.range.end;
        item.write(source, &constants, &mut rewritten);
    }
    rewritten.text.push_str(&with_calls(&source[end..], &constants));
    rewritten
}

/// A function or a constant.
#[derive(Debug)]
struct Item<'a> {
    range: Range<usize>,
    /// What precedes the body, rewritten.
    head: String,
    body: Range<usize>,
    /// The type of the boxed body if the function returns `impl Trait`, since the mutants return
    /// different types.
    boxed: Option<String>,
    /// The name of a constant.
    constant: Option<String>,
    mutants: Vec<(usize, &'a Mutant)>,
}

impl<'a> Item<'a> {
    /// The item that a mutant changes. `None` for a public constant, whose uses are in other files.
    fn find(source: &str, mutant: &'a Mutant) -> Option<Self> {
        let Some(function) = &mutant.function else { return Self::find_constant(source, mutant) };
        let range = bytes(source, function.span);
        let mut open = range.start;
        for line in source[range.clone()].split_inclusive('\n') {
            let is_code = !line.trim_start().starts_with("//") && !line.trim().starts_with("#[");
            if let Some(column) = line.find('{').filter(|_| is_code) {
                open += column;
                break;
            }
            open += line.len();
        }
        let head = source[range.start..open].replacen("const fn ", "fn ", 1);
        let boxed = function.return_type.strip_prefix("-> impl ");
        Some(Self {
            head: head + "{\n",
            body: open + 1..range.end - 1,
            boxed: boxed.map(|bounds| format!("Box<dyn {bounds}>")),
            range,
            constant: None,
            mutants: Vec::new(),
        })
    }

    /// `const NAME: Type = value;` becomes `fn NAME() -> Type { value }`.
    fn find_constant(source: &str, mutant: &Mutant) -> Option<Self> {
        let changed = bytes(source, mutant.span);
        let start = source[..changed.start].rfind("\nconst ")? + 1;
        let (declaration, _) = source[start..changed.start].split_once(" = ")?;
        let (name, value_type) = declaration.strip_prefix("const ")?.split_once(": ")?;
        let value_end = changed.end + source[changed.end..].find(';')?;
        Some(Self {
            range: start..value_end + 1,
            head: format!("#[allow(non_snake_case)]\nfn {name}() -> {value_type} {{\n"),
            body: start + declaration.len() + " = ".len()..value_end,
            boxed: None,
            constant: Some(name.to_owned()),
            mutants: Vec::new(),
        })
    }

    fn write(self, source: &str, constants: &[String], to: &mut Rewritten) {
        let (before, after) = match &self.boxed {
            Some(boxed) => (format!("{{ let boxed: {boxed} = Box::new({{"), "}); boxed}"),
            None => ("{".to_owned(), "}"),
        };
        let function = self.mutants.iter().map(|(number, _)| *number).min().unwrap_or_default();
        to.text.push_str(&self.head);
        to.text.push_str(&format!("match {ROOT}::active_mutant::select({function}) {{\n"));
        for (number, mutant) in &self.mutants {
            let changed = bytes(source, mutant.span);
            let start = with_calls(&source[self.body.start..changed.start], constants);
            let end = with_calls(&source[changed.end..self.body.end], constants);
            let first_line = to.text.matches('\n').count() + 1;
            let replacement = &mutant.replacement;
            to.text.push_str(&format!("{number} => {before} {start}{replacement}{end}\n{after}\n"));
            to.arms.push((first_line..to.text.matches('\n').count() + 1, *number));
            to.functions.entry(function).or_default().push(*number);
        }
        let unchanged = with_calls(&source[self.body], constants);
        to.text.push_str(&format!("_ => {before} {unchanged}\n{after}\n}} }}"));
    }
}

/// `code` with a call in the place of each use of a constant that has become a function.
fn with_calls(code: &str, constants: &[String]) -> String {
    let is_part_of_name = |c: char| c.is_alphanumeric() || c == '_';
    let mut text = code.to_owned();
    for name in constants {
        let mut rest = std::mem::take(&mut text);
        while let Some(at) = rest.find(name.as_str()) {
            let end = at + name.len();
            let is_use =
                !rest[..at].ends_with(is_part_of_name) && !rest[end..].starts_with(is_part_of_name);
            text.push_str(&rest[..end]);
            text.push_str(if is_use { "()" } else { "" });
            rest = rest.split_off(end);
        }
        text.push_str(&rest);
    }
    text
}

/// The bytes of a span, whose columns count characters.
fn bytes(source: &str, span: Span) -> Range<usize> {
    let offset = |(line, column): (usize, usize)| {
        let lines = source.split_inclusive('\n');
        let before: usize = lines.clone().take(line - 1).map(str::len).sum();
        let line = lines.clone().nth(line - 1).unwrap_or_default();
        before + line.chars().take(column - 1).map(char::len_utf8).sum::<usize>()
    };
    offset(span.start)..offset(span.end)
}

/// The root of the crate that is rewritten.
const ROOT: &str = "crate";

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed assumption fails the test")]

    use super::super::generate::Function;
    use super::*;

    /// Rewrites `source` with one mutant, number 7, that changes `from` to `to` in the function
    /// that begins with `function` and ends at the end of the source.
    fn rewrite_one(source: &str, function: Option<(&str, &str)>, from: &str, to: &str) -> String {
        let position = |at: usize| {
            let before = &source[..at];
            let line_start = before.rfind('\n').map_or(0, |end| end + 1);
            (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
        };
        let span =
            |range: Range<usize>| Span { start: position(range.start), end: position(range.end) };
        let start = source.find(from).unwrap();
        let mutant = Mutant {
            file: String::new(),
            name: String::new(),
            span: span(start..start + from.len()),
            replacement: to.to_owned(),
            function: function.map(|(start, return_type)| Function {
                span: span(source.find(start).unwrap()..source.len()),
                return_type: return_type.to_owned(),
            }),
        };
        let rewritten = rewrite(source, &[(7, &mutant)]);
        let (lines, number) = rewritten.arms[0].clone();
        assert_eq!((number, &rewritten.functions[&7][..]), (7, &[7][..]));
        assert!(rewritten.text.lines().nth(lines.start - 1).unwrap().starts_with("7 => "));
        assert!(rewritten.text.lines().nth(lines.end - 1).unwrap().starts_with("_ => "));
        rewritten.text
    }

    #[test]
    fn a_function_contains_its_mutant_and_its_unchanged_body() {
        let source = "struct Ä;\n/// Not {this}.\n#[must_use]\nconst fn f(a: u8) -> bool {\n  \
                      /* ä */ a < 3\n}";
        assert_eq!(
            rewrite_one(source, Some(("/// Not", "-> bool")), "<", ">="),
            "struct Ä;\n/// Not {this}.\n#[must_use]\nfn f(a: u8) -> bool {\n\
             match crate::active_mutant::select(7) {\n\
             7 => { \n  /* ä */ a >= 3\n\n}\n\
             _ => { \n  /* ä */ a < 3\n\n}\n} }"
        );
    }

    #[test]
    fn a_function_that_returns_a_trait_boxes_the_value_of_each_mutant() {
        let source = "fn f() -> impl Iterator<Item = u8> { 0..9 }";
        let text = rewrite_one(source, Some(("fn", "-> impl Iterator<Item = u8>")), "0..9", "1..9");
        let boxed = "{ let boxed: Box<dyn Iterator<Item = u8>> = Box::new({";
        assert_eq!(text.matches(boxed).count(), 2);
    }

    #[test]
    fn a_private_constant_becomes_a_function_that_its_uses_call() {
        let source = "use a;\nconst MAX: u8 = 2 * 3;\nconst MAX_B: u8 = 1;\nfn f() -> u8 { MAX }";
        assert_eq!(
            rewrite_one(source, None, "*", "+"),
            "use a;\n#[allow(non_snake_case)]\nfn MAX() -> u8 {\n\
             match crate::active_mutant::select(7) {\n7 => { 2 + 3\n}\n_ => { 2 * 3\n}\n} }\n\
             const MAX_B: u8 = 1;\nfn f() -> u8 { MAX() }"
        );
    }
}
