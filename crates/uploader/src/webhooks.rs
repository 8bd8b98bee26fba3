//! The interface `webhooks`.

use std::time::Duration;

use vod_uploader_host::engine::credential::Secret;
use vod_uploader_host::engine::units::{ByteCount, UnixMillis};
use vod_uploader_host::engine::webhook::{
    Callback, Event, EventStatus, EventType, TIMESTAMP_TOLERANCE_DEFAULT,
};

use crate::Component;
use crate::bindings::exports::vod::uploader::types::Error;
use crate::bindings::exports::vod::uploader::webhooks as wit;
use crate::convert::error;

impl wit::Guest for Component {
    fn receive(
        delivery: wit::Delivery,
        auth_key: String,
        now: u64,
        tolerance: Option<u32>,
    ) -> Result<wit::UploadReport, Error> {
        let callback = Callback {
            url: &delivery.callback_url,
            timestamp: &delivery.timestamp,
            signature: &delivery.signature,
            body: &delivery.body,
        };
        let tolerance = tolerance
            .map_or(TIMESTAMP_TOLERANCE_DEFAULT, |secs| Duration::from_secs(u64::from(secs)));
        callback
            .verify_and_parse(&Secret::new(auth_key), UnixMillis(now), Some(tolerance))
            .map(report)
            .map_err(error::to_wit)
    }
}

fn report(event: Event) -> wit::UploadReport {
    // Events that report only successes may have no status.
    let succeeded = match &event.status {
        Some(status) => *status == EventStatus::Success,
        None => event.error_code.is_none(),
    };
    let failure = (!succeeded).then(|| wit::ReportFailure {
        code: event.error_code.unwrap_or_default(),
        message: event.error_message.unwrap_or_default(),
    });
    wit::UploadReport {
        kind: match event.event_type {
            EventType::FileUploadComplete => wit::ReportKind::FileUploadComplete,
            EventType::ImageUploadComplete => wit::ReportKind::ImageUploadComplete,
            EventType::AttachedMediaUploadComplete => wit::ReportKind::AttachedMediaUploadComplete,
            EventType::UploadByUrlComplete => wit::ReportKind::UploadByUrlComplete,
            EventType::Other(name) => wit::ReportKind::Other(name),
        },
        event_time: event.event_time.map(|at| at.0),
        succeeded,
        media_id: event.media_id,
        size: event.size.map(ByteCount::bytes),
        file_url: event.file_url,
        job_id: event.job_id,
        source_url: event.source_url,
        failure,
        extend: event.extend,
    }
}
