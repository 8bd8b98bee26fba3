//! The fields of a form that apply to its files.

use url::Url;

use super::Field;
use crate::error::{Error, ErrorKind, Result};
use crate::http::{Metadata, NameHint, Origins, shortened_title};

/// The fields of a form so far.
///
/// `upload_address`, `upload_auth`, `media_id`, `media_token` and `title` apply to the next file
/// only: a credential is for one object, which a second file would overwrite. `redirect` applies to
/// the form. Other fields are ignored.
#[derive(Debug, Default)]
pub struct FormFields {
    next_file: Metadata,
    redirect: Option<Redirect>,
}

impl FormFields {
    /// Applies the next field. Errors never contain values, any of which may be a secret.
    ///
    /// # Errors
    /// Returns [`ErrorKind::RequestInvalid`] with the field, and [`ErrorKind::OriginNotAllowed`]
    /// for a `redirect` to another origin than `origins`.
    pub fn take(&mut self, field: &Field, origins: &Origins) -> Result<()> {
        let text = || {
            let text = std::str::from_utf8(&field.value).map(str::trim);
            text.map_err(|_| Error::field_invalid(field.name.as_str(), "UTF-8"))
        };
        match field.name.as_str() {
            "upload_address" | "upload_auth" | "media_id" | "media_token" => {
                self.next_file.set(&field.name, text()?);
            }
            "title" => self.next_file.set("title", &title(text()?)?),
            // The input was left empty.
            "redirect" if text()?.is_empty() => self.redirect = None,
            "redirect" => self.redirect = Some(Redirect::parse(text()?, origins)?),
            _ => {}
        }
        Ok(())
    }

    /// The fields for the file that starts now, by name. They do not apply to the file after it.
    #[must_use]
    pub fn for_file(&mut self) -> Metadata {
        std::mem::take(&mut self.next_file)
    }

    /// Checks that every field for a file precedes one, at the end of the form: the bytes of a file
    /// are stored as they arrive.
    ///
    /// # Errors
    /// Returns [`ErrorKind::RequestInvalid`] with the first field that does not.
    pub fn check_used(&self) -> Result<()> {
        match self.next_file.first_key() {
            Some(name) => Err(Error::field_invalid(name, "sent before the file that it is for")),
            None => Ok(()),
        }
    }

    /// The URL to which the client is redirected.
    #[must_use]
    pub const fn redirect(&self) -> Option<&Redirect> {
        self.redirect.as_ref()
    }
}

/// The file name of a part, without its directories. A recipient ignores directories (RFC 7578
/// §4.2, RFC 2183 §2.3), both of Windows (`C:\fakepath\a.mp4`) and of a selected directory
/// (`holiday/a.mp4`).
#[must_use]
pub fn form_file_name(sent: &str) -> NameHint {
    NameHint::new("file-name").or_path(Some(sent))
}

/// A URL to which the client is redirected after its files are stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redirect(Url);

impl Redirect {
    /// Parses a URL.
    ///
    /// # Errors
    /// Returns [`ErrorKind::RequestInvalid`] if `text` is not an absolute http(s) URL, and
    /// [`ErrorKind::OriginNotAllowed`] if its origin is not one of `origins`.
    pub fn parse(text: &str, origins: &Origins) -> Result<Self> {
        let url = Url::parse(text).ok().filter(|url| {
            matches!(url.scheme(), "http" | "https")
                && url.username().is_empty()
                && url.password().is_none()
        });
        let url = url.ok_or_else(|| {
            Error::field_invalid("redirect", "an absolute http or https URL without a user")
        })?;
        if origins.contains(&url.origin().ascii_serialization()) {
            return Ok(Self(url));
        }
        let message = "the origin of redirect is not in redirect_origins";
        Err(Error::new(ErrorKind::OriginNotAllowed, message))
    }

    /// The URL with these pairs appended to its query.
    #[must_use]
    pub fn with_query_pairs<'a>(
        &self,
        pairs: impl IntoIterator<Item = (&'static str, &'a str)>,
    ) -> String {
        let mut url = self.0.clone();
        url.query_pairs_mut().extend_pairs(pairs);
        url.into()
    }
}

