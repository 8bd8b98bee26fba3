//! A lenient parser for the small XML documents of OSS.
//!
//! It ignores namespaces, prefixes, white space around texts and before the document, and unknown
//! elements. It resolves only the five predefined entities and character references.

use quick_xml::events::Event;
use quick_xml::reader::Reader;

/// An element with its text and its children.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Element {
    /// The name without a prefix.
    pub(super) name: String,
    text: String,
    children: Vec<Element>,
}

impl Element {
    /// The trimmed text of the first child of this name that is not empty.
    pub(super) fn text_of(&self, name: &str) -> Option<&str> {
        self.children(name).map(|child| child.text.trim()).find(|text| !text.is_empty())
    }

    /// The children of this name, in document order.
    pub(super) fn children(&self, name: &str) -> impl Iterator<Item = &Element> {
        self.children.iter().filter(move |child| child.name == name)
    }
}

/// The root element; `None` if the text is not a complete XML document.
pub(super) fn parse(text: &str) -> Option<Element> {
    let text = text.trim_start_matches('\u{FEFF}').trim_start();
    let mut reader = Reader::from_str(text);
    reader.config_mut().expand_empty_elements = true;
    let mut open: Vec<Element> = Vec::new();
    loop {
        match reader.read_event().ok()? {
            Event::Start(start) => {
                if open.len() == DEPTH_MAX {
                    return None;
                }
                open.push(Element {
                    name: start.local_name().as_ref().to_owned(),
                    ..Element::default()
                });
            }
            Event::End(_) => {
                let closed = open.pop()?;
                match open.last_mut() {
                    Some(parent) => parent.children.push(closed),
                    None => return Some(closed),
                }
            }
            Event::Text(text) => append(&mut open, &text.xml10_content()),
            Event::CData(text) => append(&mut open, &text.xml10_content()),
            Event::GeneralRef(reference) => match reference.resolve_char_ref().ok()? {
                Some(character) => append(&mut open, character.encode_utf8(&mut [0; 4])),
                None => append(&mut open, &entity(&reference)),
            },
            Event::Eof => return None,
            Event::Empty(_)
            | Event::Comment(_)
            | Event::Decl(_)
            | Event::PI(_)
            | Event::DocType(_) => {}
        }
    }
}

fn append(open: &mut [Element], text: &str) {
    if let Some(element) = open.last_mut() {
        element.text.push_str(text);
    }
}

fn entity(name: &str) -> String {
    match name {
        "lt" => "<".into(),
        "gt" => ">".into(),
        "amp" => "&".into(),
        "apos" => "'".into(),
        "quot" => "\"".into(),
        other => format!("&{other};"),
    }
}

/// OSS nests elements three deep. The limit prevents a malicious document from exhausting the stack
/// when it is dropped.
const DEPTH_MAX: usize = 32;

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        reason = "a failed assumption fails the test"
    )]

    use proptest::prelude::*;
    use proptest::test_runner::RngSeed;

    use super::*;

    #[test]
    fn prefixes_namespaces_and_white_space_do_not_matter() {
        let root = parse(
            "\u{FEFF}\n <?xml version=\"1.0\"?><!-- c --><o:Result xmlns:o=\"http://doc\">\
             <o:Id>\n 7 </o:Id><Empty/><o:Key a='b'><![CDATA[a<b]]></o:Key></o:Result>",
        )
        .unwrap();
        assert_eq!(root.name, "Result");
        assert_eq!(root.text_of("Id"), Some("7"));
        assert_eq!(root.text_of("Key"), Some("a<b"));
        assert_eq!(root.text_of("Empty"), None);
        assert_eq!(root.text_of("Missing"), None);
    }

    #[test]
    fn predefined_entities_are_resolved_and_unknown_ones_are_kept() {
        let root = parse("<r><e>&quot;A&#x42;&#67;&quot; &amp; &foo;</e></r>").unwrap();
        assert_eq!(root.text_of("e"), Some("\"ABC\" & &foo;"));
    }

    #[test]
    fn a_truncated_document_is_rejected() {
        let complete = "<r><e>text</e></r>";
        assert!(parse(complete).is_some());
        for length in 0..complete.len() {
            assert_eq!(parse(&complete[..length]), None, "{length}");
        }
    }

    #[test]
    fn declared_entities_are_not_expanded() {
        let root = parse("<!DOCTYPE r [<!ENTITY x \"boom\">]><r><e>&x;</e></r>").unwrap();
        assert_eq!(root.text_of("e"), Some("&x;"));
    }

    #[test]
    fn a_document_that_is_nested_too_deeply_is_rejected() {
        assert!(parse(&nested(DEPTH_MAX)).is_some());
        assert_eq!(parse(&nested(DEPTH_MAX + 1)), None);
        assert_eq!(parse(&"<a>".repeat(1_000_000)), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig { rng_seed: RngSeed::Fixed(1), ..Default::default() })]

        #[test]
        fn parsing_text_never_panics(text: String) {
            let _ = parse(&text);
        }

        #[test]
        fn parsing_bytes_never_panics(bytes: Vec<u8>) {
            let _ = parse(&String::from_utf8_lossy(&bytes));
        }

        #[test]
        fn parsing_malformed_xml_never_panics(
            text in "[<>/&;#x!\\[\\]?a \"=-]{0,60}",
        ) {
            let _ = parse(&text);
        }
    }

    fn nested(depth: usize) -> String {
        format!("{}{}", "<a>".repeat(depth), "</a>".repeat(depth))
    }
}
