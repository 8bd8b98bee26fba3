//! `openapi.yaml` has the paths and methods that the worker routes, and no others. `run.py` checks
//! the responses.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed assumption fails the test")]

use std::collections::{BTreeMap, BTreeSet};

use http::Method;
use vod_uploader::ErrorKind;
use vod_uploader::http::{RequestHead, Route, route};

const DOCUMENT: &str = include_str!("../../openapi.yaml");

const METHODS: [&str; 8] = ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE"];

/// Methods by path, as the document has them. The indentation distinguishes the levels of keys.
fn documented() -> BTreeMap<&'static str, BTreeSet<String>> {
    let (_, rest) = DOCUMENT.split_once("\npaths:\n").unwrap();
    let (paths, _) = rest.split_once("\ncomponents:\n").unwrap();
    let mut methods = BTreeMap::new();
    let mut path = "";
    for line in paths.lines() {
        if let Some(named) = line.strip_prefix("  /").and_then(|_| line.trim().strip_suffix(':')) {
            path = named;
            methods.insert(path, BTreeSet::new());
        } else if let Some((key, _)) = line.strip_prefix("    ").and_then(|key| key.split_once(':'))
            && METHODS.contains(&key.to_uppercase().as_str())
        {
            methods.get_mut(path).unwrap().insert(key.to_uppercase());
        }
    }
    methods
}

/// The route of a request. The placeholders of `path` are replaced by one upload and one file.
fn routed(method: &str, path: &str) -> Route {
    let path = path.replace("{id}", "a1").replace("{file-name}", "a.mp4");
    let method = Method::from_bytes(method.as_bytes()).unwrap();
    route(&RequestHead::new(method, &path, [("Host", "edge.example")])).unwrap()
}

/// The paths of a route. Add the path of a new route here and to the document.
fn paths_of(route: &Route) -> &'static [&'static str] {
    match route {
        Route::Health => &["/healthz"],
        Route::Form => &["/v1/uploads"],
        Route::File { .. } => &["/v1/uploads/{file-name}"],
        Route::Create => &["/v1/files"],
        Route::Offset(_) | Route::Append(_) | Route::Terminate(_) | Route::Status(_) => {
            &["/v1/files/{id}"]
        }
        Route::Events(_) => &["/v1/files/{id}/events"],
        Route::Pause(_) => &["/v1/files/{id}/pause"],
        Route::Resume(_) => &["/v1/files/{id}/resume"],
        Route::Credential(_) => &["/v1/files/{id}/credential"],
        Route::FilePond { .. } => &["/v1/filepond", "/v1/filepond/{id}"],
        Route::CleanUp => &["/v1/maintenance/expire"],
        Route::Options | Route::MethodNotAllowed(_) => &[],
    }
}

#[test]
fn each_path_has_the_methods_that_are_routed_and_no_others() {
    for (path, methods) in documented() {
        let routed: BTreeSet<String> = METHODS
            .iter()
            .filter(|method| !matches!(routed(method, path), Route::MethodNotAllowed(_)))
            .map(|&method| method.to_owned())
            .collect();
        assert_eq!(methods, routed, "{path}");
    }
}

#[test]
fn each_route_is_at_the_paths_that_it_has() {
    let documented = documented();
    let mut found = BTreeSet::new();
    for (path, methods) in &documented {
        for method in methods {
            let route = routed(method, path);
            let paths = paths_of(&route);
            assert!(paths.is_empty() || paths.contains(path), "{method} {path} is for {route:?}");
            found.extend(paths);
        }
    }
    assert_eq!(found, documented.keys().copied().collect());
}

#[test]
fn the_codes_of_problems_are_those_of_errors() {
    let (_, rest) = DOCUMENT.split_once("            - enum:\n").unwrap();
    let documented: Vec<_> =
        rest.lines().map_while(|line| line.strip_prefix("                - ")).collect();
    let known: Vec<_> = ErrorKind::ALL.iter().map(|kind| kind.code()).collect();
    assert!(!documented.is_empty());
    for code in documented {
        assert!(known.contains(&code), "{code}");
    }
}
