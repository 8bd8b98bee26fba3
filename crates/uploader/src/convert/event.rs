//! Converts the events of an uploader.

use vod_uploader_host::engine::queue::{Event, Succeeded, TokenExpiry};

use super::{error, file};
use crate::bindings::exports::vod::uploader::uploader as wit;

pub(crate) fn to_wit(event: Event) -> wit::Event {
    match event {
        Event::FileAdded(info) => wit::Event::FileAdded(file::to_wit(info)),
        Event::UploadStarted { file, name, kind, media_id, durable } => {
            wit::Event::UploadStarted(wit::UploadStarted {
                file: file.0,
                name,
                kind: file::kind_to_wit(kind),
                media_id,
                durable: durable.bytes(),
            })
        }
        Event::SourceRequested { file, offset } => {
            wit::Event::SourceRequested(wit::SourceRequested {
                file: file.0,
                offset: offset.bytes(),
            })
        }
        Event::Progress { file, progress } => wit::Event::Progress(wit::FileProgress {
            file: file.0,
            progress: file::progress_to_wit(progress),
        }),
        Event::TokenExpiring(expiry) => wit::Event::TokenExpiring(expiry_to_wit(expiry)),
        Event::TokenExpired(expiry) => wit::Event::TokenExpired(expiry_to_wit(expiry)),
        Event::Succeeded(succeeded) => wit::Event::Succeeded(succeeded_to_wit(*succeeded)),
        Event::Failed { file, error, durable } => wit::Event::Failed(wit::Failed {
            file: file.0,
            error: error::to_wit(error),
            durable: durable.bytes(),
        }),
        Event::Canceled { file, leftover_error } => wit::Event::Canceled(wit::Canceled {
            file: file.0,
            leftover_error: leftover_error.map(error::to_wit),
        }),
        Event::Stopped { file, durable } => {
            wit::Event::Stopped(wit::Stopped { file: file.0, durable: durable.bytes() })
        }
        Event::UploadEnd => wit::Event::UploadEnd,
    }
}

fn expiry_to_wit(expiry: TokenExpiry) -> wit::TokenExpiry {
    wit::TokenExpiry {
        file: expiry.file.0,
        media_id: expiry.media_id,
        expires_at: expiry.expires_at.map(|at| at.0),
        error: expiry.error.map(error::to_wit),
    }
}

fn succeeded_to_wit(succeeded: Succeeded) -> wit::Succeeded {
    wit::Succeeded {
        file: succeeded.file.0,
        media_id: succeeded.media_id,
        endpoint: succeeded.endpoint,
        bucket: succeeded.bucket,
        object: succeeded.object,
        size: succeeded.size.bytes(),
        crc64: succeeded.crc64,
        media_url: succeeded.media_url,
    }
}
