//! The parameters of a call: only what is given is sent.

/// The parameters that have a value, by the vendor's names.
pub(super) fn given<const N: usize>(
    parameters: [(&'static str, Option<&str>); N],
) -> Vec<(&'static str, String)> {
    parameters.into_iter().filter_map(|(name, value)| Some((name, value?.to_owned()))).collect()
}

/// A flag as VOD writes it.
pub(super) const fn flag(value: bool) -> &'static str {
    if value { "true" } else { "false" }
}
