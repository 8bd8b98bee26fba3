//! Structured fields (RFC 9651).

use sfv::{BareItem, Dictionary, Item, ListEntry, Parser};

/// A Boolean item.
pub(super) fn boolean(value: &str) -> Option<bool> {
    match Parser::new(value).parse::<Item>().ok()?.bare_item {
        BareItem::Boolean(boolean) => Some(boolean),
        _ => None,
    }
}

/// A non-negative Integer item.
pub(super) fn integer(value: &str) -> Option<u64> {
    number(&Parser::new(value).parse::<Item>().ok()?)
}

/// The members of a dictionary, each with its value if that is a non-negative Integer.
pub(super) fn dictionary(value: &str) -> Option<Vec<(String, Option<u64>)>> {
    let dictionary: Dictionary = Parser::new(value).parse().ok()?;
    let members = dictionary.iter().map(|(key, entry)| match entry {
        ListEntry::Item(item) => (key.as_str().to_owned(), number(item)),
        ListEntry::InnerList(_) => (key.as_str().to_owned(), None),
    });
    Some(members.collect())
}

/// The keys of a dictionary.
pub(super) fn keys(value: &str) -> Vec<String> {
    dictionary(value).unwrap_or_default().into_iter().map(|(key, _)| key).collect()
}

fn number(item: &Item) -> Option<u64> {
    match item.bare_item {
        BareItem::Integer(integer) => u64::try_from(i64::from(integer)).ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_another_type_are_none() {
        assert_eq!(boolean("?1"), Some(true));
        assert_eq!(boolean("1"), None);
        assert_eq!(integer("12;a=b"), Some(12));
        assert_eq!((integer("-1"), integer("1.0"), integer("\"1\"")), (None, None, None));
    }

    #[test]
    fn a_dictionary_has_members() {
        let members = dictionary("max-size=9, other=tok").unwrap_or_default();
        assert_eq!(members, [("max-size".into(), Some(9)), ("other".into(), None)]);
        assert_eq!(dictionary("max-size: 9"), None);
        assert_eq!(keys("a=1, b=2"), ["a", "b"]);
    }
}
