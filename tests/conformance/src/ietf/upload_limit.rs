//! The header `Upload-Limit`.

use super::field;

/// The members of `Upload-Limit` that are defined.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// `max-size`.
    pub size_max_bytes: Option<u64>,
    /// `max-append-size`.
    pub append_size_max_bytes: Option<u64>,
    /// `min-append-size`.
    pub append_size_min_bytes: Option<u64>,
}

impl Limits {
    /// Reads `Upload-Limit`. Returns `None` if a defined member is not an Integer: the field is
    /// then ignored.
    pub(super) fn parse(value: &str) -> Option<Self> {
        let members = field::dictionary(value)?;
        if members.iter().any(|(key, number)| KEYS.contains(&key.as_str()) && number.is_none()) {
            return None;
        }
        let member = |name| members.iter().find(|(key, _)| key == name).and_then(|(_, n)| *n);
        Some(Self {
            size_max_bytes: member("max-size"),
            append_size_max_bytes: member("max-append-size"),
            append_size_min_bytes: member("min-append-size"),
        })
    }
}

const KEYS: &[&str] = &["max-size", "min-size", "max-append-size", "min-append-size", "max-age"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_members_are_ignored_and_wrong_types_invalidate_the_field() {
        let limits = Limits::parse("max-size=9, new=?1, min-append-size=5");
        let expected =
            Limits { size_max_bytes: Some(9), append_size_min_bytes: Some(5), ..Limits::default() };
        assert_eq!(limits, Some(expected));
        assert_eq!(Limits::parse("max-size=9, max-age=soon"), None);
    }
}
