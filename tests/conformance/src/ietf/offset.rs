//! Section 4.3: the state of an upload, by HEAD.

use vod_uploader_wire::Request;

use super::field;
use super::fixture::Fixture;
use crate::case::{Case, CaseAbort, Verdict};
use crate::check::{ResponseChecks, expect, unknown_like};

pub(super) const CASES: &[Case<Fixture>] = &[
    Case::must("head_tells_the_offset", SECTION, tells_offset),
    Case::must("head_tells_that_an_upload_is_incomplete", SECTION, tells_incomplete),
    Case::must("head_tells_that_an_upload_is_complete", SECTION, tells_complete),
    Case::must("head_tells_the_length_of_a_complete_upload", SECTION, tells_length),
    Case::must("head_tells_the_limits", SECTION, tells_limits),
    Case::should("head_is_not_cached", SECTION, not_cached),
    Case::should("head_is_not_redirected_with_301_or_302", SECTION, not_redirected),
    Case::should("a_complete_upload_stays_for_a_while", "4", stays),
    Case::must("get_tells_the_same_offset", "4.6", get_tells_the_same),
    Case::should("head_of_an_unknown_upload_is_refused", "4", unknown),
];

fn tells_offset(fixture: &Fixture) -> Verdict {
    let piece = fixture.piece()?;
    let upload = fixture.create()?;
    fixture.expect_offset(&upload, 0)?;
    fixture.append(&upload, 0..piece, false)?;
    let head = fixture.head(&upload)?;
    head.expect_success()?;
    head.expect_field("Upload-Offset", piece)
}

fn tells_incomplete(fixture: &Fixture) -> Verdict {
    let upload = fixture.create()?;
    fixture.expect_complete(&fixture.head(&upload)?, false)?;
    fixture.append(&upload, 0..fixture.piece()?, false)?;
    fixture.expect_complete(&fixture.head(&upload)?, false)
}

fn tells_complete(fixture: &Fixture) -> Verdict {
    let head = fixture.head(&fixture.complete(1000)?)?;
    if head.expect_success().is_err() {
        return Err(CaseAbort::skipped("a complete upload is gone"));
    }
    fixture.expect_complete(&head, true)?;
    head.expect_field("Upload-Offset", 1000)
}

fn tells_length(fixture: &Fixture) -> Verdict {
    fixture.since(6)?;
    let head = fixture.head(&fixture.complete(1000)?)?;
    if head.expect_success().is_err() {
        return Err(CaseAbort::skipped("a complete upload is gone"));
    }
    head.expect_field("Upload-Length", 1000)
}

fn tells_limits(fixture: &Fixture) -> Verdict {
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

fn get_tells_the_same(fixture: &Fixture) -> Verdict {
    let piece = fixture.piece()?;
    let upload = fixture.create()?;
    fixture.append(&upload, 0..piece, false)?;
    // Without the interop version, as a client that reads the resource.
    let answer = fixture.send(&Request::new("GET", upload.as_str()))?;
    if answer.header("Upload-Offset").is_none() {
        return Err(CaseAbort::skipped("GET tells no offset"));
    }
    answer.expect_field("Upload-Offset", piece)
}

fn unknown(fixture: &Fixture) -> Verdict {
    let upload = fixture.create()?;
    let answer = fixture.head(&unknown_like(&upload))?;
    answer.expect_refusal("an upload that there is not")
}

const SECTION: &str = "4.3";
