//! Maps requests to routes.

use ::http::Method;

use crate::error::{Error, ErrorKind, Result};
use crate::http::RequestHead;
use crate::upload::UploadId;

/// The operation of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// `GET /healthz`: a health check.
    Health,
    /// `OPTIONS` of any other path: the supported protocols.
    Options,
    /// `POST /v1/uploads`: a form with files.
    Form,
    /// `PUT` and `POST /v1/uploads/{file-name}`: a file in the request's body.
    File {
        /// The file name, still percent-encoded.
        file_name: String,
    },
    /// `POST /v1/files`: a new upload.
    Create,
    /// `HEAD /v1/files/{id}`: its offset.
    Offset(UploadId),
    /// `PATCH /v1/files/{id}`: appends bytes.
    Append(UploadId),
    /// `DELETE /v1/files/{id}`: terminates it.
    Terminate(UploadId),
    /// `GET /v1/files/{id}`: its state as JSON.
    Status(UploadId),
    /// `GET /v1/files/{id}/events`: its progress as server-sent events.
    Events(UploadId),
    /// `POST /v1/files/{id}/pause`: accepts no bytes until it is resumed.
    Pause(UploadId),
    /// `POST /v1/files/{id}/resume`: accepts bytes again.
    Resume(UploadId),
    /// `POST /v1/files/{id}/credential`: replaces its credential.
    Credential(UploadId),
    /// `/v1/filepond` and `/v1/filepond/{id}`: the requests of FilePond.
    FilePond {
        /// What follows `/v1/filepond/`; may be empty.
        id: String,
    },
    /// `POST /v1/maintenance/expire`: deletes expired uploads.
    CleanUp,
    /// A method that the path does not support, with the value of `Allow`.
    MethodNotAllowed(&'static str),
}

/// The route of a request.
///
/// # Errors
/// Returns [`ErrorKind::UploadNotFound`] for an unknown path and for an invalid ID.
pub fn route(head: &RequestHead) -> Result<Route> {
    let method = head.effective_method();
    let method = method.as_ref();
    if head.path() == "/healthz" {
        return Ok(match method {
            Some(&(Method::GET | Method::HEAD)) => Route::Health,
            _ => Route::MethodNotAllowed("GET, HEAD"),
        });
    }
    let path = head.path().strip_prefix("/v1/").ok_or_else(nothing_here)?;
    let (collection, rest) = path.split_once('/').unwrap_or((path, ""));
    let route = match (collection, rest) {
        // A missing file name is reported by the parser of the request.
        ("uploads", "") if method == Some(&Method::PUT) && head.path().ends_with('/') => {
            Route::File { file_name: String::new() }
        }
        ("uploads", "") => choose(method, &[(Method::POST, Route::Form)], "OPTIONS, POST"),
        ("uploads", name) => {
            let file = || Route::File { file_name: name.to_owned() };
            choose(method, &[(Method::PUT, file()), (Method::POST, file())], "OPTIONS, POST, PUT")
        }
        ("files", "") => choose(method, &[(Method::POST, Route::Create)], "OPTIONS, POST"),
        ("files", rest) => return upload_route(method, rest),
        ("filepond", id) => {
            let call = || Route::FilePond { id: id.to_owned() };
            let calls = [
                (Method::DELETE, call()),
                (Method::HEAD, call()),
                (Method::PATCH, call()),
                (Method::POST, call()),
            ];
            match id {
                "" => choose(method, &calls, "DELETE, HEAD, OPTIONS, PATCH, POST"),
                _ => choose(method, &calls[..3], "DELETE, HEAD, OPTIONS, PATCH"),
            }
        }
        ("maintenance", "expire") => {
            choose(method, &[(Method::POST, Route::CleanUp)], "OPTIONS, POST")
        }
        _ => return Err(nothing_here()),
    };
    Ok(route)
}

/// The route of a request to `/v1/files/{rest}`.
fn upload_route(method: Option<&Method>, rest: &str) -> Result<Route> {
    let (id, action) = rest.split_once('/').unwrap_or((rest, ""));
    let id = UploadId::new(id).ok_or_else(nothing_here)?;
    let only_post = "OPTIONS, POST";
    Ok(match action {
        "" => {
            let calls = [
                (Method::HEAD, Route::Offset(id.clone())),
                (Method::PATCH, Route::Append(id.clone())),
                (Method::DELETE, Route::Terminate(id.clone())),
                (Method::GET, Route::Status(id)),
            ];
            choose(method, &calls, "DELETE, GET, HEAD, OPTIONS, PATCH")
        }
        "events" => choose(method, &[(Method::GET, Route::Events(id))], "GET, OPTIONS"),
        "pause" => choose(method, &[(Method::POST, Route::Pause(id))], only_post),
        "resume" => choose(method, &[(Method::POST, Route::Resume(id))], only_post),
        "credential" => choose(method, &[(Method::POST, Route::Credential(id))], only_post),
        _ => return Err(nothing_here()),
    })
}

