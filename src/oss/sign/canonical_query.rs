//! V4, step 2: the canonical query.

use crate::percent::encode_component;

/// All names and values percent-encoded, sorted by the encoded name and then value, joined with
/// `&`. A parameter with an empty value is a bare name.
#[must_use]
pub fn canonical_query(query: &[(String, Option<String>)]) -> String {
    let mut pairs: Vec<(String, String)> = query
        .iter()
        .map(|(name, value)| {
            let value = encode_component(value.as_deref().unwrap_or_default()).to_string();
            (encode_component(name).to_string(), value)
        })
        .collect();
    pairs.sort();
    let texts: Vec<String> = pairs
        .into_iter()
        .map(|(name, value)| if value.is_empty() { name } else { format!("{name}={value}") })
        .collect();
    texts.join("&")
}
