//! tus: OPTIONS and DELETE, and what is common to all requests.

use std::time::{Duration, SystemTime};

use super::Server;
use super::wire::{Incoming, Response};
use crate::fault::Fault;

impl Server {
    /// OPTIONS, for both protocols.
    pub(super) fn options(&self, request: &Incoming) -> Response {
        if request.field("Tus-Resumable").is_some() && self.has(Fault::OptionsRejectsVersion) {
            return Response::new(412).field("Tus-Version", "1.0.0");
        }
        let left_out = |name: &&str| {
            self.without.contains(name)
                || *name == "creation" && self.has(Fault::CreationOmitted)
                || *name == "concatenation-unfinished" && self.has(Fault::UnfinishedUnannounced)
        };
        let mut extensions: Vec<_> = EXTENSIONS.iter().filter(|n| !left_out(n)).copied().collect();
        if self.has(Fault::EmptyExtension) {
            extensions.push("");
        }
        let algorithms = match self.fault {
            Some(Fault::AlgorithmsInUpperCase) => "SHA1,md5",
            Some(Fault::Sha1Omitted) => "md5,sha256",
            _ => "sha1,md5,sha256,sha512,crc32",
        };
        let size_max = if self.has(Fault::SizeMaxIsNegative) { "-1" } else { SIZE_MAX };
        let limits = match self.fault {
            Some(Fault::OptionsLimitsAreLoose) => "max-size=99999999".to_owned(),
            _ => self.limits(0),
        };
        Response::new(204)
            .field_if(!self.has(Fault::OptionsWithoutVersions), "Tus-Version", "1.0.0")
            .field_if(!extensions.is_empty(), "Tus-Extension", extensions.join(","))
            .field("Tus-Max-Size", size_max)
            .field("Tus-Checksum-Algorithm", algorithms)
            .field_if(
                !self.has(Fault::OptionsWithoutAcceptPatch),
                "Accept-Patch",
                "application/offset+octet-stream, application/partial-upload",
            )
            .field_if(!self.has(Fault::OptionsWithoutLimits), "Upload-Limit", limits)
    }

    /// Any other request of tus. Returns `None` to close the connection.
    pub(super) fn tus(&self, request: &mut Incoming) -> Option<Response> {
        let response = if request.field("Tus-Resumable") == Some("1.0.0") {
            self.tus_in_version(request)?
        } else {
            if self.has(Fault::OtherVersionIsProcessed) {
                self.tus_in_version(request)?;
            }
            let status = if self.has(Fault::OtherVersionIs400) { 400 } else { 412 };
            let returns = !self.has(Fault::OtherVersionUnreported);
            Response::new(status).field_if(returns, "Tus-Version", "1.0.0")
        };
        let has_it = match response.status {
            200..300 => !self.has(Fault::SuccessWithoutVersion),
            _ => !self.has(Fault::ErrorWithoutVersion),
        };
        Some(response.field_if(has_it, "Tus-Resumable", "1.0.0"))
    }

    fn tus_in_version(&self, request: &mut Incoming) -> Option<Response> {
        let mut method = request.method.clone();
        if let Some(meant) = request.field("X-HTTP-Method-Override") {
            let is_ignored = self.has(Fault::OverrideIgnored)
                || self.has(Fault::OverrideLoses) && method == "PATCH";
            if !is_ignored {
                meant.clone_into(&mut method);
            }
        }
        let Some(id) = Self::id(&request.path).map(str::to_owned) else {
            return match method.as_str() {
                "POST" => self.tus_create(request),
                _ => Some(Response::new(405)),
            };
        };
        if let Some(rejection) = self.tus_missing(&id, &method) {
            return Some(rejection);
        }
        match method.as_str() {
            "HEAD" => Some(self.tus_head(&id)),
            "PATCH" => self.tus_patch(&id, request),
            "DELETE" => Some(self.tus_delete(&id)),
            _ => Some(Response::new(405)),
        }
    }

    /// The response if there is no upload with this ID.
    fn tus_missing(&self, id: &str, method: &str) -> Option<Response> {
        let uploads = self.uploads();
        let Some(upload) = uploads.get(id) else {
            return Some(match method {
                "HEAD" if self.has(Fault::UnknownHeadIs400) => Response::new(400),
                "HEAD" if self.has(Fault::UnknownHeadHasOffset) => {
                    Response::new(404).field("Upload-Offset", 0)
                }
                "PATCH" if self.has(Fault::UnknownPatchIs400) => Response::new(400),
                _ => Response::new(404),
            });
        };
        upload.is_gone.then(|| match method {
            "HEAD" if self.has(Fault::DeletedHeadIs200) => Response::new(200),
            "PATCH" if self.has(Fault::DeletedPatchIs400) => Response::new(400),
            "DELETE" if self.has(Fault::DeletedDeleteIs204) => Response::new(204),
            _ => Response::new(410),
        })
    }

    fn tus_delete(&self, id: &str) -> Response {
        let mut uploads = self.uploads();
        let Some(upload) = uploads.get_mut(id) else { return Response::new(404) };
        upload.interrupt(self.has(Fault::ReplacedWrites));
        if upload.length == Some(upload.offset()) && self.has(Fault::CompleteIsNotDeleted) {
            return Response::new(409);
        }
        upload.is_gone = true;
        Response::new(if self.has(Fault::DeleteIs200) { 200 } else { 204 })
    }

    /// Parses a non-negative integer; with the fault, leniently.
    pub(super) fn tus_integer(&self, value: &str, lenient: Fault) -> Option<usize> {
        if self.has(lenient) {
            let digits = value.trim_start_matches('+');
            return digits.split(['.', ' ']).next()?.parse().ok();
        }
        let is_digits = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
        is_digits.then(|| value.parse().ok()).flatten()
    }

    /// `Upload-Expires`.
    pub(super) fn expiry(&self) -> String {
        let hour = Duration::from_secs(3600);
        let now = SystemTime::now();
        match self.fault {
            Some(Fault::ExpiryIsIso) => "2099-01-02T03:04:05Z".to_owned(),
            Some(Fault::ExpiryIsPast) => httpdate::fmt_http_date(now - hour),
            _ => httpdate::fmt_http_date(now + hour),
        }
    }
}

/// The maximum size of an upload in bytes.
pub(super) const SIZE_MAX: &str = "10000000";

/// The supported tus extensions.
pub(crate) const EXTENSIONS: &[&str] = &[
    "creation",
    "creation-with-upload",
    "creation-defer-length",
    "expiration",
    "checksum",
    "checksum-trailer",
    "termination",
    "concatenation",
    "concatenation-unfinished",
];
