//! Selects HTML or JSON for a client (RFC 9110 §12.5.1,
//! <https://www.rfc-editor.org/rfc/rfc9110#section-12.5.1>).

use ::http::header::ACCEPT;

use crate::http::RequestHead;

/// Returns true if `head` prefers `text/html` to JSON, as browsers do: with a higher weight, or
/// with the same weight and a more specific range. Without `Accept`, and for `*/*` alone, the
/// response is JSON.
pub(super) fn prefers_html(head: &RequestHead) -> bool {
    let ranges: Vec<_> =
        head.header_values(ACCEPT).flat_map(|value| value.split(',')).map(range).collect();
    let html = weight(&ranges, "text", "html");
    html.quality > 0 && html > weight(&ranges, "application", "json")
}

/// The weight and specificity of a media type.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Weight {
    /// In thousandths.
    quality: u16,
    /// 3 for the type itself, 2 for `type/*`, 1 for `*/*`.
    precision: u8,
}

struct Range<'a> {
    main: &'a str,
    sub: &'a str,
    quality: u16,
}

/// The weight that the most precise range gives a type.
fn weight(ranges: &[Range<'_>], main: &str, sub: &str) -> Weight {
    let weights = ranges.iter().filter_map(|range| {
        let precision = match (range.main, range.sub) {
            ("*", "*") => 1,
            (of, "*") if of.eq_ignore_ascii_case(main) => 2,
            (of, as_) if of.eq_ignore_ascii_case(main) && as_.eq_ignore_ascii_case(sub) => 3,
            _ => return None,
        };
        Some(Weight { quality: range.quality, precision })
    });
    weights.max_by_key(|weight| weight.precision).unwrap_or_default()
}

fn range(text: &str) -> Range<'_> {
    let mut parameters = text.split(';').map(str::trim);
    let media_type = parameters.next().unwrap_or_default();
    let (main, sub) = media_type.split_once('/').unwrap_or((media_type, ""));
    let quality = parameters.find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("q").then(|| thousandths(value.trim()))
    });
    Range { main: main.trim(), sub: sub.trim(), quality: quality.unwrap_or(1000) }
}

/// A weight such as `0.8`, in thousandths; 0 if it is invalid.
fn thousandths(text: &str) -> u16 {
    let (integer, fraction) = text.split_once('.').unwrap_or((text, ""));
    let is_number = fraction.len() <= 3 && fraction.bytes().all(|byte| byte.is_ascii_digit());
    match (integer, is_number) {
        ("1", true) => 1000,
        ("0", true) => format!("{fraction:0<3}").parse().unwrap_or_default(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use ::http::Method;

    use super::*;

    fn prefers(accept: &[&str]) -> bool {
        let headers = accept.iter().map(|value| ("Accept", value));
        prefers_html(&RequestHead::new(Method::POST, "/v1/uploads", headers))
    }

    #[test]
    fn browsers_receive_a_page() {
        for accept in [
            "text/html,application/xhtml+xml,application/xml;q=0.9,image/webp,*/*;q=0.8",
            "text/html, */*",
            "TEXT/HTML",
            "text/*",
            "application/json;q=0.5, text/html;q=0.6",
            "application/json;q=0, */*",
        ] {
            assert!(prefers(&[accept]), "{accept}");
        }
        assert!(prefers(&["application/json;q=0.1", "text/html"]));
    }

    #[test]
    fn other_clients_receive_json() {
        for accept in [
            "*/*",
            "",
            "application/json",
            "application/json, text/html",
            "application/json, text/plain, */*",
            "text/html;q=0",
            "text/html;q=0.2, */*",
            "text/html;q=2, application/json",
            "image/png",
        ] {
            assert!(!prefers(&[accept]), "{accept}");
        }
        assert!(!prefers(&[]));
    }
}
