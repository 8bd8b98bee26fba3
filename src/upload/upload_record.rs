//! The description of an upload: written once when it is created.

use serde::{Deserialize, Serialize};

use super::record::impl_record;
use crate::credential::UploadCredential;
use crate::error::Result;
use crate::oss::{Bucket, BucketOptions, SignatureVersion};
use crate::units::ByteCount;

/// The description of an upload. Contains no secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UploadRecord {
    /// When it was created, in milliseconds since the Unix epoch.
    pub created_at_ms: u64,
    /// The file name, as specified by the client.
    pub file_name: String,
    /// The length in bytes that the client declared when it created the upload. A length that is
    /// declared later is in [`Checkpoint::length_bytes`](super::Checkpoint::length_bytes).
    pub length_bytes: Option<u64>,
    /// The media ID at VOD; empty if the client supplied a credential without it.
    pub media_id: String,
    /// The object on the store.
    pub target: Target,
    /// The Content-Type of the object.
    pub content_type: Option<String>,
    /// The client's metadata as sent, without credentials.
    pub client_metadata: Option<String>,
    /// Whether the worker requested the credential with its own key and can refresh it.
    pub credential_from_vod: bool,
    /// The role of its object.
    pub kind: UploadKind,
}

/// The role of an upload's object.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum UploadKind {
    /// A file: neither partial nor final.
    #[default]
    Regular,
    /// A partial upload, to be concatenated with others.
    Partial,
    /// A final upload: the concatenation of partial uploads.
    Final {
        /// The addresses of the partial uploads as sent by the client, in the order of their bytes.
        partials: Vec<String>,
    },
}

/// An object on the store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// The endpoint, as specified by the credential.
    pub endpoint: String,
    /// The bucket.
    pub bucket: String,
    /// The object key.
    pub object: String,
    /// The region, if the credential or the configuration specifies one.
    pub region: Option<String>,
    /// Whether the endpoint is a custom domain that is bound to the bucket.
    pub cname: bool,
    /// Whether requests are signed with V1.
    pub signature_v1: bool,
}

impl Target {
    /// Returns the object of `credential`, with the settings of the caller for what the credential
    /// does not specify. `region` is that of the VOD service.
    #[must_use]
    pub fn new(
        credential: &UploadCredential,
        region: &str,
        cname: bool,
        signature_version: SignatureVersion,
    ) -> Self {
        let target = Self {
            endpoint: credential.address.endpoint.clone(),
            bucket: credential.address.bucket.clone(),
            object: credential.address.object.clone(),
            region: credential.auth.region.clone(),
            cname,
            signature_v1: signature_version == SignatureVersion::V1,
        };
        if target.bucket().is_ok() {
            return target;
        }
        // The endpoint is an accelerate endpoint or a custom domain, and an old credential has no
        // region: VOD stores the object in the region in which it is called.
        Self { region: Some(region.to_owned()), ..target }
    }

    /// Returns the bucket to send requests to.
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

impl_record!(UploadRecord, Upload);

impl UploadRecord {
    /// Returns the length that was declared when the upload was created.
    #[must_use]
    pub fn length(&self) -> Option<ByteCount> {
        self.length_bytes.map(ByteCount)
    }
}
