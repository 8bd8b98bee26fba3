//! UploadMediaByURL: queues files for download by VOD.

use std::collections::HashSet;

use serde_json::{Map, Value};
use url::Url;

use super::Action;
use crate::error::{Error, Result};
use crate::units::{ByteCount, GIB, UnixMillis};
use crate::vod::limits::{DESCRIPTION_BYTES_MAX, TITLE_BYTES_MAX, Unit, check_length, check_tags};
use crate::vod::parameters::{flag, given};
use crate::vod::url_jobs::joined_urls;
use crate::vod::vod_response::text_of;
use crate::vod::{VodResponse, file_name};

/// Queues jobs in which VOD downloads files from URLs
/// (<https://www.alibabacloud.com/help/en/vod/developer-reference/api-vod-2017-03-21-uploadmediabyurl>).
///
/// A job may take hours to days; [`GetUrlUploadInfos`](super::GetUrlUploadInfos) reports its
/// status. Not every region supports this call. Not idempotent: every job creates another media ID.
/// Within 10 minutes, VOD rejects a repeated `session_id`.
#[derive(Clone, Copy, Debug, Default)]
pub struct UploadMediaByUrl<'a> {
    /// The files, 1 to 20.
    pub files: &'a [UrlUploadSource<'a>],
    /// The ID of the transcoding template group for files without their own.
    pub template_group_id: Option<&'a str>,
    /// The workflow ID, which takes precedence over the template group.
    pub workflow_id: Option<&'a str>,
    /// The storage address, for accounts with several.
    pub storage_location: Option<&'a str>,
    /// A JSON object with `MessageCallback`, `Extend` and similar keys.
    pub user_data: Option<&'a str>,
    /// The application ID; `app-1000000` if absent.
    pub app_id: Option<&'a str>,
    /// An ID of this request, up to 50 characters: VOD rejects another request with the same ID
    /// within 10 minutes.
    pub session_id: Option<&'a str>,
    /// Whether the first frame becomes the cover.
    pub enable_first_frame_cover: Option<bool>,
    /// Whether thumbnails are generated.
    pub generate_thumbnail: Option<bool>,
}

/// A file for VOD to download. All fields except the URL are sent in `UploadMetadatas`.
#[derive(Clone, Copy, Debug, Default)]
pub struct UrlUploadSource<'a> {
    /// The URL of the file, without an additional encoding.
    pub source_url: &'a str,
    /// The title, up to 128 bytes; required if any other field is present.
    pub title: Option<&'a str>,
    /// The size of the file in bytes, up to 20 GiB.
    pub file_size: Option<ByteCount>,
    /// A description of up to 1024 bytes.
    pub description: Option<&'a str>,
    /// The URL of the cover image.
    pub cover_url: Option<&'a str>,
    /// The category ID.
    pub cate_id: Option<&'a str>,
    /// Up to 16 tags of up to 32 bytes, separated by commas.
    pub tags: Option<&'a str>,
    /// The ID of the transcoding template group, which takes precedence over the request's.
    pub template_group_id: Option<&'a str>,
    /// The workflow ID, which takes precedence over the template group.
    pub workflow_id: Option<&'a str>,
    /// The extension, if the URL has none or a wrong one.
    pub file_extension: Option<&'a str>,
}

/// The maximum number of files per request
/// (<https://www.alibabacloud.com/help/en/vod/developer-reference/api-vod-2017-03-21-uploadmediabyurl>).
pub(super) const URLS_PER_CALL_MAX: usize = 20;

/// The size limit of a file: 20 GB, read here as the larger 20 GiB (the same page; older editions
/// state a lower limit).
pub(super) const URL_UPLOAD_SIZE_MAX: ByteCount = ByteCount(20 * GIB);

/// The maximum length of `SessionId`, in characters (the same page).
pub(super) const SESSION_ID_CHARS_MAX: usize = 50;

/// The queued jobs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueuedUrlJobs {
    /// One job per URL, in VOD's order.
    pub jobs: Vec<QueuedUrlJob>,
    /// The ID to quote to Alibaba Cloud support.
    pub request_id: String,
}

/// A queued job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueuedUrlJob {
    /// The job ID.
    pub job_id: String,
    /// The source URL; empty if absent from the response.
    pub source_url: String,
}

