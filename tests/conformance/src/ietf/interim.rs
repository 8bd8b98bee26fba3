//! Section 5 and what 4.2, 4.4 and Appendix B say of 104 (Upload Resumption Supported).
//!
//! Sending it is a SHOULD for servers that can. Where none comes there is nothing to check, and
//! the cases are skipped.

use url::Url;
use vod_uploader_wire::{Head, Response};

use super::field;
use super::fixture::Fixture;
use crate::case::{Case, CaseAbort, Verdict};
use crate::check::{ResponseChecks, expect};
use crate::sample::sample;

pub(super) const CASES: &[Case<Fixture>] = &[
    Case::must("a_104_of_a_creation_tells_the_location", "4.2", tells_location),
    Case::must("all_locations_of_an_exchange_are_the_same", "4.2", same_locations),
    Case::must("a_104_names_the_interop_version", "Appendix B", names_version),
    Case::must("a_104_comes_in_the_same_interop_version_only", "Appendix B", same_version_only),
    Case::must("a_104_of_an_append_tells_no_location", "4.4", append_tells_none),
    Case::must("a_104_tells_no_more_than_is_kept", "4.1.1", tells_what_is_kept),
    Case::must("a_104_does_not_replace_100", "5", does_not_replace_100),
    Case::must("a_creation_that_was_cut_is_not_complete", "4.2", cut_is_not_complete),
    Case::should("what_a_cut_creation_brought_is_kept", "4.2", cut_keeps),
];

fn tells_location(fixture: &Fixture) -> Verdict {
    let answer = fixture.send(&fixture.creation(false, &sample(fixture.piece()?)))?;
    let heads = heads_104(&answer)?;
    let first = heads.first().and_then(|head| head.header("Location"));
    expect(first.is_some(), || "expected Location in the first 104, got none".to_owned())
}

fn same_locations(fixture: &Fixture) -> Verdict {
    let answer = fixture.send(&fixture.creation(false, &sample(fixture.piece()?)))?;
    let expected = answer.required("Location")?;
    for head in heads_104(&answer)? {
        let Some(location) = head.header("Location") else { continue };
        expect(location == expected, || {
            format!("expected Location: {expected} in the 104, too, got {location}")
        })?;
    }
    Ok(())
}

fn names_version(fixture: &Fixture) -> Verdict {
    let answer = fixture.send(&fixture.creation(false, &sample(fixture.piece()?)))?;
    let expected = fixture.draft.0.to_string();
    for head in heads_104(&answer)? {
        let version = head.header(VERSION);
        expect(version == Some(expected.as_str()), || {
            format!("expected {VERSION}: {expected} in a 104, got {version:?}")
        })?;
    }
    Ok(())
}

fn same_version_only(fixture: &Fixture) -> Verdict {
    let creation = fixture.creation(false, &sample(fixture.piece()?));
    for request in [creation.clone().without(VERSION), creation.replace(VERSION, 99)] {
        let answer = fixture.send(&request)?;
        expect(answer.interim.iter().all(|head| head.status != 104), || {
            format!("expected no 104 without {VERSION}: {}", fixture.draft.0)
        })?;
    }
    Ok(())
}

fn append_tells_none(fixture: &Fixture) -> Verdict {
    let upload = fixture.create()?;
    let answer = fixture.send(&fixture.patch(&upload, 0, &sample(fixture.large()), false))?;
    for head in heads_104(&answer)? {
        let location = head.header("Location");
        expect(location.is_none(), || format!("expected no Location in a 104, got {location:?}"))?;
    }
    Ok(())
}

fn tells_what_is_kept(fixture: &Fixture) -> Verdict {
    let upload = fixture.create()?;
    let patch = fixture.patch(&upload, 0, &sample(fixture.large()), true);
    let mut pending = fixture.client.send_part(&patch, fixture.large() / 2)?;
    let mut told = None;
    while let Ok(head) = pending.next_head(fixture.setup.hang_bound / 4) {
        let offset = head.header("Upload-Offset").and_then(field::integer);
        told = told.max(offset.filter(|_| head.status == 104));
    }
    pending.interrupt();
    let told = told.ok_or_else(|| CaseAbort::skipped("no 104 tells an offset"))?;
    let offset = fixture.offset(&upload)?;
    expect(offset as u64 >= told, || format!("expected an offset from {told}, got {offset}"))
}

fn does_not_replace_100(fixture: &Fixture) -> Verdict {
    let content = sample(fixture.piece()?);
    let creation = fixture.creation(false, &content).header("Expect", "100-continue");
    let mut pending = fixture.client.start(&creation)?;
    loop {
        let head = pending.next_head(fixture.setup.answer_limit).map_err(|cause| {
            CaseAbort::failed(format!(
                "expected 100 or a final answer before the content, got {cause}"
            ))
        })?;
        match head.status {
            100 => {
                pending.send(&creation.content);
                return pending.response()?.expect_success();
            }
            101..200 => {}
            _ => return Ok(()),
        }
    }
}

fn cut_is_not_complete(fixture: &Fixture) -> Verdict {
    let upload = cut_creation(fixture, fixture.large() / 2)?;
    fixture.expect_complete(&fixture.head(&upload)?, false)
}

fn cut_keeps(fixture: &Fixture) -> Verdict {
    let sent = fixture.large() / 2;
    let upload = cut_creation(fixture, sent)?;
    let offset = fixture.await_offset(&upload, sent)?;
    expect(offset == sent, || {
        format!("expected the {sent} bytes that were sent to be kept, got offset {offset}")
    })
}

/// The upload of an interrupted creation, from its 104.
fn cut_creation(fixture: &Fixture, sent: usize) -> Result<Url, CaseAbort> {
    let creation = fixture.creation(true, &sample(fixture.large()));
    let mut pending = fixture.client.send_part(&creation, sent)?;
    let head = pending.next_head(fixture.setup.hang_bound);
    pending.interrupt();
    let head = head.ok();
    let location = head.as_ref().and_then(|head| head.header("Location"));
    let url = location.and_then(|location| fixture.setup.url.join(location).ok());
    url.ok_or_else(|| CaseAbort::skipped(NONE))
}

fn heads_104(answer: &Response) -> Result<Vec<&Head>, CaseAbort> {
    let heads: Vec<_> = answer.interim.iter().filter(|head| head.status == 104).collect();
    if heads.is_empty() { Err(CaseAbort::skipped(NONE)) } else { Ok(heads) }
}

const VERSION: &str = "Upload-Draft-Interop-Version";

const NONE: &str = "the server sends no 104, which it SHOULD if it can";
