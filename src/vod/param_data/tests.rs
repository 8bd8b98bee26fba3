#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failed assumption fails the test")]

use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use serde_json::json;

use super::*;
use crate::error::ErrorKind;
use crate::vod::{BusinessType, ImageType};

/// The JavaScript SDK treats a missing `paramData` as an object and starts no upload (defect B14).
#[test]
fn param_data_is_optional() {
    for text in
        [None, Some(""), Some(" \n"), Some("{}"), Some("{\"Vod\":{}}"), Some("{\"Vod\":null}")]
    {
        let given = ParamData::parse(text).unwrap();
        let video = given.create_video("films/a.b.MP4", Some(ByteCount(7))).unwrap();
        assert_eq!((video.title, video.file_name), ("a.b", "films/a.b.MP4"));
        assert_eq!(video.file_size, Some(ByteCount(7)));
        let image = given.create_image("a.JPG").unwrap();
        assert_eq!((image.image_type, image.image_ext), (ImageType::Default, Some("jpg")));
        assert_eq!((image.original_file_name, image.title), (Some("a.JPG"), Some("a")));
        let subtitle = given.create_attached_media("a.srt", None).unwrap();
        assert_eq!(subtitle.business_type, BusinessType::Subtitle);
        assert_eq!((subtitle.media_ext, subtitle.file_name), (Some("srt"), Some("a.srt")));
    }
}

#[test]
fn every_video_parameter_is_in_its_call() {
    let given = parse(json!({
        "Title": "T", "Description": "D", "CateId": 234, "Tags": ["a", "b"],
        "CoverURL": "C", "TemplateGroupId": "G", "StorageLocation": "S", "AppId": "A",
        "FileSize": "24", "ReferenceId": "order-1", "EnableFirstFrameCover": true,
        "GenerateThumbnail": "false", "TransCodeMode": "M", "FileName": "b.flv",
        "UserData": "{\"Extend\": {}}",
    }))
    .unwrap();
    let video = given.create_video("a.mp4", Some(ByteCount(7))).unwrap();
    assert_eq!((video.title, video.file_name), ("T", "b.flv"));
    assert_eq!((video.description, video.cate_id), (Some("D"), Some("234")));
    assert_eq!((video.tags, video.cover_url), (Some("a,b"), Some("C")));
    assert_eq!((video.template_group_id, video.workflow_id), (Some("G"), None));
    assert_eq!((video.storage_location, video.app_id), (Some("S"), Some("A")));
    assert_eq!(video.file_size, Some(ByteCount(24)));
    assert_eq!(video.reference_id, Some("order-1"));
    assert_eq!(video.enable_first_frame_cover, Some(true));
    assert_eq!(video.generate_thumbnail, Some(false));
    assert_eq!(video.trans_code_mode, Some("M"));
    // The JavaScript SDK quotes a string twice, and VOD then cannot parse it.
    assert_eq!(video.user_data, Some("{\"Extend\": {}}"));
}

#[test]
fn a_workflow_takes_precedence_over_a_template_group() {
    let given = parse(json!({"WorkflowId": "W", "TemplateGroupId": "G"})).unwrap();
    let video = given.create_video("a.mp4", None).unwrap();
    assert_eq!((video.workflow_id, video.template_group_id), (Some("W"), None));
}

#[test]
fn a_user_data_object_is_sent_as_its_json_text() {
    let user_data = json!({"Extend": {"id": 1}, "MessageCallback": {"CallbackURL": "u"}});
    let given = parse(json!({ "UserData": user_data })).unwrap();
    let video = given.create_video("a.mp4", None).unwrap();
    let sent: Value = serde_json::from_str(video.user_data.unwrap()).unwrap();
    assert_eq!(sent, user_data);
}

#[test]
fn a_default_title_is_truncated_to_the_limit_of_its_call() {
    let name = format!("{}.mp4", "测".repeat(200));
    let given = ParamData::default();
    assert_eq!(given.create_video(&name, None).unwrap().title.chars().count(), 128);
    let name = name.replace(".mp4", ".srt");
    assert_eq!(given.create_attached_media(&name, None).unwrap().title.unwrap().len(), 126);
}

