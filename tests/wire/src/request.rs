//! Requests as they are written.

/// Header names and values.
pub type Headers<'a> = &'a [(&'a str, &'a str)];

/// A request. Nothing is validated: that is the server's task.
#[derive(Clone, Debug)]
pub struct Request {
    /// The method.
    pub method: String,
    /// A path with an optional query on the client's server, or an `http://` URL.
    pub target: String,
    /// The headers, except `Host`, `Connection` and the ones that declare the framing.
    pub headers: Vec<(String, String)>,
    /// How the length of the body is declared.
    pub framing: Framing,
    /// The body that [`Client::send`](crate::Client::send) sends.
    pub content: Vec<u8>,
    /// The trailer fields after a chunked body.
    pub trailers: Vec<(String, String)>,
}

/// How the length of a body is declared (RFC 9112, section 6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// Not at all: the request has no body.
    None,
    /// By this `Content-Length` in bytes.
    Length(u64),
    /// By the last chunk.
    Chunked,
}

impl Request {
    /// A request without headers and body.
    #[must_use]
    pub fn new(method: &str, target: &str) -> Self {
        Self {
            method: method.to_owned(),
            target: target.to_owned(),
            headers: Vec::new(),
            framing: Framing::None,
            content: Vec::new(),
            trailers: Vec::new(),
        }
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl ToString) -> Self {
        self.headers.push((name.to_owned(), value.to_string()));
        self
    }

    /// Adds headers.
    #[must_use]
    pub fn headers(self, headers: Headers<'_>) -> Self {
        headers.iter().fold(self, |request, (name, value)| request.header(name, value))
    }

    /// Replaces all headers of this name by one.
    #[must_use]
    pub fn replace(self, name: &str, value: impl ToString) -> Self {
        self.without(name).header(name, value)
    }

    /// Removes all headers of this name.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(set, _)| !set.eq_ignore_ascii_case(name));
        self
    }

    /// Sets the body, with its `Content-Length`.
    #[must_use]
    pub fn body(self, content: &[u8]) -> Self {
        self.content(content).framing(Framing::Length(content.len() as u64))
    }

    /// Sets the body, in chunks.
    #[must_use]
    pub fn chunked(self, content: &[u8]) -> Self {
        self.content(content).framing(Framing::Chunked)
    }

    /// Sets the framing of a body that the caller sends through an
    /// [`Exchange`](crate::Exchange).
    #[must_use]
    pub fn framing(mut self, framing: Framing) -> Self {
        self.framing = framing;
        self
    }

    /// Adds a trailer field and its announcement, and makes the body chunked.
    #[must_use]
    pub fn trailer(mut self, name: &str, value: impl ToString) -> Self {
        self.trailers.push((name.to_owned(), value.to_string()));
        self.header("Trailer", name).framing(Framing::Chunked)
    }

    fn content(mut self, content: &[u8]) -> Self {
        self.content = content.to_vec();
        self
    }

    /// The authority and the path of an absolute target.
    pub(crate) fn absolute_target(&self) -> Option<(&str, &str)> {
        let rest = self.target.strip_prefix("http://")?;
        Some(rest.split_at(rest.find('/').unwrap_or(rest.len())))
    }
}

impl Framing {
    /// The header that declares it.
    pub(crate) fn header(self) -> Option<String> {
        match self {
            Self::None => None,
            Self::Length(bytes) => Some(format!("Content-Length: {bytes}")),
            Self::Chunked => Some("Transfer-Encoding: chunked".to_owned()),
        }
    }
}
