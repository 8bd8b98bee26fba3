//! Section 4.3: the state of an upload, by HEAD.

use vod_uploader_wire::Request;

use super::field;
use super::fixture::Fixture;
use crate::case::{Case, CaseAbort, Verdict};
use crate::check::{ResponseChecks, expect, unknown_like};

pub(super) const CASES: &[Case<Fixture>] = &[
    Case::must("head_returns_the_offset", SECTION, returns_offset),
    Case::must("head_declares_an_incomplete_upload_incomplete", SECTION, declares_incomplete),
    Case::must("head_declares_a_complete_upload_complete", SECTION, declares_complete),
    Case::must("head_returns_the_length_of_a_complete_upload", SECTION, returns_length),
    Case::must("head_returns_the_limits", SECTION, returns_limits),
    Case::should("head_is_not_cached", SECTION, not_cached),
    Case::should("head_is_not_redirected_with_301_or_302", SECTION, not_redirected),
    Case::should("a_complete_upload_stays_for_a_while", "4", stays),
    Case::must("get_returns_the_same_offset", "4.6", get_returns_the_same),
    Case::should("head_of_an_unknown_upload_is_rejected", "4", unknown),
];

fn returns_offset(fixture: &Fixture) -> Verdict {
    let append_bytes = fixture.append_bytes()?;
    let upload = fixture.create()?;
    fixture.expect_offset(&upload, 0)?;
    fixture.append(&upload, 0..append_bytes, false)?;
    let head = fixture.head(&upload)?;
    head.expect_success()?;
    head.expect_field("Upload-Offset", append_bytes)
}

fn declares_incomplete(fixture: &Fixture) -> Verdict {
    let upload = fixture.create()?;
    fixture.expect_complete(&fixture.head(&upload)?, false)?;
    fixture.append(&upload, 0..fixture.append_bytes()?, false)?;
    fixture.expect_complete(&fixture.head(&upload)?, false)
}

fn declares_complete(fixture: &Fixture) -> Verdict {
    let head = fixture.head(&fixture.complete(1000)?)?;
    if head.expect_success().is_err() {
        return Err(CaseAbort::skipped("the server deletes a complete upload"));
    }
    fixture.expect_complete(&head, true)?;
    head.expect_field("Upload-Offset", 1000)
}

fn returns_length(fixture: &Fixture) -> Verdict {
    fixture.since(6)?;
    let head = fixture.head(&fixture.complete(1000)?)?;
    if head.expect_success().is_err() {
        return Err(CaseAbort::skipped("the server deletes a complete upload"));
    }
    head.expect_field("Upload-Length", 1000)
}

fn returns_limits(fixture: &Fixture) -> Verdict {
    fixture.since(8)?;
    let upload = fixture.create()?;
    let value = fixture.head(&upload)?.required("Upload-Limit")?;
    expect(!field::keys(&value).is_empty(), || {
        format!("expected limits as Upload-Limit, got {value:?}")
    })
}

fn not_cached(fixture: &Fixture) -> Verdict {
    let upload = fixture.create()?;
    fixture.head(&upload)?.expect_no_store()
}

fn not_redirected(fixture: &Fixture) -> Verdict {
    let status = fixture.head(&fixture.create()?)?.status;
    expect(!matches!(status, 301 | 302), || format!("expected no redirection, got {status}"))
}

fn stays(fixture: &Fixture) -> Verdict {
    let upload = fixture.complete(1000)?;
    fixture.head(&upload)?.expect_success()
}

fn get_returns_the_same(fixture: &Fixture) -> Verdict {
    let append_bytes = fixture.append_bytes()?;
    let upload = fixture.create()?;
    fixture.append(&upload, 0..append_bytes, false)?;
    // Without the interop version, like a client that reads the resource.
    let response = fixture.send(&Request::new("GET", upload.as_str()))?;
    if response.header("Upload-Offset").is_none() {
        return Err(CaseAbort::skipped("GET returns no offset"));
    }
    response.expect_field("Upload-Offset", append_bytes)
}

fn unknown(fixture: &Fixture) -> Verdict {
    let upload = fixture.create()?;
    let response = fixture.head(&unknown_like(&upload))?;
    response.expect_rejection("an unknown upload")
}

const SECTION: &str = "4.3";
