//! The parameters of a header value: `; name=token; name="quoted"` (RFC 9110 §5.6.6).

/// The parameters after the first `;` of a value, in order, with lower-case names. `None` if the
/// text is not such a list.
///
/// A value without quotes extends to the next `;`, because clients send file names and boundaries
/// with characters that a token must not have. In a quoted value, `\"` and `\\` are a quote and a
/// backslash (RFC 2045 §5.1). Any other backslash is literal: browsers do not escape those of a
/// path.
pub(super) fn parameters(text: &str) -> Option<Vec<(String, String)>> {
    let mut found = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix(';') {
            rest = after.trim_start();
            continue;
        }
        let (name, after) = rest.split_once('=')?;
        let name = name.trim_end();
        if !is_token(name) {
            return None;
        }
        let (value, after) = value(after.trim_start())?;
        found.push((name.to_ascii_lowercase(), value));
        rest = after.trim_start();
        if !rest.is_empty() && !rest.starts_with(';') {
            return None;
        }
    }
    Some(found)
}

/// A value, and the text after it.
fn value(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let (value, rest) = text.split_at(text.find(';').unwrap_or(text.len()));
        let value = value.trim_end();
        return (!value.is_empty() && !value.contains('"')).then(|| (value.to_owned(), rest));
    };
    let mut value = String::new();
    let mut escaped = false;
    for (at, c) in quoted.char_indices() {
        match c {
            '"' | '\\' if escaped => {
                value.push(c);
                escaped = false;
            }
            '\\' => escaped = true,
            '"' => return Some((value, &quoted[at + 1..])),
            other => {
                if escaped {
                    value.push('\\');
                    escaped = false;
                }
                value.push(other);
            }
        }
    }
    None
}

/// Returns true if `text` is a token (RFC 9110 §5.6.2).
pub(super) fn is_token(text: &str) -> bool {
    let is_tchar = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(is_tchar)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_and_quoted_values_are_parsed_with_backslashes_as_in_browsers() {
        for (text, expected) in [
            (r#"; a=1;B="2; 3""#, vec![("a", "1"), ("b", "2; 3")]),
            (r#"name="C:\fakepath\a.mp4""#, vec![("name", r"C:\fakepath\a.mp4")]),
            (r#"name="a\"b\\c""#, vec![("name", r#"a"b\c"#)]),
            ("a=b c , d ; e=f", vec![("a", "b c , d"), ("e", "f")]),
            ("a=b;;", vec![("a", "b")]),
            ("", vec![]),
        ] {
            let expected: Vec<_> =
                expected.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
            assert_eq!(parameters(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn an_invalid_list_of_parameters_is_rejected() {
        for text in ["a", "=b", "a=", "a=\"b", "a=\"b\"c", "ä=b", "a=b\"c", "a b=c"] {
            assert_eq!(parameters(text), None, "{text}");
        }
    }
}
