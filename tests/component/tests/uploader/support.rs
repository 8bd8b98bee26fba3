//! Assertions of the uploader tests.

use vod_uploader_component_tests::app_host::AppHost;
use vod_uploader_component_tests::application::{Application, OfferedFile};
use vod_uploader_component_tests::sandbox::StoredObject;

/// Asserts that the event and OSS have the complete file.
pub(crate) fn assert_complete(
    host: &AppHost,
    application: &Application<'_>,
    id: u64,
    file: &OfferedFile,
) -> StoredObject {
    let succeeded = application.last("Succeeded", id);
    let source = file.source();
    assert_eq!(succeeded.payload["size"], file.size);
    assert_eq!(succeeded.payload["crc64"].as_u64().unwrap().to_string(), source.crc64());
    let object = object(host, succeeded.text("object").unwrap());
    assert_eq!((object.size, &object.crc64), (file.size, &source.crc64()));
    assert!(host.sandbox.object_bytes(&object.key) == source.bytes(source.all()), "other bytes");
    object
}

/// The object with this key.
pub(crate) fn object(host: &AppHost, key: &str) -> StoredObject {
    let objects = host.sandbox.objects();
    let found = objects.iter().find(|object| object.key == key);
    found.unwrap_or_else(|| panic!("no {key} in {objects:?}")).clone()
}

/// Bytes of parts that were sent to OSS.
pub(crate) fn part_bytes_sent(host: &AppHost) -> u64 {
    host.sandbox.counts("UploadPart")["bytes"].as_u64().unwrap_or(0)
}
