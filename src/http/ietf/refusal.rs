//! The answers to requests that went wrong, with the draft's problem types (§7 "Problem Types").

use serde_json::{Map, Value};

use super::answer::with_offset;
use super::limits::accept_patch;
use super::{InteropVersion, Limits, Progress};
use crate::error::{Error, ErrorKind};
use crate::http::{Response, problem};
use crate::units::ByteCount;

const PROBLEM_TYPES: &str = "https://iana.org/assignments/http-problem-types";

/// What went wrong, and what is known of the upload.
#[derive(Clone, Copy, Debug)]
pub struct Refusal<'a> {
    /// What went wrong.
    pub error: &'a Error,
    /// How the upload stands, where it is known.
    pub progress: Option<Progress>,
    /// The offset that the request named, where it is at fault.
    pub provided_offset: Option<ByteCount>,
    /// The media id, where the upload has one.
    pub media_id: Option<&'a str>,
    /// The limits, which a 413 MUST name (§4.1.4).
    pub limits: &'a Limits,
}

/// The answer to a request that ended with `refusal`, in the words of `version`.
///
/// It says `Upload-Complete: ?0` and the offset where the upload is known and not complete. It
/// never says `?1`, not even of a complete upload: by that a client tells an error of the finished
/// representation from one of the upload (§4.4.1).
#[must_use]
pub fn refused(version: InteropVersion, refusal: &Refusal<'_>) -> Response {
    let mut response = version.say_version(typed_problem(refusal));
    if let Some(progress) = refusal.progress {
        response = with_offset(response, progress.offset);
        if !progress.complete {
            response = version.say_complete(response, false);
        }
    }
    match response.status {
        413 => refusal.limits.say(response, version),
        415 => accept_patch(response),
        _ => response,
    }
}

fn typed_problem(refusal: &Refusal<'_>) -> Response {
    let response = problem(refusal.error, refusal.media_id);
    match refusal.error.kind() {
        ErrorKind::OffsetMismatch => {
            let offset = |offset: Option<ByteCount>| Some(Value::from(offset?.bytes()));
            let expected = offset(refusal.progress.map(|progress| progress.offset));
            let members = [
                ("expected-offset", expected),
                ("provided-offset", offset(refusal.provided_offset)),
            ];
            of_type(response, "mismatching-upload-offset", "Mismatching Upload Offset", members)
        }
        ErrorKind::LengthInconsistent | ErrorKind::LengthMismatch => {
            let title = "Inconsistent Upload Length Values";
            of_type(response, "inconsistent-upload-length", title, [])
        }
        ErrorKind::UploadEnded => {
            // The type's own status (§14.4 "HTTP Problem Types") in place of the 409 of the kind:
            // 409 tells a client of the draft that its offset is wrong.
            let response = Response { status: 400, ..response };
            of_type(response, "completed-upload", "Upload Is Completed", [])
        }
        _ => response,
    }
}

/// The same problem, of one of the draft's types.
fn of_type<const N: usize>(
    response: Response,
    name: &str,
    title: &str,
    members: [(&str, Option<Value>); N],
) -> Response {
    let mut body: Map<String, Value> = serde_json::from_slice(&response.body).unwrap_or_default();
    body.insert("type".to_owned(), format!("{PROBLEM_TYPES}#{name}").into());
    body.insert("title".to_owned(), title.into());
    body.insert("status".to_owned(), response.status.into());
    for (member, value) in members {
        if let Some(value) = value {
            body.insert(member.to_owned(), value);
        }
    }
    Response { body: Value::Object(body).to_string().into_bytes(), ..response }
}

#[cfg(test)]
#[path = "refusal_tests.rs"]
mod tests;