#[test]
fn every_image_parameter_is_in_its_call() {
    let given = parse(json!({
        "ImageType": "cover", "ImageExt": "webp", "OriginalFileName": "b", "Title": "T",
        "Tags": "a", "CateId": "1", "Description": "D", "StorageLocation": "S",
        "UserData": {}, "AppId": "A",
    }))
    .unwrap();
    let image = given.create_image("a.bin").unwrap();
    assert_eq!((image.image_type, image.image_ext), (ImageType::Cover, Some("webp")));
    assert_eq!((image.original_file_name, image.title), (Some("b"), Some("T")));
    assert_eq!((image.tags, image.cate_id), (Some("a"), Some("1")));
    assert_eq!((image.description, image.storage_location), (Some("D"), Some("S")));
    assert_eq!((image.user_data, image.app_id), (Some("{}"), Some("A")));
}

#[test]
fn every_auxiliary_media_parameter_is_in_its_call() {
    let given = parse(json!({
        "BusinessType": "watermark", "MediaExt": "gif", "FileName": "b", "FileSize": 8,
        "Title": "T", "Description": "D", "CateIds": [1, "2"], "Tags": [], "StorageLocation": "S",
        "UserData": "u", "AppId": "A",
    }))
    .unwrap();
    let media = given.create_attached_media("a.png", Some(ByteCount(7))).unwrap();
    assert_eq!((media.business_type, media.media_ext), (BusinessType::Watermark, Some("gif")));
    assert_eq!((media.file_name, media.title), (Some("b"), Some("T")));
    assert_eq!((media.file_size, media.description), (Some(ByteCount(8)), Some("D")));
    assert_eq!((media.cate_ids, media.tags), (Some("1,2"), None));
    assert_eq!((media.storage_location, media.user_data), (Some("S"), Some("u")));
    assert_eq!(media.app_id, Some("A"));
}

#[test]
fn the_format_of_auxiliary_media_defaults_to_its_extension() {
    let given = |business_type: &str| parse(json!({ "BusinessType": business_type })).unwrap();
    let png = given("watermark");
    assert_eq!(png.create_attached_media("a.PNG", None).unwrap().media_ext, Some("png"));
    let message = |given: &ParamData, name: &str| {
        given.create_attached_media(name, None).unwrap_err().message().to_owned()
    };
    assert!(message(&png, "a.zip").starts_with("MediaExt must be specified"));
    assert!(message(&given("film"), "a.png").starts_with("BusinessType must be watermark"));
    assert!(message(&ParamData::default(), "a.zip").starts_with("BusinessType must be specified"));
    let zip = parse(json!({"MediaExt": "zip"})).unwrap();
    assert!(message(&zip, "a.srt").starts_with("BusinessType must be specified"));
    let srt = parse(json!({"MediaExt": "srt"})).unwrap();
    let media = srt.create_attached_media("a.txt", None).unwrap();
    assert_eq!((media.business_type, media.media_ext), (BusinessType::Subtitle, Some("srt")));
}

#[test]
fn an_image_of_an_unknown_format_is_rejected() {
    for name in ["a.bmp", "a", "my.png.bin"] {
        let given = ParamData::default();
        let error = given.create_image(name).unwrap_err();
        assert!(error.message().starts_with("ImageExt must be specified"), "{error}");
    }
    let given = parse(json!({"ImageType": "poster"})).unwrap();
    let error = given.create_image("a.png").unwrap_err();
    assert!(error.message().starts_with("ImageType must be default or cover"), "{error}");
}

