//! Converts files and the states of files and queue.

use vod_uploader_host::engine::queue::{
    ContentSample, FileInfo, FileState, NewFile, Progress, QueueState, UploadingPhase,
};
use vod_uploader_host::engine::units::ByteCount;
use vod_uploader_host::engine::vod::MediaKind;

use super::error;
use crate::bindings::exports::vod::uploader::types as wit_types;
use crate::bindings::exports::vod::uploader::uploader as wit;

pub(crate) fn from_wit(file: wit::NewFile) -> NewFile {
    NewFile {
        name: file.name,
        size: file.size.map(ByteCount),
        kind: file.kind.map(kind_from_wit),
        last_modified_ms: file.last_modified,
        content_sample: file
            .content_sample
            .map(|sample| ContentSample { first: sample.first, last: sample.last }),
        endpoint: file.endpoint,
        bucket: file.bucket,
        object: file.object,
        param_data: file.param_data,
    }
}

pub(crate) fn to_wit(file: FileInfo) -> wit::FileInfo {
    wit::FileInfo {
        id: file.id.0,
        name: file.name,
        size: file.size.map(ByteCount::bytes),
        kind: kind_to_wit(file.kind),
        state: state_to_wit(file.state),
        progress: progress_to_wit(file.progress),
        media_id: file.media_id,
        endpoint: file.endpoint,
        bucket: file.bucket,
        object: file.object,
    }
}

pub(crate) fn progress_to_wit(progress: Progress) -> wit::Progress {
    wit::Progress {
        durable: progress.durable.bytes(),
        sent: progress.sent.bytes(),
        total: progress.total.map(ByteCount::bytes),
        fraction: progress.fraction,
    }
}

pub(crate) fn queue_state_to_wit(state: QueueState) -> wit::QueueState {
    match state {
        QueueState::Init => wit::QueueState::Init,
        QueueState::Start => wit::QueueState::Start,
        QueueState::Expire => wit::QueueState::Expire,
        QueueState::Stop => wit::QueueState::Stop,
        QueueState::Failure => wit::QueueState::Failure,
        QueueState::End => wit::QueueState::End,
    }
}

pub(crate) fn kind_to_wit(kind: MediaKind) -> wit_types::MediaKind {
    match kind {
        MediaKind::Video => wit_types::MediaKind::Video,
        MediaKind::Audio => wit_types::MediaKind::Audio,
        MediaKind::Image => wit_types::MediaKind::Image,
        MediaKind::Auxiliary => wit_types::MediaKind::Auxiliary,
    }
}

fn kind_from_wit(kind: wit_types::MediaKind) -> MediaKind {
    match kind {
        wit_types::MediaKind::Video => MediaKind::Video,
        wit_types::MediaKind::Audio => MediaKind::Audio,
        wit_types::MediaKind::Image => MediaKind::Image,
        wit_types::MediaKind::Auxiliary => MediaKind::Auxiliary,
    }
}

fn state_to_wit(state: FileState) -> wit::FileState {
    match state {
        FileState::Ready => wit::FileState::Ready,
        FileState::Uploading(phase) => wit::FileState::Uploading(phase_to_wit(phase)),
        FileState::Success => wit::FileState::Success,
        FileState::Failure(why) => wit::FileState::Failure(error::to_wit(why)),
        FileState::Canceled => wit::FileState::Canceled,
        FileState::Stopped => wit::FileState::Stopped,
    }
}

fn phase_to_wit(phase: UploadingPhase) -> wit::UploadingPhase {
    match phase {
        UploadingPhase::Starting => wit::UploadingPhase::Starting,
        UploadingPhase::AwaitingCredential => wit::UploadingPhase::AwaitingCredential,
        UploadingPhase::RequestingMedia => wit::UploadingPhase::RequestingMedia,
        UploadingPhase::AwaitingSource => wit::UploadingPhase::AwaitingSource,
        UploadingPhase::Transferring => wit::UploadingPhase::Transferring,
        UploadingPhase::TokenExpired => wit::UploadingPhase::TokenExpired,
        UploadingPhase::Stopping => wit::UploadingPhase::Stopping,
        UploadingPhase::Canceling => wit::UploadingPhase::Canceling,
    }
}
