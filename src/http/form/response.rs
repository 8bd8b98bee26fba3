//! The response to a form: the result of each of its files.

use ::http::StatusCode;
use ::http::header::{CACHE_CONTROL, LOCATION, VARY};
use serde::Serialize;

use super::accept::prefers_html;
use super::file_result::{FileResult, Outcome};
use super::{Redirect, html_page};
use crate::credential::Secret;
use crate::error::Error;
use crate::http::plain::StoredFile;
use crate::http::{FILE_NAME_CHARS_MAX, Problem, RequestHead, Response};
use crate::upload::{CompletedObject, UploadRecord};

/// The result of a form, in the order of its files.
#[derive(Debug, Default)]
pub struct FormResponse {
    files: Vec<FileResult>,
    problem: Option<Problem>,
}

/// The media asset of a file that was not stored.
#[derive(Clone, Debug, Default)]
pub struct FailedMedia {
    /// The media ID; empty if there is none.
    pub media_id: String,
    /// The token with which a new upload can continue the asset, if the worker created it.
    pub token: Option<Secret>,
}

impl FormResponse {
    /// Adds the next file, of the input `field`, which is stored.
    pub fn add_stored(&mut self, field: &str, record: &UploadRecord, object: &CompletedObject) {
        let stored = StoredFile::new(record, object);
        self.push(field, &record.file_name, Outcome::Stored(stored));
    }

    /// Adds the next file, of the input `field`, which is not stored.
    pub fn add_failed(&mut self, field: &str, file_name: &str, error: &Error, media: FailedMedia) {
        let problem = Problem::new(error, Some(&media.media_id));
        let problem = Box::new(Problem { media_token: media.token, ..problem });
        self.push(field, file_name, Outcome::Failed { problem });
    }

    /// Sets the error that ended the form before its end; the files before it remain.
    pub fn set_truncated(&mut self, error: &Error) {
        self.problem = Some(Problem::new(error, None));
    }

    /// Returns true if no file has been stored or has failed.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// The response to the request `head`.
    ///
    /// The status is 201 if every file is stored. Otherwise it is that of the first problem, even
    /// if other files are stored: a client that reads only the status must not treat a lost file as
    /// stored. The body contains the result of each file: `{"files": […], "complete": …}`, with
    /// `problem` if the form itself has one. The response to a form without files is the problem
    /// alone. A client that prefers HTML receives the same facts as a page.
    ///
    /// A client that sent a `redirect` is redirected in any case (303, RFC 9110 §15.4.4), with
    /// `media_id` for each file that is stored and `error` with the problem's code for each that is
    /// not, in the order of the files, and then `error` for the form's own problem.
    #[must_use]
    pub fn into_response(self, head: &RequestHead, redirect: Option<&Redirect>) -> Response {
        if let Some(redirect) = redirect {
            return Response::empty(StatusCode::SEE_OTHER)
                .with_header(LOCATION, redirect.with_query_pairs(self.redirect_pairs()))
                .with_header(CACHE_CONTROL, "no-store");
        }
        let html = prefers_html(head);
        if let (true, false, Some(problem)) = (self.files.is_empty(), html, &self.problem) {
            return problem.clone().into();
        }
        let (status, code) = match self.first_problem() {
            Some(problem) => (problem.status, problem.code.clone()),
            None => (StatusCode::CREATED, String::new()),
        };
        let response = if html {
            html_page::response(status, &self.files, self.problem.as_ref())
        } else {
            let (complete, files) = (self.first_problem().is_none(), &*self.files);
            let problem = self.problem.as_ref();
            Response::json(status, &FormBody { complete, files, problem })
        };
        // A cache must not reuse the response for another `Accept`.
        response.with_header(VARY, "Accept").with_remedy(&code)
    }

    fn push(&mut self, field: &str, file_name: &str, outcome: Outcome) {
        // A name that was rejected may be very long.
        let file_name = file_name.chars().take(FILE_NAME_CHARS_MAX).collect();
        self.files.push(FileResult { field: field.to_owned(), file_name, outcome });
    }

    fn first_problem(&self) -> Option<&Problem> {
        self.files.iter().find_map(FileResult::problem).or(self.problem.as_ref())
    }

    /// The query parameters of a redirect.
    fn redirect_pairs(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let of_files = self.files.iter().map(|file| match &file.outcome {
            Outcome::Stored(stored) => ("media_id", stored.media_id.as_str()),
            Outcome::Failed { problem } => ("error", problem.code.as_str()),
        });
        of_files.chain(self.problem.as_ref().map(|problem| ("error", problem.code.as_str())))
    }
}

/// The body of the response as JSON.
#[derive(Serialize)]
struct FormBody<'a> {
    complete: bool,
    files: &'a [FileResult],
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<&'a Problem>,
}

/// The error of a form in which no file was selected.
#[must_use]
pub fn missing_file() -> Error {
    Error::field_invalid("file", "chosen in at least one input of the form")
}

#[cfg(test)]
#[path = "response_tests.rs"]
mod tests;
