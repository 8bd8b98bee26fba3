//! Content-Disposition of a request (RFC 6266, <https://www.rfc-editor.org/rfc/rfc6266>) and of a
//! part of a form (RFC 7578 §4.2, <https://www.rfc-editor.org/rfc/rfc7578#section-4.2>).

use percent_encoding::percent_decode_str;

use super::parameters::{is_token, parameters};

/// The value of a Content-Disposition.
pub(super) struct Disposition {
    /// The type in lower case.
    pub(super) kind: String,
    parameters: Vec<(String, String)>,
}

/// The last path segment of the file name in the value of the header, which RFC 6266 §4.3 lets a
/// recipient use alone. `None` if the value has no name or is malformed.
pub(super) fn file_name(value: &str) -> Option<String> {
    let name = Disposition::parse(value)?.parameter("filename")?;
    name.rsplit(['/', '\\']).next().map(str::to_owned)
}

impl Disposition {
    /// Parses a value. `None` if it is malformed.
    pub(super) fn parse(value: &str) -> Option<Self> {
        let (kind, rest) = value.split_once(';').unwrap_or((value, ""));
        let kind = kind.trim().to_ascii_lowercase();
        let parameters = parameters(rest)?;
        is_token(&kind).then_some(Self { kind, parameters })
    }

    /// The value of the parameter `name`, in every form that clients send: `name*` (RFC 8187),
    /// which takes precedence, `name*0`, `name*1*` and so on (RFC 2231 §3 and §4.1), and `name`.
    /// An extended value that cannot be decoded is used as it is if there is no other.
    pub(super) fn parameter(&self, name: &str) -> Option<String> {
        let extended = self.sent(&format!("{name}*"));
        extended
            .and_then(decoded)
            .or_else(|| self.continued(name))
            .or_else(|| self.sent(name).map(str::to_owned))
            .or_else(|| extended.map(str::to_owned))
    }

    /// Returns true if `name` is sent twice with two values.
    pub(super) fn is_ambiguous(&self, name: &str) -> bool {
        let first = self.sent(name);
        self.parameters.iter().any(|(known, value)| known == name && Some(value.as_str()) != first)
    }

    fn sent(&self, name: &str) -> Option<&str> {
        let sent = self.parameters.iter().find(|(known, _)| known == name);
        sent.map(|(_, value)| value.as_str())
    }

    /// The sections of a value, in the order of their numbers.
    fn continued(&self, name: &str) -> Option<String> {
        let (mut bytes, mut charset) = (Vec::new(), String::new());
        for number in 0..self.parameters.len() {
            let encoded = self.sent(&format!("{name}*{number}*"));
            match (encoded, self.sent(&format!("{name}*{number}"))) {
                (Some(encoded), _) => {
                    let encoded = match number {
                        0 => {
                            let (named, text) = charset_and_text(encoded)?;
                            charset = named.to_owned();
                            text
                        }
                        _ => encoded,
                    };
                    bytes.extend(percent_decode_str(encoded));
                }
                (None, Some(text)) => bytes.extend_from_slice(text.as_bytes()),
                (None, None) => break,
            }
        }
        if bytes.is_empty() { None } else { text_in(&charset, bytes) }
    }
}

/// The text in `charset'language'percent-encoded` (RFC 8187 §3.2.1).
fn decoded(value: &str) -> Option<String> {
    let (charset, encoded) = charset_and_text(value)?;
    text_in(charset, percent_decode_str(encoded).collect())
}

fn charset_and_text(value: &str) -> Option<(&str, &str)> {
    let (charset, rest) = value.split_once('\'')?;
    let (_language, encoded) = rest.split_once('\'')?;
    Some((charset, encoded))
}

