//! Section Concatenation.

use url::Url;
use vod_uploader_wire::Request;

use super::fixture::{Fixture, encoded};
use crate::case::{Case, CaseAbort, Verdict};
use crate::check::{ResponseChecks, expect, unknown_like};
use crate::poll::poll;
use crate::sample::sample;

pub(super) const CASES: &[Case<Fixture>] = &[
    Case::must("head_of_a_partial_upload_declares_it_partial", SECTION, partial_is_reported),
    Case::must("head_of_a_partial_upload_returns_the_offset", SECTION, partial_returns_offset),
    Case::must("a_final_upload_returns_201", SECTION, final_is_201),
    Case::must("partial_urls_may_be_absolute_and_relative", FIELD, absolute_and_relative),
    Case::must("head_of_a_final_upload_returns_its_parts", SECTION, final_is_reported),
    Case::must("a_final_upload_has_the_length_of_its_parts", SECTION, final_length),
    Case::must("a_finished_final_upload_is_complete", SECTION, final_is_complete),
    Case::must("the_parts_are_in_the_requested_order", SECTION, order),
    Case::must("patch_of_a_final_upload_returns_403", SECTION, patch_is_403),
    Case::must("patch_of_a_final_upload_changes_nothing", SECTION, patch_changes_nothing),
    Case::must("metadata_of_the_parts_is_not_copied", SECTION, metadata_is_its_own),
    Case::must("a_final_upload_with_a_length_is_rejected", SECTION, length_is_rejected),
    Case::should("a_final_upload_of_unknown_parts_is_rejected", SECTION, unknown_parts),
    Case::should("an_unknown_kind_of_concatenation_is_rejected", FIELD, unknown_kind),
    Case::must("a_final_upload_of_unfinished_parts_is_accepted", SECTION, unfinished_is_accepted),
    Case::must("an_early_final_upload_completes_with_its_parts", SECTION, unfinished_ends),
    Case::should("an_unfinished_final_upload_returns_no_offset", SECTION, unfinished_has_no_offset),
    Case::must("a_final_upload_of_unfinished_parts_is_rejected", SECTION, unfinished_is_rejected),
];

fn partial_is_reported(fixture: &Fixture) -> Verdict {
    let upload = partial(fixture, 1000)?;
    fixture.head(&upload)?.expect_field(FIELD, "partial")
}

fn partial_returns_offset(fixture: &Fixture) -> Verdict {
    let upload = partial(fixture, 1000)?;
    fixture.append(&upload, 0, &sample(400))?;
    fixture.expect_offset(&upload, 400)
}

fn final_is_201(fixture: &Fixture) -> Verdict {
    let parts = parts(fixture)?;
    fixture.send(&final_creation(fixture, &list(&parts)))?.expect_status(&[201])
}

fn absolute_and_relative(fixture: &Fixture) -> Verdict {
    let parts = parts(fixture)?;
    let [first, second] = &parts;
    fixture.send(&final_creation(fixture, &format!("{first} {}", second.path())))?.expect_success()
}

fn final_is_reported(fixture: &Fixture) -> Verdict {
    let parts = list(&parts(fixture)?);
    let upload = fixture.create_by(&final_creation(fixture, &parts))?;
    fixture.head(&upload)?.expect_field(FIELD, format!("final;{parts}"))
}

fn final_length(fixture: &Fixture) -> Verdict {
    let upload = final_upload(fixture)?;
    fixture.head(&upload)?.expect_field("Upload-Length", FIRST + SECOND)
}

fn final_is_complete(fixture: &Fixture) -> Verdict {
    let upload = final_upload(fixture)?;
    let request = || fixture.head(&upload);
    let is_done = |head: &vod_uploader_wire::Response| head.header("Upload-Offset").is_some();
    let head = poll(fixture.setup.response_timeout, request, is_done)?;
    head.expect_field("Upload-Offset", FIRST + SECOND)?;
    head.expect_field("Upload-Length", FIRST + SECOND)
}

fn order(fixture: &Fixture) -> Verdict {
    let [first, second] = parts(fixture)?;
    let upload = fixture.create_by(&final_creation(fixture, &list(&[second, first])))?;
    let expected = [&sample(FIRST + SECOND)[FIRST..], &sample(FIRST)].concat();
    let read = fixture.read_back(&upload)?;
    expect(read == expected, || "expected the parts in the listed order, got others".to_owned())
}

fn patch_is_403(fixture: &Fixture) -> Verdict {
    let upload = final_upload(fixture)?;
    fixture.send(&fixture.patch(&upload, FIRST + SECOND, b""))?.expect_status(&[403])?;
    fixture.send(&fixture.patch(&upload, FIRST + SECOND, b"more"))?.expect_status(&[403])
}

fn patch_changes_nothing(fixture: &Fixture) -> Verdict {
    let upload = final_upload(fixture)?;
    let before = fixture.head(&upload)?;
    fixture.send(&fixture.patch(&upload, FIRST + SECOND, b"more"))?;
    let after = fixture.head(&upload)?;
    for name in ["Upload-Offset", "Upload-Length"] {
        let (before, after) = (before.header(name), after.header(name));
        expect(before == after, || {
            format!("expected unchanged {name}: {before:?}, got {after:?}")
        })?;
    }
    Ok(())
}

