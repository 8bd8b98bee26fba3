//! GetURLUploadInfos: the status of UploadMediaByURL jobs.
//!
//! <https://www.alibabacloud.com/help/en/vod/developer-reference/api-vod-2017-03-21-geturluploadinfos>

use serde_json::{Map, Value, json};

use super::call::Call;
use super::error::VodError;
use super::url_list;
use crate::clock::iso_secs;
use crate::store::UrlJob;

pub(super) fn perform(call: &Call<'_>) -> Result<Value, VodError> {
    let (jobs, unknown) = url_list::jobs(call, "UploadURLs")?;
    let infos: Vec<_> = jobs.iter().take(MAX_INFOS).map(describe).collect();
    Ok(json!({ "URLUploadInfoList": infos, "NonExists": unknown }))
}

/// The description of a job; all values are strings.
fn describe(job: &UrlJob) -> Value {
    let known = [
        ("JobId", Some(job.id.clone())),
        ("UploadURL", Some(job.source_url.clone())),
        ("MediaId", job.media_id.clone()),
        ("FileSize", job.file_size_bytes.map(|bytes| bytes.to_string())),
        ("CreationTime", Some(iso_secs(job.created))),
        ("CompleteTime", job.completed.map(iso_secs)),
        ("ErrorCode", job.error_code.clone()),
        ("ErrorMessage", job.error_message.clone()),
        ("UserData", job.parameters.get("UserData").cloned()),
    ];
    let mut info: Map<String, Value> = known
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), json!(value?))))
        .collect();
    info.insert("Status".to_owned(), json!(job.status));
    Value::Object(info)
}

const MAX_INFOS: usize = 100;
