//! The interfaces that the target's standard library imports.

/// Returns true for an interface that the standard library imports, in any patch version.
#[must_use]
pub fn is_from_standard_library(name: &str) -> bool {
    name.contains("@0.2.") && STANDARD_LIBRARY.iter().any(|allowed| name.starts_with(allowed))
}

const STANDARD_LIBRARY: [&str; 12] = [
    "wasi:cli/environment@0.2.",
    "wasi:cli/exit@0.2.",
    "wasi:cli/stderr@0.2.",
    "wasi:cli/stdin@0.2.",
    "wasi:cli/stdout@0.2.",
    "wasi:cli/terminal-",
    "wasi:clocks/monotonic-clock@0.2.",
    "wasi:clocks/wall-clock@0.2.",
    "wasi:filesystem/",
    "wasi:io/",
    "wasi:random/insecure-seed@0.2.",
    "wasi:random/random@0.2.",
];
