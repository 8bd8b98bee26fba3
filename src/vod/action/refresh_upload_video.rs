//! RefreshUploadVideo: a new credential for an existing media ID.

use super::Action;
use crate::error::Result;
use crate::units::UnixMillis;
use crate::vod::upload_grant::MediaFields;
use crate::vod::{UploadGrant, VodResponse};

/// Issues a new UploadAuth for the same upload address, up to 120 times per second and account
/// (<https://www.alibabacloud.com/help/en/vod/developer-reference/api-vod-2017-03-21-refreshuploadvideo>).
///
/// For video and audio only: credentials of images and auxiliary media cannot be refreshed.
#[derive(Clone, Copy, Debug)]
pub struct RefreshUploadVideo<'a> {
    /// The media ID.
    pub video_id: &'a str,
}

impl Action for RefreshUploadVideo<'_> {
    type Output = UploadGrant;

    const NAME: &'static str = "RefreshUploadVideo";

    fn parameters(&self) -> Vec<(&'static str, String)> {
        vec![("VideoId", self.video_id.to_owned())]
    }

    fn output(&self, response: &VodResponse, now: UnixMillis) -> Result<UploadGrant> {
        UploadGrant::read(response, MediaFields::VIDEO, Some(self.video_id), now)
    }
}
