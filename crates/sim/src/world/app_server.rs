//! An application server: it calls VOD for its clients and passes credentials on.

use std::collections::BTreeSet;
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
    /// The keys of the objects of its media assets.
    objects: BTreeSet<String>,
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
        let grant = vod.create(store, now, kind.can_refresh());
        self.objects.insert(vod.media[&grant.media_id].object.clone());
        grant
    }

    /// Returns `true` if it has created the media asset with this object.
    #[must_use]
    pub fn has_created(&self, object: &str) -> bool {
        self.objects.contains(object)
    }
}

impl Default for AppServer {
    fn default() -> Self {
        Self { token_ttl: Duration::from_secs(3_600), objects: BTreeSet::new() }
    }
}
