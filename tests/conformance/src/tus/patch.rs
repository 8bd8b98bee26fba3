//! Section PATCH: appends and interruptions.

use std::time::Instant;

use super::fixture::Fixture;
use crate::case::{Case, Verdict};
use crate::check::{ResponseChecks, expect, unknown_like};
use crate::sample::sample;

pub(super) const CASES: &[Case<Fixture>] = &[
    Case::must("patch_returns_204", SECTION, is_204),
    Case::must("patch_returns_the_new_offset", SECTION, returns_offset),
    Case::must("patches_follow_each_other", SECTION, follow_each_other),
    Case::must("a_patch_in_chunks_is_accepted", "RFC 9112, section 7.1", in_chunks),
    Case::must("the_stored_bytes_are_the_sent_bytes", SECTION, stored_bytes_match),
    Case::must("a_wrong_offset_returns_409", SECTION, wrong_offset_is_409),
    Case::must("a_wrong_offset_changes_nothing", SECTION, wrong_offset_changes_nothing),
    Case::must("the_offset_never_exceeds_the_length", "Upload-Length", never_exceeds),
    Case::should("patch_of_another_content_type_returns_415", SECTION, other_content_type),
    Case::should("patch_of_an_unknown_upload_returns_404", SECTION, unknown),
    Case::should("bytes_received_before_an_interruption_are_kept", SECTION, interrupted_keeps),
    Case::must("an_upload_continues_after_an_interruption", SECTION, continues),
    Case::should(
        "an_upload_continues_while_an_old_connection_hangs",
        SECTION,
        continues_while_hanging,
    ),
];

fn is_204(fixture: &Fixture) -> Verdict {
    let upload = fixture.create(1000)?;
    fixture.send(&fixture.patch(&upload, 0, &sample(400)))?.expect_status(&[204])?;
    fixture.send(&fixture.patch(&upload, 400, &sample(600)))?.expect_status(&[204])
}

fn returns_offset(fixture: &Fixture) -> Verdict {
    let upload = fixture.create(1000)?;
    let response = fixture.send(&fixture.patch(&upload, 0, &sample(400)))?;
    response.expect_field("Upload-Offset", 400)?;
    let response = fixture.send(&fixture.patch(&upload, 400, &sample(600)))?;
    response.expect_field("Upload-Offset", 1000)
}

fn follow_each_other(fixture: &Fixture) -> Verdict {
    let upload = fixture.create(900)?;
    for offset in [0, 300, 600] {
        fixture.append(&upload, offset, &sample(300))?;
        fixture.expect_offset(&upload, offset + 300)?;
    }
    Ok(())
}

fn in_chunks(fixture: &Fixture) -> Verdict {
    let upload = fixture.create(2000)?;
    fixture.send(&fixture.patch(&upload, 0, b"").chunked(&sample(2000)))?.expect_success()?;
    fixture.expect_offset(&upload, 2000)
}

fn stored_bytes_match(fixture: &Fixture) -> Verdict {
    let content = sample(fixture.large());
    let (first, second) = content.split_at(content.len() / 3);
    let upload = fixture.create(content.len())?;
    fixture.append(&upload, 0, first)?;
    fixture.append(&upload, first.len(), second)?;
    let read = fixture.read_back(&upload)?;
    expect(read == content, || "expected the sent bytes, got others".to_owned())
}

fn wrong_offset_is_409(fixture: &Fixture) -> Verdict {
    let upload = fixture.create(1000)?;
    fixture.append(&upload, 0, &sample(400))?;
    for wrong in [0, 399, 401, 1000] {
        fixture.send(&fixture.patch(&upload, wrong, &sample(100)))?.expect_status(&[409])?;
    }
    Ok(())
}

fn wrong_offset_changes_nothing(fixture: &Fixture) -> Verdict {
    let upload = fixture.create(1000)?;
    fixture.append(&upload, 0, &sample(400))?;
    for wrong in [0, 399, 401] {
        fixture.send(&fixture.patch(&upload, wrong, &sample(100)))?;
        fixture.expect_offset(&upload, 400)?;
    }
    Ok(())
}

fn never_exceeds(fixture: &Fixture) -> Verdict {
    let sized = fixture.create(1000)?;
    let chunked = fixture.create(1000)?;
    fixture.send(&fixture.patch(&sized, 0, &sample(1500)))?;
    fixture.send(&fixture.patch(&chunked, 0, b"").chunked(&sample(1500)))?;
    for upload in [sized, chunked] {
        // If the server aborted the upload, there is no offset.
        let head = fixture.head(&upload)?;
        if head.expect_success().is_ok() {
            let offset = head.integer("Upload-Offset")?;
            expect(offset <= 1000, || format!("expected an offset up to 1000, got {offset}"))?;
        }
    }
    Ok(())
}

fn other_content_type(fixture: &Fixture) -> Verdict {
    let upload = fixture.create(1000)?;
    let patch = fixture.patch(&upload, 0, &sample(100));
    let octets = patch.clone().replace("Content-Type", "application/octet-stream");
    fixture.send(&octets)?.expect_status(&[415])?;
    fixture.send(&patch.without("Content-Type"))?.expect_status(&[415])
}

fn unknown(fixture: &Fixture) -> Verdict {
    let upload = fixture.create(1000)?;
    let patch = fixture.patch(&unknown_like(&upload), 0, &sample(100));
    fixture.send(&patch)?.expect_status(&[404])
}

fn interrupted_keeps(fixture: &Fixture) -> Verdict {
    let (size, sent) = (fixture.large(), fixture.large() / 3 * 2);
    let upload = fixture.create(size)?;
    fixture.interrupt(&fixture.patch(&upload, 0, &sample(size)), sent)?;
    let offset = fixture.await_offset(&upload, sent)?;
    expect(offset == sent as u64, || {
        format!("expected offset {sent} after {sent} sent bytes, got {offset}")
    })
}

fn continues(fixture: &Fixture) -> Verdict {
    let content = sample(fixture.large());
    let upload = fixture.create(content.len())?;
    let sent = content.len() / 3;
    fixture.interrupt(&fixture.patch(&upload, 0, &content), sent)?;
    let offset = usize::try_from(fixture.offset(&upload)?).unwrap_or(usize::MAX);
    let rest = content.get(offset..).unwrap_or_default();
    fixture.send(&fixture.patch(&upload, offset, rest))?.expect_success()?;
    fixture.expect_offset(&upload, content.len())
}

fn continues_while_hanging(fixture: &Fixture) -> Verdict {
    let content = sample(fixture.large());
    let upload = fixture.create(content.len())?;
    let patch = fixture.patch(&upload, 0, &content);
    let hanging = fixture.start_hanging(&patch, content.len() / 3)?;
    let start = Instant::now();
    let offset = usize::try_from(fixture.offset(&upload)?).unwrap_or(usize::MAX);
    let rest = content.get(offset..).unwrap_or_default();
    fixture.send(&fixture.patch(&upload, offset, rest))?.expect_success()?;
    let (took, bound) = (start.elapsed(), fixture.setup.hang_bound);
    drop(hanging);
    expect(took <= bound, || {
        format!("expected HEAD and PATCH within {bound:?} of a hanging PATCH, got {took:?}")
    })
}

const SECTION: &str = "PATCH";
