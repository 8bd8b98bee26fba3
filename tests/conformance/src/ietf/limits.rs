//! Section 4.1.4: limits and their announcement.

use vod_uploader_wire::{Request, Response};

use super::fixture::Fixture;
use super::upload_limit::Limits;
use crate::case::{Case, CaseAbort, Verdict};
use crate::check::{ResponseChecks, expect};

pub(super) const CASES: &[Case<Fixture>] = &[
    Case::must("options_announces_the_media_type", SECTION, options_announces_media_type),
    Case::should("options_returns_the_limits", SECTION, options_returns_limits),
    Case::should("limits_of_options_are_not_looser", SECTION, options_not_looser),
    Case::must("limits_are_integers_in_a_dictionary", SECTION, are_integers),
    Case::should("limits_do_not_become_tighter", SECTION, do_not_tighten),
    Case::must("a_creation_above_the_maximum_size_returns_the_limits", SECTION, too_large_returns),
];

fn options_announces_media_type(fixture: &Fixture) -> Verdict {
    fixture.since(8)?;
    let response = options(fixture)?;
    response.expect_success()?;
    let types = response.required("Accept-Patch")?;
    let has_it = types.split(',').any(|one| one.trim() == fixture.media_type());
    expect(has_it, || format!("expected application/partial-upload in Accept-Patch, got {types:?}"))
}

fn options_returns_limits(fixture: &Fixture) -> Verdict {
    fixture.since(6)?;
    options(fixture)?.required(FIELD).map(drop)
}

fn options_not_looser(fixture: &Fixture) -> Verdict {
    fixture.since(6)?;
    let announced = limits_in(&options(fixture)?)?;
    let upload = fixture.create()?;
    expect_no_tighter(&limits_in(&fixture.head(&upload)?)?, &announced)
}

fn are_integers(fixture: &Fixture) -> Verdict {
    fixture.since(6)?;
    let upload = fixture.create()?;
    let head = fixture.head(&upload)?;
    let value =
        head.header(FIELD).ok_or_else(|| CaseAbort::skipped("the server sends no limits"))?;
    expect(Limits::parse(value).is_some(), || {
        format!("expected a dictionary with integers as {FIELD}, got {value:?}")
    })
}

fn do_not_tighten(fixture: &Fixture) -> Verdict {
    fixture.since(6)?;
    let append_bytes = fixture.append_bytes()?;
    let creation = fixture.creation(false, b"");
    let response = fixture.send(&creation)?;
    let upload = response.location(&fixture.setup.url)?;
    let first = limits_in(&response)?;
    fixture.append(&upload, 0..append_bytes, false)?;
    expect_no_tighter(&limits_in(&fixture.head(&upload)?)?, &first)
}

fn too_large_returns(fixture: &Fixture) -> Verdict {
    fixture.since(6)?;
    let upload = fixture.create()?;
    let limits = limits_in(&fixture.head(&upload)?)?;
    let size_max =
        limits.size_max_bytes.ok_or_else(|| CaseAbort::skipped("the server sends no max-size"))?;
    let creation = fixture.creation(false, b"").header("Upload-Length", size_max.saturating_add(1));
    let response = fixture.send(&creation)?;
    if response.status != 413 {
        return Err(CaseAbort::skipped(format!("a larger length returns {}", response.status)));
    }
    response.required(FIELD).map(drop)
}

fn expect_no_tighter(later: &Limits, first: &Limits) -> Verdict {
    let shrank = |before: Option<u64>, after: Option<u64>| {
        after.is_some_and(|after| before.is_none_or(|before| after < before))
    };
    let grew = later.append_size_min_bytes.unwrap_or(0) > first.append_size_min_bytes.unwrap_or(0);
    let is_tighter = shrank(first.size_max_bytes, later.size_max_bytes)
        || shrank(first.append_size_max_bytes, later.append_size_max_bytes)
        || grew;
    expect(!is_tighter, || format!("expected limits no tighter than {first:?}, got {later:?}"))
}

fn limits_in(response: &Response) -> Result<Limits, CaseAbort> {
    let limits = response.header(FIELD).and_then(Limits::parse);
    limits.ok_or_else(|| CaseAbort::skipped("the server sends no limits"))
}

fn options(fixture: &Fixture) -> Result<Response, CaseAbort> {
    fixture.send(&Request::new("OPTIONS", fixture.setup.url.as_str()))
}

const SECTION: &str = "4.1.4";

const FIELD: &str = "Upload-Limit";
