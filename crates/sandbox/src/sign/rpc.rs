//! RPC signature version 1, which VOD uses.
//!
//! <https://www.alibabacloud.com/help/en/sdk/product-overview/rpc-mechanism>

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Method;

use super::hmac::hmac_sha1;
use crate::encoding::percent_encode;

/// `METHOD&%2F&` and the encoded canonical query of all `parameters` except `Signature`.
pub(crate) fn string_to_sign(method: &Method, parameters: &[(String, String)]) -> String {
    let mut pairs: Vec<_> = parameters
        .iter()
        .filter(|(name, _)| name != "Signature")
        .map(|(name, value)| (percent_encode(name), percent_encode(value)))
        .collect();
    pairs.sort();
    let canonical: Vec<_> =
        pairs.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    format!("{method}&%2F&{}", percent_encode(&canonical.join("&")))
}

/// Base64 of the HMAC-SHA1 under the secret followed by `&`.
pub(crate) fn signature(secret: &str, string_to_sign: &str) -> String {
    STANDARD.encode(hmac_sha1(format!("{secret}&").as_bytes(), string_to_sign))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sign(method: &Method, parameters: &[(&str, &str)]) -> String {
        let parameters: Vec<_> = parameters
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        signature("testsecret", &string_to_sign(method, &parameters))
    }

    #[test]
    fn the_published_ecs_example_is_reproduced() {
        let signed = sign(
            &Method::GET,
            &[
                ("AccessKeyId", "testid"),
                ("Action", "DescribeRegions"),
                ("Format", "XML"),
                ("SignatureMethod", "HMAC-SHA1"),
                ("SignatureNonce", "3ee8c1b8-83d3-44af-a94f-4e0ad82fd6cf"),
                ("SignatureVersion", "1.0"),
                ("Timestamp", "2016-02-23T12:46:24Z"),
                ("Version", "2014-05-26"),
            ],
        );
        assert_eq!(signed, "OLeaidS1JvxuMvnyHOwuJ+uX5qY=");
    }

    #[test]
    fn reserved_and_non_ascii_characters_are_signed_per_method() {
        let parameters = [
            ("AccessKeyId", "testid"),
            ("Action", "CreateUploadVideo"),
            ("FileName", "测试 (1)*.mp4"),
            ("Format", "JSON"),
            ("SecurityToken", "tok+/="),
            ("SignatureMethod", "HMAC-SHA1"),
            ("SignatureNonce", "3ee8c1b8-83d3-44af-a94f-4e0ad82fd6cf"),
            ("SignatureVersion", "1.0"),
            ("Timestamp", "2023-12-25T00:00:00Z"),
            ("Title", "it's ~ok!"),
            ("Version", "2017-03-21"),
        ];
        assert_eq!(sign(&Method::GET, &parameters), "CNyAM4ZwVcA3zJ1a7EPwhzPG52c=");
        assert_eq!(sign(&Method::POST, &parameters), "0EGEOlrpyFWPN58az9W2zSWAak0=");
    }
}
