//! The state of OSS: multipart uploads, parts and objects with their bytes.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;
use time::{OffsetDateTime, PrimitiveDateTime};
use vod_uploader::oss::{Body, HttpResponse, Request};
use vod_uploader::units::UnixMillis;

use super::operation::{Operation, query};
use super::reply;
use crate::world::content::crc64;
use crate::world::fault::{Fault, Faults};

/// The state of OSS and its faults.
#[derive(Debug, Default)]
pub struct Store {
    /// Objects by key.
    pub objects: BTreeMap<String, StoredObject>,
    /// The parts of each multipart upload by number, by upload ID.
    pub uploads: BTreeMap<String, BTreeMap<u16, StoredObject>>,
    /// Planned faults.
    pub faults: Faults,
    /// Calls in the order of their arrival, with the part number if they have one.
    pub seen: Vec<(Operation, Option<u16>)>,
    /// Parts per page of ListParts; 0 means 1000.
    pub list_page: usize,
    /// How far the clock of OSS is ahead, in milliseconds.
    pub clock_ahead_ms: i64,
    /// When each access key ID expires.
    pub keys: BTreeMap<String, UnixMillis>,
    /// Whether a request is rejected before its body has arrived.
    pub answers_before_body: bool,
    /// Whether the response to UploadPartCopy has no checksum.
    pub hides_copied_crc64: bool,
    /// Whether the responses about an object that was created from parts have no CRC.
    pub hides_object_crc64: bool,
    /// The object key of each multipart upload that was created.
    pub upload_keys: BTreeMap<String, String>,
    /// Number of aborts of each multipart upload to which a gateway has responded in place of OSS.
    pub false_aborts: BTreeMap<String, u32>,
    /// How often multipart uploads were lost or bytes were damaged.
    pub damage_count: u32,
    upload_count: u32,
}

/// An object or a part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredObject {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// CRC-64/XZ of the bytes.
    pub crc64: u64,
}

/// The response to a call.
#[derive(Debug)]
pub enum Response {
    /// It arrives.
    Received(HttpResponse),
    /// The connection is closed instead.
    Interrupted,
    /// Nothing ever arrives.
    Never,
}

impl Store {
    /// Executes a signed call.
    pub(crate) fn call(
        &mut self,
        now: UnixMillis,
        request: &Request,
        body: Option<&[u8]>,
    ) -> Response {
        let operation = Operation::of(request);
        let number = query(request).get("partNumber").map(|number| number.parse().unwrap());
        self.seen.push((operation, number));
        let fault = self.faults.next_fault(operation);
        match fault {
            Some(Fault::Broken) => return Response::Interrupted,
            Some(Fault::Hang) => return Response::Never,
            // A gateway's 204 equals that of a deletion.
            Some(Fault::Refused(204, _)) if operation == Operation::DeleteObject => {}
            Some(Fault::Refused(status, code)) => {
                if operation == Operation::Abort && status == 204 {
                    let upload_id = query(request)["uploadId"].clone();
                    *self.false_aborts.entry(upload_id).or_default() += 1;
                }
                return Response::Received(for_method(operation, reply::error(status, code, "")));
            }
            Some(Fault::Forgets) => self.uploads.clear(),
            _ => {}
        }
        let corrupts = fault == Some(Fault::Corrupts);
        self.damage_count += u32::from(corrupts || fault == Some(Fault::Forgets));
        let response = self
            .reject_caller(now, request)
            .unwrap_or_else(|| self.perform(operation, request, body, corrupts));
        match fault {
            Some(Fault::LostReply) => Response::Interrupted,
            Some(Fault::HangAfter) => Response::Never,
            _ => Response::Received(for_method(operation, response)),
        }
    }

    /// How often an operation was requested.
    #[must_use]
    pub fn count(&self, operation: Operation) -> usize {
        self.seen.iter().filter(|(seen, _)| *seen == operation).count()
    }

    fn reject_caller(&self, now: UnixMillis, request: &Request) -> Option<HttpResponse> {
        let server_time = now.shifted(self.clock_ahead_ms);
        let off_ms = signed_at(request).0.abs_diff(server_time.0);
        if off_ms > 15 * 60 * 1_000 {
            let time = OffsetDateTime::from_unix_timestamp(server_time.secs() as i64).unwrap();
            let time = time.format(&Rfc3339).unwrap();
            let more = format!("<ServerTime>{time}</ServerTime>");
            return Some(reply::error(403, "RequestTimeTooSkewed", &more));
        }
        let authorization = request.header("authorization").unwrap();
        let key = self.keys.iter().find(|(id, _)| authorization.contains(id.as_str()));
        match key {
            None => Some(reply::error(403, "InvalidAccessKeyId", "")),
            Some((_, expires)) if *expires <= server_time => {
                Some(reply::error(403, "SecurityTokenExpired", ""))
            }
            Some(_) => None,
        }
    }

