//! Section 5, and 104 (Upload Resumption Supported) in 4.2, 4.4 and Appendix B.
//!
//! Sending it is a SHOULD for servers that can. If there is none, the cases are skipped.

use url::Url;
use vod_uploader_wire::{Head, Response};

use super::field;
use super::fixture::Fixture;
use crate::case::{Case, CaseAbort, Verdict};
use crate::check::{ResponseChecks, expect};
use crate::sample::sample;

pub(super) const CASES: &[Case<Fixture>] = &[
    Case::must("a_104_of_a_creation_returns_the_location", "4.2", returns_location),
    Case::must("all_locations_of_an_exchange_are_the_same", "4.2", same_locations),
    Case::must("a_104_has_the_interop_version", "Appendix B", has_version),
    Case::must("a_104_is_sent_only_in_the_same_interop_version", "Appendix B", same_version_only),
    Case::must("a_104_of_an_append_returns_no_location", "4.4", append_returns_none),
    Case::must("a_104_reports_no_more_than_is_stored", "4.1.1", reports_what_is_stored),
    Case::must("a_104_does_not_replace_100", "5", does_not_replace_100),
    Case::must("an_interrupted_creation_is_not_complete", "4.2", interrupted_is_not_complete),
    Case::should("bytes_of_an_interrupted_creation_are_kept", "4.2", interrupted_keeps),
];

fn returns_location(fixture: &Fixture) -> Verdict {
    let response = fixture.send(&fixture.creation(false, &sample(fixture.append_bytes()?)))?;
    let heads = heads_104(&response)?;
    let first = heads.first().and_then(|head| head.header("Location"));
    expect(first.is_some(), || "expected Location in the first 104, got none".to_owned())
}

fn same_locations(fixture: &Fixture) -> Verdict {
    let response = fixture.send(&fixture.creation(false, &sample(fixture.append_bytes()?)))?;
    let expected = response.required("Location")?;
    for head in heads_104(&response)? {
        let Some(location) = head.header("Location") else { continue };
        expect(location == expected, || {
            format!("expected Location: {expected} in the 104, got {location}")
        })?;
    }
    Ok(())
}

fn has_version(fixture: &Fixture) -> Verdict {
    let response = fixture.send(&fixture.creation(false, &sample(fixture.append_bytes()?)))?;
    let expected = fixture.draft.0.to_string();
    for head in heads_104(&response)? {
        let version = head.header(VERSION);
        expect(version == Some(expected.as_str()), || {
            format!("expected {VERSION}: {expected} in a 104, got {version:?}")
        })?;
    }
    Ok(())
}

fn same_version_only(fixture: &Fixture) -> Verdict {
    let creation = fixture.creation(false, &sample(fixture.append_bytes()?));
    for request in [creation.clone().without(VERSION), creation.replace(VERSION, 99)] {
        let response = fixture.send(&request)?;
        expect(response.interim.iter().all(|head| head.status != 104), || {
            format!("expected no 104 without {VERSION}: {}", fixture.draft.0)
        })?;
    }
    Ok(())
}

fn append_returns_none(fixture: &Fixture) -> Verdict {
    let upload = fixture.create()?;
    let response = fixture.send(&fixture.patch(&upload, 0, &sample(fixture.large()), false))?;
    for head in heads_104(&response)? {
        let location = head.header("Location");
        expect(location.is_none(), || format!("expected no Location in a 104, got {location:?}"))?;
    }
    Ok(())
}

fn reports_what_is_stored(fixture: &Fixture) -> Verdict {
    let upload = fixture.create()?;
    let patch = fixture.patch(&upload, 0, &sample(fixture.large()), true);
    let mut pending = fixture.client.send_part(&patch, fixture.large() / 2)?;
    let mut reported = None;
    while let Ok(head) = pending.next_head(fixture.setup.hang_bound / 4) {
        let offset = head.header("Upload-Offset").and_then(field::integer);
        reported = reported.max(offset.filter(|_| head.status == 104));
    }
    pending.interrupt();
    let reported = reported.ok_or_else(|| CaseAbort::skipped("no 104 has an offset"))?;
    let offset = fixture.offset(&upload)?;
    expect(offset as u64 >= reported, || {
        format!("expected an offset from {reported}, got {offset}")
    })
}

fn does_not_replace_100(fixture: &Fixture) -> Verdict {
    let creation = fixture.creation(false, &sample(fixture.append_bytes()?));
    match fixture.send_after_continue(&creation)? {
        Some(response) => response.expect_success(),
        None => Ok(()),
    }
}

fn interrupted_is_not_complete(fixture: &Fixture) -> Verdict {
    let upload = interrupted_creation(fixture, fixture.large() / 2)?;
    fixture.expect_complete(&fixture.head(&upload)?, false)
}

fn interrupted_keeps(fixture: &Fixture) -> Verdict {
    let sent = fixture.large() / 2;
    let upload = interrupted_creation(fixture, sent)?;
    let offset = fixture.await_offset(&upload, sent)?;
    expect(offset == sent, || {
        format!("expected offset {sent} after {sent} sent bytes, got {offset}")
    })
}

/// The upload of an interrupted creation, from its 104.
fn interrupted_creation(fixture: &Fixture, sent: usize) -> Result<Url, CaseAbort> {
    let creation = fixture.creation(true, &sample(fixture.large()));
    let mut pending = fixture.client.send_part(&creation, sent)?;
    let head = pending.next_head(fixture.setup.hang_bound);
    pending.interrupt();
    let head = head.ok();
    let location = head.as_ref().and_then(|head| head.header("Location"));
    let url = location.and_then(|location| fixture.setup.url.join(location).ok());
    url.ok_or_else(|| CaseAbort::skipped(NONE))
}

fn heads_104(response: &Response) -> Result<Vec<&Head>, CaseAbort> {
    let heads: Vec<_> = response.interim.iter().filter(|head| head.status == 104).collect();
    if heads.is_empty() { Err(CaseAbort::skipped(NONE)) } else { Ok(heads) }
}

const VERSION: &str = "Upload-Draft-Interop-Version";

const NONE: &str = "the server sends no 104, which it SHOULD if it can";
