//! The IETF's protocol: creation, HEAD and DELETE.

use std::thread;
use std::time::Duration;

use sfv::{BareItem, Item, Parser};

use super::Server;
use super::append::Appended;
use super::tus::SIZE_MAX;
use super::upload::Upload;
use super::wire::{Incoming, Response};
use crate::fault::Fault;

impl Server {
    /// A request of the IETF's protocol. Returns `None` to close the connection.
    pub(super) fn ietf(&self, request: &mut Incoming) -> Option<Response> {
        let Some(id) = Self::id(&request.path).map(str::to_owned) else {
            return match request.method.as_str() {
                "POST" | "PUT" => self.ietf_create(request),
                _ => Some(Response::new(405)),
            };
        };
        let state = self.uploads().get(&id).map(|upload| (upload.is_gone, upload.is_invalid));
        match (state, request.method.as_str()) {
            (None, "HEAD") if self.has(Fault::UnknownIs200) => Some(Response::new(200)),
            (None, _) => Some(Response::new(404)),
            (Some((true, _)), "HEAD") if self.has(Fault::CanceledHeadIs200) => {
                Some(Response::new(204).field("Upload-Offset", 0))
            }
            (Some((true, _)), "PATCH") if self.has(Fault::CanceledPatchAccepted) => {
                Some(Response::new(204))
            }
            (Some((true, _) | (_, true)), _) => Some(Response::new(410)),
            (Some(_), "HEAD") => Some(self.ietf_head(&id, request)),
            (Some(_), "PATCH") => self.ietf_patch(&id, request),
            (Some(_), "DELETE") => Some(self.ietf_delete(&id)),
            (Some(_), _) => Some(Response::new(405)),
        }
    }

    fn ietf_create(&self, request: &mut Incoming) -> Option<Response> {
        let Some(complete) = self.completeness_of(request) else {
            // Without the header it is an ordinary request.
            self.read_body(request)?;
            return Some(Response::new(200));
        };
        let length = request
            .field("Upload-Length")
            .and_then(|value| self.ietf_integer(value, Fault::LengthReadLeniently));
        if length.is_some_and(|length| length.to_string().len() > SIZE_MAX.len() - 1)
            && length.map(|length| length.to_string()).as_deref() != Some(SIZE_MAX)
        {
            let returns = !self.has(Fault::TooLargeWithoutLimits);
            return Some(Response::new(413).field_if(returns, "Upload-Limit", self.limits(0)));
        }
        let derived = request.content_length().filter(|_| complete);
        let derived = derived.and_then(|length| usize::try_from(length).ok());
        let contradicts = length.is_some_and(|length| derived.is_some_and(|all| all != length));
        if contradicts && !self.has(Fault::TwoLengthsInCreationAccepted) {
            return Some(self.inconsistent());
        }
        if complete && self.has(Fault::CompleteCreationRejected) {
            return Some(Response::new(403));
        }
        let known = if self.has(Fault::LengthOfCreationDropped) { None } else { length };
        let upload = Upload {
            length: known.or(derived),
            repr_digest: request.field("Repr-Digest").map(str::to_owned),
            wants_digest: request.field("Want-Repr-Digest").is_some(),
            ..Upload::default()
        };
        let id = self.ietf_id();
        let location = format!("/files/{id}");
        self.uploads().insert(id.clone(), upload);
        self.announce(request, &location);
        match self.append(&id, request) {
            Appended::Complete => {}
            Appended::TooLong => return Some(self.inconsistent()),
            Appended::Interrupted | Appended::Replaced => {
                let mut uploads = self.uploads();
                let upload = uploads.get_mut(&id)?;
                upload.is_complete |= complete && self.has(Fault::InterruptionCreationCompletes);
                if self.has(Fault::InterruptionCreationLoses) {
                    upload.bytes.clear();
                }
                return None;
            }
        }
        let mut uploads = self.uploads();
        let upload = uploads.get_mut(&id)?;
        let is_empty = upload.bytes.is_empty();
        if self.has(Fault::BytesOfCreationDropped) {
            upload.bytes.clear();
        }
        if complete {
            upload.is_complete = true;
            return Some(Response::new(200).field(&self.names(request).0, "?1"));
        }
        upload.is_complete =
            self.has(Fault::CompleteAtLength) && upload.length == Some(upload.offset());
        let returns_location = is_empty || !self.has(Fault::IncompleteWithoutLocation);
        Some(
            Response::new(if self.has(Fault::IncompleteIs200) { 200 } else { 201 })
                .field_if(returns_location, "Location", location)
                .field_if(!self.has(Fault::CreationWithoutLimits), "Upload-Limit", self.limits(0)),
        )
    }

