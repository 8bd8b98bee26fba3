//! Sections 4.1.1, 4.4 and 4.6: appends that break off.

use super::fixture::Fixture;
use crate::case::{Case, Verdict};
use crate::check::{ResponseChecks, expect};
use crate::sample::sample;

pub(super) const CASES: &[Case<Fixture>] = &[
    Case::should("what_arrived_before_a_cut_is_kept", "4.4", keeps),
    Case::must("a_cut_append_does_not_complete", "4.4", does_not_complete),
    Case::must("an_offset_never_decreases", "4.1.1", never_decreases),
    Case::must("an_offset_that_was_told_is_accepted", "4.6", told_is_accepted),
];

fn keeps(fixture: &Fixture) -> Verdict {
    let (size, sent) = (fixture.large(), fixture.large() / 3 * 2);
    let upload = fixture.create()?;
    fixture.client.send_part(&fixture.patch(&upload, 0, &sample(size), true), sent)?.interrupt();
    let offset = fixture.await_offset(&upload, sent)?;
    expect(offset == sent, || {
        format!("expected the {sent} bytes that were sent to be kept, got offset {offset}")
    })
}

fn does_not_complete(fixture: &Fixture) -> Verdict {
    let size = fixture.large();
    let upload = fixture.create()?;
    fixture
        .client
        .send_part(&fixture.patch(&upload, 0, &sample(size), true), size / 2)?
        .interrupt();
    fixture.expect_complete(&fixture.head(&upload)?, false)
}

fn never_decreases(fixture: &Fixture) -> Verdict {
    let content = sample(fixture.large());
    let upload = fixture.create()?;
    let mut last = 0;
    for _ in 0..4 {
        let rest = content.get(last..).unwrap_or_default();
        let patch = fixture.patch(&upload, last, rest, true);
        fixture.client.send_part(&patch, rest.len() / 3)?.interrupt();
        for _ in 0..2 {
            let offset = fixture.offset(&upload)?;
            expect(offset >= last, || format!("expected an offset from {last}, got {offset}"))?;
            last = offset;
        }
    }
    Ok(())
}

fn told_is_accepted(fixture: &Fixture) -> Verdict {
    let content = sample(fixture.large());
    let upload = fixture.create()?;
    let patch = fixture.patch(&upload, 0, &content, true);
    fixture.client.send_part(&patch, content.len() / 2)?.interrupt();
    let offset = fixture.offset(&upload)?;
    let rest = content.get(offset..).unwrap_or_default();
    fixture.send(&fixture.patch(&upload, offset, rest, true))?.expect_success()
}
