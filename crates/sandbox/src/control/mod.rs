//! The control API of the sandbox, below `/_sandbox/`, without signatures.

mod credentials;
mod media;
mod objects;
mod response;
mod settings;
mod uploads;
mod url_jobs;

use http::{Method, StatusCode};
use serde_json::json;

use self::response::{bad_request, done};
use crate::fault::Fault;
use crate::http::{RequestBody, RequestHead, Response, json as json_response};
use crate::state::SandboxState;

/// Handles a request whose path starts with [`PREFIX`].
pub(crate) async fn serve(
    state: &SandboxState,
    head: &RequestHead,
    body: &mut RequestBody,
) -> Response {
    let path = head.path.strip_prefix(PREFIX).unwrap_or_default();
    let (area, rest) = path.split_once('/').unwrap_or((path, ""));
    let body = match body.collect(MAX_BODY_BYTES).await {
        Ok(body) => body,
        Err(error) => return bad_request(&format!("reading the body failed: {error:?}")),
    };
    match (&head.method, area, rest) {
        (&Method::GET | &Method::HEAD, "objects", rest) => objects::serve(state, head, rest),
        (&Method::GET, "requests", "") => uploads::requests(state),
        (&Method::POST, "requests", "reset") => {
            state.counters.reset();
            done()
        }
        (&Method::GET, "uploads", "") => uploads::list(state),
        (&Method::DELETE, "uploads", id) if !id.is_empty() => uploads::delete(state, id),
        (&Method::GET, "faults", "") => json_response(StatusCode::OK, &state.faults.report()),
        (&Method::POST, "faults", "") => match Fault::from_json(&body) {
            Ok(fault) => {
                state.faults.inject(fault);
                done()
            }
            Err(why) => bad_request(&why),
        },
        (&Method::DELETE, "faults", "") => {
            state.faults.clear();
            done()
        }
        (&Method::GET, "media", "") => media::list(state),
        (&Method::DELETE, "media", id) if !id.is_empty() => media::delete(state, id),
        (&Method::GET, "url-jobs", "") => url_jobs::list(state),
        (&Method::POST, "url-jobs", id) if !id.is_empty() => url_jobs::finish_job(state, id, &body),
        (&Method::POST, "sts", "") => credentials::assume_role(state, &body),
        (&Method::POST, "credentials", id) if !id.is_empty() => {
            credentials::set_ttl(state, id, &body)
        }
        (&Method::GET, "config", "") => settings::show(state, head),
        (&Method::POST, area, "") => settings::change(state, area, &body),
        _ => json_response(
            StatusCode::NOT_FOUND,
            &json!({ "error": format!("unknown path: {} {}", head.method, head.path) }),
        ),
    }
}

/// The prefix of all control paths.
pub(crate) const PREFIX: &str = "/_sandbox/";

const MAX_BODY_BYTES: usize = 64 * 1024;
