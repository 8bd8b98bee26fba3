//! CancelUrlUploadJobs: takes jobs that fetch online files out of the queue.

use super::answer::Answer;
use super::{RamKey, UrlJobs, VodEndpoint, rpc_sign};
use crate::error::Result;
use crate::oss::{Reply, Request};
use crate::units::UnixMillis;

/// Cancels jobs that have not begun
/// (<https://www.alibabacloud.com/help/en/vod/developer-reference/api-vod-2017-03-21-cancelurluploadjobs>).
#[derive(Clone, Copy, Debug)]
pub struct CancelUrlUploadJobs<'a> {
    /// Which jobs.
    pub jobs: UrlJobs<'a>,
}

/// What has become of the jobs that were to be cancelled. One that is in neither list had begun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CanceledUrlJobs {
    /// The ids of the jobs that are cancelled.
    pub canceled_jobs: Vec<String>,
    /// The ids or URLs that VOD does not know.
    pub non_exists: Vec<String>,
    /// The id to quote to the vendor's support.
    pub request_id: String,
}

impl CancelUrlUploadJobs<'_> {
    /// The vendor's name of the call.
    pub const NAME: &'static str = "CancelUrlUploadJobs";

    /// Checks the limits that VOD documents.
    ///
    /// # Errors
    ///
    /// [`RequestInvalid`](crate::ErrorKind::RequestInvalid) names the field.
    pub fn check(&self) -> Result<()> {
        self.jobs.check(URLS)
    }

    /// The signed call. `nonce` must be unique for every request.
    #[must_use]
    pub fn request(
        &self,
        endpoint: &VodEndpoint,
        key: &RamKey,
        nonce: &str,
        now: UnixMillis,
    ) -> Request {
        let parameters = vec![self.jobs.parameter(URLS)];
        rpc_sign::call(Self::NAME, parameters, endpoint, key, nonce, now)
    }

    /// Reads the reply.
    ///
    /// # Errors
    ///
    /// As [`UploadMediaByUrl::parse`](super::UploadMediaByUrl::parse).
    pub fn parse(&self, reply: &Reply) -> Result<CanceledUrlJobs> {
        let answer = Answer::read(Self::NAME, reply)?;
        Ok(CanceledUrlJobs {
            canceled_jobs: answer.texts("CanceledJobs"),
            non_exists: answer.texts("NonExists"),
            request_id: answer.request_id().to_owned(),
        })
    }
}

/// What the call names its URLs; GetURLUploadInfos spells it otherwise.
const URLS: &str = "UploadUrls";

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed assumption fails the test")]

    use serde_json::json;

    use super::*;
    use crate::vod::form_tests::sent;

    #[test]
    fn jobs_are_cancelled_by_id_or_by_url() {
        for (jobs, wanted) in [
            (UrlJobs::OfIds(&["a", "b"]), "JobIds=a%2Cb"),
            (UrlJobs::OfUrls(&["http://h/a"]), "UploadUrls=http%253A%252F%252Fh%252Fa"),
        ] {
            let call = CancelUrlUploadJobs { jobs };
            assert_eq!(call.check(), Ok(()));
            let form = sent(|endpoint, key| call.request(endpoint, key, "n", UnixMillis(0)));
            assert_eq!(form, ["Action=CancelUrlUploadJobs", wanted]);
        }
        let error = CancelUrlUploadJobs { jobs: UrlJobs::OfUrls(&[]) }.check().unwrap_err();
        assert_eq!(error.message(), "UploadUrls must be 1 to 10");
    }

    #[test]
    fn what_was_cancelled_and_what_is_unknown_is_told_apart() {
        let body = json!({"RequestId": "R", "CanceledJobs": ["a"], "NonExists": ["[\"b\"]"]});
        let reply = Reply { status: 200, headers: Vec::new(), body: body.to_string().into_bytes() };
        let call = CancelUrlUploadJobs { jobs: UrlJobs::OfIds(&["a", "b"]) };
        let wanted = CanceledUrlJobs {
            canceled_jobs: vec!["a".into()],
            non_exists: vec!["b".into()],
            request_id: "R".into(),
        };
        assert_eq!(call.parse(&reply), Ok(wanted));
    }
}
