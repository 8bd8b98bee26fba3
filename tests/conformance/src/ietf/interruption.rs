//! Sections 4.1.1, 4.4 and 4.6: interrupted appends.

use super::fixture::Fixture;
use crate::case::{Case, Verdict};
use crate::check::{ResponseChecks, expect};
use crate::sample::sample;

pub(super) const CASES: &[Case<Fixture>] = &[
    Case::should("bytes_received_before_an_interruption_are_kept", "4.4", keeps),
    Case::must("an_interrupted_append_does_not_complete", "4.4", does_not_complete),
    Case::must("an_offset_never_decreases", "4.1.1", never_decreases),
    Case::must("a_reported_offset_is_accepted", "4.6", reported_is_accepted),
];

fn keeps(fixture: &Fixture) -> Verdict {
    let (size, sent) = (fixture.large(), fixture.large() / 3 * 2);
    let upload = fixture.create()?;
    fixture.interrupt(&fixture.patch(&upload, 0, &sample(size), true), sent)?;
    let offset = fixture.await_offset(&upload, sent)?;
    expect(offset == sent, || {
        format!("expected offset {sent} after {sent} sent bytes, got {offset}")
    })
}

fn does_not_complete(fixture: &Fixture) -> Verdict {
    let size = fixture.large();
    let upload = fixture.create()?;
    fixture.interrupt(&fixture.patch(&upload, 0, &sample(size), true), size / 2)?;
    fixture.expect_complete(&fixture.head(&upload)?, false)
}

fn never_decreases(fixture: &Fixture) -> Verdict {
    let content = sample(fixture.large());
    let upload = fixture.create()?;
    let mut last = 0;
    for _ in 0..4 {
        let rest = content.get(last..).unwrap_or_default();
        let patch = fixture.patch(&upload, last, rest, true);
        fixture.interrupt(&patch, rest.len() / 3)?;
        for _ in 0..2 {
            let offset = fixture.offset(&upload)?;
            expect(offset >= last, || format!("expected an offset from {last}, got {offset}"))?;
            last = offset;
        }
    }
    Ok(())
}

fn reported_is_accepted(fixture: &Fixture) -> Verdict {
    let content = sample(fixture.large());
    let upload = fixture.create()?;
    let patch = fixture.patch(&upload, 0, &content, true);
    fixture.interrupt(&patch, content.len() / 2)?;
    let offset = fixture.offset(&upload)?;
    let rest = content.get(offset..).unwrap_or_default();
    fixture.send(&fixture.patch(&upload, offset, rest, true))?.expect_success()
}
