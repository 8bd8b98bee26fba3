//! Which of the jobs that fetch online files a call is about.

use crate::error::{Error, Result};
use crate::oss::encode_component;

/// Jobs by their ids, or by the URLs that they fetch: VOD takes one or the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UrlJobs<'a> {
    /// The jobs of these ids, 1 to 10.
    Ids(&'a [&'a str]),
    /// The jobs that fetch these URLs, 1 to 10; a URL may have been fetched several times.
    Urls(&'a [&'a str]),
}

/// Most job ids or URLs of one call
/// (<https://www.alibabacloud.com/help/en/vod/developer-reference/api-vod-2017-03-21-geturluploadinfos>,
/// <https://www.alibabacloud.com/help/en/vod/developer-reference/api-vod-2017-03-21-cancelurluploadjobs>).
pub const URL_JOBS_MAX: usize = 10;

impl UrlJobs<'_> {
    /// Refuses none and too many; `urls` is what the call names the URLs.
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
        // URLs are encoded before they are joined, ids are not.
        if matches!(self, Self::Ids(ids) if ids.iter().any(|id| id.contains(','))) {
            return Err(Error::field_invalid(field, "without commas"));
        }
        Ok(())
    }

    /// The call's parameter; `urls` is what the call names the URLs.
    pub(super) fn parameter(&self, urls: &'static str) -> (&'static str, String) {
        match self {
            Self::Ids(ids) => ("JobIds", ids.join(",")),
            Self::Urls(listed) => (urls, joined_urls(listed.iter().copied())),
        }
    }
}

/// URLs as VOD takes several: each of them encoded, and then joined by commas.
pub(super) fn joined_urls<'a>(urls: impl Iterator<Item = &'a str>) -> String {
    let encoded: Vec<String> = urls.map(|url| encode_component(url).to_string()).collect();
    encoded.join(",")
}
