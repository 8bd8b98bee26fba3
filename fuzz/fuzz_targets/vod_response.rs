//! Responses of VOD: status, headers and JSON.

#![no_main]

use libfuzzer_sys::fuzz_target;
use vod_uploader::oss::ClockSkew;
use vod_uploader::vod::{
    Action as _, BusinessType, CancelUrlUploadJobs, CreateUploadAttachedMedia, CreateUploadImage,
    CreateUploadVideo, GetUrlUploadInfos, RefreshUploadVideo, UploadMediaByUrl, UrlJobs,
};
use vod_uploader_fuzz::{NOW, response};

fuzz_target!(|bytes: &[u8]| {
    let response = response(bytes);
    let jobs = UrlJobs::Ids(&["job"]);
    let attached = CreateUploadAttachedMedia::new(BusinessType::Watermark);
    let _ = attached.parse(&response, NOW);
    let _ = CreateUploadImage::default().parse(&response, NOW);
    let _ = RefreshUploadVideo { video_id: "id" }.parse(&response, NOW);
    let _ = UploadMediaByUrl::default().parse(&response, NOW);
    let _ = GetUrlUploadInfos { jobs }.parse(&response, NOW);
    let _ = CancelUrlUploadJobs { jobs }.parse(&response, NOW);
    if let Err(error) = CreateUploadVideo::default().parse(&response, NOW) {
        let _ = ClockSkew::default().observe(&error, NOW);
        let _ = (error.to_string(), format!("{error:?}"));
    }
});
