//! The XML of OSS responses.

use crate::encoding::percent_encode;

/// An element; children have the order in which they are added.
#[derive(Debug)]
pub(crate) struct Element {
    name: &'static str,
    content: String,
}

impl Element {
    /// An element without content.
    pub(crate) fn new(name: &'static str) -> Self {
        Self { name, content: String::new() }
    }

    /// Adds a child with text.
    pub(crate) fn text(mut self, name: &str, value: impl AsRef<str>) -> Self {
        self.content.push_str(&format!("<{name}>"));
        escape_into(&mut self.content, value.as_ref());
        self.content.push_str(&format!("</{name}>"));
        self
    }

    /// Adds a child with text, if present.
    pub(crate) fn optional_text(self, name: &str, value: Option<impl AsRef<str>>) -> Self {
        match value {
            Some(value) => self.text(name, value),
            None => self,
        }
    }

    /// Adds a child with a number or a Boolean.
    pub(crate) fn value(self, name: &str, value: impl ToString) -> Self {
        self.text(name, value.to_string())
    }

    /// Adds an element as a child.
    pub(crate) fn child(mut self, child: &Self) -> Self {
        child.write(&mut self.content);
        self
    }

    /// The document, with its declaration.
    pub(crate) fn document(&self) -> String {
        let mut document = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
        self.write(&mut document);
        document.push('\n');
        document
    }

    fn write(&self, out: &mut String) {
        out.push_str(&format!("<{0}>{1}</{0}>", self.name, self.content));
    }
}

/// The encoding of keys in a response: none, or percent-encoding for requests with
/// `encoding-type=url`, because XML 1.0 cannot represent most control characters.
#[derive(Debug, Clone, Copy)]
pub(crate) struct KeyEncoding {
    url: bool,
}

impl KeyEncoding {
    /// Parses the parameter `encoding-type`.
    ///
    /// # Errors
    /// Returns an error for an unknown value.
    pub(crate) fn from_parameter(value: Option<&str>) -> Result<Self, ()> {
        match value {
            None | Some("") => Ok(Self { url: false }),
            Some("url") => Ok(Self { url: true }),
            Some(_) => Err(()),
        }
    }

    /// The encoded key.
    pub(crate) fn write(self, key: &str) -> String {
        if self.url { percent_encode(key) } else { key.to_owned() }
    }

    /// The text of the element `EncodingType`, which is present only if keys are encoded.
    pub(crate) fn name(self) -> Option<&'static str> {
        self.url.then_some("url")
    }
}

fn escape_into(out: &mut String, text: &str) {
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            control if control.is_control() => {
                out.push_str(&format!("&#x{:X};", u32::from(control)));
            }
            plain => out.push(plain),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_in_a_key_is_escaped() {
        let xml = Element::new("R").text("Key", "a&<b>\"'\n").document();
        assert!(xml.ends_with("<R><Key>a&amp;&lt;b&gt;&quot;&apos;&#xA;</Key></R>\n"));
    }

    #[test]
    fn keys_are_percent_encoded_only_on_request() {
        assert_eq!(
            KeyEncoding::from_parameter(Some("url")).map(|encoding| encoding.write("a b/c")),
            Ok("a%20b%2Fc".to_owned())
        );
        assert_eq!(
            KeyEncoding::from_parameter(None).map(|encoding| encoding.write("a b")),
            Ok("a b".to_owned())
        );
        assert!(KeyEncoding::from_parameter(Some("base64")).is_err());
    }
}
