//! CancelUrlUploadJobs: removes queued URL upload jobs.

use super::Action;
use crate::error::Result;
use crate::units::UnixMillis;
use crate::vod::{UrlJobs, VodResponse};

/// Cancels jobs that have not started
/// (<https://www.alibabacloud.com/help/en/vod/developer-reference/api-vod-2017-03-21-cancelurluploadjobs>).
#[derive(Clone, Copy, Debug)]
pub struct CancelUrlUploadJobs<'a> {
    /// The jobs to cancel.
    pub jobs: UrlJobs<'a>,
}

/// The result of a cancellation. A job that is in neither list has started already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CanceledUrlJobs {
    /// The IDs of the canceled jobs.
    pub canceled_jobs: Vec<String>,
    /// The IDs or URLs that match no job.
    pub non_exists: Vec<String>,
    /// The ID to quote to Alibaba Cloud support.
    pub request_id: String,
}

impl Action for CancelUrlUploadJobs<'_> {
    type Output = CanceledUrlJobs;

    const NAME: &'static str = "CancelUrlUploadJobs";

    fn check(&self) -> Result<()> {
        self.jobs.check(URLS)
    }

    fn parameters(&self) -> Vec<(&'static str, String)> {
        vec![self.jobs.parameter(URLS)]
    }

    fn output(&self, response: &VodResponse, _now: UnixMillis) -> Result<CanceledUrlJobs> {
        Ok(CanceledUrlJobs {
            canceled_jobs: response.texts("CanceledJobs"),
            non_exists: response.texts("NonExists"),
            request_id: response.request_id().to_owned(),
        })
    }
}

/// The parameter for URLs, which GetURLUploadInfos spells differently.
const URLS: &str = "UploadUrls";

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed assumption fails the test")]

    use serde_json::json;

    use super::*;
    use crate::vod::action::fixtures::{NOW, sent, success};

    #[test]
    fn jobs_are_canceled_by_id_or_by_url() {
        for (jobs, expected) in [
            (UrlJobs::Ids(&["a", "b"]), "JobIds=a%2Cb"),
            (UrlJobs::Urls(&["http://h/a"]), "UploadUrls=http%253A%252F%252Fh%252Fa"),
        ] {
            let call = CancelUrlUploadJobs { jobs };
            assert_eq!(call.check(), Ok(()));
            assert_eq!(sent(&call), ["Action=CancelUrlUploadJobs", expected]);
        }
        let error = CancelUrlUploadJobs { jobs: UrlJobs::Urls(&[]) }.check().unwrap_err();
        assert_eq!(error.message(), "UploadUrls must be 1 to 10");
    }

    #[test]
    fn canceled_and_unknown_jobs_are_listed_separately() {
        let body = json!({"RequestId": "R", "CanceledJobs": ["a"], "NonExists": ["[\"b\"]"]});
        let call = CancelUrlUploadJobs { jobs: UrlJobs::Ids(&["a", "b"]) };
        let expected = CanceledUrlJobs {
            canceled_jobs: vec!["a".into()],
            non_exists: vec!["b".into()],
            request_id: "R".into(),
        };
        assert_eq!(call.parse(&success(&body), NOW), Ok(expected));
    }
}
