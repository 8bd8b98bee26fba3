//! The interface `url-uploads`.

use vod_uploader_host::engine::vod::{
    CancelUrlUploadJobs, GetUrlUploadInfos, QueuedUrlJob, UploadMediaByUrl, UrlJobs,
    UrlUploadSource,
};
use vod_uploader_host::ports;
use vod_uploader_host::url_upload::{self, VodClientOptions};

use crate::Component;
use crate::bindings::exports::vod::uploader::types::Error;
use crate::bindings::exports::vod::uploader::url_uploads as wit;
use crate::convert::{error, token, url_job};

impl wit::Guest for Component {
    async fn upload_media_by_url(
        access: wit::VodAccess,
        submission: wit::Submission,
    ) -> Result<Vec<wit::UrlJob>, Error> {
        let tags: Vec<_> = submission.files.iter().map(|file| file.tags.join(",")).collect();
        let files: Vec<_> = submission
            .files
            .iter()
            .zip(&tags)
            .map(|(file, tags)| url_upload_source(file, tags))
            .collect();
        let call = UploadMediaByUrl {
            files: &files,
            template_group_id: submission.template_group_id.as_deref(),
            workflow_id: submission.workflow_id.as_deref(),
            storage_location: submission.storage_location.as_deref(),
            user_data: submission.user_data.as_deref(),
            app_id: submission.app_id.as_deref(),
            session_id: submission.session_id.as_deref(),
            ..UploadMediaByUrl::default()
        };
        let queued = url_upload::call(&ports(), &options_from_wit(access), &call).await;
        let job = |QueuedUrlJob { job_id, source_url }| wit::UrlJob { job_id, source_url };
        queued.map(|queued| queued.jobs.into_iter().map(job).collect()).map_err(error::to_wit)
    }

    async fn get_url_upload_infos(
        access: wit::VodAccess,
        jobs: wit::JobSelection,
    ) -> Result<wit::UrlJobReport, Error> {
        let selected = Selected::new(&jobs);
        let query = GetUrlUploadInfos { jobs: selected.url_jobs() };
        let infos = url_upload::call(&ports(), &options_from_wit(access), &query).await;
        infos.map(url_job::report_to_wit).map_err(error::to_wit)
    }

    async fn cancel_url_upload_jobs(
        access: wit::VodAccess,
        jobs: wit::JobSelection,
    ) -> Result<(), Error> {
        let selected = Selected::new(&jobs);
        let cancel = CancelUrlUploadJobs { jobs: selected.url_jobs() };
        let canceled = url_upload::call(&ports(), &options_from_wit(access), &cancel).await;
        canceled.map(drop).map_err(error::to_wit)
    }
}

fn options_from_wit(access: wit::VodAccess) -> VodClientOptions {
    VodClientOptions {
        token: token::from_wit(access.token),
        region: access.region,
        vod_endpoint: access.vod_endpoint,
        timeout_ms: access.timeout,
        retry_count: access.retry_count,
    }
}

fn url_upload_source<'a>(file: &'a wit::UrlUploadSource, tags: &'a str) -> UrlUploadSource<'a> {
    UrlUploadSource {
        source_url: &file.source_url,
        title: file.title.as_deref(),
        file_size: file.file_size.map(vod_uploader_host::engine::units::ByteCount),
        description: file.description.as_deref(),
        cover_url: file.cover_url.as_deref(),
        cate_id: file.cate_id.as_deref(),
        tags: Some(tags).filter(|tags| !tags.is_empty()),
        template_group_id: file.template_group_id.as_deref(),
        workflow_id: file.workflow_id.as_deref(),
        file_extension: file.file_extension.as_deref(),
    }
}

/// A selection with borrowed texts, which the engine requires.
enum Selected<'a> {
    Ids(Vec<&'a str>),
    Urls(Vec<&'a str>),
}

impl<'a> Selected<'a> {
    fn new(jobs: &'a wit::JobSelection) -> Self {
        let borrowed = |texts: &'a [String]| texts.iter().map(String::as_str).collect();
        match jobs {
            wit::JobSelection::JobIds(ids) => Self::Ids(borrowed(ids)),
            wit::JobSelection::SourceUrls(urls) => Self::Urls(borrowed(urls)),
        }
    }

    fn url_jobs(&self) -> UrlJobs<'_> {
        match self {
            Self::Ids(ids) => UrlJobs::Ids(ids),
            Self::Urls(urls) => UrlJobs::Urls(urls),
        }
    }
}
