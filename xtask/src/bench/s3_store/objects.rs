//! What the store keeps: objects that were put whole, and the sizes of parts.

use std::collections::{BTreeMap, HashMap};

use super::operation::Operation;
use super::reply::Reply;
use crate::bench::request::Head;

/// Objects by path, uploads by id.
#[derive(Debug, Default)]
pub(super) struct Objects {
    stored: HashMap<String, Object>,
    /// Sizes in bytes by part number.
    uploads: HashMap<String, BTreeMap<u32, u64>>,
    uploads_begun: u64,
}

#[derive(Clone, Debug)]
struct Object {
    bytes: Vec<u8>,
    /// `x-amz-meta-…`, as it was sent.
    metadata: Vec<(String, String)>,
}

impl Objects {
    /// Does what a request asks for. `body` is that of a PutObject.
    pub(super) fn answer(&mut self, operation: Operation, head: &Head, body: Vec<u8>) -> Reply {
        match operation {
            Operation::CreateMultipartUpload => {
                self.uploads_begun += 1;
                let id = self.uploads_begun.to_string();
                self.uploads.insert(id.clone(), BTreeMap::new());
                Reply::created(&head.path, &id)
            }
            Operation::UploadPart => self.upload_part(head),
            Operation::ListParts => match self.parts(head) {
                Some(parts) => {
                    let marker = head.parameter("part-number-marker");
                    let after = marker.and_then(|marker| marker.parse().ok()).unwrap_or(0);
                    Reply::parts(parts.range(after + 1..))
                }
                None => Reply::missing("NoSuchUpload"),
            },
            Operation::CompleteMultipartUpload => {
                match self.uploads.remove(head.parameter("uploadId").unwrap_or_default()) {
                    Some(_) => Reply::completed(&head.path),
                    None => Reply::missing("NoSuchUpload"),
                }
            }
            Operation::PutObject => {
                let metadata = head.headers_with("x-amz-meta-");
                self.stored.insert(head.path.clone(), Object { bytes: body, metadata });
                Reply::stored(head.content_length)
            }
            Operation::GetObject | Operation::HeadObject => match self.stored.get(&head.path) {
                Some(object) => Reply::object(object.bytes.clone(), &object.metadata),
                None => Reply::missing("NoSuchKey"),
            },
            Operation::DeleteObject => {
                self.stored.remove(&head.path);
                Reply::deleted()
            }
            Operation::Unsupported => Reply::unsupported(),
        }
    }

    fn upload_part(&mut self, head: &Head) -> Reply {
        let upload = self.uploads.get_mut(head.parameter("uploadId").unwrap_or_default());
        let number = head.parameter("partNumber").and_then(|number| number.parse().ok());
        match (upload, number) {
            (Some(parts), Some(number)) => {
                parts.insert(number, head.content_length);
                Reply::stored(head.content_length)
            }
            _ => Reply::missing("NoSuchUpload"),
        }
    }

    fn parts(&self, head: &Head) -> Option<&BTreeMap<u32, u64>> {
        self.uploads.get(head.parameter("uploadId")?)
    }
}
