//! UploadMediaByURL: VOD fetches files that are online already.

use std::collections::HashSet;

use serde_json::{Map, Value};
use url::Url;

use super::answer::{Answer, text_of};
use super::limits::{DESCRIPTION_BYTES_MAX, TITLE_BYTES_MAX, Unit, check_length, check_tags};
use super::parameters::{flag, given};
use super::url_jobs::joined_urls;
use super::{RamKey, VodEndpoint, file_name, rpc_sign};
use crate::error::{Error, Result};
use crate::oss::{Reply, Request};
use crate::units::{ByteCount, GIB, UnixMillis};

/// Has VOD fetch files that are online already
/// (<https://www.alibabacloud.com/help/en/vod/developer-reference/api-vod-2017-03-21-uploadmediabyurl>).
///
/// The jobs are queued, and may take hours to days; ask with
/// [`GetUrlUploadInfos`](super::GetUrlUploadInfos) what has become of them. Not every region has
/// this call. Not idempotent: every job makes another media id, unless `session_id` is repeated
/// within 10 minutes.
#[derive(Clone, Copy, Debug, Default)]
pub struct UploadMediaByUrl<'a> {
    /// The files, 1 to 20.
    pub files: &'a [OnlineFile<'a>],
    /// The id of the transcoding template group of files that name none.
    pub template_group_id: Option<&'a str>,
    /// The id of the workflow, which wins over the template group.
    pub workflow_id: Option<&'a str>,
    /// The storage address, where the account has several.
    pub storage_location: Option<&'a str>,
    /// A JSON object: `MessageCallback`, `Extend` and so on.
    pub user_data: Option<&'a str>,
    /// The id of the application; without it, `app-1000000`.
    pub app_id: Option<&'a str>,
    /// An id of this request, up to 50 characters: VOD refuses another request of the same id
    /// within 10 minutes.
    pub session_id: Option<&'a str>,
    /// Whether the first frame becomes the cover.
    pub enable_first_frame_cover: Option<bool>,
    /// Whether thumbnails are made.
    pub generate_thumbnail: Option<bool>,
}

/// A file that VOD fetches. Everything but the URL goes into `UploadMetadatas`.
#[derive(Clone, Copy, Debug, Default)]
pub struct OnlineFile<'a> {
    /// Where the file is, as it is and not encoded once more.
    pub source_url: &'a str,
    /// The title, up to 128 bytes; required where anything else is given.
    pub title: Option<&'a str>,
    /// The size of the file, up to [`ONLINE_FILE_SIZE_MAX`].
    pub file_size: Option<ByteCount>,
    /// A description of up to 1024 bytes.
    pub description: Option<&'a str>,
    /// The URL of the cover picture.
    pub cover_url: Option<&'a str>,
    /// The id of the category.
    pub cate_id: Option<&'a str>,
    /// Up to 16 tags of up to 32 bytes, separated by commas.
    pub tags: Option<&'a str>,
    /// The id of the transcoding template group, which wins over the request's.
    pub template_group_id: Option<&'a str>,
    /// The id of the workflow, which wins over the template group.
    pub workflow_id: Option<&'a str>,
    /// The extension, where the URL has none or not the right one.
    pub file_extension: Option<&'a str>,
}

/// Most files of one request
/// (<https://www.alibabacloud.com/help/en/vod/developer-reference/api-vod-2017-03-21-uploadmediabyurl>).
pub const ONLINE_FILES_MAX: usize = 20;

/// Largest file that VOD fetches: 20 GB, read here as the larger 20 GiB (the same page; older
/// editions of it say less).
pub const ONLINE_FILE_SIZE_MAX: ByteCount = ByteCount(20 * GIB);

/// Longest `SessionId`, in characters (the same page).
pub const SESSION_ID_CHARS_MAX: usize = 50;

/// The jobs that VOD has queued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueuedUrlJobs {
    /// A job for every URL, in VOD's order.
    pub jobs: Vec<QueuedUrlJob>,
    /// The id to quote to the vendor's support.
    pub request_id: String,
}

