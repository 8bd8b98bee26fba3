//! Deletes a complete upload.

use vod_uploader::Result;
use vod_uploader::upload::{UploadId, UploadKind, UploadRecord};

use super::temporary_storage::delete_temporary;
use super::{media_record, records};
use crate::instance::Instance;

/// Deletes the records of a complete upload. Its object belongs to VOD, except that of a partial
/// upload. The media is closed first: otherwise a client that still has its token could overwrite
/// the object.
pub(super) async fn delete_completed(
    instance: &Instance,
    id: &UploadId,
    record: &UploadRecord,
) -> Result<()> {
    if record.kind == UploadKind::Partial {
        delete_temporary(instance, record).await?;
    }
    media_record::close(instance, record).await?;
    records::delete_records(instance, id).await
}