fn metadata_is_its_own(fixture: &Fixture) -> Verdict {
    let own = format!("of_the_part {}", encoded("a"));
    let metadata = match fixture.metadata() {
        metadata if metadata.is_empty() => own,
        metadata => format!("{metadata},{own}"),
    };
    fixture.needs("concatenation")?;
    let creation = fixture.creation().replace("Upload-Metadata", metadata);
    let part =
        fixture.create_by(&creation.header(FIELD, "partial").header("Upload-Length", FIRST))?;
    fixture.append(&part, 0, &sample(FIRST))?;
    let upload = fixture.create_by(&final_creation(fixture, part.as_str()))?;
    let head = fixture.head(&upload)?;
    let reported = head.header("Upload-Metadata").unwrap_or_default();
    expect(!reported.contains("of_the_part"), || {
        format!("expected no metadata of the part, got Upload-Metadata: {reported}")
    })
}

fn length_is_rejected(fixture: &Fixture) -> Verdict {
    let request =
        final_creation(fixture, &list(&parts(fixture)?)).header("Upload-Length", FIRST + SECOND);
    fixture.send(&request)?.expect_rejection("a final upload with Upload-Length")
}

fn unknown_parts(fixture: &Fixture) -> Verdict {
    let [first, second] = parts(fixture)?;
    let request = final_creation(fixture, &list(&[first, unknown_like(&second)]));
    fixture.send(&request)?.expect_rejection("an unknown part")
}

fn unknown_kind(fixture: &Fixture) -> Verdict {
    fixture.needs("concatenation")?;
    for kind in ["whole", "final", "final;"] {
        let request = fixture.creation().header(FIELD, kind).header("Upload-Length", FIRST);
        let request = if kind == "whole" { request } else { request.without("Upload-Length") };
        fixture.send(&request)?.expect_rejection(&format!("{FIELD}: {kind}"))?;
    }
    Ok(())
}

fn unfinished_is_accepted(fixture: &Fixture) -> Verdict {
    let (_, request) = early(fixture)?;
    fixture.send(&request)?.expect_status(&[201])
}

fn unfinished_ends(fixture: &Fixture) -> Verdict {
    let (part, request) = early(fixture)?;
    let upload = fixture.create_by(&request)?;
    fixture.append(&part, 400, &sample(FIRST)[400..])?;
    let request = || fixture.head(&upload);
    let is_done = |head: &vod_uploader_wire::Response| {
        head.header("Upload-Offset")
            .is_some_and(|offset| Some(offset) == head.header("Upload-Length"))
    };
    let head = poll(fixture.setup.response_timeout, request, is_done)?;
    head.expect_field("Upload-Offset", FIRST)?;
    head.expect_field("Upload-Length", FIRST)
}

fn unfinished_has_no_offset(fixture: &Fixture) -> Verdict {
    let (_, request) = early(fixture)?;
    let upload = fixture.create_by(&request)?;
    fixture.head(&upload)?.expect_no_field("Upload-Offset")
}

fn unfinished_is_rejected(fixture: &Fixture) -> Verdict {
    if fixture.offers("concatenation-unfinished") {
        return Err(CaseAbort::skipped("the extension concatenation-unfinished is announced"));
    }
    let part = partial(fixture, FIRST)?;
    fixture.append(&part, 0, &sample(400))?;
    let request = final_creation(fixture, part.as_str());
    fixture.send(&request)?.expect_rejection("an incomplete part")
}

/// An incomplete part, and the request for a final upload of it.
fn early(fixture: &Fixture) -> Result<(Url, Request), CaseAbort> {
    fixture.needs("concatenation-unfinished")?;
    let part = partial(fixture, FIRST)?;
    fixture.append(&part, 0, &sample(FIRST)[..400])?;
    let request = final_creation(fixture, part.as_str());
    Ok((part, request))
}

fn partial(fixture: &Fixture, length: usize) -> Result<Url, CaseAbort> {
    fixture.needs("concatenation")?;
    fixture.create_by(&fixture.creation().header(FIELD, "partial").header("Upload-Length", length))
}

/// Two complete parts.
fn parts(fixture: &Fixture) -> Result<[Url; 2], CaseAbort> {
    let content = sample(FIRST + SECOND);
    let (first, second) = (partial(fixture, FIRST)?, partial(fixture, SECOND)?);
    fixture.append(&first, 0, &content[..FIRST])?;
    fixture.append(&second, 0, &content[FIRST..])?;
    Ok([first, second])
}

/// A final upload of two complete parts.
fn final_upload(fixture: &Fixture) -> Result<Url, CaseAbort> {
    let parts = parts(fixture)?;
    fixture.create_by(&final_creation(fixture, &list(&parts)))
}

/// A request for a final upload of these parts.
fn final_creation(fixture: &Fixture, parts: &str) -> Request {
    fixture.creation().header(FIELD, format!("final;{parts}"))
}

fn list(parts: &[Url]) -> String {
    parts.iter().map(Url::as_str).collect::<Vec<_>>().join(" ")
}

const SECTION: &str = "Concatenation";

const FIELD: &str = "Upload-Concat";

/// Bytes of the first part.
const FIRST: usize = 1000;

/// Bytes of the second part.
const SECOND: usize = 600;
