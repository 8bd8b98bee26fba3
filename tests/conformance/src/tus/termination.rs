//! Section Termination.

use url::Url;

use super::fixture::Fixture;
use crate::case::{Case, CaseAbort, Verdict};
use crate::check::ResponseChecks;
use crate::sample::sample;

pub(super) const CASES: &[Case<Fixture>] = &[
    Case::must("delete_returns_204", SECTION, is_204),
    Case::must("a_complete_upload_can_be_deleted", SECTION, complete_can_be_deleted),
    Case::should("head_of_a_deleted_upload_returns_404_or_410", SECTION, head_is_gone),
    Case::should("patch_of_a_deleted_upload_returns_404_or_410", SECTION, patch_is_gone),
    Case::should("delete_of_a_deleted_upload_returns_404_or_410", SECTION, delete_is_gone),
];

fn is_204(fixture: &Fixture) -> Verdict {
    fixture.needs("termination")?;
    let upload = fixture.create(1000)?;
    fixture.append(&upload, 0, &sample(400))?;
    fixture.send(&fixture.request("DELETE", &upload))?.expect_status(&[204])
}

fn complete_can_be_deleted(fixture: &Fixture) -> Verdict {
    fixture.needs("termination")?;
    let upload = fixture.complete(&sample(1000))?;
    fixture.send(&fixture.request("DELETE", &upload))?.expect_status(&[204])
}

fn head_is_gone(fixture: &Fixture) -> Verdict {
    let upload = deleted(fixture)?;
    fixture.head(&upload)?.expect_status(&[404, 410])
}

fn patch_is_gone(fixture: &Fixture) -> Verdict {
    let upload = deleted(fixture)?;
    fixture.send(&fixture.patch(&upload, 0, &sample(100)))?.expect_status(&[404, 410])
}

fn delete_is_gone(fixture: &Fixture) -> Verdict {
    let upload = deleted(fixture)?;
    fixture.send(&fixture.request("DELETE", &upload))?.expect_status(&[404, 410])
}

fn deleted(fixture: &Fixture) -> Result<Url, CaseAbort> {
    fixture.needs("termination")?;
    let upload = fixture.create(1000)?;
    fixture.send(&fixture.request("DELETE", &upload))?.expect_success()?;
    Ok(upload)
}

const SECTION: &str = "Termination";
