//! What an upload is: written once when it is created, read by everyone who touches it.

use serde::{Deserialize, Serialize};

use super::record::{self, RecordKind};
use crate::error::Result;
use crate::oss::{Bucket, BucketOptions, SignatureVersion};
use crate::units::ByteCount;

/// What an upload is. Holds no secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UploadRecord {
    /// When it was created, in milliseconds since the Unix epoch.
    pub created_at_ms: u64,
    /// The name that the client gave the file.
    pub file_name: String,
    /// The length that the client declared when it created the upload, in bytes. One that it
    /// declared later is in [`Checkpoint::length_bytes`](super::Checkpoint::length_bytes).
    pub length_bytes: Option<u64>,
    /// The media id at VOD; empty where the client brought a credential without naming it.
    pub media_id: String,
    /// Where on the store the object goes.
    pub target: Target,
    /// The Content-Type of the object.
    pub content_type: Option<String>,
    /// The client's own metadata, as it sent it, without credentials.
    pub client_metadata: Option<String>,
    /// True where the worker minted the credential with its own key and can refresh it.
    pub minted: bool,
    /// What its object is for.
    pub role: Role,
}

/// What an upload's object is for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Role {
    /// It is a file.
    #[default]
    Whole,
    /// It is a piece of a file, to be joined with others.
    Partial,
    /// It is a file that is joined of other uploads' objects.
    Final {
        /// The addresses of those uploads as the client named them, in the order of their bytes.
        partials: Vec<String>,
    },
}

/// Where on the store an object goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// The endpoint as the credential named it.
    pub endpoint: String,
    /// The bucket.
    pub bucket: String,
    /// The object key.
    pub object: String,
    /// The region, where the credential or the configuration named one.
    pub region: Option<String>,
    /// True where the endpoint is a custom domain that is bound to the bucket.
    pub cname: bool,
    /// True where requests are signed with V1.
    pub signature_v1: bool,
}

impl Target {
    /// The bucket to send requests to.
    ///
    /// # Errors
    /// See [`Bucket::new`].
    pub fn bucket(&self) -> Result<Bucket> {
        let options = BucketOptions {
            cname: self.cname,
            region: self.region.clone(),
            signature_version: if self.signature_v1 {
                SignatureVersion::V1
            } else {
                SignatureVersion::V4
            },
        };
        Bucket::new(&self.endpoint, &self.bucket, options)
    }
}

impl UploadRecord {
    /// The length that was declared when the upload was created.
    #[must_use]
    pub fn length(&self) -> Option<ByteCount> {
        self.length_bytes.map(ByteCount)
    }

    /// The stored form.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`](crate::ErrorKind::Internal), which no value of this type causes.
    pub fn encode(&self) -> Result<Vec<u8>> {
        record::encode(RecordKind::Upload, self)
    }

    /// The record in a stored form.
    ///
    /// # Errors
    /// [`CheckpointNewer`](crate::ErrorKind::CheckpointNewer) for a version that this code does not
    /// know, [`CheckpointCorrupt`](crate::ErrorKind::CheckpointCorrupt) for anything else that is
    /// not such a record, whole.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        record::decode(RecordKind::Upload, bytes)
    }
}
