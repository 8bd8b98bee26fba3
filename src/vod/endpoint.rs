//! The URL of a VOD service.

use url::Url;

use crate::error::{Error, ErrorKind, Result};

/// The endpoint of a VOD service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VodEndpoint {
    url: Url,
}

impl VodEndpoint {
    /// The public endpoint of a region, such as `cn-shanghai`
    /// (<https://www.alibabacloud.com/help/en/vod/developer-reference/api-vod-2017-03-21-endpoint>).
    ///
    /// `cn-hangzhou` is served from Shanghai. The names of unlisted regions are assumed to follow
    /// the pattern of the listed ones.
    ///
    /// # Errors
    /// Returns [`ErrorKind::Misconfigured`] if `region` is not a region ID.
    pub fn for_region(region: &str) -> Result<Self> {
        let region = region.trim();
        let valid = !region.is_empty()
            && region
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        if !valid {
            return Err(Error::new(
                ErrorKind::Misconfigured,
                "the VOD region is not like cn-shanghai",
            ));
        }
        let served_from = SERVED_FROM
            .iter()
            .find(|(listed, _)| *listed == region)
            .map_or(region, |(_, other)| *other);
        Self::custom(&format!("https://vod.{served_from}.aliyuncs.com"))
    }

    /// A custom endpoint: a VPC endpoint, a proxy or an emulator.
    ///
    /// # Errors
    /// Returns [`ErrorKind::Misconfigured`] if `url` is not an http or https URL of a host.
    pub fn custom(url: &str) -> Result<Self> {
        let misconfigured = |what| Error::new(ErrorKind::Misconfigured, what);
        let mut url = Url::parse(url.trim())
            .map_err(|_| misconfigured("the VOD endpoint is not a URL such as https://host"))?;
        if !matches!(url.scheme(), "https" | "http") || url.host().is_none() {
            return Err(misconfigured("the VOD endpoint is not an http or https URL"));
        }
        if !url.username().is_empty() || url.password().is_some() || url.query().is_some() {
            return Err(misconfigured("the VOD endpoint has more than a host and a path"));
        }
        url.set_fragment(None);
        Ok(Self { url })
    }

    /// The URL of every request.
    #[must_use]
    pub const fn url(&self) -> &Url {
        &self.url
    }
}

/// The public endpoint of cn-shanghai.
impl Default for VodEndpoint {
    fn default() -> Self {
        #[expect(clippy::expect_used, reason = "the URL is valid")]
        let url = Url::parse("https://vod.cn-shanghai.aliyuncs.com").expect("a valid URL");
        Self { url }
    }
}

/// Regions without their own VOD service, and the regions that serve them.
const SERVED_FROM: &[(&str, &str)] = &[("cn-hangzhou", "cn-shanghai")];

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        reason = "a failed assumption fails the test"
    )]

    use super::*;

    #[test]
    fn every_region_has_its_endpoint() {
        for (region, expected) in [
            ("cn-shanghai", "https://vod.cn-shanghai.aliyuncs.com/"),
            ("cn-hangzhou", "https://vod.cn-shanghai.aliyuncs.com/"),
            ("ap-southeast-1", "https://vod.ap-southeast-1.aliyuncs.com/"),
            (" us-west-1 ", "https://vod.us-west-1.aliyuncs.com/"),
        ] {
            assert_eq!(VodEndpoint::for_region(region).unwrap().url().as_str(), expected);
        }
    }

    #[test]
    fn an_invalid_region_is_rejected() {
        for region in ["", "CN-SHANGHAI", "cn_shanghai", "evil.com/", "a@b"] {
            let error = VodEndpoint::for_region(region).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Misconfigured, "{region}");
        }
    }

    #[test]
    fn a_custom_endpoint_is_a_url_of_a_host() {
        let endpoint = VodEndpoint::custom(" http://127.0.0.1:9000/vod#x ").unwrap();
        assert_eq!(endpoint.url().as_str(), "http://127.0.0.1:9000/vod");
        for url in ["", "vod.example.com", "ftp://a", "http://u:p@a", "https://a?x=1", "data:x"] {
            let error = VodEndpoint::custom(url).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Misconfigured, "{url}");
        }
    }
}
