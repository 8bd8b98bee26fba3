//! GetURLUploadInfos: the status of URL upload jobs.

use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::Action;
use crate::error::Result;
use crate::units::{ByteCount, UnixMillis};
use crate::vod::vod_response::{number_of, text_of};
use crate::vod::{UrlJobs, VodResponse};

/// Queries the status of jobs created within the last year
/// (<https://www.alibabacloud.com/help/en/vod/developer-reference/api-vod-2017-03-21-geturluploadinfos>).
#[derive(Clone, Copy, Debug)]
pub struct GetUrlUploadInfos<'a> {
    /// The jobs to query. A query by URL returns at most 100 jobs.
    pub jobs: UrlJobs<'a>,
}

/// The status of the queried jobs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UrlUploadInfos {
    /// The jobs found.
    pub infos: Vec<UrlUploadInfo>,
    /// The IDs or URLs that match no job.
    pub non_exists: Vec<String>,
    /// The ID to quote to Alibaba Cloud support.
    pub request_id: String,
}

/// The status of one job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UrlUploadInfo {
    /// The job ID.
    pub job_id: String,
    /// The source URL.
    pub upload_url: String,
    /// The media ID; `None` until VOD has created the media.
    pub media_id: Option<String>,
    /// The state of the job.
    pub status: UrlUploadStatus,
    /// The file size; `None` until known.
    pub file_size: Option<ByteCount>,
    /// The creation time of the job.
    pub creation_time: Option<UnixMillis>,
    /// The completion time; `None` until the job has finished.
    pub complete_time: Option<UnixMillis>,
    /// The error code of a failed job. VOD's sample has `200` on success.
    pub error_code: Option<String>,
    /// The error message of a failed job.
    pub error_message: Option<String>,
    /// The `UserData` of the request that created the job.
    pub user_data: Option<String>,
}

/// The state of a job
/// (<https://www.alibabacloud.com/help/en/vod/developer-reference/basic-data-types>).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UrlUploadStatus {
    /// The job is queued and can be canceled.
    Pending,
    /// The file is being downloaded.
    Processing,
    /// The media has been created.
    Success,
    /// The job has failed.
    Fail,
    /// A status that is not in the documentation, unchanged.
    Other(String),
}

impl UrlUploadStatus {
    /// Parses a status, ignoring case.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        match text.trim().to_ascii_uppercase().as_str() {
            "PENDING" => Self::Pending,
            "PROCESSING" => Self::Processing,
            "SUCCESS" => Self::Success,
            "FAIL" => Self::Fail,
            _ => Self::Other(text.trim().to_owned()),
        }
    }

    /// VOD's name of the status.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Pending => "PENDING",
            Self::Processing => "PROCESSING",
            Self::Success => "SUCCESS",
            Self::Fail => "FAIL",
            Self::Other(name) => name,
        }
    }
}

impl Action for GetUrlUploadInfos<'_> {
    type Output = UrlUploadInfos;

    const NAME: &'static str = "GetURLUploadInfos";

    fn check(&self) -> Result<()> {
        self.jobs.check(URLS)
    }

    fn parameters(&self) -> Vec<(&'static str, String)> {
        vec![self.jobs.parameter(URLS)]
    }

    fn output(&self, response: &VodResponse, _now: UnixMillis) -> Result<UrlUploadInfos> {
        let infos = response.required_list("URLUploadInfoList")?;
        Ok(UrlUploadInfos {
            infos: infos.iter().map(UrlUploadInfo::read).collect(),
            non_exists: response.texts("NonExists"),
            request_id: response.request_id().to_owned(),
        })
    }
}

impl UrlUploadInfo {
    fn read(info: &Value) -> Self {
        let text = |field| text_of(info, field).map(str::to_owned);
        Self {
            job_id: text("JobId").unwrap_or_default(),
            upload_url: text("UploadURL").unwrap_or_default(),
            media_id: text("MediaId"),
            status: UrlUploadStatus::parse(text_of(info, "Status").unwrap_or_default()),
            file_size: number_of(info, "FileSize").map(ByteCount),
            creation_time: text_of(info, "CreationTime").and_then(instant),
            complete_time: text_of(info, "CompleteTime").and_then(instant),
            error_code: text("ErrorCode"),
            error_message: text("ErrorMessage"),
            user_data: text("UserData"),
        }
    }
}

/// Parses an instant such as `2019-01-01T01:11:01Z`.
fn instant(text: &str) -> Option<UnixMillis> {
    let instant = OffsetDateTime::parse(text.trim(), &Rfc3339).ok()?;
    u64::try_from(instant.unix_timestamp_nanos() / 1_000_000).ok().map(UnixMillis)
}

