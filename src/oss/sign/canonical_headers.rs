//! V4, step 4: the canonical headers. V1 uses the same format for its `x-oss-` headers.

use std::collections::BTreeMap;

use super::additional_headers::is_signed_by_default;

/// One line `name:value` for each signed header, sorted by name; each line ends with a line feed.
///
/// The signed headers are `content-type`, `content-md5`, all names that start with `x-oss-`, and
/// the names in `additional`, which are in lower case.
#[must_use]
pub fn canonical_headers(headers: &[(String, String)], additional: &[String]) -> String {
    header_lines(headers, |name| {
        is_signed_by_default(name) || additional.iter().any(|additional| additional == name)
    })
}

/// The headers whose lower-case name is `signed`, with trimmed values. Values of the same name are
/// joined with commas.
pub(super) fn header_lines(headers: &[(String, String)], signed: impl Fn(&str) -> bool) -> String {
    let mut values: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for (name, value) in headers {
        let name = name.to_ascii_lowercase();
        if signed(&name) {
            values.entry(name).or_default().push(value.trim());
        }
    }
    values.iter().map(|(name, values)| format!("{name}:{}\n", values.join(","))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_trimmed_and_values_of_the_same_name_are_joined() {
        let headers = [("X-Oss-B", " 2 "), ("host", "h"), ("x-oss-a", "1"), ("x-oss-b", "\t3")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(canonical_headers(&headers, &[]), "x-oss-a:1\nx-oss-b:2,3\n");
        let additional = ["host".to_owned()];
        assert_eq!(canonical_headers(&headers, &additional), "host:h\nx-oss-a:1\nx-oss-b:2,3\n");
    }
}
