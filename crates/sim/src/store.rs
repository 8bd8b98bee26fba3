//! An object store in memory: multipart uploads, parts and objects with their bytes.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;
use time::{OffsetDateTime, PrimitiveDateTime};
use vod_uploader::oss::{Body, HttpResponse, Request};
use vod_uploader::units::UnixMillis;

use crate::Operation;
use crate::content::crc64;
use crate::fault::{Fault, Faults};
use crate::operation::query;
use crate::reply;

/// The store's state, and what it is to do wrong.
#[derive(Debug, Default)]
pub struct Store {
    /// Objects, by their keys.
    pub objects: BTreeMap<String, Stored>,
    /// Multipart uploads by their ids, and their parts by number.
    pub uploads: BTreeMap<String, BTreeMap<u16, Stored>>,
    /// What is to go wrong.
    pub faults: Faults,
    /// Calls that have arrived, in their order, with the part number where there is one.
    pub seen: Vec<(Operation, Option<u16>)>,
    /// Parts on a page of ListParts; 0 means 1000.
    pub list_page: usize,
    /// How far the store's clock is ahead of the uploader's.
    pub clock_ahead_ms: i64,
    /// Access key ids, and when they expire.
    pub keys: BTreeMap<String, UnixMillis>,
    /// It refuses, where it does, before it has read the body.
    pub answers_before_body: bool,
    /// It does not tell the checksum of a part that it copied.
    pub hides_copied_crc64: bool,
    /// How many aborts a gateway has answered in its place.
    pub false_aborts: u32,
    /// How often it has forgotten or damaged something.
    pub harms: u32,
    uploads_begun: u32,
}

/// Stored bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// Their CRC-64/XZ.
    pub crc64: u64,
}

/// What the network brings back.
#[derive(Debug)]
pub enum Answered {
    /// A reply.
    Response(HttpResponse),
    /// The end of the connection, without one.
    Broken,
    /// Nothing, ever.
    Never,
}

impl Store {
    /// Answers a signed call.
    pub fn call(&mut self, now: UnixMillis, request: &Request, body: Option<&[u8]>) -> Answered {
        let operation = Operation::of(request);
        let number = query(request).get("partNumber").map(|number| number.parse().unwrap());
        self.seen.push((operation, number));
        let fault = self.faults.strike(operation);
        match fault {
            Some(Fault::Broken) => return Answered::Broken,
            Some(Fault::Hang) => return Answered::Never,
            // No client can tell a gateway's 204 from that of a deletion.
            Some(Fault::Refused(204, _)) if operation == Operation::DeleteObject => {}
            Some(Fault::Refused(status, code)) => {
                self.false_aborts += u32::from(operation == Operation::Abort && status == 204);
                return Answered::Response(for_method(operation, reply::error(status, code, "")));
            }
            Some(Fault::Forgets) => self.uploads.clear(),
            _ => {}
        }
        let corrupts = fault == Some(Fault::Corrupts);
        self.harms += u32::from(corrupts || fault == Some(Fault::Forgets));
        let answer = self
            .refuse_caller(now, request)
            .unwrap_or_else(|| self.perform(operation, request, body, corrupts));
        match fault {
            Some(Fault::LostReply) => Answered::Broken,
            Some(Fault::HangAfter) => Answered::Never,
            _ => Answered::Response(for_method(operation, answer)),
        }
    }

    /// How often an operation has arrived.
    pub fn count(&self, operation: Operation) -> usize {
        self.seen.iter().filter(|(seen, _)| *seen == operation).count()
    }

    fn refuse_caller(&self, now: UnixMillis, request: &Request) -> Option<HttpResponse> {
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
            Stored { crc64: crc64(&bytes), bytes }
        };
        match operation {
            Operation::Initiate => {
                self.uploads_begun += 1;
                let id = format!("{:032X}", self.uploads_begun);
                self.uploads.insert(id.clone(), BTreeMap::new());
                let body = format!("<UploadId>{id}</UploadId>");
                let body = format!(
                    "<InitiateMultipartUploadResult>{body}</InitiateMultipartUploadResult>"
                );
                reply::xml(200, &body)
            }
            Operation::PutObject => {
                let stored = keep(body.unwrap_or_default());
                let answer = confirmed(&stored);
                self.objects.insert(key, stored);
                answer
            }
            Operation::Head => match self.objects.get(&key) {
                Some(stored) => reply::with_headers(
                    confirmed(stored),
                    [("content-length", stored.bytes.len().to_string())],
                ),
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
                let answer = confirmed(&stored);
                let number = query["partNumber"].parse().unwrap();
                self.uploads.get_mut(&upload_id).unwrap().insert(number, stored);
                answer
            }
            Operation::UploadPartCopy => match self.copied(request) {
                Some(bytes) => {
                    let stored = keep(&bytes);
                    let etag =
                        format!("<CopyPartResult><ETag>{}</ETag></CopyPartResult>", stored.etag());
                    let answer = reply::xml(200, &etag);
                    let told = [("x-oss-hash-crc64ecma", stored.crc64.to_string())];
                    let number = query["partNumber"].parse().unwrap();
                    self.uploads.get_mut(&upload_id).unwrap().insert(number, stored);
                    if self.hides_copied_crc64 { answer } else { reply::with_headers(answer, told) }
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

    /// The bytes that a request copies, or `None` where there is no such object.
    fn copied(&self, request: &Request) -> Option<Vec<u8>> {
        let source = request.header("x-oss-copy-source").unwrap().replace("%2F", "/");
        let (_bucket, key) = source.trim_start_matches('/').split_once('/').unwrap();
        let bytes = &self.objects.get(key)?.bytes;
        let range = request.header("x-oss-copy-source-range").map(byte_range);
        // As OSS does with a range that it cannot make sense of.
        let whole = || bytes.clone();
        let part = |(first, last): (usize, usize)| bytes.get(first..=last).map(<[u8]>::to_vec);
        Some(range.and_then(part).unwrap_or_else(whole))
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
        keep: impl Fn(&[u8]) -> Stored,
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
        let answer = reply::with_headers(
            reply::xml(200, result),
            [("x-oss-hash-crc64ecma", stored.crc64.to_string())],
        );
        self.uploads.remove(upload_id);
        self.objects.insert(key, stored);
        answer
    }
}

impl Stored {
    /// Sixteen bytes that follow from the content, as an MD5 would.
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

fn confirmed(stored: &Stored) -> HttpResponse {
    let headers = [("etag", stored.etag()), ("x-oss-hash-crc64ecma", stored.crc64.to_string())];
    reply::with_headers(reply::empty(200), headers)
}

fn for_method(operation: Operation, answer: HttpResponse) -> HttpResponse {
    if operation != Operation::Head {
        return answer;
    }
    // What a HEAD's reply has no body for stands in a header.
    let error = STANDARD.encode(&answer.body);
    let has_error = !answer.body.is_empty();
    let answer = reply::without_body(answer);
    if has_error { reply::with_headers(answer, [("x-oss-err", error)]) } else { answer }
}

fn between<'a>(text: &'a str, start: &str, end: &str) -> &'a str {
    text.split_once(start).unwrap().1.split_once(end).unwrap().0
}

fn signed_at(request: &Request) -> UnixMillis {
    let format = format_description!("[year][month][day]T[hour][minute][second]Z");
    let time = PrimitiveDateTime::parse(request.header("x-oss-date").unwrap(), &format).unwrap();
    UnixMillis(time.assume_utc().unix_timestamp() as u64 * 1_000)
}
