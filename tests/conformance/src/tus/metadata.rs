//! Section Upload-Metadata.

use super::fixture::{Fixture, encoded};
use crate::case::{Case, Verdict};
use crate::check::ResponseChecks;

pub(super) const CASES: &[Case<Fixture>] = &[
    Case::must("metadata_is_told_as_it_was_given", SECTION, told_as_given),
    Case::must("a_key_without_a_value_is_taken", SECTION, no_value),
    Case::must("an_empty_key_is_refused", SECTION, empty_key),
    Case::must("a_key_that_comes_twice_is_refused", SECTION, key_twice),
    Case::must("a_value_that_is_no_base64_is_refused", SECTION, no_base64),
    Case::must("more_than_one_space_in_a_pair_is_refused", SECTION, two_spaces),
];

fn told_as_given(fixture: &Fixture) -> Verdict {
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
    // An empty member, and not a value after a space, which may be taken as space between members.
    refused(fixture, "an empty key", ",note")
}

fn key_twice(fixture: &Fixture) -> Verdict {
    let pair = format!("twice {}", encoded("a"));
    refused(fixture, "a key that comes twice", &format!("{pair},{pair}"))
}

fn no_base64(fixture: &Fixture) -> Verdict {
    refused(fixture, "a value that is no Base64", "note a?b")
}

fn two_spaces(fixture: &Fixture) -> Verdict {
    refused(fixture, "three words in a pair", &format!("note {} more", encoded("a")))
}

fn refused(fixture: &Fixture, why: &str, pair: &str) -> Verdict {
    fixture.needs("creation")?;
    fixture.send(&creation(fixture, &with(fixture, pair)))?.expect_refusal(why)
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
