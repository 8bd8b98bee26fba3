//! Selection of URL upload jobs.

use crate::error::{Error, Result};
use crate::percent::encode_component;

/// Jobs by their IDs or by their source URLs: VOD accepts one or the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UrlJobs<'a> {
    /// The jobs with these IDs, 1 to 10.
    Ids(&'a [&'a str]),
    /// The jobs with these source URLs, 1 to 10. A URL may have several jobs.
    Urls(&'a [&'a str]),
}

/// The maximum number of job IDs or URLs per call
/// (<https://www.alibabacloud.com/help/en/vod/developer-reference/api-vod-2017-03-21-geturluploadinfos>,
/// <https://www.alibabacloud.com/help/en/vod/developer-reference/api-vod-2017-03-21-cancelurluploadjobs>).
pub(super) const URL_JOBS_MAX: usize = 10;

impl UrlJobs<'_> {
    /// Checks the number of jobs; `urls` is the name of the call's parameter for URLs.
    pub(super) fn check(&self, urls: &str) -> Result<()> {
        let (field, listed) = match self {
            Self::Ids(ids) => ("JobIds", ids),
            Self::Urls(listed) => (urls, listed),
        };
        if listed.is_empty() || listed.len() > URL_JOBS_MAX {
            return Err(Error::field_invalid(field, format!("1 to {URL_JOBS_MAX}")));
        }
        if listed.iter().any(|one| one.trim().is_empty()) {
            return Err(Error::field_invalid(field, "all of them not blank"));
        }
        // URLs are encoded before they are joined, IDs are not.
        if matches!(self, Self::Ids(ids) if ids.iter().any(|id| id.contains(','))) {
            return Err(Error::field_invalid(field, "without commas"));
        }
        Ok(())
    }

    /// The call's parameter; `urls` is its name for URLs.
    pub(super) fn parameter(&self, urls: &'static str) -> (&'static str, String) {
        match self {
            Self::Ids(ids) => ("JobIds", ids.join(",")),
            Self::Urls(listed) => (urls, joined_urls(listed.iter().copied())),
        }
    }
}

/// A list of URLs in VOD's format: each is percent-encoded, then they are joined with commas.
pub(super) fn joined_urls<'a>(urls: impl Iterator<Item = &'a str>) -> String {
    let encoded: Vec<String> = urls.map(|url| encode_component(url).to_string()).collect();
    encoded.join(",")
}
