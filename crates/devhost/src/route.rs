//! Matching a request path to a trigger's route pattern.
//!
//! A pattern consists of literal segments, `:name` for any one segment, and a final `...` for all
//! remaining segments. The most specific pattern is used: literal before `:name` before `...`.
//! The rules: <https://spinframework.dev/v3/http-trigger#http-trigger-routes>.

use std::cmp::Reverse;

/// The routes of an application with their targets.
#[derive(Debug)]
pub(crate) struct Routes<T>(Vec<(Pattern, T)>);

impl<T> Routes<T> {
    /// Sorts the routes, the most specific first.
    pub(crate) fn new(routes: impl IntoIterator<Item = (String, T)>) -> Self {
        let mut routes: Vec<_> =
            routes.into_iter().map(|(route, target)| (Pattern::parse(route), target)).collect();
        routes.sort_by_key(|(pattern, _)| Reverse(pattern.specificity()));
        Self(routes)
    }

    /// The route that serves `path`; `None` if no pattern matches.
    pub(crate) fn find(&self, path: &str) -> Option<RouteMatch<'_, T>> {
        self.0.iter().find_map(|(pattern, target)| {
            let trailing = pattern.matches(path)?;
            Some(RouteMatch { pattern: &pattern.written, trailing, target })
        })
    }
}

/// A route that matched.
#[derive(Debug)]
pub(crate) struct RouteMatch<'a, T> {
    /// The pattern as written in the manifest.
    pub(crate) pattern: &'a str,
    /// The segments matched by the final `...`, with a leading slash; empty without one.
    pub(crate) trailing: String,
    /// The target that serves it.
    pub(crate) target: &'a T,
}

#[derive(Debug)]
struct Pattern {
    written: String,
    segments: Vec<Segment>,
    open_ended: bool,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Segment {
    Any,
    Literal(String),
}

impl Pattern {
    fn parse(written: String) -> Self {
        let (fixed, open_ended) = match written.strip_suffix("/...") {
            Some(fixed) => (fixed, true),
            None => (written.as_str(), false),
        };
        let segments = segments(fixed)
            .map(|segment| match segment.strip_prefix(':') {
                Some(_) => Segment::Any,
                None => Segment::Literal(segment.to_owned()),
            })
            .collect();
        Self { segments, open_ended, written }
    }

    /// The segments matched by the final `...`; `None` if the pattern does not match `path`.
    fn matches(&self, path: &str) -> Option<String> {
        let given: Vec<&str> = segments(path).collect();
        let enough = match self.open_ended {
            true => given.len() >= self.segments.len(),
            false => given.len() == self.segments.len(),
        };
        let fits = enough
            && self.segments.iter().zip(&given).all(|(segment, given)| match segment {
                Segment::Any => true,
                Segment::Literal(literal) => literal == given,
            });
        if !fits {
            return None;
        }
        let trailing = &given[self.segments.len()..];
        Some(trailing.iter().fold(String::new(), |path, segment| path + "/" + segment))
    }

    fn specificity(&self) -> (usize, usize, bool) {
        let literals = self.segments.iter().filter(|segment| **segment != Segment::Any).count();
        (literals, self.segments.len(), !self.open_ended)
    }
}

fn segments(path: &str) -> impl Iterator<Item = &str> {
    path.strip_prefix('/').unwrap_or(path).split('/').filter(|segment| !segment.is_empty())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed assumption fails the test")]

    use super::*;

    fn found(routes: &[&str], path: &str) -> Option<(String, String)> {
        let routes = Routes::new(routes.iter().map(|route| (route.to_string(), ())));
        routes.find(path).map(|found| (found.pattern.to_owned(), found.trailing))
    }

    #[test]
    fn a_path_matches_the_most_specific_route() {
        let routes = ["/...", "/files/...", "/files/:id", "/files/new", "/files/:id/parts/..."];
        let cases = [
            ("/", "/...", ""),
            ("/other/thing", "/...", "/other/thing"),
            ("/files", "/files/...", ""),
            ("/files/7", "/files/:id", ""),
            ("/files/new", "/files/new", ""),
            ("/files/7/parts/1", "/files/:id/parts/...", "/1"),
            ("/files/7/other", "/files/...", "/7/other"),
        ];
        for (path, pattern, trailing) in cases {
            let expected = Some((pattern.to_owned(), trailing.to_owned()));
            assert_eq!(found(&routes, path), expected, "{path}");
        }
    }

    #[test]
    fn a_path_outside_all_routes_matches_nothing() {
        for path in ["/", "/b", "/a/b"] {
            assert_eq!(found(&["/a"], path), None, "{path}");
        }
    }
}
