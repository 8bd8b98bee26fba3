//! What reached a store.

use serde_json::Value;

/// Requests that a store answered, by kind, and the bytes it was given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct StoreRequests {
    pub(super) part: u64,
    pub(super) list: u64,
    pub(super) head: u64,
    pub(super) get: u64,
    pub(super) put: u64,
    pub(super) delete: u64,
    /// What begins and ends an upload, here and at VOD.
    pub(super) other: u64,
    /// Bytes of parts and objects.
    pub(super) written_bytes: u64,
}

impl StoreRequests {
    /// Reads the counts of the sandbox.
    pub(super) fn of_sandbox(requests: &Value) -> Self {
        let mut counted = Self::default();
        for (operation, count) in requests["operations"].as_object().into_iter().flatten() {
            let kind = match operation.as_str() {
                "UploadPart" | "UploadPartCopy" => &mut counted.part,
                "ListParts" | "ListMultipartUploads" | "ListObjects" => &mut counted.list,
                "HeadObject" => &mut counted.head,
                "GetObject" => &mut counted.get,
                "PutObject" => &mut counted.put,
                "DeleteObject" => &mut counted.delete,
                _ => &mut counted.other,
            };
            *kind += count["requests"].as_u64().unwrap_or_default();
            if matches!(operation.as_str(), "UploadPart" | "PutObject") {
                counted.written_bytes += count["bytes"].as_u64().unwrap_or_default();
            }
        }
        counted
    }

    /// Requests of all kinds but [`Self::other`], which an upload has few of, however large.
    pub(super) fn of_chunks(&self) -> u64 {
        self.part + self.questions() + self.put + self.delete
    }

    /// Requests that ask the store for what a server could have known.
    pub(super) fn questions(&self) -> u64 {
        self.list + self.head + self.get
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn operations_of_the_sandbox_are_sorted_by_kind() {
        let counted = StoreRequests::of_sandbox(&json!({ "operations": {
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
        assert_eq!((counted.of_chunks(), counted.questions()), (18, 5));
        assert_eq!(StoreRequests::of_sandbox(&json!({})), StoreRequests::default());
    }
}
