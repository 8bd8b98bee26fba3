//! Section Upload-Defer-Length, and its requirements in section POST.

use url::Url;

use super::fixture::Fixture;
use crate::case::{Case, CaseAbort, Verdict};
use crate::check::ResponseChecks;
use crate::sample::sample;

pub(super) const CASES: &[Case<Fixture>] = &[
    Case::must("a_deferred_length_is_reported_until_it_is_known", SECTION, reported_until_known),
    Case::must("a_deferred_length_is_no_length", SECTION, is_no_length),
    Case::should("a_deferred_length_other_than_1_returns_400", SECTION, other_values),
    Case::must("a_patch_can_set_the_length", SECTION, set_by_patch),
    Case::must("a_length_that_is_known_is_not_deferred", SECTION, known_is_not_deferred),
    Case::must("a_length_does_not_change_once_it_is_known", SECTION, does_not_change),
    Case::must("a_late_length_below_the_offset_is_rejected", SECTION, below_offset),
];

fn reported_until_known(fixture: &Fixture) -> Verdict {
    let upload = deferred(fixture)?;
    fixture.head(&upload)?.expect_field(SECTION, 1)?;
    fixture.append(&upload, 0, &sample(400))?;
    fixture.head(&upload)?.expect_field(SECTION, 1)
}

fn is_no_length(fixture: &Fixture) -> Verdict {
    let upload = deferred(fixture)?;
    fixture.head(&upload)?.expect_no_field("Upload-Length")
}

fn other_values(fixture: &Fixture) -> Verdict {
    fixture.needs("creation-defer-length")?;
    for wrong in ["0", "2", "true", ""] {
        fixture.send(&fixture.creation().header(SECTION, wrong))?.expect_status(&[400])?;
    }
    Ok(())
}

fn set_by_patch(fixture: &Fixture) -> Verdict {
    let upload = deferred(fixture)?;
    fixture.append(&upload, 0, &sample(400))?;
    let patch = fixture.patch(&upload, 400, &sample(100)).header("Upload-Length", 1000);
    fixture.send(&patch)?.expect_success()?;
    fixture.head(&upload)?.expect_field("Upload-Length", 1000)?;
    fixture.append(&upload, 500, &sample(500))?;
    fixture.expect_offset(&upload, 1000)
}

fn known_is_not_deferred(fixture: &Fixture) -> Verdict {
    let upload = deferred(fixture)?;
    let patch = fixture.patch(&upload, 0, &sample(100)).header("Upload-Length", 1000);
    fixture.send(&patch)?.expect_success()?;
    fixture.head(&upload)?.expect_no_field(SECTION)?;
    fixture.head(&fixture.create(1000)?)?.expect_no_field(SECTION)
}

fn does_not_change(fixture: &Fixture) -> Verdict {
    let upload = deferred(fixture)?;
    let patch = fixture.patch(&upload, 0, &sample(100)).header("Upload-Length", 1000);
    fixture.send(&patch)?.expect_success()?;
    // The length does not change, whether the request is rejected or not.
    fixture.send(&fixture.patch(&upload, 100, &sample(100)).header("Upload-Length", 2000))?;
    fixture.head(&upload)?.expect_field("Upload-Length", 1000)
}

fn below_offset(fixture: &Fixture) -> Verdict {
    let upload = deferred(fixture)?;
    fixture.append(&upload, 0, &sample(400))?;
    let patch = fixture.patch(&upload, 400, &sample(100)).header("Upload-Length", 300);
    fixture.send(&patch)?.expect_rejection("a length of 300 at offset 400")
}

fn deferred(fixture: &Fixture) -> Result<Url, CaseAbort> {
    fixture.needs("creation-defer-length")?;
    fixture.create_by(&fixture.creation().header(SECTION, 1))
}

const SECTION: &str = "Upload-Defer-Length";
