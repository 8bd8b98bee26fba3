//! Section HEAD.

use vod_uploader_wire::Response;

use super::fixture::Fixture;
use crate::case::{Case, Verdict};
use crate::check::{ResponseChecks, unknown_like};
use crate::sample::sample;

pub(super) const CASES: &[Case<Fixture>] = &[
    Case::must("head_returns_offset_0", SECTION, offset_0),
    Case::must("head_returns_an_offset_in_the_middle", SECTION, offset_in_the_middle),
    Case::must("head_returns_the_offset_of_a_complete_upload", SECTION, offset_of_complete),
    Case::must("head_returns_the_length", SECTION, length),
    Case::must("head_is_not_cached", SECTION, not_cached),
    Case::should("head_returns_200_or_204", SECTION, status),
    Case::should("head_of_an_unknown_upload_returns_404_410_or_403", SECTION, unknown),
    Case::should("head_of_an_unknown_upload_returns_no_offset", SECTION, unknown_has_no_offset),
];

fn offset_0(fixture: &Fixture) -> Verdict {
    let upload = fixture.create(1000)?;
    fixture.head(&upload)?.expect_field("Upload-Offset", 0)
}

fn offset_in_the_middle(fixture: &Fixture) -> Verdict {
    let upload = fixture.create(1000)?;
    fixture.append(&upload, 0, &sample(400))?;
    fixture.head(&upload)?.expect_field("Upload-Offset", 400)
}

fn offset_of_complete(fixture: &Fixture) -> Verdict {
    let upload = fixture.complete(&sample(1000))?;
    fixture.head(&upload)?.expect_field("Upload-Offset", 1000)
}

fn length(fixture: &Fixture) -> Verdict {
    let upload = fixture.create(1000)?;
    fixture.head(&upload)?.expect_field("Upload-Length", 1000)
}

fn not_cached(fixture: &Fixture) -> Verdict {
    let upload = fixture.create(1000)?;
    fixture.head(&upload)?.expect_no_store()
}

fn status(fixture: &Fixture) -> Verdict {
    let upload = fixture.create(1000)?;
    fixture.head(&upload)?.expect_status(&[200, 204])
}

fn unknown(fixture: &Fixture) -> Verdict {
    head_of_unknown(fixture)?.expect_status(&[404, 410, 403])
}

fn unknown_has_no_offset(fixture: &Fixture) -> Verdict {
    head_of_unknown(fixture)?.expect_no_field("Upload-Offset")
}

fn head_of_unknown(fixture: &Fixture) -> Result<Response, crate::CaseAbort> {
    let upload = fixture.create(1000)?;
    fixture.head(&unknown_like(&upload))
}

const SECTION: &str = "HEAD";
