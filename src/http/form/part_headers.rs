//! The headers of one part of a form.

use crate::error::{Error, ErrorKind, Result};
use crate::http::content::{check_coding, check_is_no_range};
use crate::http::disposition::Disposition;
use crate::http::media_type::{MediaType, file_media_type};

/// The headers of a part: of a file if it has a file name or the type of media, else of a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartHeaders {
    /// The name of the field.
    pub field: String,
    /// The name of the file as the client sent it: may be a path, or empty for an input in which no
    /// file was selected.
    pub file_name: Option<String>,
    /// The media type of the part, if it is one of a file.
    pub content_type: Option<String>,
}

impl PartHeaders {
    /// Parses the lines of a part's head, without the empty line at its end.
    ///
    /// # Errors
    /// Returns [`ErrorKind::RequestInvalid`] with the header as its field;
    /// [`ErrorKind::ContentEncodingUnsupported`]; and [`ErrorKind::MediaTypeUnsupported`] for
    /// several files in one part, which RFC 7578 §4.3 deprecates.
    pub(super) fn parse(lines: &[u8]) -> Result<Self> {
        let lines = std::str::from_utf8(lines)
            .map_err(|_| Error::field_invalid(DISPOSITION, "UTF-8 (RFC 7578 §5.1)"))?;
        let mut disposition = None;
        let mut content_type = None;
        for line in lines.split_terminator("\r\n") {
            let (name, value) = line.split_once(':').ok_or_else(|| {
                Error::field_invalid("form", "a form whose part headers are lines of `name: value`")
            })?;
            let value = value.trim();
            match name.trim().to_ascii_lowercase().as_str() {
                DISPOSITION if disposition.is_some() => {
                    return Err(Error::field_invalid(DISPOSITION, "present once in each part"));
                }
                DISPOSITION => disposition = Some(value),
                "content-type" => content_type = Some(value),
                "content-encoding" => check_coding(value)?,
                "content-range" => check_is_no_range(true)?,
                "content-transfer-encoding" => check_encoding(value)?,
                _ => {}
            }
        }
        let media_type = content_type.and_then(MediaType::parse);
        if media_type.as_ref().is_some_and(MediaType::is_multipart) {
            let message = "a part of the form contains several bodies";
            return Err(Error::new(ErrorKind::MediaTypeUnsupported, message));
        }
        let (field, file_name) = read_disposition(disposition.unwrap_or_default())?;
        // RFC 7578 §4.2 recommends a file name and does not require it.
        let is_file = media_type.is_some_and(|media_type| media_type.is_media());
        let file_name = file_name.or_else(|| is_file.then(String::new));
        let content_type = file_media_type(content_type).map(str::to_owned);
        Ok(Self { field, file_name, content_type })
    }
}

/// The names of the field and of the file. RFC 7578 §4.2 forbids `filename*`, but clients send it.
fn read_disposition(value: &str) -> Result<(String, Option<String>)> {
    let disposition = Disposition::parse(value)
        .filter(|sent| sent.kind == "form-data")
        .filter(|sent| !sent.is_ambiguous("name") && !sent.is_ambiguous("filename"));
    let field = disposition.as_ref().and_then(|sent| sent.parameter("name")).ok_or_else(|| {
        Error::field_invalid(
            DISPOSITION,
            "form-data with one name, and for a file one filename (RFC 7578 §4.2)",
        )
    })?;
    let field = unescaped(&field);
    if field.len() > FIELD_NAME_BYTES_MAX {
        let allowed = format!("a header with a name of at most {FIELD_NAME_BYTES_MAX} bytes");
        return Err(Error::field_invalid(DISPOSITION, allowed));
    }
    let file_name = disposition.and_then(|sent| sent.parameter("filename"));
    Ok((field, file_name.map(|name| unescaped(&name))))
}

/// The name before a browser encoded it: only quotes and line breaks are percent-encoded (WHATWG
/// HTML, "multipart/form-data encoding algorithm",
/// <https://html.spec.whatwg.org/multipage/form-control-infrastructure.html#escape-a-multipart-form-data-name>).
fn unescaped(name: &str) -> String {
    name.replace("%22", "\"").replace("%0D", "\r").replace("%0A", "\n")
}

/// Content-Transfer-Encoding is deprecated (RFC 7578 §4.7). An encoded file must not be stored in
/// its encoded form.
fn check_encoding(value: &str) -> Result<()> {
    let plain = ["binary", "8bit", "7bit"].iter().any(|plain| plain.eq_ignore_ascii_case(value));
    if plain {
        return Ok(());
    }
    Err(Error::field_invalid("content-transfer-encoding", "binary, 8bit or 7bit, or absent"))
}

const DISPOSITION: &str = "content-disposition";

