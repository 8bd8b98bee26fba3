//! The answer to a form: what became of each of its files.

use serde_json::{Value, json};

use super::accept::prefers_html;
use super::{Redirect, page};
use crate::credential::Secret;
use crate::error::Error;
use crate::http::{FILE_NAME_BYTES_MAX, Head, Response, plain, problem};
use crate::upload::{FinishedObject, UploadRecord};

/// What became of a form, in the order of its files.
#[derive(Debug, Default)]
pub struct FormAnswer {
    files: Vec<FormFile>,
    problem: Option<Error>,
}

#[derive(Debug)]
struct FormFile {
    field: String,
    name: String,
    outcome: Outcome,
}

#[derive(Debug)]
enum Outcome {
    /// The members of a plain upload's answer.
    Stored(Value),
    /// An error, and the media that a new upload may continue.
    Failed(Box<Error>, FailedMedia),
}

/// The media of a file that was not stored.
#[derive(Clone, Debug, Default)]
pub struct FailedMedia {
    /// The media id; empty if there is none.
    pub media_id: String,
    /// The token with which a new upload can continue the media, if the worker issued it.
    pub token: Option<Secret>,
}

impl FormAnswer {
    /// The next file, of the input `field`, is stored.
    pub fn stored(&mut self, field: &str, record: &UploadRecord, object: &FinishedObject) {
        let outcome = Outcome::Stored(plain::stored(record, object));
        self.push(field, &record.file_name, outcome);
    }

    /// The next file, of the input `field`, is not stored.
    pub fn failed(&mut self, field: &str, file_name: &str, error: Error, media: FailedMedia) {
        self.push(field, file_name, Outcome::Failed(Box::new(error), media));
    }

    /// The form could not be read on; the files before stay as they are.
    pub fn broke_off(&mut self, error: Error) {
        self.problem = Some(error);
    }

    /// True where no file has been stored or has failed.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// The answer to the request `head`.
    ///
    /// The status is 201 where every file is stored. Otherwise it is that of the first problem, also
    /// where other files are stored: a client that looks at nothing but the status must not take a
    /// lost file for stored. The body says which file is which: `{"files": […], "complete": …}`, with
    /// `problem` where the form itself has one. A form that came to nothing is answered with
    /// problem details alone. Who would rather read a page gets the same facts as one.
    ///
    /// A client that named a `redirect` is sent there in any case (303, RFC 9110 §15.4.4), with
    /// `media_id` for each file that is stored and `error` with the problem's code for each that is
    /// not, in the order of the files, and then `error` for the form's own problem.
    #[must_use]
    pub fn response(&self, head: &Head, redirect: Option<&Redirect>) -> Response {
        let body = self.to_json();
        if let Some(redirect) = redirect {
            return Response::empty(303)
                .with_header("location", redirect.with_pairs(pairs(&body)))
                .with_header("cache-control", "no-store");
        }
        let html = prefers_html(head);
        if let (true, false, Some(error)) = (self.files.is_empty(), html, &self.problem) {
            return problem::problem(error, None);
        }
        let status = self.first_problem().map_or(201, |error| problem::status_of(error.class()));
        let response =
            if html { page::response(status, &body) } else { Response::json(status, &body) };
        // What is right for one client is not for another.
        let response = response.with_header("vary", "Accept");
        if status == 503 { response.with_header("retry-after", "5") } else { response }
    }

    fn push(&mut self, field: &str, file_name: &str, outcome: Outcome) {
        // A name that was refused may be very long.
        let name = file_name.chars().take(FILE_NAME_BYTES_MAX).collect();
        self.files.push(FormFile { field: field.to_owned(), name, outcome });
    }

    fn first_problem(&self) -> Option<&Error> {
        let failed = self.files.iter().find_map(|file| match &file.outcome {
            Outcome::Failed(error, _) => Some(&**error),
            Outcome::Stored(_) => None,
        });
        failed.or(self.problem.as_ref())
    }

    fn to_json(&self) -> Value {
        let files: Vec<_> = self.files.iter().map(FormFile::to_json).collect();
        let mut body = json!({ "files": files, "complete": self.first_problem().is_none() });
        if let Some(error) = &self.problem {
            body["problem"] = problem::details(error, None);
        }
        body
    }
}

impl FormFile {
    fn to_json(&self) -> Value {
        let mut file = match &self.outcome {
            Outcome::Stored(members) => members.clone(),
            Outcome::Failed(error, media) => {
                let mut problem = problem::details(error, Some(&media.media_id));
                if let Some(token) = &media.token {
                    problem["media_token"] = token.expose().into();
                }
                json!({ "problem": problem })
            }
        };
        file["field"] = self.field.as_str().into();
        file["file_name"] = self.name.as_str().into();
        file
    }
}

/// The error of a form in which nobody chose a file.
#[must_use]
pub fn no_file() -> Error {
    Error::field_invalid("file", "chosen in at least one input of the form")
}

/// What a redirect tells the page that it leads to.
fn pairs(body: &Value) -> Vec<(&'static str, &str)> {
    let files = body["files"].as_array().into_iter().flatten();
    let of_files = files.map(|file| match file["problem"]["code"].as_str() {
        Some(code) => ("error", code),
        None => ("media_id", file["media_id"].as_str().unwrap_or_default()),
    });
    let of_form = body["problem"]["code"].as_str().map(|code| ("error", code));
    of_files.chain(of_form).collect()
}

#[cfg(test)]
#[path = "answer_tests.rs"]
mod tests;
