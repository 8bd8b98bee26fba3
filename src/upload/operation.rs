//! The calls of a session to the store: their requests and their results.

use super::ids::FillId;
use super::upload_record::UploadRecord;
use crate::crc64::Crc64;
use crate::credential::AccessKey;
use crate::error::{Error, ErrorKind, Result};
use crate::oss::action::{
    AbortMultipartUpload, AbortedUpload, Action, CompleteMultipartUpload, CopyRange, HeadObject,
    InitiateMultipartUpload, ListParts, ObjectHead, PartPage, PutObject, StoredObject, UploadPart,
    UploadPartCopy, UploadedPart,
};
use crate::oss::{Bucket, ETag, HttpResponse, MultipartUploadId, Request, Signer};
use crate::units::{BUFFERED_PART_SIZE_MAX, ByteCount, PartNumber, UnixMillis};

/// The object that a session uploads.
#[derive(Debug)]
pub(super) struct TargetObject {
    bucket: Bucket,
    key: String,
    content_type: Option<String>,
}

/// One call to the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    /// InitiateMultipartUpload
    Initiate,
    /// UploadPart
    UploadPart {
        upload_id: MultipartUploadId,
        number: PartNumber,
        len: ByteCount,
        /// CRC of its bytes; `None` while they are still being streamed.
        crc64: Option<Crc64>,
        /// The driver's buffer with its bytes.
        fill: FillId,
    },
    /// UploadPartCopy
    CopyPart {
        upload_id: MultipartUploadId,
        number: PartNumber,
        source: CopySource,
        len: ByteCount,
        /// CRC of the copied bytes.
        crc64: Option<Crc64>,
    },
    /// ListParts, one page.
    ListParts {
        upload_id: MultipartUploadId,
        /// The last part number of the page before.
        after: Option<PartNumber>,
    },
    /// CompleteMultipartUpload
    Complete {
        upload_id: MultipartUploadId,
        /// Every part, by ascending number.
        parts: Vec<(PartNumber, ETag)>,
    },
    /// PutObject, of a file below 100 KiB.
    PutObject {
        len: ByteCount,
        crc64: Crc64,
        /// The driver's buffer with its bytes; `None` for an empty file.
        fill: Option<FillId>,
    },
    /// HeadObject
    Head,
    /// AbortMultipartUpload
    Abort { upload_id: MultipartUploadId },
}

/// The bytes that a part is copied from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct CopySource {
    /// The index of the object among those that are concatenated.
    pub(super) index: usize,
    pub(super) bucket: String,
    pub(super) object: String,
    /// `None` for the entire object.
    pub(super) range: Option<CopyRange>,
}

/// The result of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum OperationOutput {
    /// Of [`Operation::Initiate`].
    Initiated(MultipartUploadId),
    /// Of [`Operation::UploadPart`] and [`Operation::CopyPart`].
    Part(UploadedPart),
    /// Of [`Operation::ListParts`].
    Parts(PartPage),
    /// Of [`Operation::Complete`] and [`Operation::PutObject`].
    Object(StoredObject),
    /// Of [`Operation::Head`]; `None` if there is no object.
    Head(Option<ObjectHead>),
    /// Of [`Operation::Abort`].
    Aborted(AbortedUpload),
}

impl TargetObject {
    pub(super) fn new(record: &UploadRecord) -> Result<Self> {
        Ok(Self {
            bucket: record.target.bucket()?,
            key: record.target.object.clone(),
            content_type: record.content_type.clone(),
        })
    }
}

