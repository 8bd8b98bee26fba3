//! A lenient reader of OSS's small XML documents.
//!
//! Namespaces and prefixes are dropped, white space around texts and before the document is
//! ignored, and unknown elements stay out of the way. Entities beyond XML's own five are kept as
//! they stand: nothing is ever expanded.

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
    /// The trimmed text of the first child of this name; `None` where it is missing or empty.
    pub(super) fn text_of(&self, name: &str) -> Option<&str> {
        self.children(name).map(|child| child.text.trim()).find(|text| !text.is_empty())
    }

    /// The children of this name, in their order.
    pub(super) fn children(&self, name: &str) -> impl Iterator<Item = &Element> {
        self.children.iter().filter(move |child| child.name == name)
    }
}

/// The root element, or `None` where the text is not one whole XML document.
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

/// OSS nests three deep; the bound keeps a hostile document from exhausting the stack when it is
/// dropped.
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
    fn entities_are_read_and_unknown_ones_are_left_alone() {
        let root = parse("<r><e>&quot;A&#x42;&#67;&quot; &amp; &foo;</e></r>").unwrap();
        assert_eq!(root.text_of("e"), Some("\"ABC\" & &foo;"));
    }

    #[test]
    fn a_document_that_is_cut_off_is_refused() {
        let whole = "<r><e>text</e></r>";
        assert!(parse(whole).is_some());
        for length in 0..whole.len() {
            assert_eq!(parse(&whole[..length]), None, "{length}");
        }
    }

    #[test]
    fn declared_entities_are_not_expanded() {
        let root = parse("<!DOCTYPE r [<!ENTITY x \"boom\">]><r><e>&x;</e></r>").unwrap();
        assert_eq!(root.text_of("e"), Some("&x;"));
    }

    #[test]
    fn a_document_that_is_nested_too_deep_is_refused() {
        assert!(parse(&nested(DEPTH_MAX)).is_some());
        assert_eq!(parse(&nested(DEPTH_MAX + 1)), None);
        assert_eq!(parse(&"<a>".repeat(1_000_000)), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig { rng_seed: RngSeed::Fixed(1), ..Default::default() })]

        #[test]
        fn no_text_makes_reading_panic(text: String) {
            let _ = parse(&text);
        }

        #[test]
        fn no_bytes_make_reading_panic(bytes: Vec<u8>) {
            let _ = parse(&String::from_utf8_lossy(&bytes));
        }

        #[test]
        fn nothing_that_looks_like_xml_makes_reading_panic(
            text in "[<>/&;#x!\\[\\]?a \"=-]{0,60}",
        ) {
            let _ = parse(&text);
        }
    }

    fn nested(depth: usize) -> String {
        format!("{}{}", "<a>".repeat(depth), "</a>".repeat(depth))
    }
}
