//! An application server: it calls VOD for its clients and passes credentials on.

use std::time::Duration;

use vod_uploader::units::UnixMillis;
use vod_uploader::vod::MediaKind;

use super::oss::Store;
use super::vod::{Grant, Vod};

/// The application server.
#[derive(Clone, Debug)]
pub struct AppServer {
    /// How long its STS tokens are valid.
    pub token_ttl: Duration,
    media_count: u32,
}

impl AppServer {
    /// Creates a media asset and its credential.
    pub(super) fn create_media(
        &mut self,
        vod: &mut Vod,
        store: &mut Store,
        now: UnixMillis,
        kind: MediaKind,
    ) -> Grant {
        self.media_count += 1;
        vod.create(store, now, kind.can_refresh())
    }

    /// Returns `true` if a client has received a credential of a media asset.
    #[must_use]
    pub const fn has_created_media(&self) -> bool {
        self.media_count > 0
    }
}

impl Default for AppServer {
    fn default() -> Self {
        Self { token_ttl: Duration::from_secs(3_600), media_count: 0 }
    }
}
