//! Parameters of a call: absent ones are not sent.

/// The parameters that are present.
pub(super) fn given<const N: usize>(
    parameters: [(&'static str, Option<&str>); N],
) -> Vec<(&'static str, String)> {
    parameters.into_iter().filter_map(|(name, value)| Some((name, value?.to_owned()))).collect()
}

/// The parameter value of a flag.
pub(super) const fn flag(value: bool) -> &'static str {
    if value { "true" } else { "false" }
}
