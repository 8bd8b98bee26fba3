//! RefreshUploadVideo: a new credential for a media id.

use super::minted_upload::MediaFields;
use super::{MintedUpload, RamKey, VodEndpoint, rpc_sign};
use crate::error::Result;
use crate::oss::{Reply, Request};
use crate::units::UnixMillis;

/// Hands out a new UploadAuth for the same upload address, up to 120 times per second and account
/// (<https://www.alibabacloud.com/help/en/vod/developer-reference/api-vod-2017-03-21-refreshuploadvideo>).
///
/// For video and audio only: images and auxiliary media cannot be refreshed.
#[derive(Clone, Copy, Debug)]
pub struct RefreshUploadVideo<'a> {
    /// The media id.
    pub video_id: &'a str,
}

impl RefreshUploadVideo<'_> {
    /// The vendor's name of the call.
    pub const NAME: &'static str = "RefreshUploadVideo";

    /// The signed call. `nonce` must be unique for every request.
    #[must_use]
    pub fn request(
        &self,
        endpoint: &VodEndpoint,
        key: &RamKey,
        nonce: &str,
        now: UnixMillis,
    ) -> Request {
        let parameters = vec![("VideoId", self.video_id.to_owned())];
        rpc_sign::call(Self::NAME, parameters, endpoint, key, nonce, now)
    }

    /// Reads the reply; `now` begins the life of an `Expiration` in seconds.
    ///
    /// # Errors
    ///
    /// [`MediaNotFound`](crate::ErrorKind::MediaNotFound) where VOD does not know the id, and
    /// otherwise as [`CreateUploadVideo::parse`](super::CreateUploadVideo::parse).
    pub fn parse(&self, reply: &Reply, now: UnixMillis) -> Result<MintedUpload> {
        MintedUpload::read(Self::NAME, MediaFields::VIDEO, reply, Some(self.video_id), now)
    }
}
