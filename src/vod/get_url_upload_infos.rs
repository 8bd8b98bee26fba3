//! GetURLUploadInfos: what has become of the jobs that fetch online files.

use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::answer::{Answer, number_of, text_of};
use super::{RamKey, UrlJobs, VodEndpoint, rpc_sign};
use crate::error::Result;
use crate::oss::{Reply, Request};
use crate::units::{ByteCount, UnixMillis};

/// Asks what has become of the jobs of the last year
/// (<https://www.alibabacloud.com/help/en/vod/developer-reference/api-vod-2017-03-21-geturluploadinfos>).
#[derive(Clone, Copy, Debug)]
pub struct GetUrlUploadInfos<'a> {
    /// Which jobs; by URL, at most 100 are answered.
    pub jobs: UrlJobs<'a>,
}

/// What VOD knows of some jobs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UrlUploadInfos {
    /// The jobs that VOD knows.
    pub infos: Vec<UrlUploadInfo>,
    /// The ids or URLs that it does not.
    pub non_exists: Vec<String>,
    /// The id to quote to the vendor's support.
    pub request_id: String,
}

/// What VOD knows of one job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UrlUploadInfo {
    /// The id of the job.
    pub job_id: String,
    /// The URL that it fetches.
    pub upload_url: String,
    /// The media id, once there is one.
    pub media_id: Option<String>,
    /// How far it is.
    pub status: UrlUploadStatus,
    /// The size of the file, once it is known.
    pub file_size: Option<ByteCount>,
    /// When the job was made.
    pub creation_time: Option<UnixMillis>,
    /// When it ended.
    pub complete_time: Option<UnixMillis>,
    /// Why it failed; VOD's sample has `200` on success.
    pub error_code: Option<String>,
    /// The same in words.
    pub error_message: Option<String>,
    /// The `UserData` of the request that made the job.
    pub user_data: Option<String>,
}

/// How far a job is
/// (<https://www.alibabacloud.com/help/en/vod/developer-reference/basic-data-types>).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UrlUploadStatus {
    /// It waits in the queue, and can be cancelled.
    Pending,
    /// The file is being fetched.
    Processing,
    /// The media is there.
    Success,
    /// The media will not be there.
    Fail,
    /// A status that is not known here, as VOD wrote it.
    Other(String),
}

impl UrlUploadStatus {
    /// Reads a status, whatever the case of its letters.
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

    /// The vendor's name.
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

impl GetUrlUploadInfos<'_> {
    /// The vendor's name of the call.
    pub const NAME: &'static str = "GetURLUploadInfos";

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
    pub fn parse(&self, reply: &Reply) -> Result<UrlUploadInfos> {
        let answer = Answer::read(Self::NAME, reply)?;
        let infos = answer.required_list("URLUploadInfoList")?;
        Ok(UrlUploadInfos {
            infos: infos.iter().map(UrlUploadInfo::read).collect(),
            non_exists: answer.texts("NonExists"),
            request_id: answer.request_id().to_owned(),
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

/// Reads `2019-01-01T01:11:01Z`.
fn instant(text: &str) -> Option<UnixMillis> {
    let instant = OffsetDateTime::parse(text.trim(), &Rfc3339).ok()?;
    u64::try_from(instant.unix_timestamp_nanos() / 1_000_000).ok().map(UnixMillis)
}

/// What the call names its URLs; CancelUrlUploadJobs spells it otherwise.
const URLS: &str = "UploadURLs";

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed assumption fails the test")]

    use serde_json::json;

    use super::*;
    use crate::error::ErrorKind;
    use crate::vod::form_tests::sent;

    #[test]
    fn jobs_are_asked_for_by_id_or_by_url() {
        let form = |jobs| {
            let call = GetUrlUploadInfos { jobs };
            assert_eq!(call.check(), Ok(()));
            sent(|endpoint, key| call.request(endpoint, key, "n", UnixMillis(0)))
        };
        assert_eq!(form(UrlJobs::OfIds(&["a", "b"])), ["Action=GetURLUploadInfos", "JobIds=a%2Cb"]);
        assert_eq!(
            form(UrlJobs::OfUrls(&["http://h/a,b.mp4", "http://h/c"])),
            [
                "Action=GetURLUploadInfos",
                "UploadURLs=http%253A%252F%252Fh%252Fa%252Cb.mp4%2Chttp%253A%252F%252Fh%252Fc"
            ]
        );
    }

    #[test]
    fn none_and_more_than_ten_are_refused() {
        let eleven = ["a"; 11];
        for (jobs, field) in [
            (UrlJobs::OfIds(&[]), "JobIds"),
            (UrlJobs::OfIds(&eleven), "JobIds"),
            (UrlJobs::OfIds(&["a", ""]), "JobIds"),
            (UrlJobs::OfIds(&["a,b"]), "JobIds"),
            (UrlJobs::OfUrls(&[]), "UploadURLs"),
            (UrlJobs::OfUrls(&eleven), "UploadURLs"),
            (UrlJobs::OfUrls(&[" "]), "UploadURLs"),
        ] {
            let error = GetUrlUploadInfos { jobs }.check().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::RequestInvalid);
            assert!(error.message().starts_with(field), "{error}");
        }
    }

    #[test]
    fn the_published_sample_is_read() {
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
        let wanted = UrlUploadInfo {
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
        assert_eq!(infos.infos, [wanted]);
    }

    #[test]
    fn a_job_that_has_not_begun_has_no_more_than_its_status() {
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
    fn every_status_reads_back_what_it_is_named() {
        use UrlUploadStatus::{Fail, Pending, Processing, Success};
        for status in [Pending, Processing, Success, Fail] {
            assert_eq!(UrlUploadStatus::parse(&status.as_str().to_lowercase()), status);
        }
    }

    #[test]
    fn an_answer_without_a_list_is_no_answer() {
        let body = json!({"RequestId": "R"}).to_string().into_bytes();
        let reply = Reply { status: 200, headers: Vec::new(), body };
        let error = GetUrlUploadInfos { jobs: UrlJobs::OfIds(&["a"]) }.parse(&reply).unwrap_err();
        assert_eq!(error.message(), "GetURLUploadInfos: the reply lacks URLUploadInfoList");
    }

    fn parse(body: &Value) -> UrlUploadInfos {
        let body = body.to_string().into_bytes();
        let reply = Reply { status: 200, headers: Vec::new(), body };
        GetUrlUploadInfos { jobs: UrlJobs::OfIds(&["a"]) }.parse(&reply).unwrap()
    }
}