    fn perform(
        &mut self,
        operation: Operation,
        request: &Request,
        body: Option<&[u8]>,
        corrupts: bool,
    ) -> HttpResponse {
        let query = query(request);
        let key = request.url.path().trim_start_matches('/').to_owned();
        let upload_id = query.get("uploadId").cloned().unwrap_or_default();
        let keep = |bytes: &[u8]| {
            let mut bytes = bytes.to_vec();
            if let Some(first) = bytes.first_mut().filter(|_| corrupts) {
                *first ^= 1;
            }
            StoredObject { crc64: crc64(&bytes), bytes }
        };
        match operation {
            Operation::Initiate => {
                self.upload_count += 1;
                let id = format!("{:032X}", self.upload_count);
                self.uploads.insert(id.clone(), BTreeMap::new());
                self.upload_keys.insert(id.clone(), key);
                let body = format!("<UploadId>{id}</UploadId>");
                let body = format!(
                    "<InitiateMultipartUploadResult>{body}</InitiateMultipartUploadResult>"
                );
                reply::xml(200, &body)
            }
            Operation::PutObject => {
                let stored = keep(body.unwrap_or_default());
                let response = confirmed(&stored);
                self.objects.insert(key, stored);
                response
            }
            Operation::Head => match self.objects.get(&key) {
                Some(stored) => {
                    let length = [("content-length", stored.bytes.len().to_string())];
                    reply::with_headers(self.described(stored), length)
                }
                None => reply::error(404, "NoSuchKey", ""),
            },
            Operation::GetObject => match self.objects.get(&key) {
                Some(stored) => partial_content(request, &stored.bytes),
                None => reply::error(404, "NoSuchKey", ""),
            },
            Operation::DeleteObject => {
                self.objects.remove(&key);
                reply::empty(204)
            }
            _ if !self.uploads.contains_key(&upload_id) => {
                reply::error(404, "NoSuchUpload", "<EC>0042-00000002</EC>")
            }
            Operation::UploadPart => {
                let stored = keep(body.unwrap());
                let response = confirmed(&stored);
                let number = query["partNumber"].parse().unwrap();
                self.uploads.get_mut(&upload_id).unwrap().insert(number, stored);
                response
            }
            Operation::UploadPartCopy => match self.copied(request) {
                Some(bytes) => {
                    let stored = keep(&bytes);
                    let etag =
                        format!("<CopyPartResult><ETag>{}</ETag></CopyPartResult>", stored.etag());
                    let response = reply::xml(200, &etag);
                    let checksum = [("x-oss-hash-crc64ecma", stored.crc64.to_string())];
                    let number = query["partNumber"].parse().unwrap();
                    self.uploads.get_mut(&upload_id).unwrap().insert(number, stored);
                    if self.hides_copied_crc64 {
                        response
                    } else {
                        reply::with_headers(response, checksum)
                    }
                }
                None => reply::error(404, "NoSuchKey", ""),
            },
            Operation::ListParts => self.list_parts(&upload_id, query.get("part-number-marker")),
            Operation::Abort => {
                self.uploads.remove(&upload_id);
                reply::empty(204)
            }
            Operation::Complete => self.complete(key, &upload_id, &request.body, keep),
        }
    }

    /// The bytes that a request copies; `None` if there is no such object.
    fn copied(&self, request: &Request) -> Option<Vec<u8>> {
        let source = request.header("x-oss-copy-source").unwrap().replace("%2F", "/");
        let (_bucket, key) = source.trim_start_matches('/').split_once('/').unwrap();
        let bytes = &self.objects.get(key)?.bytes;
        let range = request.header("x-oss-copy-source-range").map(byte_range);
        // OSS ignores an invalid range.
        let all = || bytes.clone();
        let part = |(first, last): (usize, usize)| bytes.get(first..=last).map(<[u8]>::to_vec);
        Some(range.and_then(part).unwrap_or_else(all))
    }

    fn list_parts(&self, upload_id: &str, marker: Option<&String>) -> HttpResponse {
        let after: u16 = marker.map_or(0, |marker| marker.parse().unwrap());
        let page = if self.list_page == 0 { 1_000 } else { self.list_page };
        let left: Vec<_> = self.uploads[upload_id].range(after + 1..).collect();
        let mut body = String::from("<ListPartsResult>");
        for (number, part) in left.iter().take(page) {
            write!(
                body,
                "<Part><PartNumber>{number}</PartNumber><ETag>{}</ETag><Size>{}</Size>\
                 <HashCrc64ecma>{}</HashCrc64ecma></Part>",
                part.etag(),
                part.bytes.len(),
                part.crc64
            )
            .unwrap();
        }
        let truncated = left.len() > page;
        if truncated {
            let last = left[page - 1].0;
            write!(body, "<NextPartNumberMarker>{last}</NextPartNumberMarker>").unwrap();
        }
        write!(body, "<IsTruncated>{truncated}</IsTruncated></ListPartsResult>").unwrap();
        reply::xml(200, &body)
    }

