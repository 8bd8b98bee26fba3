//! Section 4.2, and the requirements of section 13 for URLs.

use super::fixture::Fixture;
use crate::case::{Case, CaseAbort, Verdict};
use crate::check::{ResponseChecks, expect};
use crate::sample::sample;

pub(super) const CASES: &[Case<Fixture>] = &[
    Case::must("an_incomplete_creation_returns_the_location", SECTION, returns_location),
    Case::should("an_incomplete_creation_returns_201", SECTION, is_201),
    Case::must("an_incomplete_creation_returns_the_limits", SECTION, returns_limits),
    Case::must("an_empty_creation_starts_at_0", SECTION, starts_at_0),
    Case::must("bytes_of_a_creation_are_stored", "4.1.1", bytes_count),
    Case::must("an_incomplete_creation_is_not_complete", "4.1.2", is_not_complete),
    Case::must("a_complete_creation_succeeds", SECTION, complete_succeeds),
    Case::should("every_upload_has_a_separate_url", "4", own_url),
    Case::should("urls_are_hard_to_guess", "13", hard_to_guess),
];

fn returns_location(fixture: &Fixture) -> Verdict {
    let upload = fixture.create_by(&fixture.creation(false, &sample(fixture.append_bytes()?)))?;
    fixture.head(&upload)?.expect_success()
}

fn is_201(fixture: &Fixture) -> Verdict {
    fixture.send(&fixture.creation(false, &sample(fixture.append_bytes()?)))?.expect_status(&[201])
}

fn returns_limits(fixture: &Fixture) -> Verdict {
    fixture.since(6)?;
    let creation = fixture.creation(false, b"");
    let response = fixture.send(&creation)?;
    let upload = response.location(&fixture.setup.url)?;
    if fixture.head(&upload)?.header("Upload-Limit").is_none() {
        return Err(CaseAbort::skipped("the server has no limits"));
    }
    response.required("Upload-Limit").map(drop)
}

fn starts_at_0(fixture: &Fixture) -> Verdict {
    let upload = fixture.create()?;
    fixture.expect_offset(&upload, 0)
}

fn bytes_count(fixture: &Fixture) -> Verdict {
    let append_bytes = fixture.append_bytes()?;
    let upload = fixture.create_by(&fixture.creation(false, &sample(append_bytes)))?;
    fixture.expect_offset(&upload, append_bytes)?;
    fixture.append(&upload, append_bytes..2 * append_bytes, true)
}

fn is_not_complete(fixture: &Fixture) -> Verdict {
    let append_bytes = fixture.append_bytes()?;
    // All bytes were sent, but not declared complete.
    let mut creation = fixture.creation(false, &sample(append_bytes));
    if fixture.since(6).is_ok() {
        creation = creation.header("Upload-Length", append_bytes);
    }
    let upload = fixture.create_by(&creation)?;
    fixture.expect_complete(&fixture.head(&upload)?, false)
}

fn complete_succeeds(fixture: &Fixture) -> Verdict {
    fixture.send(&fixture.creation(true, &sample(fixture.append_bytes()?)))?.expect_success()
}

fn own_url(fixture: &Fixture) -> Verdict {
    let (first, second) = (fixture.create()?, fixture.create()?);
    expect(first != second, || format!("expected another Location, got {second} again"))
}

fn hard_to_guess(fixture: &Fixture) -> Verdict {
    let uploads = [fixture.create()?, fixture.create()?, fixture.create()?];
    for (first, second) in [(0, 1), (1, 2), (0, 2)] {
        let (first, second) = (uploads[first].as_str(), uploads[second].as_str());
        let differing = first.bytes().zip(second.bytes()).filter(|(one, other)| one != other);
        // Of 16 random hexadecimal digits 15 differ on average, and 11 almost always.
        expect(differing.count() >= 10, || {
            format!("expected URLs that are hard to guess, got {first} and {second}")
        })?;
    }
    Ok(())
}

const SECTION: &str = "4.2";
