//! The file name in Content-Disposition (RFC 6266, <https://www.rfc-editor.org/rfc/rfc6266>).

use percent_encoding::percent_decode_str;

/// The file name in the value of the header: `filename*` (RFC 8187, UTF-8 only) takes precedence
/// over `filename`. RFC 6266 §4.3 lets a recipient use only the last path segment. `None` if the
/// value has no name or is malformed.
pub(super) fn file_name(value: &str) -> Option<String> {
    let mut rest = Rest(value.trim());
    rest.token()?;
    rest.end_of_part()?;
    let (mut plain, mut extended) = (None, None);
    while let Some((name, value)) = rest.parameter()? {
        match name.to_ascii_lowercase().as_str() {
            "filename" => plain = plain.or(Some(value)),
            "filename*" => extended = extended.or_else(|| extended_value(&value)),
            _ => {}
        }
    }
    let name = extended.or(plain)?;
    name.rsplit(['/', '\\']).next().map(str::to_owned)
}

/// `UTF-8'language'percent-encoded` (RFC 8187 §3.2.1). Producers that use other charsets also send
/// `filename`.
fn extended_value(value: &str) -> Option<String> {
    let (charset, rest) = value.split_once('\'')?;
    let (_language, encoded) = rest.split_once('\'')?;
    if !charset.eq_ignore_ascii_case("utf-8") || encoded.contains(|c: char| !c.is_ascii_graphic()) {
        return None;
    }
    percent_decode_str(encoded).decode_utf8().ok().map(String::from)
}

/// The unparsed rest of a value.
struct Rest<'a>(&'a str);

impl<'a> Rest<'a> {
    /// The next `; name=value`. `Some(None)` at the end, `None` for anything else.
    fn parameter(&mut self) -> Option<Option<(&'a str, String)>> {
        self.0 = self.0.trim_start();
        while let Some(rest) = self.0.strip_prefix(';') {
            self.0 = rest.trim_start();
        }
        if self.0.is_empty() {
            return Some(None);
        }
        let name = self.token()?;
        self.0 = self.0.trim_start().strip_prefix('=')?.trim_start();
        let value = match self.0.strip_prefix('"') {
            Some(rest) => self.quoted(rest)?,
            None => self.token()?.to_owned(),
        };
        self.end_of_part()?;
        Some(Some((name, value)))
    }

    /// The end of the type or of a parameter: a semicolon, or the end of the value.
    fn end_of_part(&mut self) -> Option<()> {
        self.0 = self.0.trim_start();
        (self.0.is_empty() || self.0.starts_with(';')).then_some(())
    }

    /// A token (RFC 9110 §5.6.2), which is not empty.
    fn token(&mut self) -> Option<&'a str> {
        let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
        let end = self.0.find(|c| !is_token(c)).unwrap_or(self.0.len());
        let (token, rest) = self.0.split_at(end);
        self.0 = rest;
        (!token.is_empty()).then_some(token)
    }

    /// A quoted string (RFC 9110 §5.6.4) after its first quote.
    fn quoted(&mut self, rest: &'a str) -> Option<String> {
        let mut text = String::new();
        let mut characters = rest.char_indices();
        while let Some((index, character)) = characters.next() {
            match character {
                '"' => {
                    self.0 = &rest[index + 1..];
                    return Some(text);
                }
                '\\' => text.push(characters.next()?.1),
                other => text.push(other),
            }
        }
        None
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
        assert_eq!(named("inline; filename=\"a%20b.mp4\"").as_deref(), Some("a%20b.mp4"));
    }

    #[test]
    fn an_invalid_extended_name_is_ignored() {
        for extended in ["iso-8859-1'en'%A3.mp4", "UTF-8''%FF.mp4", "b.mp4", "UTF-8'b.mp4"] {
            let value = format!("inline; filename=a.mp4; filename*={extended}");
            assert_eq!(named(&value).as_deref(), Some("a.mp4"), "{extended}");
        }
    }

    #[test]
    fn directories_are_removed() {
        assert_eq!(named("inline; filename=\"../../etc/a.mp4\"").as_deref(), Some("a.mp4"));
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
            "inline; filename=a b.mp4",
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