    fn complete(
        &mut self,
        key: String,
        upload_id: &str,
        body: &Body,
        keep: impl Fn(&[u8]) -> StoredObject,
    ) -> HttpResponse {
        let Body::Bytes(body) = body else { panic!("Complete has a body") };
        let body = String::from_utf8(body.clone()).unwrap();
        let parts = &self.uploads[upload_id];
        let mut bytes = Vec::new();
        let mut last = 0;
        let named: Vec<&str> = body.split("<Part>").skip(1).collect();
        for (index, named_part) in named.iter().enumerate() {
            let number: u16 = between(named_part, "<PartNumber>", "<").parse().unwrap();
            let Some(part) = parts.get(&number) else {
                return reply::error(400, "InvalidPart", "");
            };
            if number <= last {
                return reply::error(400, "InvalidPartOrder", "");
            }
            last = number;
            if between(named_part, "<ETag>", "<") != part.etag() {
                return reply::error(400, "InvalidPart", "");
            }
            if index + 1 < named.len() && part.bytes.len() < 102_400 {
                return reply::error(400, "EntityTooSmall", "");
            }
            bytes.extend_from_slice(&part.bytes);
        }
        if bytes.is_empty() {
            return reply::error(400, "MalformedXML", "");
        }
        let stored = keep(&bytes);
        let result = "<CompleteMultipartUploadResult><ETag>\"0-1\"</ETag>\
                      </CompleteMultipartUploadResult>";
        let described = self.described(&stored);
        let response = HttpResponse { headers: described.headers, ..reply::xml(200, result) };
        self.uploads.remove(upload_id);
        self.objects.insert(key, stored);
        response
    }

    /// The headers of a response about an object.
    fn described(&self, stored: &StoredObject) -> HttpResponse {
        match self.hides_object_crc64 {
            true => reply::with_headers(reply::empty(200), [("etag", stored.etag())]),
            false => confirmed(stored),
        }
    }
}

impl StoredObject {
    /// Sixteen bytes that follow from the content, as with MD5.
    fn etag(&self) -> String {
        format!("\"{:016X}{:016X}\"", self.crc64, self.bytes.len())
    }
}

/// The first and the last byte of a range.
fn byte_range(header: &str) -> (usize, usize) {
    let (first, last) = header.strip_prefix("bytes=").unwrap().split_once('-').unwrap();
    (first.parse().unwrap(), last.parse().unwrap())
}

/// The response to a request for a range of an object. A range that the object does not have is
/// ignored, as OSS does.
fn partial_content(request: &Request, bytes: &[u8]) -> HttpResponse {
    let (first, last) = byte_range(request.header("range").unwrap());
    let Some(part) = bytes.get(first..=last) else {
        return HttpResponse { body: bytes.to_vec(), ..reply::empty(200) };
    };
    let range = format!("bytes {first}-{last}/{}", bytes.len());
    let reply = reply::with_headers(reply::empty(206), [("content-range", range)]);
    HttpResponse { body: part.to_vec(), ..reply }
}

fn confirmed(stored: &StoredObject) -> HttpResponse {
    let headers = [("etag", stored.etag()), ("x-oss-hash-crc64ecma", stored.crc64.to_string())];
    reply::with_headers(reply::empty(200), headers)
}

fn for_method(operation: Operation, response: HttpResponse) -> HttpResponse {
    if operation != Operation::Head {
        return response;
    }
    // The response to a HEAD has its error in a header.
    let error = STANDARD.encode(&response.body);
    let has_error = !response.body.is_empty();
    let response = reply::without_body(response);
    if has_error { reply::with_headers(response, [("x-oss-err", error)]) } else { response }
}

fn between<'a>(text: &'a str, start: &str, end: &str) -> &'a str {
    text.split_once(start).unwrap().1.split_once(end).unwrap().0
}

fn signed_at(request: &Request) -> UnixMillis {
    let format = format_description!("[year][month][day]T[hour][minute][second]Z");
    let time = PrimitiveDateTime::parse(request.header("x-oss-date").unwrap(), &format).unwrap();
    UnixMillis(time.assume_utc().unix_timestamp() as u64 * 1_000)
}
