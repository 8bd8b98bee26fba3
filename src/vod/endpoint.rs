//! Where the VOD service of a region is.

use url::Url;

use crate::error::{Error, ErrorKind, Result};

/// The address of one region's VOD service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VodEndpoint {
    url: Url,
}

impl VodEndpoint {
    /// The public endpoint of a region, such as `cn-shanghai`
    /// (<https://www.alibabacloud.com/help/en/vod/developer-reference/api-vod-2017-03-21-endpoint>).
    ///
    /// `cn-hangzhou` is served from Shanghai; a region that is not listed is taken to follow the
    /// naming of all those that are.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Misconfigured`] where it is not a region id.
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

    /// An endpoint of one's own: a VPC endpoint, a proxy or a stand-in.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Misconfigured`] where it is not an http or https URL of a host.
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

    /// The URL that calls are sent to.
    #[must_use]
    pub const fn url(&self) -> &Url {
        &self.url
    }
}

/// Regions without a VOD service of their own.
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
        for (region, wanted) in [
            ("cn-shanghai", "https://vod.cn-shanghai.aliyuncs.com/"),
            ("cn-hangzhou", "https://vod.cn-shanghai.aliyuncs.com/"),
            ("ap-southeast-1", "https://vod.ap-southeast-1.aliyuncs.com/"),
            (" us-west-1 ", "https://vod.us-west-1.aliyuncs.com/"),
        ] {
            assert_eq!(VodEndpoint::for_region(region).unwrap().url().as_str(), wanted);
        }
    }

    #[test]
    fn what_is_no_region_is_refused() {
        for region in ["", "CN-SHANGHAI", "cn_shanghai", "evil.com/", "a@b"] {
            let error = VodEndpoint::for_region(region).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Misconfigured, "{region}");
        }
    }

    #[test]
    fn an_endpoint_of_ones_own_is_a_url() {
        let endpoint = VodEndpoint::custom(" http://127.0.0.1:9000/vod#x ").unwrap();
        assert_eq!(endpoint.url().as_str(), "http://127.0.0.1:9000/vod");
        for url in ["", "vod.example.com", "ftp://a", "http://u:p@a", "https://a?x=1", "data:x"] {
            let error = VodEndpoint::custom(url).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Misconfigured, "{url}");
        }
    }
}
