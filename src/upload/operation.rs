//! The store calls of an upload, as values: what to ask, and what came back.

use crate::crc64::Crc64;
use crate::credential::StsCredential;
use crate::error::{Error, ErrorKind, Result};
use crate::oss::action::{
    AbortMultipartUpload, Action, CompleteMultipartUpload, CopiedPart, CopyRange, HeadObject,
    InitiateMultipartUpload, ListParts, ObjectHead, PartPage, PutObject, StoredObject, UploadPart,
    UploadPartCopy, UploadedPart,
};
use crate::oss::{Bucket, ETag, Reply, Request, Signer, UploadId};
use crate::units::{BUFFERED_PART_SIZE_MAX, ByteCount, PartNumber, UnixMillis};

use super::FillId;

/// One call to the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    /// Begins the multipart upload.
    Initiate {
        /// The object's Content-Type.
        content_type: Option<String>,
    },
    /// Sends one part.
    UploadPart {
        /// The store's id of the upload.
        upload_id: UploadId,
        /// The part's number.
        number: PartNumber,
        /// Its size.
        len: ByteCount,
        /// CRC of its bytes; `None` while they are still being streamed.
        crc64: Option<Crc64>,
        /// Where the driver holds its bytes.
        fill: FillId,
    },
    /// Makes one part of an object on the store.
    CopyPart {
        /// The store's id of the upload.
        upload_id: UploadId,
        /// The part's number.
        number: PartNumber,
        /// The bucket of that object.
        source_bucket: String,
        /// Its key.
        source_key: String,
        /// Which of its bytes, where not all.
        range: Option<CopyRange>,
        /// How many they are.
        len: ByteCount,
        /// CRC of those bytes.
        crc64: Option<Crc64>,
    },
    /// Asks for one page of the parts that the store has.
    ListParts {
        /// The store's id of the upload.
        upload_id: UploadId,
        /// The last part number of the page before.
        after: Option<PartNumber>,
    },
    /// Joins the parts.
    Complete {
        /// The store's id of the upload.
        upload_id: UploadId,
        /// Every part, by ascending number.
        parts: Vec<(PartNumber, ETag)>,
    },
    /// Sends a file below 100 KiB.
    PutObject {
        /// Its size.
        len: ByteCount,
        /// CRC of its bytes.
        crc64: Crc64,
        /// Where the driver holds its bytes; `None` for an empty one.
        fill: Option<FillId>,
        /// The object's Content-Type.
        content_type: Option<String>,
    },
    /// Asks what the object is.
    Head,
    /// Drops the parts.
    Abort {
        /// The store's id of the upload.
        upload_id: UploadId,
    },
}

/// What a call came back with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// To [`Operation::Initiate`].
    Initiated(UploadId),
    /// To [`Operation::UploadPart`] and [`Operation::CopyPart`].
    Part(UploadedPart),
    /// To [`Operation::ListParts`].
    Parts(PartPage),
    /// To [`Operation::Complete`] and [`Operation::PutObject`].
    Object(StoredObject),
    /// To [`Operation::Head`].
    Head(Option<ObjectHead>),
    /// To [`Operation::Abort`].
    Dropped,
}

