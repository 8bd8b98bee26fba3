//! Converts the jobs of UploadMediaByURL.

use vod_uploader_host::engine::units::ByteCount;
use vod_uploader_host::engine::vod::{UrlUploadInfo, UrlUploadInfos, UrlUploadStatus};

use crate::bindings::exports::vod::uploader::url_uploads as wit;

pub(crate) fn report_to_wit(infos: UrlUploadInfos) -> wit::UrlJobReport {
    wit::UrlJobReport {
        jobs: infos.infos.into_iter().map(info_to_wit).collect(),
        unknown: infos.non_exists,
    }
}

fn info_to_wit(info: UrlUploadInfo) -> wit::UrlJobInfo {
    // In VOD's example response, a successful job has an error code too.
    let failed = info.status == UrlUploadStatus::Fail;
    let failure = failed.then(|| wit::UrlJobFailure {
        code: info.error_code.unwrap_or_default(),
        message: info.error_message.unwrap_or_default(),
    });
    wit::UrlJobInfo {
        job_id: info.job_id,
        source_url: info.upload_url,
        media_id: info.media_id,
        status: match info.status {
            UrlUploadStatus::Pending => wit::UrlJobStatus::Pending,
            UrlUploadStatus::Processing => wit::UrlJobStatus::Processing,
            UrlUploadStatus::Success => wit::UrlJobStatus::Success,
            UrlUploadStatus::Fail => wit::UrlJobStatus::Failed,
            UrlUploadStatus::Other(name) => wit::UrlJobStatus::Other(name),
        },
        file_size: info.file_size.map(ByteCount::bytes),
        creation_time: info.creation_time.map(|at| at.0),
        complete_time: info.complete_time.map(|at| at.0),
        failure,
        user_data: info.user_data,
    }
}