    fn ietf_id(&self) -> String {
        let untouched = |upload: &&Upload| upload.requests == 0 && !upload.is_gone;
        let again = self.has(Fault::SameUploadTwice).then(|| {
            let uploads = self.uploads();
            let found = uploads.iter().find(|(_, upload)| untouched(upload));
            found.map(|(id, _)| id.clone())
        });
        again.flatten().unwrap_or_else(|| self.new_id())
    }

    /// Sends the 104 of a creation.
    fn announce(&self, request: &Incoming, location: &str) {
        let Some(version) = self.version_of(request) else { return };
        let mut fields = Vec::new();
        let reported = match self.fault {
            Some(Fault::InterimWithOtherLocation) => format!("{}{location}", self.origin),
            _ => location.to_owned(),
        };
        if !self.has(Fault::InterimWithoutLocation) {
            fields.push(("Location", reported));
        }
        fields.push(("Upload-Limit", self.limits(0)));
        if !self.has(Fault::InterimWithoutVersion) {
            fields.push((VERSION, version));
        }
        request.interim(104, &fields);
    }

    /// The version of a 104; `None` if none may be sent.
    pub(super) fn version_of(&self, request: &Incoming) -> Option<String> {
        let version = request.field(VERSION).unwrap_or("8");
        let is_known = request.field(VERSION).is_some() && VERSIONS.contains(&version);
        (is_known || self.has(Fault::InterimAlways)).then(|| version.to_owned())
    }

    fn ietf_head(&self, id: &str, request: &Incoming) -> Response {
        if self.has(Fault::HeadWaits) {
            self.wait_for_writer(id);
        }
        if self.has(Fault::HeadLeavesTheOld) {
            // The bytes sent to the old request are appended by then, and the offset is stable.
            thread::sleep(Duration::from_millis(100));
        }
        let mut uploads = self.uploads();
        let Some(upload) = uploads.get_mut(id) else { return Response::new(404) };
        if !self.has(Fault::HeadLeavesTheOld) {
            upload.interrupt(self.has(Fault::ReplacedWrites));
        }
        if upload.requests == 0 && self.has(Fault::HeadRedirects) {
            return Response::new(302).field("Location", format!("/files/{id}"));
        }
        if upload.is_complete && self.has(Fault::CompleteIsGone) {
            return Response::new(404);
        }
        let (name, complete) = self.completeness(request, upload.is_complete);
        let complete = match self.fault {
            Some(Fault::HeadNeverComplete) => self.completeness(request, false).1,
            _ => complete,
        };
        let returns_completeness =
            upload.is_complete || !self.has(Fault::HeadWithoutIncompleteness);
        let is_fresh = upload.requests == 1 && !upload.is_complete && !upload.was_interrupted;
        let offset = match self.fault {
            Some(Fault::HeadIsStale) if is_fresh => 0,
            Some(Fault::EmptyStartsAt1) if upload.requests == 0 => 1,
            _ => upload.offset(),
        };
        let limits = self.limits(upload.requests);
        let mut response = Response::new(204)
            .field("Upload-Offset", offset)
            .field_if(returns_completeness, &name, complete)
            .field_if(!self.has(Fault::HeadWithoutLimits), "Upload-Limit", limits)
            .field_if(!self.has(Fault::HeadIsCached), "Cache-Control", "no-store");
        let length = upload.length.or(upload.is_complete.then_some(upload.offset()));
        let is_reported = !(upload.is_complete && self.has(Fault::HeadWithoutLength));
        if let Some(length) = length.filter(|_| is_reported) {
            response = response.field("Upload-Length", length);
        }
        response
    }

