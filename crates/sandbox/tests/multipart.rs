//! Multipart uploads: the result of valid ones, and the errors of invalid requests.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failed assumption fails the test")]

mod common;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use common::{BUCKET, TestServer, pattern};
use md5::{Digest as _, Md5};

const MIN_PART_BYTES: usize = 102_400;

#[tokio::test]
async fn parts_of_any_size_and_number_are_concatenated_in_order() {
    let server = TestServer::new().await;
    let id = server.initiate("film.mp4").await;
    let content = pattern(3 * MIN_PART_BYTES + 1_000_001);
    let bounds = [0, MIN_PART_BYTES, 3 * MIN_PART_BYTES, content.len()];
    let mut listed = Vec::new();
    for (number, range) in [10_000, 7, 1].into_iter().zip(bounds.windows(2).rev()) {
        let etag = server.upload_part("film.mp4", &id, number, &content[range[0]..range[1]]).await;
        listed.insert(0, (u32::from(number), etag));
    }
    let listed: Vec<_> = listed.iter().map(|(number, etag)| (*number, etag.as_str())).collect();
    let response = server.complete("film.mp4", &id, &listed).expect_success().await;
    assert_eq!(server.stored("film.mp4").await, content);
    assert!(response.headers["etag"].ends_with("-3\""));
    assert_eq!(response.headers["x-oss-hash-crc64ecma"], crc64(&content));
    let head = server.request("HEAD", "film.mp4").expect_success().await;
    assert_eq!(head.headers["content-length"], content.len().to_string());
    assert_eq!(head.headers["x-oss-object-type"], "Multipart");
    assert_eq!(head.headers["x-oss-hash-crc64ecma"], crc64(&content));
}

#[tokio::test]
async fn a_part_has_md5_and_crc_and_replaces_one_with_its_number() {
    let server = TestServer::new().await;
    let id = server.initiate("k").await;
    server.upload_part("k", &id, 1, b"first").await;
    let response = server.part("k", &id, 1, b"123456789").expect_success().await;
    assert_eq!(response.headers["etag"], "\"25F9E794323B453885F5181F1B624D0B\"");
    assert_eq!(response.headers["x-oss-hash-crc64ecma"], "11051210869376104954");
    assert!(!response.headers["x-oss-request-id"].is_empty());
    server.complete("k", &id, &[(1, &response.headers["etag"])]).expect_success().await;
    assert_eq!(server.stored("k").await, b"123456789");
}

#[tokio::test]
async fn a_body_that_does_not_match_its_checksums_is_rejected_and_not_stored() {
    let server = TestServer::new().await;
    let id = server.initiate("k").await;
    let part = || server.part("k", &id, 1, b"123456789");
    let md5 = STANDARD.encode(Md5::digest(b"other"));
    part().header("content-md5", &md5).expect_error(400, "InvalidDigest").await;
    part().header("content-md5", "junk").expect_error(400, "InvalidDigest").await;
    part().header("x-oss-hash-crc64ecma", "1").expect_error(400, "InvalidCRC64").await;
    part().header("x-oss-hash-crc64ecma", "-1").expect_error(400, "InvalidArgument").await;
    let list = server.request("GET", "k").query("uploadId", &id).expect_success().await;
    assert!(!list.text().contains("<Part>"));
    let md5 = STANDARD.encode(Md5::digest(b"123456789"));
    let right = part().header("content-md5", &md5);
    right.header("x-oss-hash-crc64ecma", "11051210869376104954").expect_success().await;
}

#[tokio::test]
async fn a_part_without_content_length_or_too_large_is_rejected_unread() {
    let server = TestServer::new().await;
    let id = server.initiate("k").await;
    let mut chunked = server.part("k", &id, 1, b"3\r\nabc\r\n0\r\n\r\n");
    chunked.content_length = false;
    let chunked = chunked.header("transfer-encoding", "chunked");
    chunked.expect_error(411, "MissingContentLength").await;
    let huge = server.part("k", &id, 1, b"").header("content-length", "5368709121");
    let huge = huge.header("expect", "100-continue");
    huge.expect_error(400, "EntityTooLarge").await;
}

#[tokio::test]
async fn a_part_number_is_one_to_ten_thousand() {
    let server = TestServer::new().await;
    let id = server.initiate("k").await;
    for number in ["0", "10001", "-1", "x", ""] {
        let call = server.request("PUT", "k").query("partNumber", number).query("uploadId", &id);
        call.expect_error(400, "InvalidArgument").await;
    }
    server.part("k", &id, 10_000, b"x").expect_success().await;
}