/// The route of `method` among those of a path; `allow` lists all of them.
fn choose(method: Option<&Method>, calls: &[(Method, Route)], allow: &'static str) -> Route {
    if method == Some(&Method::OPTIONS) {
        return Route::Options;
    }
    let call = calls.iter().find(|(name, _)| Some(name) == method);
    call.map_or(Route::MethodNotAllowed(allow), |(_, route)| route.clone())
}

fn nothing_here() -> Error {
    Error::new(ErrorKind::UploadNotFound, "the path does not exist")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "a failed assumption fails the test")]

    use super::*;

    fn routed(method: Method, path: &str) -> Result<Route> {
        route(&RequestHead::new(method, path, [("Host", "edge.example")]))
    }

    #[test]
    fn every_path_and_method_of_the_worker_has_its_route() {
        let id = UploadId::new("a1").unwrap();
        let file = Route::File { file_name: "a%20b.mp4".into() };
        for (method, path, expected) in [
            (Method::GET, "/healthz", Route::Health),
            (Method::POST, "/v1/uploads", Route::Form),
            (Method::PUT, "/v1/uploads/a%20b.mp4", file.clone()),
            (Method::POST, "/v1/uploads/a%20b.mp4", file),
            (Method::PUT, "/v1/uploads/", Route::File { file_name: String::new() }),
            (Method::POST, "/v1/files", Route::Create),
            (Method::POST, "/v1/files/", Route::Create),
            (Method::OPTIONS, "/v1/files", Route::Options),
            (Method::OPTIONS, "/v1/files/a1", Route::Options),
            (Method::HEAD, "/v1/files/a1", Route::Offset(id.clone())),
            (Method::PATCH, "/v1/files/a1", Route::Append(id.clone())),
            (Method::DELETE, "/v1/files/a1", Route::Terminate(id.clone())),
            (Method::GET, "/v1/files/a1", Route::Status(id.clone())),
            (Method::GET, "/v1/files/a1/events", Route::Events(id.clone())),
            (Method::POST, "/v1/files/a1/pause", Route::Pause(id.clone())),
            (Method::POST, "/v1/files/a1/resume", Route::Resume(id.clone())),
            (Method::POST, "/v1/files/a1/credential", Route::Credential(id)),
            (Method::POST, "/v1/filepond", Route::FilePond { id: String::new() }),
            (Method::PATCH, "/v1/filepond/a1", Route::FilePond { id: "a1".into() }),
            (Method::POST, "/v1/maintenance/expire", Route::CleanUp),
        ] {
            assert_eq!(routed(method.clone(), path).unwrap(), expected, "{method} {path}");
        }
    }

    #[test]
    fn a_method_override_replaces_the_method() {
        let routed = |real, named| {
            let headers = [("X-HTTP-Method-Override", named)];
            route(&RequestHead::new(real, "/v1/files/a1", headers)).unwrap()
        };
        for real in [Method::POST, Method::GET, Method::PUT] {
            assert!(matches!(routed(real.clone(), "PATCH"), Route::Append(_)));
            for unknown in ["patch", "ä"] {
                let route = routed(real.clone(), unknown);
                assert!(matches!(route, Route::MethodNotAllowed(_)), "{unknown}");
            }
        }
        for none in ["", " "] {
            assert!(matches!(routed(Method::PATCH, none), Route::Append(_)), "{none:?}");
        }
    }

    #[test]
    fn other_methods_paths_and_ids_are_rejected() {
        let allowed = |method, path| match routed(method, path).unwrap() {
            Route::MethodNotAllowed(allow) => allow,
            other => panic!("{other:?}"),
        };
        assert_eq!(allowed(Method::GET, "/v1/uploads/a"), "OPTIONS, POST, PUT");
        assert_eq!(allowed(Method::PUT, "/v1/files"), "OPTIONS, POST");
        assert_eq!(allowed(Method::GET, "/v1/files/a1/pause"), "OPTIONS, POST");
        assert_eq!(allowed(Method::POST, "/v1/filepond/a1"), "DELETE, HEAD, OPTIONS, PATCH");
        for path in
            ["/", "/v1", "/v1/files/a/b", "/v1/files/ä", "/v1/files/a1/pause/x", "/v2/files"]
        {
            assert_eq!(routed(Method::HEAD, path).unwrap_err().kind(), ErrorKind::UploadNotFound);
        }
    }
}
