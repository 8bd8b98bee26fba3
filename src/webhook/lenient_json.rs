//! A lenient parser for the JSON of notifications. VOD's samples have trailing commas, names with
//! trailing spaces, and one name in two spellings.
//!
//! <https://www.alibabacloud.com/help/en/vod/developer-reference/uploadbyurlcomplete>

use std::collections::BTreeMap;

use serde_json::Value;

/// The fields of an object, by name in any case and without surrounding spaces.
#[derive(Debug)]
pub(super) struct Fields(BTreeMap<String, Value>);

impl Fields {
    /// Parses an object; `None` if `bytes` is not one.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let read = serde_json::from_slice(bytes)
            .or_else(|_| serde_json::from_slice(&without_trailing_commas(bytes)));
        let Ok(Value::Object(fields)) = read else { return None };
        Some(Self(fields.into_iter().map(|(name, value)| (key(&name), value)).collect()))
    }

    /// A trimmed string; `None` if it is absent or empty.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(&key(name))?.as_str().map(str::trim).filter(|text| !text.is_empty())
    }

    /// An unsigned integer, which may be a string.
    pub(super) fn number(&self, name: &str) -> Option<u64> {
        match self.0.get(&key(name))? {
            Value::Number(number) => number.as_u64(),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        }
    }

    /// A value as JSON text. A string is treated as JSON text.
    pub(super) fn json(&self, name: &str) -> Option<String> {
        match self.0.get(&key(name))? {
            Value::Null => None,
            Value::String(text) if text.is_empty() => None,
            Value::String(text) => Some(text.clone()),
            other => Some(other.to_string()),
        }
    }
}

fn key(name: &str) -> String {
    name.trim().to_ascii_lowercase()
}

/// Removes the commas before a closing brace or bracket.
fn without_trailing_commas(bytes: &[u8]) -> Vec<u8> {
    let mut kept = Vec::with_capacity(bytes.len());
    let (mut in_text, mut escaped) = (false, false);
    for (at, &byte) in bytes.iter().enumerate() {
        if in_text {
            in_text = escaped || byte != b'"';
            escaped = !escaped && byte == b'\\';
        } else if byte == b',' {
            let next = bytes[at + 1..].iter().find(|byte| !byte.is_ascii_whitespace());
            if matches!(next, Some(b'}' | b']')) {
                continue;
            }
        } else {
            in_text = byte == b'"';
        }
        kept.push(byte);
    }
    kept
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed assumption fails the test")]

    use super::*;

    #[test]
    fn commas_before_a_closing_brace_are_ignored() {
        let fields = Fields::parse(b"{\"A\": [1, 2, ], \"B\":\" ,} \\\", }\" , \n}").unwrap();
        assert_eq!(fields.json("A").unwrap(), "[1,2]");
        assert_eq!(fields.text("B"), Some(",} \", }"));
    }

    #[test]
    fn names_match_in_any_case_and_without_surrounding_spaces() {
        let fields = Fields::parse(br#"{"SourceURL ": "u ", " fileUrl": "f"}"#).unwrap();
        assert_eq!(fields.text("SourceURL"), Some("u"));
        assert_eq!(fields.text("FileURL"), Some("f"));
        assert_eq!(fields.text("Other"), None);
    }

    #[test]
    fn numbers_and_json_may_be_strings() {
        let fields = Fields::parse(br#"{"A":"24","B":24,"C":{"x":1},"D":"{}","E":null,"F":""}"#);
        let fields = fields.unwrap();
        assert_eq!((fields.number("A"), fields.number("B")), (Some(24), Some(24)));
        assert_eq!((fields.number("C"), fields.number("D")), (None, None));
        let json = ["C", "D", "E", "F", "B"].map(|name| fields.json(name));
        let expected = [Some("{\"x\":1}"), Some("{}"), None, None, Some("24")];
        assert_eq!(json, expected.map(|text| text.map(str::to_owned)));
    }

    #[test]
    fn anything_but_an_object_is_rejected() {
        for bytes in [&b""[..], b"[]", b"{", b"{,,}", b"{\"A\":1,,}", b"\xFF", b"{\"A"] {
            assert!(Fields::parse(bytes).is_none(), "{bytes:?}");
        }
    }
}
