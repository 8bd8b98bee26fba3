//! V4, step 3: the headers that are signed in addition to the default ones.

/// The `requested` names in lower case, sorted, without those that are not sent or are signed by
/// default.
#[must_use]
pub fn additional_headers(requested: &[&str], headers: &[(String, String)]) -> Vec<String> {
    let mut names: Vec<String> = requested
        .iter()
        .map(|name| name.to_ascii_lowercase())
        .filter(|name| headers.iter().any(|(sent, _)| sent.eq_ignore_ascii_case(name)))
        .filter(|name| !is_signed_by_default(name))
        .collect();
    names.sort();
    names.dedup();
    names
}

/// Returns true if V4 signs the header by default.
pub(super) fn is_signed_by_default(lower_case_name: &str) -> bool {
    matches!(lower_case_name, "content-type" | "content-md5")
        || lower_case_name.starts_with("x-oss-")
}
