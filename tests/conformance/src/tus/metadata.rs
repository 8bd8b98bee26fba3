//! Section Upload-Metadata.

use super::fixture::{Fixture, encoded};
use crate::case::{Case, Verdict};
use crate::check::{ResponseChecks, expect};

pub(super) const CASES: &[Case<Fixture>] = &[
    Case::must("metadata_is_returned_unchanged", SECTION, returned_unchanged),
    Case::must("a_key_without_a_value_is_accepted", SECTION, no_value),
    Case::must("an_empty_key_is_rejected_or_not_returned", SECTION, empty_key),
    Case::must("a_repeated_key_is_rejected_or_returned_once", SECTION, key_twice),
    Case::must("an_invalid_base64_value_is_refused", SECTION, no_base64),
    Case::must("more_than_one_space_in_a_pair_is_rejected", SECTION, two_spaces),
];

fn returned_unchanged(fixture: &Fixture) -> Verdict {
    let metadata = with(fixture, &format!("note {}", encoded("grün, {\"a\": 1}")));
    let upload = fixture.create_by(&creation(fixture, &metadata))?;
    fixture.head(&upload)?.expect_field(SECTION, metadata)
}

fn no_value(fixture: &Fixture) -> Verdict {
    let metadata = with(fixture, "is_confidential");
    let upload = fixture.create_by(&creation(fixture, &metadata))?;
    fixture.head(&upload)?.expect_field(SECTION, metadata)
}

fn empty_key(fixture: &Fixture) -> Verdict {
    // An empty member. A value after a space may be treated as space between members.
    rejected_or_corrected(fixture, "an empty key", ",note")
}

fn key_twice(fixture: &Fixture) -> Verdict {
    let pair = |value| format!("twice {}", encoded(value));
    rejected_or_corrected(fixture, "a repeated key", &format!("{},{}", pair("a"), pair("a")))?;
    rejected_or_corrected(fixture, "a key with two values", &format!("{},{}", pair("a"), pair("b")))
}

fn no_base64(fixture: &Fixture) -> Verdict {
    rejected(fixture, "an invalid base64 value", "note a?b")
}

fn two_spaces(fixture: &Fixture) -> Verdict {
    rejected(fixture, "three words in a pair", &format!("note {} more", encoded("a")))
}

fn rejected(fixture: &Fixture, why: &str, pair: &str) -> Verdict {
    fixture.needs("creation")?;
    fixture.send(&creation(fixture, &with(fixture, pair)))?.expect_rejection(why)
}

/// The rules for keys apply to the response, too: a server that accepts what the client must not
/// send does not return it.
fn rejected_or_corrected(fixture: &Fixture, why: &str, pair: &str) -> Verdict {
    let creation = creation(fixture, &with(fixture, pair));
    let Ok(upload) = fixture.create_by(&creation) else { return rejected(fixture, why, pair) };
    let head = fixture.head(&upload)?;
    let returned = head.header(SECTION).unwrap_or_default();
    let mut keys: Vec<_> =
        returned.split(',').map(|pair| pair.trim().split(' ').next().unwrap_or_default()).collect();
    keys.sort_unstable();
    let is_valid = !keys.contains(&"") && keys.windows(2).all(|pair| pair[0] != pair[1]);
    expect(is_valid, || format!("expected a rejection of {why} or unique keys, got {returned:?}"))
}

/// The caller's metadata with one more pair at its end.
fn with(fixture: &Fixture, pair: &str) -> String {
    match fixture.metadata() {
        metadata if metadata.is_empty() => pair.to_owned(),
        metadata => format!("{metadata},{pair}"),
    }
}

fn creation(fixture: &Fixture, metadata: &str) -> vod_uploader_wire::Request {
    fixture.creation().header("Upload-Length", 1000).replace(SECTION, metadata)
}

const SECTION: &str = "Upload-Metadata";
