//! V4, step 3: which headers are signed beyond those that always are.

/// The names of `requested` in lower case and sorted, without those that are not sent and those
/// that are signed anyway.
#[must_use]
pub fn additional_headers(requested: &[&str], headers: &[(String, String)]) -> Vec<String> {
    let mut names: Vec<String> = requested
        .iter()
        .map(|name| name.to_ascii_lowercase())
        .filter(|name| headers.iter().any(|(sent, _)| sent.eq_ignore_ascii_case(name)))
        .filter(|name| !is_signed_anyway(name))
        .collect();
    names.sort();
    names.dedup();
    names
}

/// True for the headers that V4 signs wherever they are sent.
pub(super) fn is_signed_anyway(lower_case_name: &str) -> bool {
    matches!(lower_case_name, "content-type" | "content-md5")
        || lower_case_name.starts_with("x-oss-")
}
