//! Cycles of imports between the modules of one crate.
//!
//! A module is a file. It imports what its `use` lines and its paths name. A name that a module
//! re-exports counts as imported from the module that it comes from. Neither the re-export itself
//! nor a visibility (`pub(in …)`) is an import. Tests are not checked.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use super::{cargo, is_name, module_path, path, root, rust_files, tokens};

#[test]
fn no_modules_of_a_package_import_each_other_in_a_cycle() {
    let mut found = BTreeSet::new();
    for (package, source) in sources() {
        let modules = Modules::read(&source);
        found.extend(cycles(&modules.imports()).into_iter().map(|cycle| (package.clone(), cycle)));
    }
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn no_directories_of_the_engine_import_each_other_in_a_cycle() {
    let imports = Modules::read(&root().join("src")).imports();
    let directory = |name: &String| {
        let is_directory = imports.keys().any(|other| other.starts_with(&format!("{name}::")));
        let parent = name.rsplit_once("::").map_or("crate", |(parent, _)| parent);
        if is_directory { name.clone() } else { parent.to_owned() }
    };
    let mut merged = Graph::new();
    for (name, imported) in &imports {
        let here = directory(name);
        let others: BTreeSet<_> = imported.iter().map(directory).filter(|d| *d != here).collect();
        merged.entry(here).or_default().extend(others);
    }
    assert_eq!(cycles(&merged), [[""; 0]; 0]);
}

#[test]
fn a_cycle_is_detected_however_it_is_written() {
    let found = |files: &[(&str, &str)]| {
        let files = files.iter().map(|(file, source)| (PathBuf::from(file), (*source).to_owned()));
        cycles(&Modules::parse(files.collect()).imports())
    };
    let mutual =
        [("lib.rs", "mod a; mod b;"), ("a.rs", "use crate::b::B;"), ("b.rs", "use super::a;")];
    assert_eq!(found(&mutual), [["a", "b"]]);
    let inline = [("a.rs", "fn f() { crate::b::g() }"), ("b.rs", "fn g() { super::a::f() }")];
    assert_eq!(found(&inline), [["a", "b"]]);
    let reexport = [
        ("lib.rs", "mod a; mod b; pub use b::B;"),
        ("a.rs", "use crate::B; pub struct A;"),
        ("b.rs", "use crate::a::{self, A};"),
    ];
    assert_eq!(found(&reexport), [["a", "b"]]);
    let parent =
        [("a/mod.rs", "mod b; use self::b::B; pub struct A;"), ("a/b.rs", "use super::A;")];
    assert_eq!(found(&parent), [["a", "a::b"]]);
}

#[test]
fn imports_in_one_direction_are_no_cycle() {
    let files = [
        ("lib.rs", "mod a; mod b; pub use a::A; pub use b::B;"),
        ("a.rs", "use crate::B;\n\n#[cfg(test)]\nmod tests {\n    use crate::c::C;\n}\n"),
        ("b.rs", "use crate::c::C; // not crate::a"),
        ("c.rs", "use std::fmt; pub(in crate::a) struct C;"),
    ];
    let files = files.map(|(file, source)| (PathBuf::from(file), source.to_owned()));
    assert_eq!(cycles(&Modules::parse(files.to_vec()).imports()), [[""; 0]; 0]);
}

/// What each module imports, by name: `crate` for the root, `oss::action` below it.
type Graph = BTreeMap<String, BTreeSet<String>>;

/// The modules of a package by their paths.
struct Modules(BTreeMap<Vec<String>, Module>);

#[derive(Default)]
struct Module {
    /// Paths that the module names.
    imports: Vec<Vec<String>>,
    /// What its `use` lines make available under their last names, re-exports included.
    names: BTreeMap<String, Vec<String>>,
}

impl Modules {
    fn read(source: &Path) -> Self {
        let files = rust_files(source).into_iter().map(|file| {
            let relative = file.strip_prefix(source).unwrap().to_owned();
            (relative, fs::read_to_string(file).unwrap())
        });
        Self::parse(files.collect())
    }

    fn parse(files: Vec<(PathBuf, String)>) -> Self {
        let has_library = files.iter().any(|(file, _)| file == Path::new("lib.rs"));
        let files = files.into_iter().filter(|(file, _)| {
            !file.file_stem().is_some_and(|stem| stem.to_string_lossy().ends_with("tests"))
        });
        let modules = files.map(|(file, source)| {
            let is_root = !has_library && file == Path::new("main.rs");
            let path = if is_root { Vec::new() } else { module_path(&file) };
            (path, Module::parse(&source))
        });
        Self(modules.collect())
    }

    fn imports(&self) -> Graph {
        let name = |path: &[String]| match path {
            [] => "crate".to_owned(),
            _ => path.join("::"),
        };
        let imported = |here: &Vec<String>, module: &Module| {
            let paths = module.imports.iter().filter_map(|path| self.resolve(here, path, 0));
            paths.filter(|used| used != here).map(|used| name(&used)).collect()
        };
        self.0.iter().map(|(here, module)| (name(here), imported(here, module))).collect()
    }

    /// The module that a path leads to, as named in `here`. `None` for another crate.
    fn resolve(&self, here: &[String], path: &[String], depth: usize) -> Option<Vec<String>> {
        let (first, rest) = path.split_first()?;
        let mut at = here.to_vec();
        match first.as_str() {
            "crate" => at.clear(),
            "self" => {}
            "super" => drop(at.pop()),
            child => {
                at.push(child.to_owned());
                self.0.get(&at)?;
            }
        }
        for name in rest {
            let child = [&at[..], std::slice::from_ref(name)].concat();
            if name == "super" {
                at.pop();
            } else if self.0.contains_key(&child) {
                at = child;
            } else {
                let reexported = self.0.get(&at).and_then(|module| module.names.get(name));
                let origin = reexported.filter(|_| depth < DEPTH_MAX);
                return origin.and_then(|path| self.resolve(&at, path, depth + 1)).or(Some(at));
            }
        }
        Some(at)
    }
}

impl Module {
    fn parse(source: &str) -> Self {
        let production = source.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        let lines = production.lines().map(|line| line.split("//").next().unwrap_or_default());
        let tokens = tokens(&lines.collect::<Vec<_>>().join("\n"));
        let mut module = Self::default();
        let mut at = 0;
        while at < tokens.len() {
            if !is_name(&tokens[at]) {
                at += 1;
                continue;
            }
            let is_use =
                tokens[at] == "use" && tokens.get(at + 1).is_some_and(|next| is_name(next));
            let is_reexport = is_use && at > 0 && ["pub", ")"].contains(&tokens[at - 1].as_str());
            let is_visibility = at > 2 && tokens[at - 3..at] == ["pub", "(", "in"];
            let mut found = Vec::new();
            at = path(&tokens, if is_use { at + 1 } else { at }, &[], &mut found);
            for mut path in found {
                path.dedup_by(|second, _| second == "self");
                if is_use {
                    module.names.insert(path.last().cloned().unwrap_or_default(), path.clone());
                }
                if is_use && !is_reexport || !is_use && !is_visibility && path.len() > 1 {
                    module.imports.push(path);
                }
            }
        }
        module
    }
}

/// The sets of two and more modules that reach each other, in order.
fn cycles(graph: &Graph) -> Vec<Vec<String>> {
    let reached = |from: &String| {
        let mut reached = BTreeSet::new();
        let mut left = vec![from];
        while let Some(imports) = left.pop().and_then(|name| graph.get(name)) {
            left.extend(imports.iter().filter(|name| reached.insert((*name).clone())));
        }
        reached
    };
    let reached: BTreeMap<_, _> = graph.keys().map(|name| (name, reached(name))).collect();
    let cycles = reached.iter().filter(|(name, all)| all.contains(**name)).map(|(name, all)| {
        let is_mutual =
            |other: &&String| reached.get(other).is_some_and(|back| back.contains(*name));
        all.iter().filter(is_mutual).cloned().collect::<Vec<_>>()
    });
    cycles.collect::<BTreeSet<_>>().into_iter().collect()
}

/// The packages of the workspace, each with the directory of its sources.
fn sources() -> Vec<(String, PathBuf)> {
    let metadata = cargo(&["metadata", "--no-deps", "--format-version", "1"]);
    let metadata: serde_json::Value = serde_json::from_str(&metadata).unwrap();
    let packages = metadata["packages"].as_array().unwrap().iter().map(|package| {
        let manifest = Path::new(package["manifest_path"].as_str().unwrap());
        (package["name"].as_str().unwrap().to_owned(), manifest.with_file_name("src"))
    });
    packages.collect()
}

/// A re-export of a re-export, and so on: more than any tree has.
const DEPTH_MAX: usize = 8;
