//! OSS signature version 4: hex of HMAC-SHA256 under a key derived from date and region.
//!
//! <https://www.alibabacloud.com/help/en/oss/developer-reference/recommend-to-use-signature-version-4>

use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};

use super::claim::{Claim, MAX_SKEW, Scheme, Scope, TERMINATOR, check_skew};
use crate::clock::parse_basic_iso;
use crate::encoding::{hex_lower, percent_encode, percent_encode_path};
use crate::http::RequestHead;
use crate::oss::{OssError, Target};

/// The name of the algorithm: the first line of every string to sign.
pub(super) const ALGORITHM: &str = "OSS4-HMAC-SHA256";

/// Parses `Authorization: OSS4-HMAC-SHA256 …`; `fields` is the part after the first space.
pub(super) fn header_claim(
    head: &RequestHead,
    target: &Target,
    fields: &str,
    now: Timestamp,
) -> Result<Claim, OssError> {
    let fields = AuthorizationFields::parse(fields)?;
    let date = head
        .header("x-oss-date")
        .ok_or_else(|| OssError::access_denied("V4 authentication requires x-oss-date."))?;
    let signed_at = parse_basic_iso(&date).ok_or_else(|| {
        OssError::access_denied("x-oss-date must be of the form YYYYMMDDTHHMMSSZ.")
    })?;
    check_skew(signed_at, now)?;
    if head.header("x-oss-content-sha256").as_deref() != Some(UNSIGNED_PAYLOAD) {
        return Err(OssError::invalid_argument("x-oss-content-sha256 must be UNSIGNED-PAYLOAD."));
    }
    if head.has_query("x-oss-security-token") || head.has_query("security-token") {
        return Err(OssError::invalid_argument(
            "A request signed in its header must have the security token in its header.",
        ));
    }
    claim(head, target, &date, &fields, head.header("x-oss-security-token"))
}

/// Parses the `x-oss-` parameters of a presigned URL.
pub(super) fn query_claim(
    head: &RequestHead,
    target: &Target,
    now: Timestamp,
) -> Result<Claim, OssError> {
    let required = |name| {
        head.query_value(name)
            .ok_or_else(|| OssError::invalid_argument(format!("A presigned URL must have {name}.")))
    };
    if required("x-oss-signature-version")? != ALGORITHM {
        return Err(OssError::invalid_argument(
            "x-oss-signature-version must be OSS4-HMAC-SHA256.",
        ));
    }
    let additional = match head.query_value("x-oss-additional-headers") {
        Some(names) => additional_names(names)?,
        None => Vec::new(),
    };
    let fields = AuthorizationFields {
        credential: required("x-oss-credential")?.to_owned(),
        additional,
        signature: required("x-oss-signature")?.to_owned(),
    };
    let date = required("x-oss-date")?;
    let signed_at = parse_basic_iso(date).ok_or_else(|| {
        OssError::access_denied("x-oss-date must be of the form YYYYMMDDTHHMMSSZ.")
    })?;
    let ttl_secs = required("x-oss-expires")?
        .parse::<i64>()
        .ok()
        .filter(|seconds| (1..=MAX_PRESIGNED_TTL_SECS).contains(seconds))
        .ok_or_else(|| OssError::invalid_argument("x-oss-expires must be 1 to 604800 seconds."))?;
    if signed_at.duration_since(now) > MAX_SKEW {
        return Err(OssError::skewed(signed_at, now));
    }
    if now.duration_since(signed_at) > SignedDuration::from_secs(ttl_secs) {
        return Err(OssError::access_denied("Request has expired."));
    }
    let token = head.query_value("x-oss-security-token").map(str::to_owned);
    if token.is_some() && head.header("x-oss-security-token").is_some() {
        return Err(OssError::invalid_argument(
            "The security token is in the header and in the query.",
        ));
    }
    claim(head, target, date, &fields, token)
}

