//! The object and the media ID that a file is bound to.

use crate::credential::UploadAddress;
use crate::error::{Error, ErrorKind, Result};
use crate::queue::interface::{FileId, Succeeded};
use crate::queue::records::StoredFile;
use crate::units::ByteCount;
use crate::upload::CompletedObject;

/// The object and the media ID that a file is bound to.
#[derive(Debug, Default)]
pub(super) struct ObjectBinding {
    address: Option<UploadAddress>,
    media_id: Option<String>,
    /// URL of an image or of auxiliary media, if VOD returned one.
    media_url: Option<String>,
}

impl ObjectBinding {
    pub(super) const fn address(&self) -> Option<&UploadAddress> {
        self.address.as_ref()
    }

    pub(super) fn media_id(&self) -> Option<&str> {
        self.media_id.as_deref()
    }

    /// Checks that `given` is the object that the file is bound to, if any.
    ///
    /// # Errors
    /// Returns [`ErrorKind::CredentialForOtherObject`].
    pub(super) fn check_same_object(&self, given: &UploadAddress) -> Result<()> {
        match &self.address {
            Some(bound) if !is_same_object(bound, given) => Err(wrong_object(bound, given)),
            _ => Ok(()),
        }
    }

    /// Returns the event for the file `id`, which is stored as `object` at `address`.
    pub(super) fn succeeded(
        &self,
        id: FileId,
        address: &UploadAddress,
        object: &CompletedObject,
    ) -> Succeeded {
        Succeeded {
            file: id,
            media_id: self.media_id.clone(),
            endpoint: address.endpoint.clone(),
            bucket: address.bucket.clone(),
            object: address.object.clone(),
            size: ByteCount(object.size_bytes),
            crc64: object.crc64,
            media_url: self.media_url.clone(),
        }
    }

    /// Adopts the stored media ID and address.
    pub(super) fn restore(&mut self, stored: &StoredFile) {
        if stored.media_id.is_some() {
            self.media_id.clone_from(&stored.media_id);
        }
        if let Some(upload) = &stored.upload {
            self.address = Some(upload.address());
        }
    }

    /// Binds the file to `address`. Without a `media_id`, the current one remains if the file was
    /// bound to the same object, or to none and its media ID `is_refreshable`.
    pub(super) fn bind(
        &mut self,
        address: UploadAddress,
        media_id: Option<String>,
        is_refreshable: bool,
    ) {
        let known = self.media_id.take().filter(|_| match &self.address {
            Some(bound) => is_same_object(bound, &address),
            None => is_refreshable,
        });
        self.media_id = media_id.or(known);
        self.address = Some(address);
    }

    pub(super) fn set_address(&mut self, address: Option<UploadAddress>) {
        self.address = address;
    }

    pub(super) fn set_media_id(&mut self, media_id: Option<String>) {
        self.media_id = media_id;
    }

    pub(super) fn set_media_url(&mut self, media_url: Option<String>) {
        self.media_url = media_url;
    }
}

/// Returns true if both addresses are of the same object. Several endpoints may lead to it.
pub(super) fn is_same_object(a: &UploadAddress, b: &UploadAddress) -> bool {
    a.bucket == b.bucket && a.object == b.object
}

/// Returns the error for a credential that is for `given` instead of `expected`.
pub(super) fn wrong_object(expected: &UploadAddress, given: &UploadAddress) -> Error {
    let message = format!(
        "the credential is for {}/{}; the upload is for {}/{}",
        given.bucket, given.object, expected.bucket, expected.object
    );
    Error::new(ErrorKind::CredentialForOtherObject, message)
}