/// Longest name of a field, in bytes.
const FIELD_NAME_BYTES_MAX: usize = 255;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed assumption fails the test")]

    use super::*;

    fn disposition(value: &str) -> Result<PartHeaders> {
        PartHeaders::parse(format!("Content-Disposition: {value}\r\n").as_bytes())
    }

    #[test]
    fn a_file_of_chromium_is_parsed() {
        let head = PartHeaders::parse(
            b"Content-Disposition: form-data; name=\"v\"; filename=\"a.mp4\"\r\n\
              Content-Type: video/mp4\r\n",
        );
        let expected = PartHeaders {
            field: "v".into(),
            file_name: Some("a.mp4".into()),
            content_type: Some("video/mp4".into()),
        };
        assert_eq!(head.unwrap(), expected);
    }

    #[test]
    fn names_are_unescaped_in_every_variant() {
        for (sent, meant) in [
            ("say %22hi%22.mp4", "say \"hi\".mp4"),
            (r#"say \"hi\".mp4"#, "say \"hi\".mp4"),
            ("a%0D%0Ab.mp4", "a\r\nb.mp4"),
            ("100%25.mp4", "100%25.mp4"),
            (r"C:\fakepath\a.mp4", r"C:\fakepath\a.mp4"),
            ("测试.mp4", "测试.mp4"),
            ("", ""),
        ] {
            let head = disposition(&format!("form-data; name=\"f\"; filename=\"{sent}\"")).unwrap();
            assert_eq!(head.file_name.as_deref(), Some(meant));
        }
    }

    #[test]
    fn a_part_without_a_file_name_is_a_field_unless_it_has_the_type_of_media() {
        for value in ["form-data; name=a", "FORM-DATA; NAME=\"a\""] {
            let head = disposition(value).unwrap();
            assert_eq!((head.field.as_str(), head.file_name), ("a", None));
        }
        for (media_type, file_name) in [
            ("text/plain; charset=utf-8", None),
            ("application/json", None),
            // Clients send fields with this type too, and a credential must not become a file.
            ("application/octet-stream", None),
            ("Video/MP4", Some("")),
            ("image/png", Some("")),
        ] {
            let lines =
                format!("Content-Disposition: form-data; name=a\r\nContent-Type: {media_type}\r\n");
            let head = PartHeaders::parse(lines.as_bytes()).unwrap();
            assert_eq!(head.file_name.as_deref(), file_name, "{media_type}");
        }
    }

    #[test]
    fn every_form_of_a_file_name_is_one() {
        for (parameters, expected) in [
            ("filename*=UTF-8''%E6%B5%8B.mp4", "测.mp4"),
            ("filename=\"?.mp4\"; filename*=utf-8'zh'%E6%B5%8B.mp4", "测.mp4"),
            ("filename*0=\"a \"; filename*1*=b%20c.mp4", "a b c.mp4"),
            ("filename=my clip.mp4", "my clip.mp4"),
            ("filename=a.mp4; filename=\"a.mp4\"", "a.mp4"),
        ] {
            let head = disposition(&format!("form-data; name=f; {parameters}")).unwrap();
            assert_eq!(head.file_name.as_deref(), Some(expected), "{parameters}");
        }
        let head = disposition("form-data; name*=UTF-8''%E6%B5%8B").unwrap();
        assert_eq!(head.field, "测");
    }

    #[test]
    fn the_error_for_invalid_part_headers_contains_the_header() {
        let long = format!("form-data; name={}", "x".repeat(256));
        for value in [
            "",
            "form-data",
            "attachment; name=a",
            "form-data; filename=a.mp4",
            "form-data; name=a; name=b",
            "form-data; name=a; filename=b; filename=c",
            "form-data; name=\"a",
            &long,
        ] {
            let error = disposition(value).unwrap_err();
            assert_eq!(error.field().unwrap().name, DISPOSITION, "{value}");
        }
        let twice =
            b"Content-Disposition: form-data; name=a\r\ncontent-disposition: form-data; name=b\r\n";
        for lines in [&b""[..], twice, b"Content-Disposition: form-data; name=\xff\r\n"] {
            assert_eq!(PartHeaders::parse(lines).unwrap_err().field().unwrap().name, DISPOSITION);
        }
        assert_eq!(PartHeaders::parse(b"no colon\r\n").unwrap_err().field().unwrap().name, "form");
    }

    #[test]
    fn encoded_content_is_rejected() {
        let head = |encoding: &str| {
            let lines = format!(
                "Content-Disposition: form-data; name=a\r\n\
                 Content-Transfer-Encoding: {encoding}\r\n"
            );
            PartHeaders::parse(lines.as_bytes())
        };
        assert!(head("Binary").is_ok());
        let error = head("base64").unwrap_err();
        assert_eq!(error.field().unwrap().name, "content-transfer-encoding");
    }
}
