//! tus: POST, with metadata and concatenation.

use std::collections::HashSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest as _, Sha256, Sha512};

use super::Server;
use super::append::Appended;
use super::tus::SIZE_MAX;
use super::upload::{Upload, Uploads};
use super::wire::{Incoming, Response};
use crate::fault::Fault;

impl Server {
    /// Creates an upload. Returns `None` to close the connection.
    pub(super) fn tus_create(&self, request: &mut Incoming) -> Option<Response> {
        let mut upload = match self.tus_upload(request) {
            Ok(upload) => upload,
            Err(status) => return Some(Response::new(status)),
        };
        let has_bytes = request.is_chunked() || request.content_length().unwrap_or(0) > 0;
        let is_typed = request.field("Content-Type") == Some("application/offset+octet-stream");
        if has_bytes && !is_typed && !self.has(Fault::OtherTypeOfCreationAccepted) {
            return Some(Response::new(415));
        }
        let is_final = !upload.parts.is_empty();
        let again = self.has(Fault::SameUploadTwice).then(|| twin(&self.uploads(), &upload));
        let id = again.flatten().unwrap_or_else(|| self.new_id());
        upload.metadata = request.field("Upload-Metadata").map(str::to_owned);
        if self.has(Fault::MetadataOfPartsKept) {
            let uploads = self.uploads();
            let part = upload.parts.first().and_then(|part| uploads.get(part));
            upload.metadata = part.and_then(|part| part.metadata.clone()).or(upload.metadata);
        }
        self.uploads().insert(id.clone(), upload);
        let mut offset = None;
        if has_bytes {
            match self.append(&id, request) {
                Appended::Complete => {}
                Appended::Interrupted | Appended::Replaced => return None,
                Appended::TooLong => return Some(Response::new(400)),
            }
            let mut uploads = self.uploads();
            let upload = uploads.get_mut(&id)?;
            upload.requests += 1;
            offset = Some(upload.offset());
            if self.has(Fault::BytesOfCreationDropped) {
                upload.bytes.clear();
            }
        }
        let status = match self.fault {
            Some(Fault::CreationIs200) if !has_bytes && !is_final => 200,
            Some(Fault::CreationWithBytesIs200) if has_bytes => 200,
            Some(Fault::FinalIs200) if is_final => 200,
            _ => 201,
        };
        let mut response = Response::new(status).field("Location", format!("/files/{id}"));
        response = response.field_if(
            !self.has(Fault::CreationWithoutExpiry),
            "Upload-Expires",
            self.expiry(),
        );
        if let Some(offset) = offset.filter(|_| !self.has(Fault::CreationWithoutOffset)) {
            response = response.field("Upload-Offset", offset);
        }
        Some(response)
    }

    /// The requested upload, or the status of the rejection.
    fn tus_upload(&self, request: &Incoming) -> Result<Upload, u16> {
        if request.field("Upload-Metadata").is_some_and(|metadata| !self.is_metadata(metadata)) {
            return Err(400);
        }
        let mut upload = Upload::default();
        let length = request.field("Upload-Length");
        if let Some(concat) = request.field("Upload-Concat") {
            upload.concat = Some(concat.to_owned());
            if let Some(parts) = concat.strip_prefix("final;") {
                upload.parts = self.tus_parts(parts)?;
                if length.is_some() && !self.has(Fault::FinalLengthAccepted) {
                    return Err(400);
                }
                // Marks final uploads of incomplete parts, for a fault.
                upload.is_stuck =
                    super::upload::concatenated(&self.uploads(), &upload.parts).is_none();
                return Ok(upload);
            }
            if concat != "partial" && !self.has(Fault::UnknownKindAccepted) {
                return Err(400);
            }
        }
        match (length, request.field("Upload-Defer-Length")) {
            (Some(length), None) => {
                let length = self.tus_integer(length, Fault::LengthReadLeniently).ok_or(400_u16)?;
                if length.to_string().len() >= SIZE_MAX.len() && length.to_string() != SIZE_MAX {
                    return Err(if self.has(Fault::TooLongIs400) { 400 } else { 413 });
                }
                upload.length = Some(length);
            }
            (None, Some("1")) => {}
            (None, Some(_)) if self.has(Fault::DeferOtherValuesAccepted) => {}
            (None, None) if self.has(Fault::LengthlessAccepted) => {}
            _ => return Err(400),
        }
        Ok(upload)
    }

    /// The IDs in a list of URLs.
    fn tus_parts(&self, list: &str) -> Result<Vec<String>, u16> {
        let uploads = self.uploads();
        let mut parts = Vec::new();
        for url in list.split(' ') {
            let path = url.strip_prefix(&self.origin);
            if path.is_none() && self.has(Fault::RelativePartsRejected) {
                return Err(400);
            }
            let id = Self::id(path.unwrap_or(url)).unwrap_or_default();
            let part = uploads.get(id);
            let is_known = part.is_some_and(|part| part.concat.as_deref() == Some("partial"));
            if !is_known && !self.has(Fault::UnknownPartsAccepted) {
                return Err(400);
            }
            let is_done = part.is_none_or(|part| part.length == Some(part.offset()));
            let takes_early = !self.has(Fault::UnfinishedRejected)
                && !self.without.contains(&"concatenation-unfinished");
            if !is_done && !takes_early {
                return Err(400);
            }
            parts.push(id.to_owned());
        }
        Ok(parts)
    }

    fn is_metadata(&self, metadata: &str) -> bool {
        let mut keys = HashSet::new();
        metadata.split(',').all(|pair| {
            let (key, value) = pair.split_once(' ').unwrap_or((pair, ""));
            let value = if self.has(Fault::ThirdWordAccepted) {
                value.split(' ').next().unwrap_or_default()
            } else {
                value
            };
            let has_value = pair.contains(' ') || !self.has(Fault::MetadataValueRequired);
            (!key.is_empty() || self.has(Fault::EmptyKeyAccepted))
                && (keys.insert(key.to_owned()) || self.has(Fault::KeyTwiceAccepted))
                && self.is_base64(value)
                && has_value
        })
    }

    fn is_base64(&self, value: &str) -> bool {
        let is_lenient = self.has(Fault::NoBase64Accepted) && !value.contains(' ');
        is_lenient || STANDARD.decode(value).is_ok()
    }
}

/// An unused upload with the same creation request.
fn twin(uploads: &Uploads, upload: &Upload) -> Option<String> {
    let is_twin = |other: &Upload| {
        !other.is_gone
            && other.requests == 0
            && upload.parts.is_empty()
            && (other.length, &other.concat) == (upload.length, &upload.concat)
    };
    uploads.iter().find(|(_, other)| is_twin(other)).map(|(id, _)| id.clone())
}

/// The checksum by an announced algorithm.
pub(super) fn checksum(algorithm: &str, content: &[u8]) -> Option<String> {
    let bytes = match algorithm {
        "sha1" => Sha1::digest(content).to_vec(),
        "md5" => Md5::digest(content).to_vec(),
        "sha256" => Sha256::digest(content).to_vec(),
        "sha512" => Sha512::digest(content).to_vec(),
        "crc32" => crc32fast::hash(content).to_be_bytes().to_vec(),
        _ => return None,
    };
    Some(STANDARD.encode(bytes))
}
