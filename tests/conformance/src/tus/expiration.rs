//! Section Expiration.

use std::time::SystemTime;

use vod_uploader_wire::Response;

use super::scene::Scene;
use crate::case::{Case, Stop, Verdict};
use crate::check::{ResponseChecks, expect};
use crate::sample::sample;

pub(super) const CASES: &[Case<Scene>] = &[
    Case::must("a_patch_tells_when_the_upload_expires", SECTION, patch_tells),
    Case::should("a_creation_tells_when_the_upload_expires", SECTION, creation_tells),
    Case::must("the_time_of_expiry_is_an_http_date", SECTION, is_a_date),
    Case::must("the_time_of_expiry_is_to_come", SECTION, is_to_come),
];

fn patch_tells(scene: &Scene) -> Verdict {
    unfinished_patch(scene)?.required(FIELD).map(drop)
}

fn creation_tells(scene: &Scene) -> Verdict {
    scene.needs("expiration")?;
    let answer = scene.send(&scene.creation().header("Upload-Length", 1000))?;
    answer.required(FIELD).map(drop)
}

fn is_a_date(scene: &Scene) -> Verdict {
    let value = told(scene)?;
    let parsed = httpdate::parse_http_date(&value).ok();
    // Senders use the one preferred format (RFC 9110, section 5.6.7).
    expect(parsed.is_some_and(|time| httpdate::fmt_http_date(time) == value), || {
        format!("expected a date like Wed, 25 Jun 2014 16:00:00 GMT as {FIELD}, got {value:?}")
    })
}

fn is_to_come(scene: &Scene) -> Verdict {
    let value = told(scene)?;
    let Ok(time) = httpdate::parse_http_date(&value) else {
        return Err(Stop::skipped("the time of expiry cannot be read"));
    };
    expect(time > SystemTime::now(), || format!("expected a time to come as {FIELD}, got {value}"))
}

fn told(scene: &Scene) -> Result<String, Stop> {
    let answer = unfinished_patch(scene)?;
    let value = answer.header(FIELD).map(str::to_owned);
    value.ok_or_else(|| Stop::skipped(format!("no {FIELD} on a PATCH")))
}

fn unfinished_patch(scene: &Scene) -> Result<Response, Stop> {
    scene.needs("expiration")?;
    let upload = scene.create(1000)?;
    scene.send(&scene.patch(&upload, 0, &sample(400)))
}

const SECTION: &str = "Expiration";

const FIELD: &str = "Upload-Expires";
