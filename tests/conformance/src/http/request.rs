//! A request, as it is written.

use url::Url;

/// A request. Nothing is checked: that is the server's part.
#[derive(Clone, Debug)]
pub struct Request {
    /// The method.
    pub method: String,
    /// Where it goes.
    pub url: Url,
    /// Its fields, besides Host, Connection and those of the body's framing.
    pub fields: Vec<(String, String)>,
    /// Its body.
    pub body: Body,
}

/// A body with its framing.
#[derive(Clone, Debug)]
pub enum Body {
    /// None, and no Content-Length.
    None,
    /// With Content-Length.
    Sized(Vec<u8>),
    /// In chunks (RFC 9112, section 7.1), with trailer fields.
    Chunked(Vec<u8>, Vec<(String, String)>),
}

impl Request {
    /// A request without fields and body.
    #[must_use]
    pub fn new(method: &str, url: &Url) -> Self {
        let (method, url) = (method.to_owned(), url.clone());
        Self { method, url, fields: Vec::new(), body: Body::None }
    }

    /// Adds a field.
    #[must_use]
    pub fn field(mut self, name: &str, value: impl ToString) -> Self {
        self.fields.push((name.to_owned(), value.to_string()));
        self
    }

    /// Takes the fields of this name off and puts this one in.
    #[must_use]
    pub fn replace(mut self, name: &str, value: impl ToString) -> Self {
        self = self.without(name);
        self.field(name, value)
    }

    /// Takes the fields of this name off.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.fields.retain(|(set, _)| !set.eq_ignore_ascii_case(name));
        self
    }

    /// Gives it a body with Content-Length.
    #[must_use]
    pub fn body(mut self, content: &[u8]) -> Self {
        self.body = Body::Sized(content.to_vec());
        self
    }

    /// Gives it a body in chunks.
    #[must_use]
    pub fn chunked(mut self, content: &[u8]) -> Self {
        self.body = Body::Chunked(content.to_vec(), Vec::new());
        self
    }

    /// Adds a trailer field, which makes the body chunked, and announces it.
    #[must_use]
    pub fn trailer(mut self, name: &str, value: impl ToString) -> Self {
        let (content, mut trailers) = match self.body {
            Body::None => (Vec::new(), Vec::new()),
            Body::Sized(content) => (content, Vec::new()),
            Body::Chunked(content, trailers) => (content, trailers),
        };
        trailers.push((name.to_owned(), value.to_string()));
        self.body = Body::Chunked(content, trailers);
        self.field("Trailer", name)
    }

    /// The request line and all fields, each with whether its value is shown.
    pub(super) fn head(&self, of_every_request: &[(String, String)]) -> Vec<String> {
        let mut target = self.url.path().to_owned();
        if let Some(query) = self.url.query() {
            target = format!("{target}?{query}");
        }
        let mut lines = vec![format!("{} {target} HTTP/1.1", self.method)];
        lines.push(format!(
            "Host: {}",
            &self.url[url::Position::BeforeHost..url::Position::AfterPort]
        ));
        lines.push("Connection: close".to_owned());
        let line = |(name, value): &(String, String)| format!("{name}: {value}");
        lines.extend(of_every_request.iter().map(line));
        lines.extend(self.fields.iter().map(line));
        match &self.body {
            Body::None => {}
            Body::Sized(content) => lines.push(format!("Content-Length: {}", content.len())),
            Body::Chunked(..) => lines.push("Transfer-Encoding: chunked".to_owned()),
        }
        lines
    }

    /// The body as it is written.
    pub(super) fn written_body(&self) -> Vec<u8> {
        match &self.body {
            Body::None => Vec::new(),
            Body::Sized(content) => content.clone(),
            Body::Chunked(content, trailers) => {
                let mut written = Vec::with_capacity(content.len() + 64);
                for chunk in content.chunks(CHUNK_BYTES) {
                    written.extend(format!("{:x}\r\n", chunk.len()).bytes());
                    written.extend(chunk);
                    written.extend(b"\r\n");
                }
                written.extend(b"0\r\n");
                for (name, value) in trailers {
                    written.extend(format!("{name}: {value}\r\n").bytes());
                }
                written.extend(b"\r\n");
                written
            }
        }
    }
}

/// Small enough that small bodies, too, have several chunks.
const CHUNK_BYTES: usize = 700;