impl Operation {
    /// Returns OSS's name of the call.
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::Initiate => InitiateMultipartUpload::NAME,
            Self::UploadPart { .. } => UploadPart::NAME,
            Self::CopyPart { .. } => UploadPartCopy::NAME,
            Self::ListParts { .. } => ListParts::NAME,
            Self::Complete { .. } => CompleteMultipartUpload::NAME,
            Self::PutObject { .. } => PutObject::NAME,
            Self::Head => HeadObject::NAME,
            Self::Abort { .. } => AbortMultipartUpload::NAME,
        }
    }

    /// Returns the driver's buffer with the bytes of the request body.
    pub(super) const fn fill(&self) -> Option<FillId> {
        match self {
            Self::UploadPart { fill, .. } => Some(*fill),
            Self::PutObject { fill, .. } => *fill,
            _ => None,
        }
    }

    /// Returns the number of bytes of that buffer that the request sends.
    pub(super) const fn body_bytes(&self) -> ByteCount {
        match self {
            Self::UploadPart { len, .. } | Self::PutObject { len, .. } => *len,
            _ => ByteCount::ZERO,
        }
    }

    /// Whether the driver streams the body without buffering it, as with every part above the
    /// maximum buffer size.
    pub(super) fn is_streamed(&self) -> bool {
        self.body_bytes() > BUFFERED_PART_SIZE_MAX
    }

    pub(super) const fn is_initiate(&self) -> bool {
        matches!(self, Self::Initiate)
    }

    /// Returns the signed request.
    pub(super) fn request(
        &self,
        target: &TargetObject,
        credential: &AccessKey,
        now: UnixMillis,
    ) -> Request {
        let TargetObject { bucket, key, content_type } = target;
        let content_type = content_type.as_deref();
        let unsigned = match self {
            Self::Initiate => InitiateMultipartUpload { key, content_type }.request(bucket),
            Self::UploadPart { upload_id, number, len, .. } => {
                UploadPart { key, upload_id, number: *number, len: *len, crc64: None }
                    .request(bucket)
            }
            Self::CopyPart { upload_id, number, source, .. } => {
                source.action(key, upload_id, *number).request(bucket)
            }
            Self::ListParts { upload_id, after } => {
                ListParts { key, upload_id, after: *after }.request(bucket)
            }
            Self::Complete { upload_id, parts } => {
                CompleteMultipartUpload { key, upload_id, parts }.request(bucket)
            }
            Self::PutObject { len, .. } => {
                PutObject { key, len: *len, content_type }.request(bucket)
            }
            Self::Head => HeadObject { key }.request(bucket),
            Self::Abort { upload_id } => AbortMultipartUpload { key, upload_id }.request(bucket),
        };
        Signer { bucket, credential, now }.sign(unsigned)
    }

    /// Parses the response, and verifies its checksum.
    pub(super) fn parse(
        &self,
        target: &TargetObject,
        response: &HttpResponse,
    ) -> Result<OperationOutput> {
        let key = &target.key;
        match self {
            Self::Initiate => InitiateMultipartUpload { key, content_type: None }
                .parse(response)
                .map(OperationOutput::Initiated),
            Self::UploadPart { upload_id, number, len, crc64, .. } => {
                let action = UploadPart { key, upload_id, number: *number, len: *len, crc64: None };
                let part = action.parse(response)?;
                verify_crc64(&format!("part {number}"), *crc64, part.crc64)?;
                Ok(OperationOutput::Part(part))
            }
            Self::CopyPart { upload_id, number, source, crc64, .. } => {
                let copied = source.action(key, upload_id, *number).parse(response)?;
                let UploadedPart { etag, crc64: returned } = copied;
                // If the store does not return it, CompleteMultipartUpload verifies the object's.
                let returned = returned.or(*crc64);
                verify_crc64(&format!("part {number}"), *crc64, returned)?;
                Ok(OperationOutput::Part(UploadedPart { etag, crc64: returned }))
            }
            Self::ListParts { upload_id, after } => {
                let action = ListParts { key, upload_id, after: *after };
                action.parse(response).map(OperationOutput::Parts)
            }
            Self::Complete { upload_id, parts } => {
                let action = CompleteMultipartUpload { key, upload_id, parts };
                action.parse(response).map(OperationOutput::Object)
            }
            Self::PutObject { len, crc64, .. } => {
                let object = PutObject { key, len: *len, content_type: None }.parse(response)?;
                verify_crc64("the object", Some(*crc64), object.crc64)?;
                Ok(OperationOutput::Object(object))
            }
            Self::Head => HeadObject { key }.parse(response).map(OperationOutput::Head),
            Self::Abort { upload_id } => {
                let action = AbortMultipartUpload { key, upload_id };
                action.parse(response).map(OperationOutput::Aborted)
            }
        }
    }
}

impl CopySource {
    fn action<'a>(
        &'a self,
        key: &'a str,
        upload_id: &'a MultipartUploadId,
        number: PartNumber,
    ) -> UploadPartCopy<'a> {
        UploadPartCopy {
            key,
            upload_id,
            number,
            source_bucket: &self.bucket,
            source_key: &self.object,
            range: self.range,
        }
    }
}

/// Compares the CRC of the sent bytes with the store's. A response without a CRC, from the store or
/// a gateway in its place, is rejected: unverified bytes are never acknowledged.
pub(super) fn verify_crc64(what: &str, sent: Option<Crc64>, stored: Option<Crc64>) -> Result<()> {
    match (sent, stored) {
        (Some(sent), Some(stored)) if sent != stored => Err(Error::new(
            ErrorKind::ChecksumMismatch,
            format!("{what} was sent with CRC-64 {sent}; the store has {stored}"),
        )),
        (Some(_), None) => Err(Error::new(
            ErrorKind::StoreReplyInvalid,
            format!("the store did not return the CRC-64 of {what}"),
        )),
        _ => Ok(()),
    }
}