#[test]
fn the_error_for_an_invalid_key_or_value_contains_it() {
    let object = "param-data must be a JSON object {\"Vod\"";
    for (text, expected) in [
        ("{", object),
        ("[]", object),
        ("\"Vod\"", object),
        ("{\"vod\":{}}", "param-data.vod must be omitted, because only Vod is supported"),
        ("{\"Vod\":{},\"Oss\":1}", "param-data.Oss must be omitted, because only Vod is supported"),
        ("{\"Vod\":[]}", "param-data.Vod must be a JSON object"),
        ("{\"Vod\":\"{}\"}", "param-data.Vod must be a JSON object"),
        ("{\"Vod\":{\"title\":\"T\"}}", "param-data.Vod.title must be omitted"),
        ("{\"Vod\":{\"title\":null}}", "param-data.Vod.title must be omitted"),
        ("{\"Vod\":{\"Title\":1}}", "param-data.Vod.Title must be a string"),
        ("{\"Vod\":{\"CateId\":1.5}}", "param-data.Vod.CateId must be a string or a number"),
        ("{\"Vod\":{\"FileSize\":-1}}", "param-data.Vod.FileSize must be a number of bytes"),
        ("{\"Vod\":{\"FileSize\":\"1k\"}}", "param-data.Vod.FileSize must be a number"),
        ("{\"Vod\":{\"GenerateThumbnail\":1}}", "param-data.Vod.GenerateThumbnail must be true"),
        ("{\"Vod\":{\"Tags\":[[]]}}", "param-data.Vod.Tags must be a string or an array"),
        ("{\"Vod\":{\"Tags\":[\"a,b\"]}}", "param-data.Vod.Tags must be a string or an array"),
        ("{\"Vod\":{\"UserData\":[]}}", "param-data.Vod.UserData must be a string or an object"),
    ] {
        let error = ParamData::parse(Some(text)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::RequestInvalid);
        assert!(error.message().starts_with(expected), "{text}: {error}");
        assert!(error.field().is_some_and(|field| field.name.starts_with("param-data")));
    }
}

#[test]
fn the_error_for_a_key_of_another_kind_of_media_contains_it() {
    let message = |result: Result<()>| result.unwrap_err().message().to_owned();
    let given = parse(json!({"TemplateGroupId": "G"})).unwrap();
    assert_eq!(
        message(given.create_image("a.png").map(drop)),
        "param-data.Vod.TemplateGroupId must be omitted, because CreateUploadImage does not have it"
    );
    let given = parse(json!({"CateId": "1"})).unwrap();
    assert!(message(given.create_attached_media("a.srt", None).map(drop)).contains("CateId"));
    let given = parse(json!({"ImageType": "cover"})).unwrap();
    assert!(message(given.create_video("a.mp4", None).map(drop)).contains("ImageType"));
}

#[test]
fn the_limits_of_the_call_are_checked() {
    let message = |result: Result<()>| result.unwrap_err().message().to_owned();
    let title = "标".repeat(129);
    let given = parse(json!({ "Title": title })).unwrap();
    assert!(message(given.create_video("a.mp4", None).map(drop)).starts_with("Title"));
    assert!(message(given.create_image("a.png").map(drop)).starts_with("Title"));
    assert!(message(given.create_attached_media("a.srt", None).map(drop)).starts_with("Title"));
    let none = ParamData::default();
    assert!(message(none.create_video("a", None).map(drop)).starts_with("FileName"));
    assert!(message(none.create_video("", None).map(drop)).starts_with("Title must be a string"));
}

proptest! {
    #![proptest_config(ProptestConfig { rng_seed: RngSeed::Fixed(1), ..Default::default() })]

    #[test]
    fn resolving_never_panics(text: String, name: String, number: f64) {
        let _ = ParamData::parse(Some(&text));
        for value in [json!(text), json!(number), json!([text]), json!({ "a": text })] {
            for (key, ..) in KEYS {
                let mut vod = serde_json::Map::new();
                vod.insert((*key).to_owned(), value.clone());
                if let Ok(given) = parse(Value::Object(vod)) {
                    let _ = given.create_video(&name, None);
                    let _ = given.create_image(&name);
                    let _ = given.create_attached_media(&name, None);
                }
            }
        }
    }
}

fn parse(vod: Value) -> Result<ParamData> {
    ParamData::parse(Some(&json!({ "Vod": vod }).to_string()))
}
