//! `Upload-Concat`: concatenation of uploads
//! (<https://tus.io/protocols/resumable-upload#concatenation>).

use crate::error::{Error, Result};
use crate::http::RequestHead;
use crate::http::header::UPLOAD_CONCAT;
use crate::upload::UploadId;

/// The role of an upload in a concatenation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Concat {
    /// Neither a partial nor a final upload.
    Regular,
    /// A partial upload.
    Partial,
    /// A final upload of the partial uploads at these URLs, as the client sent them, in this order.
    Final(Vec<String>),
}

impl Concat {
    /// Parses the header; an upload without it is regular.
    ///
    /// # Errors
    /// Returns [`RequestInvalid`](crate::ErrorKind::RequestInvalid) for a value other than
    /// `partial` and `final`, for a URL that is not of an upload of this worker, and for no URL or
    /// more than 256. A URL may be repeated: its bytes are then repeated.
    pub(super) fn parse(head: &RequestHead) -> Result<Self> {
        let Some(value) = head.header(UPLOAD_CONCAT) else { return Ok(Self::Regular) };
        if value == "partial" {
            return Ok(Self::Partial);
        }
        let addresses =
            value.strip_prefix("final;").ok_or_else(|| invalid("partial or final;…"))?;
        let addresses: Vec<_> = addresses.split_ascii_whitespace().map(str::to_owned).collect();
        if !addresses.iter().all(|address| partial_upload_id(address).is_some()) {
            return Err(invalid("final; and URLs of uploads of this server"));
        }
        if addresses.is_empty() || addresses.len() > PARTIALS_MAX {
            return Err(invalid("final; and 1 to 256 URLs"));
        }
        Ok(Self::Final(addresses))
    }

    /// The value of the header for a final upload, as it was received.
    pub(super) fn final_value(addresses: &[String]) -> String {
        format!("final;{}", addresses.join(" "))
    }
}

/// The upload at an absolute or relative URL. The origin and the path before `/v1` are ignored,
/// because a worker behind a proxy cannot determine its own.
#[must_use]
pub fn partial_upload_id(address: &str) -> Option<UploadId> {
    let (before, id) = address.rsplit_once("/v1/files/")?;
    let is_path = before.is_empty() || before.starts_with('/');
    let is_base = is_path || url::Url::parse(before).is_ok_and(|url| url.has_host());
    is_base.then(|| UploadId::new(id)).flatten()
}

fn invalid(allowed: &str) -> Error {
    Error::field_invalid(UPLOAD_CONCAT.as_str(), allowed)
}

/// Most partial uploads of a final upload.
const PARTIALS_MAX: usize = 256;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed assumption fails the test")]

    use ::http::Method;

    use super::*;

    fn parsed(value: &str) -> Result<Concat> {
        Concat::parse(&RequestHead::new(Method::POST, "/v1/files", [("Upload-Concat", value)]))
    }

    #[test]
    fn a_final_upload_lists_the_urls_of_its_partials_in_order() {
        assert_eq!(parsed("partial").unwrap(), Concat::Partial);
        let addresses = ["/v1/files/b", "http://edge.example:3000/v1/files/a"].map(str::to_owned);
        let value = format!("final;{}", addresses.join(" "));
        assert_eq!(parsed(&value).unwrap(), Concat::Final(addresses.to_vec()));
        assert_eq!(Concat::final_value(&addresses), value);
        let ids: Vec<_> =
            addresses.iter().filter_map(|address| partial_upload_id(address)).collect();
        assert_eq!(ids, ["b", "a"].map(|id| UploadId::new(id).unwrap()));
        assert_eq!(
            parsed("final; /v1/files/b").unwrap(),
            Concat::Final(vec!["/v1/files/b".into()])
        );
    }

    #[test]
    fn other_values_and_urls_are_rejected() {
        let many = format!("final;{}", "/v1/files/a ".repeat(257));
        for value in [
            "",
            "whole",
            "final",
            "final;",
            "final;/v1/files/",
            "final;/v2/files/a",
            "final;/v1/files/a/b",
            "final;ftp /v1/files/a x",
            &many,
        ] {
            let error = parsed(value).unwrap_err();
            assert_eq!(error.field().unwrap().name, "upload-concat", "{value}");
        }
    }
}