/// The parameter for URLs, which CancelUrlUploadJobs spells differently.
const URLS: &str = "UploadURLs";

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed assumption fails the test")]

    use serde_json::json;

    use super::*;
    use crate::error::ErrorKind;
    use crate::vod::action::fixtures::{NOW, sent, success};

    #[test]
    fn jobs_are_queried_by_id_or_by_url() {
        let form = |jobs| {
            let call = GetUrlUploadInfos { jobs };
            assert_eq!(call.check(), Ok(()));
            sent(&call)
        };
        assert_eq!(form(UrlJobs::Ids(&["a", "b"])), ["Action=GetURLUploadInfos", "JobIds=a%2Cb"]);
        assert_eq!(
            form(UrlJobs::Urls(&["http://h/a,b.mp4", "http://h/c"])),
            [
                "Action=GetURLUploadInfos",
                "UploadURLs=http%253A%252F%252Fh%252Fa%252Cb.mp4%2Chttp%253A%252F%252Fh%252Fc"
            ]
        );
    }

    #[test]
    fn empty_and_oversized_selections_are_rejected() {
        let eleven = ["a"; 11];
        for (jobs, field) in [
            (UrlJobs::Ids(&[]), "JobIds"),
            (UrlJobs::Ids(&eleven), "JobIds"),
            (UrlJobs::Ids(&["a", ""]), "JobIds"),
            (UrlJobs::Ids(&["a,b"]), "JobIds"),
            (UrlJobs::Urls(&[]), "UploadURLs"),
            (UrlJobs::Urls(&eleven), "UploadURLs"),
            (UrlJobs::Urls(&[" "]), "UploadURLs"),
        ] {
            let error = GetUrlUploadInfos { jobs }.check().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::RequestInvalid);
            assert!(error.message().starts_with(field), "{error}");
        }
    }

    #[test]
    fn the_published_sample_is_parsed() {
        let infos = parse(&json!({
            "RequestId": "R",
            "NonExists": "[\"gone\"]",
            "URLUploadInfoList": [{
                "Status": "SUCCESS",
                "UploadURL": "http://h/a.mp4",
                "MediaId": "93ab",
                "UserData": "{\"Extend\":\"x\"}",
                "CreationTime": "2019-01-01T01:01:01Z",
                "ErrorCode": "200",
                "ErrorMessage": "error_message",
                "CompleteTime": "2019-01-01T01:11:01Z",
                "JobId": "86c1",
                "FileSize": "24",
            }],
        }));
        assert_eq!(infos.request_id, "R");
        assert_eq!(infos.non_exists, ["gone"]);
        let expected = UrlUploadInfo {
            job_id: "86c1".into(),
            upload_url: "http://h/a.mp4".into(),
            media_id: Some("93ab".into()),
            status: UrlUploadStatus::Success,
            file_size: Some(ByteCount(24)),
            creation_time: Some(UnixMillis(1_546_304_461_000)),
            complete_time: Some(UnixMillis(1_546_305_061_000)),
            error_code: Some("200".into()),
            error_message: Some("error_message".into()),
            user_data: Some("{\"Extend\":\"x\"}".into()),
        };
        assert_eq!(infos.infos, [expected]);
    }

    #[test]
    fn a_pending_job_may_have_only_a_status() {
        let infos = parse(&json!({"URLUploadInfoList": [
            {"JobId": "a", "Status": "Pending", "FileSize": "", "CompleteTime": "soon"},
            {"JobId": "b", "Status": "TRANSFERRING"},
            {"JobId": "c"},
        ]}));
        let statuses: Vec<_> = infos.infos.iter().map(|info| info.status.as_str()).collect();
        assert_eq!(statuses, ["PENDING", "TRANSFERRING", ""]);
        assert_eq!(infos.infos[0].file_size, None);
        assert_eq!(infos.infos[0].complete_time, None);
        assert_eq!(infos.infos[1].status, UrlUploadStatus::Other("TRANSFERRING".into()));
    }

    #[test]
    fn every_status_parses_from_its_name() {
        use UrlUploadStatus::{Fail, Pending, Processing, Success};
        for status in [Pending, Processing, Success, Fail] {
            assert_eq!(UrlUploadStatus::parse(&status.as_str().to_lowercase()), status);
        }
    }

    #[test]
    fn a_response_without_a_list_is_an_error() {
        let response = success(&json!({"RequestId": "R"}));
        let call = GetUrlUploadInfos { jobs: UrlJobs::Ids(&["a"]) };
        let error = call.parse(&response, NOW).unwrap_err();
        assert_eq!(error.message(), "GetURLUploadInfos: the response lacks URLUploadInfoList");
    }

    fn parse(body: &Value) -> UrlUploadInfos {
        let call = GetUrlUploadInfos { jobs: UrlJobs::Ids(&["a"]) };
        call.parse(&success(body), NOW).unwrap()
    }
}
