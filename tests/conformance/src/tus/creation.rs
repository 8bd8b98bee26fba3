//! Section Creation.

use super::fixture::Fixture;
use crate::case::{Case, CaseAbort, Verdict};
use crate::check::{ResponseChecks, expect};

pub(super) const CASES: &[Case<Fixture>] = &[
    Case::must("a_creation_returns_201", SECTION, is_201),
    Case::must("a_creation_returns_the_location", SECTION, returns_location),
    Case::must("every_creation_makes_another_upload", SECTION, makes_another),
    Case::must("a_creation_without_a_length_is_rejected", SECTION, no_length),
    Case::must("a_creation_that_is_too_long_returns_413", SECTION, too_long),
    Case::must("an_upload_of_no_bytes_is_complete_immediately", SECTION, no_bytes),
];

fn is_201(fixture: &Fixture) -> Verdict {
    fixture.needs("creation")?;
    fixture.send(&fixture.creation().header("Upload-Length", 1000))?.expect_status(&[201])
}

fn returns_location(fixture: &Fixture) -> Verdict {
    let upload = fixture.create(1000)?;
    fixture.head(&upload)?.expect_success()
}

fn makes_another(fixture: &Fixture) -> Verdict {
    let (first, second) = (fixture.create(1000)?, fixture.create(1000)?);
    expect(first != second, || format!("expected another Location, got {second} again"))
}

fn no_length(fixture: &Fixture) -> Verdict {
    fixture.needs("creation")?;
    fixture.send(&fixture.creation())?.expect_rejection("a creation without a length")
}

fn too_long(fixture: &Fixture) -> Verdict {
    fixture.needs("creation")?;
    let size_max = fixture.capabilities.size_max_bytes;
    let size_max = size_max.ok_or_else(|| CaseAbort::skipped("no Tus-Max-Size is announced"))?;
    let length = size_max.saturating_add(1);
    fixture.send(&fixture.creation().header("Upload-Length", length))?.expect_status(&[413])
}

fn no_bytes(fixture: &Fixture) -> Verdict {
    fixture.needs("creation")?;
    let response = fixture.send(&fixture.creation().header("Upload-Length", 0))?;
    if (400..500).contains(&response.status) {
        return Err(CaseAbort::skipped("the server rejects uploads of 0 bytes"));
    }
    let head = fixture.head(&response.location(&fixture.setup.url)?)?;
    head.expect_field("Upload-Offset", 0)?;
    head.expect_field("Upload-Length", 0)
}

const SECTION: &str = "Creation";
