//! CompleteMultipartUpload: creates an object from parts.
//!
//! <https://www.alibabacloud.com/help/en/oss/developer-reference/completemultipartupload>

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest as _, Md5};

use super::call::{Call, Failure, xml};
use super::error::{Code, OssError};
use super::upload_part::open_upload_id;
use super::xml::Element;
use crate::encoding::percent_encode_path;
use crate::http::{Response, with_header};
use crate::store::{Object, Part, Segment, Upload, crc64_combine, multipart_etag};

/// Checks the list of parts and creates the object.
pub(super) async fn perform(call: &mut Call<'_>) -> Result<Response, Failure> {
    let id = open_upload_id(call)?;
    let encoding = call.key_encoding()?;
    let body = call.body.collect(MAX_XML_BYTES).await?;
    check_md5(call, &body)?;
    let listed = match call.head.header("x-oss-complete-all").as_deref() {
        Some("yes") if body.is_empty() => None,
        Some("yes") => {
            return Err(OssError::invalid_argument(
                "With x-oss-complete-all the request must have no body.",
            )
            .into());
        }
        _ => Some(parse_part_list(&body)?),
    };
    call.check_overwrite()?;
    let now = call.state.clock.now();
    let object = call
        .state
        .store
        .complete_upload(&id, |upload| {
            let parts = selected_parts(upload, listed.as_deref())?;
            Ok::<_, OssError>(new_object(upload, &parts, now))
        })?
        .ok_or_else(|| OssError::no_such_upload(&id))??;
    let location = format!("http://{}/{}", call.head.host, percent_encode_path(call.key));
    let etag = format!("\"{}\"", object.etag);
    let response = xml(&Element::new("CompleteMultipartUploadResult")
        .optional_text("EncodingType", encoding.name())
        .text("Location", location)
        .text("Bucket", call.bucket)
        .text("Key", encoding.write(call.key))
        .text("ETag", &etag));
    let response = with_header(response, "etag", &etag);
    Ok(with_header(response, "x-oss-hash-crc64ecma", &object.crc64.to_string()))
}

/// A part in the list of the client.
#[derive(Debug, PartialEq, Eq)]
struct ListedPart {
    number: u32,
    etag: String,
}

fn check_md5(call: &Call<'_>, body: &[u8]) -> Result<(), OssError> {
    let Some(declared) = call.head.header("content-md5") else {
        return Ok(());
    };
    if STANDARD.encode(Md5::digest(body)) != declared {
        return Err(OssError::new(
            Code::InvalidDigest,
            "The Content-MD5 you specified did not match what we received.",
        ));
    }
    Ok(())
}

fn parse_part_list(body: &[u8]) -> Result<Vec<ListedPart>, OssError> {
    let malformed = |why: &str| {
        OssError::new(
            Code::MalformedXML,
            format!("The XML you provided was not well-formed or did not validate: {why}"),
        )
    };
    let text = std::str::from_utf8(body).map_err(|_not_utf8| malformed("it is not UTF-8"))?;
    let document =
        roxmltree::Document::parse(text).map_err(|error| malformed(&error.to_string()))?;
    let root = document.root_element();
    if root.tag_name().name() != "CompleteMultipartUpload" {
        return Err(malformed("the root is not CompleteMultipartUpload"));
    }
    let mut parts = Vec::new();
    for part in root.children().filter(roxmltree::Node::is_element) {
        if part.tag_name().name() != "Part" {
            return Err(malformed("a child is not Part"));
        }
        let field = |name| {
            part.children()
                .find(|child| child.has_tag_name(name))
                .and_then(|child| child.text())
                .map(str::trim)
        };
        let number = field("PartNumber").and_then(|text| text.parse().ok());
        parts.push(ListedPart {
            number: number.ok_or_else(|| malformed("a Part has no PartNumber"))?,
            etag: field("ETag")
                .ok_or_else(|| malformed("a Part has no ETag"))?
                .trim_matches('"')
                .to_owned(),
        });
    }
    if parts.is_empty() {
        return Err(malformed("it lists no Part"));
    }
    Ok(parts)
}

