//! The scope of a V4 signing key: one day, one region, one product.

use std::fmt;

/// The scope of a signing key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CredentialScope<'a> {
    /// The day as `YYYYMMDD`, in UTC.
    pub date: &'a str,
    /// The region without the `oss-` prefix.
    pub region: &'a str,
    /// The product: [`PRODUCT_OSS`], except for CloudBox.
    pub product: &'a str,
}

/// `20231216/cn-hangzhou/oss/aliyun_v4_request`
impl fmt::Display for CredentialScope<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}/{SCOPE_END}", self.date, self.region, self.product)
    }
}

/// The product of a scope for OSS.
pub const PRODUCT_OSS: &str = "oss";

/// The last component of every scope.
pub(super) const SCOPE_END: &str = "aliyun_v4_request";