fn claim(
    head: &RequestHead,
    target: &Target,
    date: &str,
    fields: &AuthorizationFields,
    security_token: Option<String>,
) -> Result<Claim, OssError> {
    let (access_key_id, scope) = Scope::parse_credential(&fields.credential)
        .ok_or_else(|| OssError::invalid_argument("The Credential is malformed."))?;
    if !date.starts_with(&scope.date) || scope.date.len() != "YYYYMMDD".len() {
        return Err(OssError::invalid_argument(
            "The date in the Credential does not match x-oss-date.",
        ));
    }
    let canonical_request = canonical_request(head, target, &fields.additional)?;
    Ok(Claim {
        access_key_id,
        security_token,
        signature: fields.signature.clone(),
        string_to_sign: format!(
            "{ALGORITHM}\n{date}\n{}/{}/{}/{TERMINATOR}\n{}",
            scope.date,
            scope.region,
            scope.product,
            hex_lower(&Sha256::digest(&canonical_request)),
        ),
        canonical_request: Some(canonical_request),
        scheme: Scheme::V4(scope),
    })
}

/// Method, URI, query, headers, names of additional headers, and the hash of the payload.
fn canonical_request(
    head: &RequestHead,
    target: &Target,
    additional: &[String],
) -> Result<String, OssError> {
    if let Some(absent) = additional.iter().find(|name| head.header(name).is_none()) {
        return Err(OssError::invalid_argument(format!(
            "The additional header {absent} was not sent."
        )));
    }
    let headers: String = head
        .header_names()
        .into_iter()
        .filter(|name| is_always_signed(name) || additional.iter().any(|added| added == name))
        .map(|name| format!("{name}:{}\n", head.header(name).unwrap_or_default()))
        .collect();
    Ok(format!(
        "{}\n{}\n{}\n{headers}\n{}\n{UNSIGNED_PAYLOAD}",
        head.method,
        percent_encode_path(&target.resource()),
        canonical_query(head),
        additional.join(";"),
    ))
}

fn canonical_query(head: &RequestHead) -> String {
    let mut pairs: Vec<_> = head
        .query
        .iter()
        .filter(|(name, _)| name != "x-oss-signature")
        .map(|(name, value)| (percent_encode(name), percent_encode(value)))
        .collect();
    pairs.sort();
    let joined: Vec<_> = pairs
        .into_iter()
        .map(|(name, value)| match value.as_str() {
            "" => name,
            value => format!("{name}={value}"),
        })
        .collect();
    joined.join("&")
}

fn is_always_signed(name: &str) -> bool {
    matches!(name, "content-type" | "content-md5") || name.starts_with("x-oss-")
}

struct AuthorizationFields {
    credential: String,
    additional: Vec<String>,
    signature: String,
}

impl AuthorizationFields {
    /// Parses `Credential=…,[AdditionalHeaders=…,]Signature=…`, with or without spaces.
    fn parse(fields: &str) -> Result<Self, OssError> {
        let malformed = || OssError::invalid_argument("Authorization header is invalid.");
        let (mut credential, mut additional, mut signature) = (None, Vec::new(), None);
        for field in fields.split(',') {
            match field.trim().split_once('=').ok_or_else(malformed)? {
                ("Credential", value) => credential = Some(value.to_owned()),
                ("AdditionalHeaders", names) => additional = additional_names(names)?,
                ("Signature", value) => signature = Some(value.to_owned()),
                _unknown => return Err(malformed()),
            }
        }
        Ok(Self {
            credential: credential.ok_or_else(malformed)?,
            additional,
            signature: signature.ok_or_else(malformed)?,
        })
    }
}

/// Parses `a;b`: lower-case, ascending, without headers that are always signed. An empty list is
/// rejected, because the behavior of OSS for it is not documented.
fn additional_names(names: &str) -> Result<Vec<String>, OssError> {
    let names: Vec<_> = names.split(';').map(str::to_owned).collect();
    let well_formed = names.iter().all(|name| {
        !name.is_empty() && !is_always_signed(name) && *name == name.to_ascii_lowercase()
    });
    if !well_formed || !names.is_sorted() {
        return Err(OssError::invalid_argument(
            "Additional headers are lower-case, ascending, joined by `;`, and never \
             content-type, content-md5 or x-oss-*.",
        ));
    }
    Ok(names)
}

const UNSIGNED_PAYLOAD: &str = "UNSIGNED-PAYLOAD";

/// Seven days.
const MAX_PRESIGNED_TTL_SECS: i64 = 604_800;
