//! The response to a form as an HTML page, with the same facts as the JSON.

use std::fmt::Write as _;

use ::http::StatusCode;
use ::http::header::{CONTENT_SECURITY_POLICY, X_CONTENT_TYPE_OPTIONS};

use super::file_result::{FileResult, Outcome};
use crate::http::plain::StoredFile;
use crate::http::{Body, Problem, Response};

/// The page for these files, and for the problem of the form itself.
pub(super) fn response(
    status: StatusCode,
    files: &[FileResult],
    problem: Option<&Problem>,
) -> Response {
    let title = if status.is_success() { "Upload complete" } else { "Upload incomplete" };
    let mut page = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>{title}</title>\n\
         </head>\n<body>\n<main>\n<h1>{title}</h1>\n"
    );
    for file in files {
        add_file(&mut page, file);
    }
    if let Some(problem) = problem {
        page.push_str("<h2>Problem with the form</h2>\n");
        add_facts(&mut page, &problem_facts(problem));
    }
    page.push_str("</main>\n</body>\n</html>\n");
    Response::with_media_type("text/html; charset=utf-8", status, Body::Text(page))
        .with_header(CONTENT_SECURITY_POLICY, "default-src 'none'")
        .with_header(X_CONTENT_TYPE_OPTIONS, "nosniff")
}

fn add_file(page: &mut String, file: &FileResult) {
    let name = escaped(&file.file_name);
    // `bdi` isolates the direction of names in right-to-left scripts.
    let heading = |outcome| format!("<h2><bdi>{name}</bdi>: {outcome}</h2>\n");
    match &file.outcome {
        Outcome::Stored(stored) => {
            page.push_str(&heading("stored"));
            add_facts(page, &stored_facts(stored));
        }
        Outcome::Failed { problem } => {
            page.push_str(&heading("not stored"));
            add_facts(page, &problem_facts(problem));
        }
    }
}

/// The facts of a stored file, with their labels.
fn stored_facts(stored: &StoredFile) -> [(&'static str, String); 7] {
    [
        ("Media ID", stored.media_id.clone()),
        ("Kind", stored.kind.to_owned()),
        ("Size in bytes", stored.size.to_string()),
        ("Bucket", stored.bucket.clone()),
        ("Object", stored.object.clone()),
        ("CRC-64", stored.crc64.clone()),
        ("ETag", stored.etag.clone()),
    ]
}

/// The facts of a problem, with their labels.
fn problem_facts(problem: &Problem) -> [(&'static str, String); 6] {
    let known = |member: &Option<String>| member.clone().unwrap_or_default();
    [
        ("What happened", problem.detail.clone()),
        ("What to do", problem.action.to_owned()),
        ("Code", problem.code.clone()),
        ("Media ID", known(&problem.media_id)),
        ("OSS or VOD error code", known(&problem.store_code)),
        ("Request ID", known(&problem.store_request_id)),
    ]
}

/// Adds the facts that are known.
fn add_facts(page: &mut String, facts: &[(&str, String)]) {
    page.push_str("<dl>\n");
    for (label, value) in facts.iter().filter(|(_, value)| !value.is_empty()) {
        let value = escaped(value);
        page.push_str(&format!("<dt>{label}</dt><dd><bdi>{value}</bdi></dd>\n"));
    }
    page.push_str("</dl>\n");
}

/// Escapes `text` for an HTML element or attribute.
fn escaped(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' | '<' | '>' | '"' | '\'' => {
                // Writing to a String cannot fail.
                let _ = write!(html, "&#{};", u32::from(c));
            }
            c if c.is_control() => html.push('\u{fffd}'),
            c => html.push(c),
        }
    }
    html
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed assumption fails the test")]

    use super::*;
    use crate::error::{Error, ErrorKind};

    fn page(response: Response) -> String {
        String::from_utf8(response.body.into_bytes()).unwrap()
    }

    #[test]
    fn every_value_is_escaped() {
        let evil = "<img src=x onerror='alert(1)'>\"&\0";
        let text = || evil.to_owned();
        let stored = StoredFile {
            bucket: text(),
            crc64: text(),
            etag: text(),
            kind: evil,
            media_id: text(),
            object: text(),
            size: 3,
        };
        let error = Error::new(ErrorKind::Internal, evil);
        let problem = || Problem { action: evil, code: text(), ..Problem::new(&error, Some(evil)) };
        let file = |outcome| FileResult { field: text(), file_name: text(), outcome };
        let failed = Outcome::Failed { problem: Box::new(problem()) };
        let files = [file(Outcome::Stored(stored)), file(failed)];
        let page = page(response(StatusCode::BAD_REQUEST, &files, Some(&problem())));
        assert!(!page.contains("<img") && !page.contains('\0') && !page.contains("'alert"));
        let shown = "&#60;img src=x onerror=&#39;alert(1)&#39;&#62;&#34;&#38;\u{fffd}";
        assert_eq!(page.matches(shown).count(), 7 + 1 + 4 + 4);
        assert!(page.contains("<dd><bdi>3</bdi></dd>"));
    }

    #[test]
    fn a_page_loads_no_resources_and_has_the_result_in_its_title() {
        let response = response(StatusCode::CREATED, &[], None);
        assert_eq!(response.header("content-security-policy"), Some("default-src 'none'"));
        assert!(page(response).contains("<title>Upload complete</title>"));
    }
}
