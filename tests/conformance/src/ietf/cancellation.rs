//! Section 4.5: DELETE.

use url::Url;

use super::fixture::Fixture;
use crate::case::{Case, CaseAbort, Verdict};
use crate::check::{ResponseChecks, expect};
use crate::sample::sample;

pub(super) const CASES: &[Case<Fixture>] = &[
    Case::should("delete_succeeds", SECTION, succeeds),
    Case::should("delete_is_not_redirected_with_301_or_302", SECTION, not_redirected),
    Case::should("head_of_a_canceled_upload_returns_404_or_410", SECTION, head_is_gone),
    Case::should("patch_of_a_canceled_upload_is_rejected", SECTION, patch_is_rejected),
];

fn succeeds(fixture: &Fixture) -> Verdict {
    let upload = fixture.create()?;
    fixture.append(&upload, 0..fixture.append_bytes()?, false)?;
    fixture.send(&fixture.request("DELETE", &upload))?.expect_success()
}

fn not_redirected(fixture: &Fixture) -> Verdict {
    let upload = fixture.create()?;
    let status = fixture.send(&fixture.request("DELETE", &upload))?.status;
    expect(!matches!(status, 301 | 302), || format!("expected no redirection, got {status}"))
}

fn head_is_gone(fixture: &Fixture) -> Verdict {
    let upload = canceled(fixture)?;
    fixture.head(&upload)?.expect_status(&[404, 410])
}

fn patch_is_rejected(fixture: &Fixture) -> Verdict {
    let upload = canceled(fixture)?;
    let patch = fixture.patch(&upload, 0, &sample(fixture.append_bytes()?), false);
    fixture.send(&patch)?.expect_rejection("a canceled upload")
}

fn canceled(fixture: &Fixture) -> Result<Url, CaseAbort> {
    let upload = fixture.create()?;
    fixture.send(&fixture.request("DELETE", &upload))?;
    Ok(upload)
}

const SECTION: &str = "4.5";
