//! Replies of VOD: status, headers and JSON.

#![no_main]

use libfuzzer_sys::fuzz_target;
use vod_uploader::oss::ClockSkew;
use vod_uploader::vod::{
    Action as _, BusinessType, CancelUrlUploadJobs, CreateUploadAttachedMedia, CreateUploadImage,
    CreateUploadVideo, GetUrlUploadInfos, RefreshUploadVideo, UploadMediaByUrl, UrlJobs,
};
use vod_uploader_fuzz::{NOW, reply};

fuzz_target!(|bytes: &[u8]| {
    let reply = reply(bytes);
    let jobs = UrlJobs::Ids(&["job"]);
    let attached = CreateUploadAttachedMedia::new(BusinessType::Watermark);
    let _ = attached.parse(&reply, NOW);
    let _ = CreateUploadImage::default().parse(&reply, NOW);
    let _ = RefreshUploadVideo { video_id: "id" }.parse(&reply, NOW);
    let _ = UploadMediaByUrl::default().parse(&reply, NOW);
    let _ = GetUrlUploadInfos { jobs }.parse(&reply, NOW);
    let _ = CancelUrlUploadJobs { jobs }.parse(&reply, NOW);
    if let Err(error) = CreateUploadVideo::default().parse(&reply, NOW) {
        let _ = ClockSkew::default().observe(&error, NOW);
        let _ = (error.to_string(), format!("{error:?}"));
    }
});