impl Operation {
    /// The vendor's name of the call.
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::Initiate { .. } => InitiateMultipartUpload::NAME,
            Self::UploadPart { .. } => UploadPart::NAME,
            Self::CopyPart { .. } => UploadPartCopy::NAME,
            Self::ListParts { .. } => ListParts::NAME,
            Self::Complete { .. } => CompleteMultipartUpload::NAME,
            Self::PutObject { .. } => PutObject::NAME,
            Self::Head => HeadObject::NAME,
            Self::Abort { .. } => AbortMultipartUpload::NAME,
        }
    }

    /// Where the driver holds the bytes of the request's body.
    pub(super) const fn fill(&self) -> Option<FillId> {
        match self {
            Self::UploadPart { fill, .. } => Some(*fill),
            Self::PutObject { fill, .. } => *fill,
            _ => None,
        }
    }

    /// How many bytes the request's body takes from the driver.
    pub(super) const fn source_len(&self) -> ByteCount {
        match self {
            Self::UploadPart { len, .. } | Self::PutObject { len, .. } => *len,
            _ => ByteCount::ZERO,
        }
    }

    /// Whether the driver passes the body through without holding it: parts above what is held
    /// in memory are only ever streamed.
    pub(super) fn is_streamed(&self) -> bool {
        self.source_len() > BUFFERED_PART_SIZE_MAX
    }

    /// The signed request.
    pub(super) fn request(
        &self,
        bucket: &Bucket,
        key: &str,
        credential: &StsCredential,
        now: UnixMillis,
    ) -> Request {
        let unsigned = match self {
            Self::Initiate { content_type } => {
                InitiateMultipartUpload { key, content_type: content_type.as_deref() }
                    .request(bucket)
            }
            Self::UploadPart { upload_id, number, len, .. } => {
                UploadPart { key, upload_id, number: *number, len: *len, crc64: None }
                    .request(bucket)
            }
            Self::CopyPart { upload_id, number, source_bucket, source_key, range, .. } => {
                UploadPartCopy {
                    key,
                    upload_id,
                    number: *number,
                    source_bucket,
                    source_key,
                    range: *range,
                }
                .request(bucket)
            }
            Self::ListParts { upload_id, after } => {
                ListParts { key, upload_id, after: *after }.request(bucket)
            }
            Self::Complete { upload_id, parts } => {
                CompleteMultipartUpload { key, upload_id, parts }.request(bucket)
            }
            Self::PutObject { len, content_type, .. } => {
                PutObject { key, len: *len, content_type: content_type.as_deref() }.request(bucket)
            }
            Self::Head => HeadObject { key }.request(bucket),
            Self::Abort { upload_id } => AbortMultipartUpload { key, upload_id }.request(bucket),
        };
        Signer { bucket, credential, now }.sign(unsigned)
    }

    /// The answer in a reply, with its checksum compared.
    pub(super) fn parse(&self, key: &str, reply: &Reply) -> Result<Answer> {
        match self {
            Self::Initiate { .. } => InitiateMultipartUpload { key, content_type: None }
                .parse(reply)
                .map(Answer::Initiated),
            Self::UploadPart { upload_id, number, len, crc64, .. } => {
                let action = UploadPart { key, upload_id, number: *number, len: *len, crc64: None };
                let part = action.parse(reply)?;
                agree(&format!("part {number}"), *crc64, part.crc64)?;
                Ok(Answer::Part(part))
            }
            Self::CopyPart {
                upload_id, number, source_bucket, source_key, range, crc64, ..
            } => {
                let action = UploadPartCopy {
                    key,
                    upload_id,
                    number: *number,
                    source_bucket,
                    source_key,
                    range: *range,
                };
                let CopiedPart { etag, crc64: told } = action.parse(reply)?;
                // Where the store does not tell it, the whole object's says it at Complete.
                let told = told.or(*crc64);
                agree(&format!("part {number}"), *crc64, told)?;
                Ok(Answer::Part(UploadedPart { etag, crc64: told }))
            }
            Self::ListParts { upload_id, after } => {
                ListParts { key, upload_id, after: *after }.parse(reply).map(Answer::Parts)
            }
            Self::Complete { upload_id, parts } => {
                CompleteMultipartUpload { key, upload_id, parts }.parse(reply).map(Answer::Object)
            }
            Self::PutObject { len, crc64, .. } => {
                let object = PutObject { key, len: *len, content_type: None }.parse(reply)?;
                agree("the object", Some(*crc64), object.crc64)?;
                Ok(Answer::Object(object))
            }
            Self::Head => HeadObject { key }.parse(reply).map(Answer::Head),
            Self::Abort { upload_id } => {
                AbortMultipartUpload { key, upload_id }.parse(reply).map(|()| Answer::Dropped)
            }
        }
    }
}

/// Whether a call begins the multipart upload.
pub(super) const fn is_initiate(operation: &Operation) -> bool {
    matches!(operation, Operation::Initiate { .. })
}

/// Compares the CRC of what was sent with the store's. A store that does not tell it, or a gateway
/// that answers in its place, is not believed: every byte is covered, or it does not count.
pub(super) fn agree(what: &str, sent: Option<Crc64>, stored: Option<Crc64>) -> Result<()> {
    match (sent, stored) {
        (Some(sent), Some(stored)) if sent != stored => Err(Error::new(
            ErrorKind::ChecksumMismatch,
            format!("{what} was sent with CRC-64 {sent} and the store has {stored}"),
        )),
        (Some(_), None) => Err(Error::new(
            ErrorKind::StoreReplyInvalid,
            format!("the store did not tell the CRC-64 of {what}"),
        )),
        _ => Ok(()),
    }
}
