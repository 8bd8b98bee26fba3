//! Fixtures for the tests of the protocols.

use crate::upload::{Target, UploadKind, UploadRecord};

/// The record of a regular upload of `a.mp4` with the media ID `vid` and an unknown length.
pub(super) fn upload_record() -> UploadRecord {
    UploadRecord {
        created_at_ms: 0,
        file_name: "a.mp4".into(),
        length_bytes: None,
        media_id: "vid".into(),
        target: Target {
            endpoint: "https://oss-cn-shanghai.aliyuncs.com".into(),
            bucket: "b".into(),
            object: "sv/a.mp4".into(),
            region: None,
            cname: false,
            signature_v1: false,
        },
        content_type: None,
        client_metadata: None,
        credential_from_vod: true,
        kind: UploadKind::Regular,
    }
}
