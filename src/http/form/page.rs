//! The answer to a form as a page for people, with the same facts as the JSON.

use std::fmt::Write as _;

use serde_json::Value;

use crate::http::Response;

/// The facts of a stored file, by their names in JSON and on the page.
const FACTS: [(&str, &str); 7] = [
    ("media_id", "Media id"),
    ("kind", "Kind"),
    ("size", "Size in bytes"),
    ("bucket", "Bucket"),
    ("object", "Object"),
    ("crc64", "CRC-64"),
    ("etag", "ETag"),
];

/// The same of a problem.
const PROBLEM_FACTS: [(&str, &str); 6] = [
    ("detail", "What happened"),
    ("action", "What to do"),
    ("code", "Code"),
    ("media_id", "Media id"),
    ("store_code", "Code of the store"),
    ("store_request_id", "Request id"),
];

/// The page for the JSON answer `body`.
pub(super) fn response(status: u16, body: &Value) -> Response {
    let title = match body["complete"].as_bool() {
        Some(true) => "Upload complete",
        _ => "Upload not complete",
    };
    let mut page = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>{title}</title>\n\
         </head>\n<body>\n<main>\n<h1>{title}</h1>\n"
    );
    for file in body["files"].as_array().into_iter().flatten() {
        add_file(&mut page, file);
    }
    if body["problem"].is_object() {
        page.push_str("<h2>What is wrong with the form</h2>\n");
        add_facts(&mut page, &body["problem"], &PROBLEM_FACTS);
    }
    page.push_str("</main>\n</body>\n</html>\n");
    let headers = vec![
        ("content-type", "text/html; charset=utf-8".to_owned()),
        ("cache-control", "no-store".to_owned()),
        ("content-security-policy", "default-src 'none'".to_owned()),
        ("x-content-type-options", "nosniff".to_owned()),
    ];
    Response { status, headers, body: page.into_bytes() }
}

fn add_file(page: &mut String, file: &Value) {
    let stored = !file["problem"].is_object();
    let name = escaped(&text(&file["file_name"]));
    let outcome = if stored { "stored" } else { "not stored" };
    // A name in a script that runs from right to left must not turn the words around it.
    page.push_str(&format!("<h2><bdi>{name}</bdi>: {outcome}</h2>\n"));
    if stored {
        add_facts(page, file, &FACTS);
    } else {
        add_facts(page, &file["problem"], &PROBLEM_FACTS);
    }
}

fn add_facts(page: &mut String, facts: &Value, names: &[(&str, &str)]) {
    page.push_str("<dl>\n");
    for (name, label) in names {
        let value = text(&facts[*name]);
        if !value.is_empty() {
            let value = escaped(&value);
            page.push_str(&format!("<dt>{label}</dt><dd><bdi>{value}</bdi></dd>\n"));
        }
    }
    page.push_str("</dl>\n");
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// `text` as HTML shows it, in an element or in an attribute.
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
    use serde_json::json;

    use super::*;

    #[test]
    fn every_value_is_escaped() {
        let evil = "<img src=x onerror='alert(1)'>\"&\0";
        let problem = json!({ "detail": evil, "action": evil, "code": evil, "media_id": evil });
        let body = json!({ "complete": false, "problem": problem, "files": [
            { "file_name": evil, "media_id": evil, "kind": evil, "bucket": evil, "object": evil,
              "size": 3, "crc64": evil, "etag": evil },
            { "file_name": evil, "problem": problem },
        ] });
        let page = String::from_utf8_lossy(&response(400, &body).body).into_owned();
        assert!(!page.contains("<img") && !page.contains('\0') && !page.contains("'alert"));
        let shown = "&#60;img src=x onerror=&#39;alert(1)&#39;&#62;&#34;&#38;\u{fffd}";
        assert_eq!(page.matches(shown).count(), 7 + 1 + 4 + 4);
        assert!(page.contains("<dd><bdi>3</bdi></dd>"));
    }

    #[test]
    fn a_page_loads_nothing_and_says_in_its_title_how_it_went() {
        let page = response(201, &json!({ "complete": true, "files": [] }));
        assert!(page.headers.contains(&("content-security-policy", "default-src 'none'".into())));
        assert!(String::from_utf8_lossy(&page.body).contains("<title>Upload complete</title>"));
    }
}