/// A job that VOD has queued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueuedUrlJob {
    /// The id of the job.
    pub job_id: String,
    /// The URL that it fetches; empty where VOD did not repeat it.
    pub source_url: String,
}

impl UploadMediaByUrl<'_> {
    /// The vendor's name of the call.
    pub const NAME: &'static str = "UploadMediaByURL";

    /// Checks the limits that VOD documents, as
    /// [`CreateUploadVideo::check`](super::CreateUploadVideo::check) does.
    ///
    /// # Errors
    ///
    /// [`RequestInvalid`](crate::ErrorKind::RequestInvalid) names the field.
    pub fn check(&self) -> Result<()> {
        if self.files.is_empty() || self.files.len() > ONLINE_FILES_MAX {
            let allowed = format!("1 to {ONLINE_FILES_MAX} URLs");
            return Err(Error::field_invalid("UploadURLs", allowed));
        }
        let mut urls = HashSet::new();
        for (index, file) in self.files.iter().enumerate() {
            let nth = format!("file {} of UploadURLs", index + 1);
            file.check().map_err(|error| error.while_doing(&nth))?;
            // VOD matches metadata by URL: a second file of the same URL would share the first's.
            if !urls.insert(file.source_url) {
                let error = Error::field_invalid("SourceURL", "given once");
                return Err(error.while_doing(&nth));
            }
        }
        check_length("SessionId", self.session_id, SESSION_ID_CHARS_MAX, Unit::Characters)
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
        let urls = joined_urls(self.files.iter().map(|file| file.source_url));
        let metadata: Vec<Value> = self.files.iter().filter_map(OnlineFile::metadata).collect();
        let metadata = (!metadata.is_empty()).then(|| Value::Array(metadata).to_string());
        let parameters = given([
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
        ]);
        rpc_sign::call(Self::NAME, parameters, endpoint, key, nonce, now)
    }

    /// Reads the reply.
    ///
    /// # Errors
    ///
    /// [`VodRejected`](crate::ErrorKind::VodRejected) and the other kinds of a refusal, and
    /// [`VodUnavailable`](crate::ErrorKind::VodUnavailable) where VOD failed.
    pub fn parse(&self, reply: &Reply) -> Result<QueuedUrlJobs> {
        let answer = Answer::read(Self::NAME, reply)?;
        let job = |job: &Value| {
            Ok(QueuedUrlJob {
                job_id: text_of(job, "JobId").ok_or_else(|| answer.lacks("JobId"))?.to_owned(),
                source_url: text_of(job, "SourceURL").unwrap_or_default().to_owned(),
            })
        };
        let jobs = answer.required_list("UploadJobs")?.iter().map(job).collect::<Result<_>>()?;
        Ok(QueuedUrlJobs { jobs, request_id: answer.request_id().to_owned() })
    }
}

impl OnlineFile<'_> {
    fn check(&self) -> Result<()> {
        let url = Url::parse(self.source_url).ok().filter(Url::has_host);
        let Some(url) = url else {
            let allowed = "a URL such as https://host/film.mp4";
            return Err(Error::field_invalid("SourceURL", allowed));
        };
        if self.file_extension.or_else(|| file_name::extension(url.path())).is_none() {
            let allowed = "given where the path of the URL has no extension";
            return Err(Error::field_invalid("FileExtension", allowed));
        }
        if self.title.is_none_or(str::is_empty) && self.metadata().is_some() {
            let allowed = "given where any other metadata is";
            return Err(Error::field_invalid("Title", allowed));
        }
        if self.file_size.is_some_and(|size| size > ONLINE_FILE_SIZE_MAX) {
            let allowed = format!("at most {ONLINE_FILE_SIZE_MAX}");
            return Err(Error::field_invalid("FileSize", allowed));
        }
        check_length("Title", self.title, TITLE_BYTES_MAX, Unit::Bytes)?;
        check_length("Description", self.description, DESCRIPTION_BYTES_MAX, Unit::Bytes)?;
        check_tags(self.tags, Unit::Bytes)
    }

    /// The entry of `UploadMetadatas`, where there is anything to say.
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
