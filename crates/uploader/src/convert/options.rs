//! Converts the options of an uploader.

use vod_uploader_host::engine::oss::SignatureVersion;
use vod_uploader_host::engine::queue::OptionsInput;
use vod_uploader_host::engine::units::ByteCount;

use crate::bindings::exports::vod::uploader::types as wit_types;
use crate::bindings::exports::vod::uploader::uploader as wit;

pub(crate) fn from_wit(options: wit::Options) -> OptionsInput {
    OptionsInput {
        user_id: options.user_id,
        region: options.region,
        part_size: options.part_size.map(ByteCount),
        parallel: options.parallel,
        parallel_files: options.parallel_files,
        retry_count: options.retry_count,
        retry_duration_secs: options.retry_duration,
        timeout_ms: options.timeout,
        cname: options.cname,
        signature_version: options.signature_version.map(|version| match version {
            wit_types::SignatureVersion::V4 => SignatureVersion::V4,
            wit_types::SignatureVersion::V1 => SignatureVersion::V1,
        }),
        deadline_secs: options.deadline,
        checkpoint_ttl_secs: options.checkpoint_ttl,
        vod_endpoint: options.vod_endpoint,
    }
}