fn title(text: &str) -> Result<String> {
    if text.chars().any(char::is_control) {
        return Err(Error::field_invalid("title", "text without control characters"));
    }
    Ok(shortened_title(text))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed assumption fails the test")]

    use super::*;
    use crate::http::FileName;

    fn field(name: &str, value: &str) -> Field {
        Field { name: name.into(), value: value.as_bytes().to_vec().into() }
    }

    #[test]
    fn a_credential_and_a_title_apply_only_to_the_next_file() {
        let (mut fields, origins) = (FormFields::default(), Origins::default());
        for (name, value) in [
            ("upload_address", "address"),
            ("upload_auth", "old"),
            ("upload_auth", " secret\r\n"),
            ("media_id", "m1"),
            ("title", "测试"),
            ("csrf", "x"),
        ] {
            fields.take(&field(name, value), &origins).unwrap();
        }
        assert!(!format!("{fields:?}").contains("secret"));
        let first = fields.for_file();
        assert_eq!(first.text(&["upload_auth"]), Some("secret"));
        assert_eq!(first.text(&["media_id"]), Some("m1"));
        assert_eq!(first.text(&["title"]), Some("测试"));
        assert_eq!(fields.for_file(), Metadata::default());
    }

    #[test]
    fn a_redirect_goes_to_allowed_origins_only_and_keeps_its_query() {
        let origins = Origins::parse("https://a.example, http://b.example:8080").unwrap();
        let redirect = Redirect::parse("https://a.example/done?x=1#f", &origins).unwrap();
        assert_eq!(
            redirect.with_query_pairs([("media_id", "m 1"), ("error", "file-empty")]),
            "https://a.example/done?x=1&media_id=m+1&error=file-empty#f"
        );
        assert!(Redirect::parse("http://b.example:8080", &origins).is_ok());
        for url in ["https://evil.example", "http://a.example", "https://a.example:444"] {
            let error = Redirect::parse(url, &origins).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::OriginNotAllowed, "{url}");
        }
        for url in ["/done", "//a.example", "javascript:alert(1)", "https://a.example@evil.example"]
        {
            let error = Redirect::parse(url, &origins).unwrap_err();
            assert_eq!(error.field().unwrap().name, "redirect", "{url}");
        }
    }

    #[test]
    fn an_empty_input_is_ignored() {
        let (mut fields, origins) = (FormFields::default(), Origins::default());
        fields.take(&field("redirect", ""), &origins).unwrap();
        fields.take(&field("title", " "), &origins).unwrap();
        assert_eq!(fields.redirect(), None);
        assert_eq!(fields.for_file(), Metadata::default());
    }

    #[test]
    fn a_long_title_is_shortened_to_the_limit_of_vod() {
        let (mut fields, origins) = (FormFields::default(), Origins::default());
        fields.take(&field("title", &"测".repeat(129)), &origins).unwrap();
        assert_eq!(fields.for_file().text(&["title"]), Some("测".repeat(128).as_str()));
    }

    #[test]
    fn the_error_for_an_invalid_title_or_value_contains_its_name() {
        let (mut fields, origins) = (FormFields::default(), Origins::default());
        let not_text = Field { name: "upload_auth".into(), value: vec![0xff].into() };
        for wrong in [field("title", "a\u{7}b"), not_text] {
            let error = fields.take(&wrong, &origins).unwrap_err();
            assert_eq!(error.field().unwrap().name, wrong.name);
        }
    }

    #[test]
    fn only_the_last_segment_of_a_path_is_used() {
        for (sent, name) in [
            (r"C:\fakepath\a.mp4", Some("a.mp4")),
            ("../../a.mp4", Some("a.mp4")),
            ("holiday/b.mp4", Some("b.mp4")),
            ("c.mp4", Some("c.mp4")),
            ("folder/", Some("upload.ts")),
            ("..", Some("upload.ts")),
            ("a\r\n.mp4", None),
        ] {
            let resolved = form_file_name(sent).resolve(Some("ts")).ok();
            assert_eq!(resolved.as_ref().map(FileName::as_str), name, "{sent}");
        }
    }
}
