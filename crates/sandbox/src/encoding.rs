//! Percent-encoding and hex, as used in the signatures of OSS and VOD.

/// Percent-encodes every byte except the unreserved `A-Za-z0-9-._~`, with upper-case hex digits.
///
/// This is the encoding of query names and values in OSS V4 signing and in VOD RPC signing.
pub(crate) fn percent_encode(text: &str) -> String {
    encode(text, false)
}

/// As [`percent_encode`], but keeps `/`: the encoding of the canonical URI of OSS V4 signing.
pub(crate) fn percent_encode_path(text: &str) -> String {
    encode(text, true)
}

/// Decodes a path, in which `+` is literal.
///
/// Returns `None` if an escape is malformed or the bytes are not UTF-8.
pub(crate) fn percent_decode(text: &str) -> Option<String> {
    decode(text, false)
}

/// Splits and decodes a query string or a URL-encoded form, in which `+` is a space.
///
/// A name without `=` has an empty value. Returns `None` if an escape is malformed.
pub(crate) fn decode_pairs(text: &str) -> Option<Vec<(String, String)>> {
    text.split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Some((decode(name, true)?, decode(value, true)?))
        })
        .collect()
}

/// Lower-case hex digits of `bytes`.
pub(crate) fn hex_lower(bytes: &[u8]) -> String {
    hex(bytes, b"0123456789abcdef")
}

/// Upper-case hex digits of `bytes`, the case of an OSS `ETag`.
pub(crate) fn hex_upper(bytes: &[u8]) -> String {
    hex(bytes, b"0123456789ABCDEF")
}

fn hex(bytes: &[u8], digits: &[u8; 16]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .map(|nibble| char::from(digits[usize::from(nibble)]))
        .collect()
}

fn encode(text: &str, keep_slash: bool) -> String {
    let mut encoded = String::with_capacity(text.len());
    for &byte in text.as_bytes() {
        let is_plain =
            byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) || (keep_slash && byte == b'/');
        if is_plain {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            encoded.push_str(&hex_upper(&[byte]));
        }
    }
    encoded
}

fn decode(text: &str, plus_is_space: bool) -> Option<String> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'%' => {
                let high = char::from(bytes.next()?).to_digit(16)?;
                let low = char::from(bytes.next()?).to_digit(16)?;
                u8::try_from(high * 16 + low).ok()?
            }
            b'+' if plus_is_space => b' ',
            other => other,
        });
    }
    String::from_utf8(decoded).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_space_is_encoded_as_percent_20_and_a_slash_only_in_queries() {
        assert_eq!(percent_encode("a b/c+*~"), "a%20b%2Fc%2B%2A~");
        assert_eq!(percent_encode_path("a b/c+"), "a%20b/c%2B");
    }

    #[test]
    fn a_plus_is_a_space_in_a_query_and_literal_in_a_path() {
        assert_eq!(percent_decode("a+b%2B").as_deref(), Some("a+b+"));
        assert_eq!(
            decode_pairs("a=b+c&uploads&x="),
            Some(vec![
                ("a".into(), "b c".into()),
                ("uploads".into(), String::new()),
                ("x".into(), String::new())
            ])
        );
    }

    #[test]
    fn a_malformed_escape_is_rejected() {
        assert_eq!(percent_decode("a%2"), None);
        assert_eq!(percent_decode("a%zz"), None);
        assert_eq!(percent_decode("%ff"), None);
    }
}