/// The stored parts that the client listed, or all. As in OSS, they are checked only now.
fn selected_parts<'u>(
    upload: &'u Upload,
    listed: Option<&[ListedPart]>,
) -> Result<Vec<&'u Part>, OssError> {
    let parts: Vec<_> = match listed {
        None => upload.parts.values().collect(),
        Some(listed) => {
            if !listed.is_sorted_by(|a, b| a.number < b.number) {
                return Err(OssError::new(
                    Code::InvalidPartOrder,
                    "The list of parts was not in ascending order.",
                ));
            }
            listed.iter().map(|part| stored_part(upload, part)).collect::<Result<_, _>>()?
        }
    };
    let Some((_last, others)) = parts.split_last() else {
        return Err(OssError::new(Code::InvalidPart, "The upload has no part."));
    };
    match others.iter().find(|part| part.size_bytes < MIN_PART_BYTES) {
        None => Ok(parts),
        Some(small) => Err(OssError::new(
            Code::EntityTooSmall,
            "Your proposed upload smaller than the minimum allowed size.",
        )
        .with("MinSizeAllowed", MIN_PART_BYTES.to_string())
        .with("ProposedSize", small.size_bytes.to_string())
        .with("PartNumber", small.number.to_string())
        .with("ETag", &small.etag)),
    }
}

fn stored_part<'u>(upload: &'u Upload, listed: &ListedPart) -> Result<&'u Part, OssError> {
    u16::try_from(listed.number)
        .ok()
        .and_then(|number| upload.parts.get(&number))
        .filter(|part| part.etag == listed.etag)
        .ok_or_else(|| {
            OssError::new(
                Code::InvalidPart,
                "One or more of the specified parts could not be found or the specified \
                 entity tag might not have matched the part's entity tag.",
            )
            .with("PartNumber", listed.number.to_string())
            .with("ETag", &listed.etag)
        })
}

fn new_object(upload: &Upload, parts: &[&Part], modified: jiff::Timestamp) -> Object {
    let crc64 =
        parts.iter().fold(0, |crc64, part| crc64_combine(crc64, part.crc64, part.size_bytes));
    Object {
        bucket: upload.bucket.clone(),
        key: upload.key.clone(),
        size_bytes: parts.iter().map(|part| part.size_bytes).sum(),
        etag: multipart_etag(parts.iter().map(|part| part.etag.as_str())),
        crc64,
        headers: upload.headers.clone(),
        modified,
        segments: parts
            .iter()
            .map(|part| Segment { body: part.body.clone(), size_bytes: part.size_bytes })
            .collect(),
        multipart: true,
    }
}

/// 100 KiB, the minimum size of every part except the last.
/// <https://www.alibabacloud.com/help/en/oss/product-overview/limits>
const MIN_PART_BYTES: u64 = 102_400;

/// Three times the size of a list of 10,000 parts.
const MAX_XML_BYTES: usize = 4 * 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_list_is_parsed_with_and_without_declaration_and_quotes() {
        let quoted = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<CompleteMultipartUpload>\n\
            <Part>\n<PartNumber>1</PartNumber>\n<ETag>\"AB\"</ETag></Part>\
            </CompleteMultipartUpload>";
        let escaped = "<CompleteMultipartUpload><Part><ETag>&quot;AB&quot;</ETag>\
            <PartNumber>1</PartNumber></Part></CompleteMultipartUpload>";
        let expected = [ListedPart { number: 1, etag: "AB".to_owned() }];
        for text in [quoted, escaped] {
            assert_eq!(parse_part_list(text.as_bytes()).ok().as_deref(), Some(&expected[..]));
        }
    }

    #[test]
    fn an_empty_or_invalid_list_is_malformed() {
        for text in [
            "",
            "<CompleteMultipartUpload/>",
            "<Delete><Part/></Delete>",
            "<CompleteMultipartUpload><Part><PartNumber>x</PartNumber><ETag>a</ETag></Part>\
             </CompleteMultipartUpload>",
        ] {
            assert!(parse_part_list(text.as_bytes()).is_err(), "{text}");
        }
    }
}
