//! What reached a store.

use serde_json::{Value, json};

/// Requests that a store answered, by kind, and the bytes it was given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct StoreRequests {
    pub(super) part: u64,
    pub(super) list: u64,
    pub(super) head: u64,
    pub(super) get: u64,
    pub(super) put: u64,
    pub(super) delete: u64,
    /// What creates and completes an upload, here and at VOD.
    pub(super) other: u64,
    /// Bytes of parts and objects.
    pub(super) written_bytes: u64,
}

impl StoreRequests {
    /// Reads the counts of the sandbox.
    pub(super) fn from_sandbox(requests: &Value) -> Self {
        let mut counted = Self::default();
        for (operation, count) in requests["operations"].as_object().into_iter().flatten() {
            let number = |name: &str| count[name].as_u64().unwrap_or_default();
            counted.count(operation, number("requests"), number("bytes"));
        }
        counted
    }

    /// Adds requests of an operation of OSS or S3 with the bytes of their bodies.
    pub(super) fn count(&mut self, operation: &str, requests: u64, bytes: u64) {
        let kind = match operation {
            "UploadPart" | "UploadPartCopy" => &mut self.part,
            "ListParts" | "ListMultipartUploads" | "ListObjects" => &mut self.list,
            "HeadObject" => &mut self.head,
            "GetObject" => &mut self.get,
            "PutObject" => &mut self.put,
            "DeleteObject" => &mut self.delete,
            _ => &mut self.other,
        };
        *kind += requests;
        if matches!(operation, "UploadPart" | "PutObject") {
            self.written_bytes += bytes;
        }
    }

    /// Requests of all kinds.
    pub(super) fn all(&self) -> u64 {
        self.chunk_requests() + self.other
    }

    /// Requests of all kinds but [`Self::other`], which an upload has few of, however large.
    pub(super) fn chunk_requests(&self) -> u64 {
        self.part + self.read_requests() + self.put + self.delete
    }

    /// Requests that ask the store for what a server could have known.
    pub(super) fn read_requests(&self) -> u64 {
        self.list + self.head + self.get
    }

    /// The requests by kind.
    pub(super) fn to_json(self) -> Value {
        json!({
            "part": self.part,
            "list": self.list,
            "head": self.head,
            "get": self.get,
            "put": self.put,
            "delete": self.delete,
            "other": self.other,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_of_the_sandbox_are_sorted_by_kind() {
        let counted = StoreRequests::from_sandbox(&json!({ "operations": {
            "CreateUploadVideo": { "requests": 1, "bytes": 200 },
            "InitiateMultipartUpload": { "requests": 1, "bytes": 0 },
            "UploadPart": { "requests": 8, "bytes": 1_000 },
            "ListParts": { "requests": 3, "bytes": 0 },
            "HeadObject": { "requests": 2, "bytes": 0 },
            "PutObject": { "requests": 5, "bytes": 20 },
            "CompleteMultipartUpload": { "requests": 1, "bytes": 4_000 },
        }}));
        let expected = StoreRequests {
            part: 8,
            list: 3,
            head: 2,
            put: 5,
            other: 3,
            written_bytes: 1_020,
            ..StoreRequests::default()
        };
        assert_eq!(counted, expected);
        assert_eq!((counted.chunk_requests(), counted.read_requests()), (18, 5));
        assert_eq!(StoreRequests::from_sandbox(&json!({})), StoreRequests::default());
    }
}