#[tokio::test]
async fn complete_checks_order_etags_sizes_and_form() {
    let server = TestServer::new().await;
    let id = server.initiate("k").await;
    let large = server.upload_part("k", &id, 1, &pattern(MIN_PART_BYTES)).await;
    let small = server.upload_part("k", &id, 2, &pattern(MIN_PART_BYTES - 1)).await;
    let complete = |parts: &[(u32, &str)]| server.complete("k", &id, parts);
    complete(&[(2, &small), (1, &large)]).expect_error(400, "InvalidPartOrder").await;
    complete(&[(1, &large), (1, &large)]).expect_error(400, "InvalidPartOrder").await;
    complete(&[(1, &small), (2, &small)]).expect_error(400, "InvalidPart").await;
    complete(&[(1, &large), (3, &small)]).expect_error(400, "InvalidPart").await;
    complete(&[(70_000, &large)]).expect_error(400, "InvalidPart").await;
    complete(&[]).expect_error(400, "MalformedXML").await;
    complete(&[]).body("<not xml").expect_error(400, "MalformedXML").await;
    complete(&[]).body("").expect_error(400, "MalformedXML").await;
    server.upload_part("k", &id, 3, b"end").await;
    let small =
        complete(&[(1, &large), (2, &small), (3, &server.upload_part("k", &id, 3, b"e").await)]);
    let response = small.expect_error(400, "EntityTooSmall").await;
    assert_eq!(response.element("PartNumber").unwrap(), "2");
    assert_eq!(response.element("MinSizeAllowed").unwrap(), "102400");
    let uploads = server.control("GET", "uploads", "").await.json();
    assert_eq!(uploads[0]["parts"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn complete_all_requires_an_empty_body() {
    let server = TestServer::new().await;
    let id = server.initiate("k").await;
    for number in [1, 2] {
        server.upload_part("k", &id, number, &pattern(MIN_PART_BYTES)).await;
    }
    let all = server.complete("k", &id, &[]).header("x-oss-complete-all", "yes");
    all.clone().expect_error(400, "InvalidArgument").await;
    all.body("").expect_success().await;
    assert_eq!(server.stored("k").await.len(), 2 * MIN_PART_BYTES);
}

#[tokio::test]
async fn requests_without_content_are_not_sent_in_chunks() {
    let server = TestServer::new().await;
    let id = server.initiate("k").await;
    for call in [
        server.request("DELETE", "k").query("uploadId", &id),
        server.request("DELETE", "k"),
        server.request("POST", "k").query("uploads", ""),
    ] {
        let mut chunked = call.header("transfer-encoding", "chunked").body("0\r\n\r\n");
        chunked.content_length = false;
        chunked.expect_error(411, "MissingContentLength").await;
    }
}

#[tokio::test]
async fn an_unknown_completed_or_aborted_upload_is_no_such_upload() {
    let server = TestServer::new().await;
    let aborted = server.initiate("k").await;
    let completed = server.initiate("k").await;
    let open = server.initiate("other").await;
    let etag = server.upload_part("k", &completed, 1, b"x").await;
    server.complete("k", &completed, &[(1, &etag)]).expect_success().await;
    let abort = |id: &str| server.request("DELETE", "k").query("uploadId", id);
    assert_eq!(abort(&aborted).expect_success().await.status, 204);
    for id in ["unknown", &aborted, &completed, &open] {
        abort(id).expect_error(404, "NoSuchUpload").await;
        server.part("k", id, 1, b"x").expect_error(404, "NoSuchUpload").await;
        server.complete("k", id, &[(1, &etag)]).expect_error(404, "NoSuchUpload").await;
        let list = server.request("GET", "k").query("uploadId", id);
        list.expect_error(404, "NoSuchUpload").await;
    }
    assert_eq!(server.stored("k").await, b"x");
}

#[tokio::test]
async fn forbidden_overwriting_is_rejected_in_every_call() {
    let server = TestServer::new().await;
    let id = server.initiate("k").await;
    let etag = server.upload_part("k", &id, 1, b"x").await;
    server.request("PUT", "k").body("before").expect_success().await;
    let forbid = |call: common::Call| call.header("x-oss-forbid-overwrite", "true");
    let calls = [
        server.request("PUT", "k"),
        server.request("POST", "k").query("uploads", ""),
        server.complete("k", &id, &[(1, &etag)]),
    ];
    for call in calls {
        forbid(call).expect_error(409, "FileAlreadyExists").await;
    }
    assert_eq!(server.stored("k").await, b"before");
    server.complete("k", &id, &[(1, &etag)]).expect_success().await;
    assert_eq!(server.stored("k").await, b"x");
}

#[tokio::test]
async fn parts_are_listed_page_by_page_with_size_and_crc() {
    let server = TestServer::new().await;
    let id = server.initiate("a&b").await;
    for number in [5, 1, 3] {
        server.upload_part("a&b", &id, number, b"123456789").await;
    }
    let list = || server.request("GET", "a&b").query("uploadId", &id);
    let page = list().query("max-parts", "2").expect_success().await;
    assert_eq!(page.text().matches("<Part>").count(), 2);
    assert_eq!(page.element("NextPartNumberMarker").as_deref(), Some("3"));
    assert_eq!(page.element("IsTruncated").as_deref(), Some("true"));
    assert_eq!(page.element("HashCrc64ecma").as_deref(), Some("11051210869376104954"));
    assert_eq!(page.element("Key").as_deref(), Some("a&amp;b"));
    let rest = list().query("part-number-marker", "3").query("encoding-type", "url");
    let rest = rest.expect_success().await;
    assert_eq!(rest.element("PartNumber").as_deref(), Some("5"));
    assert_eq!(rest.element("Size").as_deref(), Some("9"));
    assert_eq!(rest.element("Key").as_deref(), Some("a%26b"));
    for (name, value) in [
        ("max-parts", "0"),
        ("max-parts", "1001"),
        ("part-number-marker", "x"),
        ("encoding-type", "b"),
    ] {
        list().query(name, value).expect_error(400, "InvalidArgument").await;
    }
}

#[tokio::test]
async fn open_uploads_are_listed_by_key_and_id() {
    let server = TestServer::new().await;
    let mut ids = [server.initiate("b").await, server.initiate("b").await];
    ids.sort();
    server.initiate("a").await;
    server.initiate("c/d").await;
    let list = || server.request("GET", "").query("uploads", "");
    let page = list().query("max-uploads", "2").expect_success().await;
    assert_eq!(page.element("NextKeyMarker").as_deref(), Some("b"));
    assert_eq!(page.element("NextUploadIdMarker").as_deref(), Some(ids[0].as_str()));
    let rest = list().query("key-marker", "b").query("upload-id-marker", &ids[0]);
    let rest = rest.query("delimiter", "/").expect_success().await;
    assert_eq!(rest.text().matches("<Upload>").count(), 1);
    assert_eq!(rest.element("UploadId").as_deref(), Some(ids[1].as_str()));
    assert!(rest.text().contains("<CommonPrefixes><Prefix>c/</Prefix></CommonPrefixes>"));
}

#[tokio::test]
async fn a_part_is_copied_from_an_object_or_a_range_of_it() {
    let server = TestServer::new().await;
    let source = pattern(300_000);
    server.request("PUT", "from me").body(&source).expect_success().await;
    let id = server.initiate("k").await;
    let copy = |number: &str| {
        server
            .request("PUT", "k")
            .query("partNumber", number)
            .query("uploadId", &id)
            .header("x-oss-copy-source", &format!("/{BUCKET}/from%20me"))
    };
    let missing = copy("3").header("x-oss-copy-source", &format!("/{BUCKET}/nothing"));
    missing.expect_error(404, "NoSuchKey").await;
    let ranged =
        copy("1").header("x-oss-copy-source-range", "bytes=100000-299999").expect_success().await;
    let complete = copy("2").header("x-oss-copy-source-range", "nonsense").expect_success().await;
    let etag = |response: &common::Response| response.element("ETag").unwrap();
    let parts = [(1, etag(&ranged)), (2, etag(&complete))];
    let parts: Vec<_> = parts.iter().map(|(number, etag)| (*number, etag.as_str())).collect();
    server.complete("k", &id, &parts).expect_success().await;
    assert_eq!(server.stored("k").await, [&source[100_000..], &source].concat());
}

fn crc64(bytes: &[u8]) -> String {
    crc_fast::checksum(crc_fast::CrcAlgorithm::Crc64Xz, bytes).to_string()
}
