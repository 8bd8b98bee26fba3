//! Which request is for what.

use super::{Head, invalid};
use crate::error::{Error, ErrorKind, Result};
use crate::upload::UploadKey;

/// What a request is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// `GET /healthz`: the worker answers.
    Health,
    /// `PUT /v1/uploads/{file-name}`: a whole file in one request.
    PlainPut {
        /// The file name, still percent-encoded.
        file_name: String,
    },
    /// `OPTIONS /v1/files` and `/v1/files/{id}`: what the server speaks.
    TusDiscover,
    /// `POST /v1/files`: a new upload.
    TusCreate,
    /// `HEAD /v1/files/{id}`: its offset.
    TusOffset(UploadKey),
    /// `PATCH /v1/files/{id}`: more of its bytes.
    TusChunk(UploadKey),
    /// `DELETE /v1/files/{id}`: its end.
    TusTerminate(UploadKey),
    /// `GET /v1/files/{id}`: its state as JSON.
    Status(UploadKey),
    /// A path of this worker with a method that it does not have; `Allow`'s value.
    MethodNotAllowed(&'static str),
}

impl Route {
    /// True for the requests that must name the tus version that they speak.
    #[must_use]
    pub const fn is_tus(&self) -> bool {
        matches!(
            self,
            Self::TusCreate | Self::TusOffset(_) | Self::TusChunk(_) | Self::TusTerminate(_)
        )
    }
}

/// What `head` is for. A tus client that cannot send PATCH or DELETE names the method in
/// `X-HTTP-Method-Override` (tus 1.0.0, "X-HTTP-Method-Override").
///
/// # Errors
/// [`ErrorKind::UploadNotFound`] for a path that the worker does not have.
pub fn route(head: &Head) -> Result<Route> {
    let path = head.path.as_str();
    if let Some(file_name) = path.strip_prefix("/v1/uploads/") {
        return Ok(match head.method.as_str() {
            "PUT" => Route::PlainPut { file_name: file_name.to_owned() },
            _ => Route::MethodNotAllowed("PUT"),
        });
    }
    match (path, head.method.as_str()) {
        ("/healthz", "GET" | "HEAD") => return Ok(Route::Health),
        ("/healthz", _) => return Ok(Route::MethodNotAllowed("GET, HEAD")),
        _ => {}
    }
    let method = head.header("x-http-method-override").unwrap_or(&head.method);
    if matches!(path, "/v1/files" | "/v1/files/") {
        return Ok(match method {
            "POST" => Route::TusCreate,
            "OPTIONS" => Route::TusDiscover,
            _ => Route::MethodNotAllowed("OPTIONS, POST"),
        });
    }
    let Some(id) = path.strip_prefix("/v1/files/") else {
        return Err(Error::new(ErrorKind::UploadNotFound, "nothing is at this path"));
    };
    if method == "OPTIONS" {
        return Ok(Route::TusDiscover);
    }
    let key = UploadKey::new(id).ok_or_else(|| invalid("the upload id in the path is not one"))?;
    Ok(match method {
        "HEAD" => Route::TusOffset(key),
        "PATCH" => Route::TusChunk(key),
        "DELETE" => Route::TusTerminate(key),
        "GET" => Route::Status(key),
        _ => Route::MethodNotAllowed("DELETE, GET, HEAD, OPTIONS, PATCH"),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed assumption fails the test")]

    use super::*;

    fn routed(method: &str, path: &str) -> Result<Route> {
        let headers = Vec::new();
        route(&Head { method: method.into(), path: path.into(), headers })
    }

    #[test]
    fn every_path_and_method_of_the_worker_has_its_route() {
        let key = UploadKey::new("a1").unwrap();
        for (method, path, expected) in [
            ("GET", "/healthz", Route::Health),
            ("PUT", "/v1/uploads/a%20b.mp4", Route::PlainPut { file_name: "a%20b.mp4".into() }),
            ("POST", "/v1/files", Route::TusCreate),
            ("OPTIONS", "/v1/files", Route::TusDiscover),
            ("HEAD", "/v1/files/a1", Route::TusOffset(key.clone())),
            ("PATCH", "/v1/files/a1", Route::TusChunk(key.clone())),
            ("DELETE", "/v1/files/a1", Route::TusTerminate(key.clone())),
            ("GET", "/v1/files/a1", Route::Status(key)),
        ] {
            assert_eq!(routed(method, path).unwrap(), expected, "{method} {path}");
        }
    }

    #[test]
    fn a_method_can_be_named_in_a_header() {
        let head = Head {
            method: "POST".into(),
            path: "/v1/files/a1".into(),
            headers: vec![("X-HTTP-Method-Override".into(), "PATCH".into())],
        };
        assert!(matches!(route(&head).unwrap(), Route::TusChunk(_)));
    }

    #[test]
    fn other_methods_and_paths_and_ids_are_refused() {
        assert!(matches!(routed("GET", "/v1/uploads/a").unwrap(), Route::MethodNotAllowed("PUT")));
        assert_eq!(routed("GET", "/").unwrap_err().kind(), ErrorKind::UploadNotFound);
        assert_eq!(routed("HEAD", "/v1/files/a/b").unwrap_err().kind(), ErrorKind::RequestInvalid);
    }
}
