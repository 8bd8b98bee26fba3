//! Request signing: one file per step of the published algorithms.
//!
//! V4:
//! <https://www.alibabacloud.com/help/en/oss/developer-reference/recommend-to-use-signature-version-4>:
//! [`canonical_uri`], [`canonical_query`], [`additional_headers`] and [`canonical_headers`] make
//! the [`canonical_request`]; with the [`CredentialScope`] it makes the [`string_to_sign`], which
//! the [`signing_key`] turns into the [`signature`]. [`v4_header`] and [`v4_query`] put that into a
//! request.
//!
//! V1:
//! <https://www.alibabacloud.com/help/en/oss/developer-reference/include-signatures-in-the-authorization-header>:
//! [`v1_string_to_sign`] and [`v1_signature`], put into a request by [`v1_header`] and
//! [`v1_query`].
//!
//! [`post_policy`] signs an HTML form for the store.

pub mod additional_headers;
pub mod canonical_headers;
pub mod canonical_query;
pub mod canonical_request;
pub mod canonical_uri;
mod credential_scope;
mod hmac;
pub mod post_policy;
mod sign_request;
pub mod signature;
mod signer;
pub mod signing_key;
pub mod string_to_sign;
pub mod v1_header;
pub mod v1_query;
pub mod v1_signature;
pub mod v1_string_to_sign;
mod v1_sub_resources;
pub mod v4_header;
pub mod v4_query;

pub use credential_scope::{CredentialScope, PRODUCT_OSS};
pub use signer::Signer;

pub(crate) use hmac::hmac_sha1;
