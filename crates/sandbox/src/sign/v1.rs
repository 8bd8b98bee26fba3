//! OSS signature version 1: base64 of HMAC-SHA1.
//!
//! <https://www.alibabacloud.com/help/en/oss/developer-reference/include-signatures-in-the-authorization-header>

use jiff::Timestamp;

use super::claim::{Claim, Scheme, check_skew};
use crate::clock::parse_http_date;
use crate::http::RequestHead;
use crate::oss::{OssError, Target};

/// Parses `Authorization: OSS <AccessKeyId>:<signature>`; `credentials` is the part after the first
/// space.
pub(super) fn header_claim(
    head: &RequestHead,
    target: &Target,
    credentials: &str,
    now: Timestamp,
) -> Result<Claim, OssError> {
    let (access_key_id, signature) = credentials
        .split_once(':')
        .filter(|(id, signature)| !id.is_empty() && !signature.is_empty())
        .ok_or_else(|| OssError::invalid_argument("Authorization header is invalid."))?;
    let date = head
        .header("x-oss-date")
        .or_else(|| head.header("date"))
        .ok_or_else(|| OssError::access_denied("OSS authentication requires a valid Date."))?;
    let signed_at = parse_http_date(&date)
        .ok_or_else(|| OssError::access_denied("OSS authentication requires a valid Date."))?;
    check_skew(signed_at, now)?;
    if head.has_query("security-token") {
        return Err(OssError::invalid_argument(
            "A request signed in its header must have the security token in its header.",
        ));
    }
    Ok(Claim {
        access_key_id: access_key_id.to_owned(),
        security_token: head.header("x-oss-security-token"),
        signature: signature.to_owned(),
        string_to_sign: string_to_sign(head, target, &date),
        canonical_request: None,
        scheme: Scheme::V1,
    })
}

/// Parses `OSSAccessKeyId`, `Expires` and `Signature` of a presigned URL.
pub(super) fn query_claim(
    head: &RequestHead,
    target: &Target,
    now: Timestamp,
) -> Result<Claim, OssError> {
    let required = |name| {
        head.query_value(name).ok_or_else(|| {
            OssError::access_denied(format!(
                "A presigned URL must have OSSAccessKeyId, Expires and Signature; \
                 {name} is missing."
            ))
        })
    };
    let access_key_id = required("OSSAccessKeyId")?;
    let expires = required("Expires")?;
    let signature = required("Signature")?;
    let expires_at = expires
        .parse()
        .ok()
        .and_then(|seconds| Timestamp::from_second(seconds).ok())
        .ok_or_else(|| OssError::access_denied("Invalid date, Expires is Unix seconds."))?;
    if now > expires_at {
        return Err(OssError::access_denied("Request has expired."));
    }
    let token = head.query_value("security-token");
    if token.is_some() && head.header("x-oss-security-token").is_some() {
        return Err(OssError::invalid_argument(
            "The security token is in the header and in the query.",
        ));
    }
    Ok(Claim {
        access_key_id: access_key_id.to_owned(),
        security_token: token.map(str::to_owned),
        signature: signature.to_owned(),
        string_to_sign: string_to_sign(head, target, expires),
        canonical_request: None,
        scheme: Scheme::V1,
    })
}

/// Method, Content-MD5, Content-Type and date, one per line, then the `x-oss-` headers and the
/// resource. `date_line` is the date sent, or the expiry of a presigned URL.
pub(super) fn string_to_sign(head: &RequestHead, target: &Target, date_line: &str) -> String {
    let line = |name| head.header(name).unwrap_or_default();
    let mut text = format!(
        "{}\n{}\n{}\n{date_line}\n",
        head.method,
        line("content-md5"),
        line("content-type"),
    );
    for name in head.header_names() {
        if name.starts_with("x-oss-") {
            text.push_str(&format!("{name}:{}\n", line(name)));
        }
    }
    text.push_str(&target.resource());
    text.push_str(&sub_resources(head));
    text
}

fn sub_resources(head: &RequestHead) -> String {
    let mut signed: Vec<_> = head.query.iter().filter(|(name, _)| is_signed(name)).collect();
    signed.sort();
    let joined: Vec<_> = signed
        .into_iter()
        .map(|(name, value)| match value.as_str() {
            "" => name.clone(),
            value => format!("{name}={value}"),
        })
        .collect();
    if joined.is_empty() { String::new() } else { format!("?{}", joined.join("&")) }
}

fn is_signed(name: &str) -> bool {
    name.starts_with("x-oss-") || SUB_RESOURCES.split(' ').any(|known| known == name)
}

/// The query names that V1 signs, in addition to all that start with `x-oss-`. Paging parameters
/// such as `max-parts` are not included.
const SUB_RESOURCES: &str = "\
    accessPoint accessPointPolicy acl append asyncFetch bucketArchiveDirectRead bucketInfo \
    callback callback-var cloudboxes cname comp continuation-token cors delete encryption \
    endTime group httpsConfig img inventory inventoryId lifecycle link live location logging \
    metaQuery objectInfo objectMeta partNumber policy position publicAccessBlock qos qosInfo \
    qosRequester redundancyTransition referer regionList replication replicationLocation \
    replicationProgress requestPayment requesterQosInfo resourceGroup response-cache-control \
    response-content-disposition response-content-encoding response-content-language \
    response-content-type response-expires responseHeader restore rtc security-token sequential \
    startTime stat status style styleName symlink tagging transferAcceleration uploadId uploads \
    versionId versioning versions vod website withHashContext worm wormExtend wormId";