/// UTF-8, or ISO-8859-1, which RFC 5987 required too. Producers that use other charsets also send
/// the plain form.
fn text_in(charset: &str, bytes: Vec<u8>) -> Option<String> {
    match charset.to_ascii_lowercase().as_str() {
        "utf-8" | "utf8" | "us-ascii" | "" => String::from_utf8(bytes).ok(),
        "iso-8859-1" => Some(bytes.into_iter().map(char::from).collect()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn named(value: &str) -> Option<String> {
        file_name(value)
    }

    #[test]
    fn the_extended_name_takes_precedence_over_the_plain_one() {
        // The draft's example (§4.2.3), and RFC 6266 §5 with RFC 8187 §3.2.3.
        let draft = "inline; filename=\"file name.jpg\"; filename*=UTF-8''file%20name.jpg";
        assert_eq!(named(draft).as_deref(), Some("file name.jpg"));
        let euro = "attachment; filename=\"EURO rates\"; filename*=utf-8'en'%e2%82%ac%20rates";
        assert_eq!(named(euro).as_deref(), Some("€ rates"));
        let swapped = "attachment; filename*=UTF-8''b.mp4; filename=a.mp4";
        assert_eq!(named(swapped).as_deref(), Some("b.mp4"));
    }

    #[test]
    fn tokens_quoted_strings_and_escapes_are_parsed() {
        assert_eq!(named("Attachment; FileName=example.html").as_deref(), Some("example.html"));
        assert_eq!(named("inline;filename = \"a\\\"b;c.mp4\" ;x=y").as_deref(), Some("a\"b;c.mp4"));
        assert_eq!(named("inline; filename=\"测试.mp4\"").as_deref(), Some("测试.mp4"));
        assert_eq!(named("inline; filename=a b.mp4").as_deref(), Some("a b.mp4"));
        assert_eq!(named("inline; filename=\"a%20b.mp4\"").as_deref(), Some("a%20b.mp4"));
    }

    #[test]
    fn an_invalid_extended_name_is_ignored() {
        for extended in ["gbk'zh'%B2%E2.mp4", "UTF-8''%FF.mp4", "b.mp4", "UTF-8'b.mp4"] {
            let value = format!("inline; filename=a.mp4; filename*={extended}");
            assert_eq!(named(&value).as_deref(), Some("a.mp4"), "{extended}");
        }
    }

    #[test]
    fn an_extended_name_of_another_charset_is_decoded_or_kept_as_it_is() {
        let latin = "inline; filename*=iso-8859-1'en'%A3%20rates.mp4";
        assert_eq!(named(latin).as_deref(), Some("£ rates.mp4"));
        assert_eq!(named("inline; filename*=a.mp4").as_deref(), Some("a.mp4"));
        assert_eq!(named("inline; filename*=gbk''%B2%E2.mp4").as_deref(), Some("gbk''%B2%E2.mp4"));
    }

    #[test]
    fn a_name_in_sections_is_put_together() {
        for (value, expected) in [
            ("inline; filename*0=\"a long \"; filename*1=\"name.mp4\"", "a long name.mp4"),
            ("inline; filename*1=b.mp4; filename*0=a", "ab.mp4"),
            (
                "inline; filename*0*=utf-8''%E6%B5%8B; filename*1*=%E8%AF%95; filename*2=.mp4",
                "测试.mp4",
            ),
            // A character may be divided.
            ("inline; filename*0*=UTF-8''%E6%B5; filename*1*=%8B.mp4", "测.mp4"),
            ("inline; filename*0=a; filename*2=c; filename=b.mp4", "a"),
            ("inline; filename*1=b; filename=c.mp4", "c.mp4"),
        ] {
            assert_eq!(named(value).as_deref(), Some(expected), "{value}");
        }
    }

    #[test]
    fn directories_are_removed() {
        assert_eq!(named("inline; filename=\"../../etc/a.mp4\"").as_deref(), Some("a.mp4"));
        assert_eq!(named(r#"inline; filename="C:\fakepath\a.mp4""#).as_deref(), Some("a.mp4"));
        assert_eq!(named("inline; filename*=UTF-8''C%3A%5Ca.mp4").as_deref(), Some("a.mp4"));
    }

    #[test]
    fn malformed_values_have_no_name() {
        for value in [
            "",
            "inline",
            "inline; filename",
            "inline; filename=",
            "inline; filename=\"a.mp4",
            "=x; filename=a.mp4",
            "inline filename=a.mp4",
            "inline; filename=\"a.mp4\"b",
            "; filename=a.mp4",
        ] {
            assert_eq!(named(value), None, "{value:?}");
        }
    }

    proptest! {
        #[test]
        fn parsing_never_panics(value: String) {
            let _ = named(&value);
            let _ = named(&format!("inline; filename=\"{value}\"; filename*=UTF-8''{value}"));
        }

        #[test]
        fn any_name_round_trips_in_its_extended_form(name in "[^/\\\\\\x00]{1,40}") {
            let encoded = percent_encoding::utf8_percent_encode(
                &name,
                percent_encoding::NON_ALPHANUMERIC,
            );
            prop_assert_eq!(named(&format!("inline; filename*=UTF-8''{encoded}")), Some(name));
        }
    }
}
