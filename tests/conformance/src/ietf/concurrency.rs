//! Section 4.6: requests while an older one hangs.

use std::time::Instant;

use url::Url;
use vod_uploader_wire::{Exchange, Request};

use super::fixture::Fixture;
use crate::case::{Case, CaseAbort, Verdict};
use crate::check::{ResponseChecks, expect};
use crate::sample::sample;

pub(super) const CASES: &[Case<Fixture>] = &[
    Case::should("head_returns_soon_while_an_append_hangs", SECTION, head_is_soon),
    Case::should("patch_returns_soon_while_an_append_hangs", SECTION, patch_is_soon),
    Case::should("delete_returns_soon_while_an_append_hangs", SECTION, delete_is_soon),
    Case::should("head_ends_an_append_that_hangs", SECTION, head_ends),
    Case::should("delete_ends_an_append_that_hangs", "4.5", delete_ends),
    Case::must(
        "an_offset_reported_while_an_append_hangs_is_accepted",
        SECTION,
        reported_is_accepted,
    ),
    Case::must("bytes_of_a_replaced_append_are_not_stored", SECTION, replaced_does_not_write),
];

fn head_is_soon(fixture: &Fixture) -> Verdict {
    let (upload, _hanging) = hanging(fixture)?;
    soon(fixture, &fixture.request("HEAD", &upload))
}

fn patch_is_soon(fixture: &Fixture) -> Verdict {
    let (upload, _hanging) = hanging(fixture)?;
    // The offset is unknown: 409 is a valid response.
    soon(fixture, &fixture.patch(&upload, 0, &sample(fixture.append_bytes()?), false))
}

fn delete_is_soon(fixture: &Fixture) -> Verdict {
    let (upload, _hanging) = hanging(fixture)?;
    soon(fixture, &fixture.request("DELETE", &upload))
}

fn soon(fixture: &Fixture, request: &Request) -> Verdict {
    let start = Instant::now();
    let response = fixture.send(request)?;
    let (took, bound) = (start.elapsed(), fixture.setup.hang_bound);
    expect(response.status < 500 && response.status != 423 && took <= bound, || {
        let (method, status) = (&request.method, response.status);
        format!("expected a response to {method} within {bound:?}, got {status} after {took:?}")
    })
}

fn head_ends(fixture: &Fixture) -> Verdict {
    let (upload, hanging) = hanging(fixture)?;
    fixture.head(&upload)?;
    ended(fixture, hanging)
}

fn delete_ends(fixture: &Fixture) -> Verdict {
    let (upload, hanging) = hanging(fixture)?;
    fixture.send(&fixture.request("DELETE", &upload))?;
    ended(fixture, hanging)
}

fn ended(fixture: &Fixture, mut hanging: Exchange) -> Verdict {
    let bound = fixture.setup.hang_bound;
    expect(hanging.ends_within(bound), || {
        format!("expected the hanging append to end within {bound:?}")
    })
}

fn reported_is_accepted(fixture: &Fixture) -> Verdict {
    let (upload, mut hanging) = hanging(fixture)?;
    let offset = fixture.offset(&upload)?;
    // Late bytes of the old request.
    hanging.send(&sample(fixture.large())[fixture.large() / 3..]);
    let _ = hanging.ends_within(fixture.setup.hang_bound / 4);
    let content = sample(fixture.large());
    let rest = content.get(offset..).unwrap_or_default();
    fixture.send(&fixture.patch(&upload, offset, rest, true))?.expect_success()
}

fn replaced_does_not_write(fixture: &Fixture) -> Verdict {
    let (upload, mut hanging) = hanging(fixture)?;
    let offset = fixture.offset(&upload)?;
    let append_bytes = fixture.append_bytes()?;
    fixture.append(&upload, offset..offset + append_bytes, false)?;
    hanging.send(&sample(fixture.large())[fixture.large() / 3..]);
    let _ = hanging.ends_within(fixture.setup.hang_bound / 4);
    fixture.expect_offset(&upload, offset + append_bytes)
}

/// An upload, and an append to it that hangs after a third of its body.
fn hanging(fixture: &Fixture) -> Result<(Url, Exchange), CaseAbort> {
    let upload = fixture.create()?;
    let size = fixture.large();
    let hanging =
        fixture.start_hanging(&fixture.patch(&upload, 0, &sample(size), false), size / 3)?;
    Ok((upload, hanging))
}

const SECTION: &str = "4.6";
