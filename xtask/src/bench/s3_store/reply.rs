//! Answers, in the XML of S3.

use std::io::{self, Write};
use std::net::TcpStream;

/// An answer.
#[derive(Debug)]
pub(super) struct Reply {
    status: &'static str,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Reply {
    /// Sends it, without the body where the request was HEAD.
    pub(super) fn write(&self, stream: &mut TcpStream, head_only: bool) -> io::Result<()> {
        let mut bytes = format!("HTTP/1.1 {}\r\n", self.status);
        for (name, value) in &self.headers {
            bytes.push_str(&format!("{name}: {value}\r\n"));
        }
        bytes.push_str(&format!("content-length: {}\r\n\r\n", self.body.len()));
        let mut bytes = bytes.into_bytes();
        if !head_only {
            bytes.extend_from_slice(&self.body);
        }
        stream.write_all(&bytes)
    }

    /// CreateMultipartUpload.
    pub(super) fn created(path: &str, upload_id: &str) -> Self {
        let (bucket, key) = bucket_and_key(path);
        Self::xml(
            OK,
            &format!(
                "<InitiateMultipartUploadResult><Bucket>{bucket}</Bucket><Key>{key}</Key>\
                 <UploadId>{upload_id}</UploadId></InitiateMultipartUploadResult>"
            ),
        )
    }

    /// UploadPart and PutObject. An ETag is opaque to clients.
    pub(super) fn stored(length_bytes: u64) -> Self {
        let etag = ("etag".to_owned(), format!("\"{length_bytes:032x}\""));
        Self { status: OK, headers: vec![etag], body: Vec::new() }
    }

    /// ListParts: one page of what follows the marker.
    pub(super) fn parts<'a>(parts: impl Iterator<Item = (&'a u32, &'a u64)>) -> Self {
        let mut parts = parts.peekable();
        let (mut items, mut last) = (String::new(), 0);
        for (number, length_bytes) in parts.by_ref().take(PAGE_PARTS) {
            last = *number;
            items.push_str(&format!(
                "<Part><PartNumber>{number}</PartNumber><ETag>&quot;{length_bytes:032x}&quot;\
                 </ETag><Size>{length_bytes}</Size></Part>"
            ));
        }
        let truncated = parts.peek().is_some();
        Self::xml(
            OK,
            &format!(
                "<ListPartsResult><IsTruncated>{truncated}</IsTruncated>\
                 <NextPartNumberMarker>{last}</NextPartNumberMarker>{items}</ListPartsResult>"
            ),
        )
    }

    /// CompleteMultipartUpload.
    pub(super) fn completed(path: &str) -> Self {
        let (bucket, key) = bucket_and_key(path);
        Self::xml(
            OK,
            &format!(
                "<CompleteMultipartUploadResult><Bucket>{bucket}</Bucket><Key>{key}</Key>\
                 <ETag>&quot;0-1&quot;</ETag></CompleteMultipartUploadResult>"
            ),
        )
    }

    /// GetObject and HeadObject.
    pub(super) fn object(bytes: Vec<u8>, metadata: &[(String, String)]) -> Self {
        Self { status: OK, headers: metadata.to_vec(), body: bytes }
    }

    /// DeleteObject.
    pub(super) fn deleted() -> Self {
        Self { status: "204 No Content", headers: Vec::new(), body: Vec::new() }
    }

    /// An object or an upload that is not there.
    pub(super) fn missing(code: &str) -> Self {
        Self::xml("404 Not Found", &format!("<Error><Code>{code}</Code></Error>"))
    }

    /// An operation that this store does not have.
    pub(super) fn unsupported() -> Self {
        Self::xml("501 Not Implemented", "<Error><Code>NotImplemented</Code></Error>")
    }

    fn xml(status: &'static str, root: &str) -> Self {
        let headers = vec![("content-type".to_owned(), "application/xml".to_owned())];
        let body = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{root}").into_bytes();
        Self { status, headers, body }
    }
}

/// The two halves of `/bucket/key`. The server makes keys that need no escaping.
fn bucket_and_key(path: &str) -> (&str, &str) {
    path.trim_start_matches('/').split_once('/').unwrap_or((path, ""))
}

const OK: &str = "200 OK";

/// The most that S3 lists at a time.
const PAGE_PARTS: usize = 1_000;
