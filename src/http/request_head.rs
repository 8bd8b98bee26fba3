//! The head of a request.

use ::http::header::{AsHeaderName, EXPECT};
use ::http::{HeaderMap, HeaderName, HeaderValue, Method};

use super::BasePath;
use super::header::{
    UPLOAD_ADDRESS, UPLOAD_AUTH, UPLOAD_MEDIA_ID, UPLOAD_MEDIA_TOKEN, has_credential,
};

/// The head of a request: everything but its body.
///
/// `Debug` does not show the values of headers that can contain a credential.
#[derive(Clone, Debug)]
pub struct RequestHead {
    method: Method,
    path: String,
    query: String,
    /// Every value is UTF-8.
    headers: HeaderMap,
}

impl RequestHead {
    /// The head of a request for `target`: a path, and optionally `?` and a query.
    ///
    /// A value that is invalid in HTTP is kept, so that its reader can reject it: bytes that are
    /// not UTF-8 and control characters become U+FFFD. A header whose name is invalid is ignored.
    #[must_use]
    pub fn new<N: AsRef<[u8]>, V: AsRef<[u8]>>(
        method: Method,
        target: &str,
        headers: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            if let (Ok(name), Some(mut value)) =
                (HeaderName::from_bytes(name.as_ref()), header_value(value.as_ref()))
            {
                value.set_sensitive(has_credential(&name));
                // Appending fails only if the map is full (32,768 headers).
                let _ = map.try_append(name, value);
            }
        }
        Self { method, path: path.to_owned(), query: query.to_owned(), headers: map }
    }

    /// The method, as sent.
    #[must_use]
    pub const fn method(&self) -> &Method {
        &self.method
    }

    /// The method to perform: a client that can send only GET and POST specifies another one in
    /// `X-HTTP-Method-Override`
    /// (<https://tus.io/protocols/resumable-upload#x-http-method-override>). `None` if that value
    /// is not a method; an empty one is ignored.
    #[must_use]
    pub fn effective_method(&self) -> Option<Method> {
        match self.header("x-http-method-override").filter(|name| !name.is_empty()) {
            Some(name) => Method::from_bytes(name.as_bytes()).ok(),
            None => Some(self.method.clone()),
        }
    }

    /// Returns true if the client waits for `100 Continue` before it sends the body (RFC 9110
    /// §10.1.1): as long as the body is not read, it sends none.
    #[must_use]
    pub fn expects_continue(&self) -> bool {
        self.header(EXPECT).is_some_and(|value| value.eq_ignore_ascii_case("100-continue"))
    }

    /// The path, still percent-encoded, without the query.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The head of the same request to a worker that is not below `base_path`. A path that is not
    /// below it is unchanged: a proxy may have removed it.
    #[must_use]
    pub fn below(mut self, base_path: &BasePath) -> Self {
        if let Some(path) = base_path.strip(&self.path) {
            self.path = path.to_owned();
        }
        self
    }

    /// What follows the first `?` of the target, still percent-encoded; may be empty.
    #[must_use]
    pub fn query(&self) -> &str {
        &self.query
    }

    /// The first header of this name, trimmed.
    #[must_use]
    pub fn header(&self, name: impl AsHeaderName) -> Option<&str> {
        self.headers.get(name).map(|value| text(value).trim())
    }

    /// Every header of this name, trimmed, in the order of the request.
    pub fn header_values(&self, name: impl AsHeaderName) -> impl Iterator<Item = &str> {
        self.field_lines(name).map(str::trim)
    }

    /// Every header of this name as it was sent, in the order of the request.
    pub(super) fn field_lines(&self, name: impl AsHeaderName) -> impl Iterator<Item = &str> {
        self.headers.get_all(name).into_iter().map(text)
    }

    /// The head without the headers that are for one object: the credential and the media.
    #[must_use]
    pub fn without_upload_headers(mut self) -> Self {
        for name in [UPLOAD_ADDRESS, UPLOAD_AUTH, UPLOAD_MEDIA_ID, UPLOAD_MEDIA_TOKEN] {
            self.headers.remove(name);
        }
        self
    }
}

fn header_value(bytes: &[u8]) -> Option<HeaderValue> {
    let valid = |c: char| if c.is_ascii_control() && c != '\t' { '\u{fffd}' } else { c };
    let text: String = String::from_utf8_lossy(bytes).chars().map(valid).collect();
    HeaderValue::try_from(text).ok()
}

fn text(value: &HeaderValue) -> &str {
    std::str::from_utf8(value.as_bytes()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_output_does_not_contain_credentials() {
        let names = [
            "Authorization",
            "Cookie",
            "Proxy-Authorization",
            "Upload-Address",
            "Upload-Auth",
            "Upload-Media-Token",
            "Upload-Metadata",
        ];
        let headers = names.map(|name| (name, "planted-secret")).into_iter();
        let head =
            RequestHead::new(Method::POST, "/v1/files", headers.chain([("Upload-Length", "1234")]));
        assert_eq!(head.header("upload-auth"), Some("planted-secret"));
        let shown = format!("{head:?}");
        assert!(!shown.contains("planted") && shown.contains("1234"), "{shown}");
    }

    #[test]
    fn values_that_are_invalid_in_http_are_kept_as_invalid() {
        for (sent, read) in [
            (&b" caf\xc3\xa9 "[..], "café"),
            (b"caf\xe9", "caf\u{fffd}"),
            (b"a\r\nX-Evil: 1", "a\u{fffd}\u{fffd}X-Evil: 1"),
            (b"\0", "\u{fffd}"),
            (b"", ""),
        ] {
            let head = RequestHead::new(Method::PUT, "/", [("Upload-Name", sent)]);
            assert_eq!(head.header("upload-name"), Some(read));
            assert_eq!(head.header("x-evil"), None);
        }
    }

    #[test]
    fn headers_of_one_name_keep_their_order_and_invalid_names_are_ignored() {
        let headers = [("Accept", "a"), ("", "x"), ("a b", "x"), ("accept", " b ")];
        let head = RequestHead::new(Method::GET, "/a?b?c", headers);
        assert_eq!(head.header_values("ACCEPT").collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(head.header("a b"), None);
        assert_eq!((head.path(), head.query()), ("/a", "b?c"));
    }

    #[test]
    fn more_headers_than_the_map_holds_are_not_a_panic() {
        let headers = (0..40_000).map(|number| (format!("x-{number}"), "v"));
        let head = RequestHead::new(Method::GET, "/", headers);
        assert_eq!(head.header("x-0"), Some("v"));
    }

    #[test]
    fn the_method_can_be_overridden_by_a_header() {
        let effective = |name| {
            let head = [("X-HTTP-Method-Override", name)];
            RequestHead::new(Method::POST, "/", head).effective_method()
        };
        assert_eq!(effective("PATCH"), Some(Method::PATCH));
        assert_eq!(effective(""), Some(Method::POST));
        assert_eq!(effective("PÄTCH"), None);
    }
}