impl Action for UploadMediaByUrl<'_> {
    type Output = QueuedUrlJobs;

    const NAME: &'static str = "UploadMediaByURL";

    fn check(&self) -> Result<()> {
        if self.files.is_empty() || self.files.len() > URLS_PER_CALL_MAX {
            let allowed = format!("1 to {URLS_PER_CALL_MAX} URLs");
            return Err(Error::field_invalid("UploadURLs", allowed));
        }
        let mut urls = HashSet::new();
        for (index, file) in self.files.iter().enumerate() {
            let nth = format!("file {} of UploadURLs", index + 1);
            file.check().map_err(|error| error.with_context(&nth))?;
            // VOD matches metadata by URL, so files with the same URL would share theirs.
            if !urls.insert(file.source_url) {
                let error = Error::field_invalid("SourceURL", "specified once");
                return Err(error.with_context(&nth));
            }
        }
        check_length("SessionId", self.session_id, SESSION_ID_CHARS_MAX, Unit::Characters)
    }

    fn parameters(&self) -> Vec<(&'static str, String)> {
        let urls = joined_urls(self.files.iter().map(|file| file.source_url));
        let metadata: Vec<Value> =
            self.files.iter().filter_map(UrlUploadSource::metadata).collect();
        let metadata = (!metadata.is_empty()).then(|| Value::Array(metadata).to_string());
        given([
            ("UploadURLs", Some(&urls)),
            ("UploadMetadatas", metadata.as_deref()),
            ("TemplateGroupId", self.template_group_id),
            ("WorkflowId", self.workflow_id),
            ("StorageLocation", self.storage_location),
            ("UserData", self.user_data),
            ("AppId", self.app_id),
            ("SessionId", self.session_id),
            ("EnableFirstFrameCover", self.enable_first_frame_cover.map(flag)),
            ("GenerateThumbnail", self.generate_thumbnail.map(flag)),
        ])
    }

    /// VOD rejects a repeated `SessionId`; without one, it would download every file again.
    fn can_repeat(&self) -> bool {
        self.session_id.is_some_and(|id| !id.is_empty())
    }

    fn output(&self, response: &VodResponse, _now: UnixMillis) -> Result<QueuedUrlJobs> {
        let job = |job: &Value| {
            Ok(QueuedUrlJob {
                job_id: text_of(job, "JobId").ok_or_else(|| response.lacks("JobId"))?.to_owned(),
                source_url: text_of(job, "SourceURL").unwrap_or_default().to_owned(),
            })
        };
        let jobs = response.required_list("UploadJobs")?.iter().map(job).collect::<Result<_>>()?;
        Ok(QueuedUrlJobs { jobs, request_id: response.request_id().to_owned() })
    }
}

impl UrlUploadSource<'_> {
    fn check(&self) -> Result<()> {
        let url = Url::parse(self.source_url).ok().filter(Url::has_host);
        let Some(url) = url else {
            let allowed = "a URL such as https://host/film.mp4";
            return Err(Error::field_invalid("SourceURL", allowed));
        };
        if self.file_extension.or_else(|| file_name::extension(url.path())).is_none() {
            let allowed = "present, because the path of the URL has no extension";
            return Err(Error::field_invalid("FileExtension", allowed));
        }
        if self.title.is_none_or(str::is_empty) && self.metadata().is_some() {
            let allowed = "specified if any other metadata is";
            return Err(Error::field_invalid("Title", allowed));
        }
        if self.file_size.is_some_and(|size| size > URL_UPLOAD_SIZE_MAX) {
            let allowed = format!("at most {URL_UPLOAD_SIZE_MAX}");
            return Err(Error::field_invalid("FileSize", allowed));
        }
        check_length("Title", self.title, TITLE_BYTES_MAX, Unit::Bytes)?;
        check_length("Description", self.description, DESCRIPTION_BYTES_MAX, Unit::Bytes)?;
        check_tags(self.tags, Unit::Bytes)
    }

    /// The entry in `UploadMetadatas`; `None` if the file has no metadata.
    fn metadata(&self) -> Option<Value> {
        let size = self.file_size.map(|size| size.bytes().to_string());
        let fields = given([
            ("Title", self.title),
            ("FileSize", size.as_deref()),
            ("Description", self.description),
            ("CoverURL", self.cover_url),
            ("CateId", self.cate_id),
            ("Tags", self.tags),
            ("TemplateGroupId", self.template_group_id),
            ("WorkflowId", self.workflow_id),
            ("FileExtension", self.file_extension),
        ]);
        if fields.is_empty() {
            return None;
        }
        let own = [("SourceURL", self.source_url.to_owned())];
        let fields = own.into_iter().chain(fields);
        let fields = fields.map(|(name, value)| (name.to_owned(), Value::String(value)));
        Some(Value::Object(fields.collect::<Map<_, _>>()))
    }
}

#[cfg(test)]
#[path = "upload_media_by_url_tests.rs"]
mod tests;