    fn ietf_delete(&self, id: &str) -> Response {
        if self.has(Fault::DeleteWaits) {
            self.wait_for_writer(id);
        }
        let mut uploads = self.uploads();
        let Some(upload) = uploads.get_mut(id) else { return Response::new(404) };
        if !self.has(Fault::DeleteLeavesTheOld) {
            upload.interrupt(self.has(Fault::ReplacedWrites));
        }
        upload.is_gone = true;
        Response::new(match self.fault {
            Some(Fault::DeleteIs500) => 500,
            Some(Fault::DeleteRedirects) => 302,
            _ => 204,
        })
    }

    /// The header of completeness, and its values for incomplete and complete.
    fn names(&self, request: &Incoming) -> (String, [&'static str; 2]) {
        if request.field(VERSION) == Some("3") {
            ("Upload-Incomplete".to_owned(), ["?1", "?0"])
        } else {
            ("Upload-Complete".to_owned(), ["?0", "?1"])
        }
    }

    /// The header that declares whether an upload is complete.
    pub(super) fn completeness(
        &self,
        request: &Incoming,
        complete: bool,
    ) -> (String, &'static str) {
        let (name, values) = self.names(request);
        (name, values[usize::from(complete)])
    }

    /// The completeness that a request declares.
    pub(super) fn completeness_of(&self, request: &Incoming) -> Option<bool> {
        let (name, [_, complete]) = self.names(request);
        let value = request.field(&name)?;
        match Parser::new(value).parse::<Item>().ok().map(|item| item.bare_item) {
            _ if self.has(Fault::ParametersRejected) && value.contains(';') => None,
            Some(BareItem::Boolean(boolean)) => Some(boolean == (complete == "?1")),
            _ if self.has(Fault::CompletenessReadLeniently) => {
                Some(value.starts_with("?1") || value == "1" || value == "true")
            }
            _ => None,
        }
    }

    pub(super) fn ietf_integer(&self, value: &str, lenient: Fault) -> Option<usize> {
        if self.has(lenient) {
            let digits = value.trim_start_matches(['+', '"', '-']);
            return digits.split(['.', '"']).next()?.parse().ok();
        }
        let item: Item = Parser::new(value).parse().ok()?;
        match item.bare_item {
            _ if self.has(Fault::ParametersRejected) && value.contains(';') => None,
            BareItem::Integer(integer) => usize::try_from(i64::from(integer)).ok(),
            _ => None,
        }
    }

    pub(super) fn limits(&self, requests: usize) -> String {
        match self.fault {
            Some(Fault::LimitIsAToken) => "max-size=lots, max-age=3600".to_owned(),
            Some(Fault::LimitsTighten) if requests > 0 => "max-size=5000, max-age=3600".to_owned(),
            _ => format!("max-size={SIZE_MAX}, max-age=3600, new-key=?1"),
        }
    }

    /// The rejection of contradictory lengths.
    pub(super) fn inconsistent(&self) -> Response {
        let response = Response::new(if self.has(Fault::InconsistentIs422) { 422 } else { 400 });
        match self.fault {
            Some(Fault::InconsistentIsPlain) => response,
            _ => response.problem("inconsistent-upload-length", &[]),
        }
    }
}

pub(super) const VERSION: &str = "Upload-Draft-Interop-Version";

const VERSIONS: &[&str] = &["3", "4", "5", "6", "7", "8"];
