//! Request signing: one file per step of the published algorithms.
//!
//! V4:
//! <https://www.alibabacloud.com/help/en/oss/developer-reference/recommend-to-use-signature-version-4>:
//! [`canonical_uri`], [`canonical_query`], [`additional_headers`] and [`canonical_headers`] form
//! the [`canonical_request`]. With the [`CredentialScope`] it forms the [`string_to_sign`], from
//! which the [`signing_key`] computes the [`signature`]. [`v4_authorization`] formats it as a
//! header.
//!
//! V1:
//! <https://www.alibabacloud.com/help/en/oss/developer-reference/include-signatures-in-the-authorization-header>:
//! [`v1_string_to_sign`], [`v1_signature`] and [`v1_authorization`].
//!
//! [`Signer`] applies all steps to a request. [`v4_post_signature`] and [`v1_post_signature`] sign
//! the policy of an HTML form that is posted to OSS (PostObject).

mod additional_headers;
mod canonical_headers;
mod canonical_query;
mod canonical_request;
mod canonical_uri;
mod credential_scope;
mod hmac;
mod post_policy;
mod sign_request;
mod signature;
mod signer;
mod signing_key;
mod string_to_sign;
mod v1_header;
mod v1_query;
mod v1_signature;
mod v1_string_to_sign;
mod v1_sub_resources;
mod v4_header;
mod v4_query;

pub use additional_headers::additional_headers;
pub use canonical_headers::canonical_headers;
pub use canonical_query::canonical_query;
pub use canonical_request::{CanonicalParts, canonical_request};
pub use canonical_uri::canonical_uri;
pub use credential_scope::{CredentialScope, PRODUCT_OSS};
pub use post_policy::{v1_post_signature, v4_post_signature};
pub use signature::signature;
pub use signer::Signer;
pub use signing_key::signing_key;
pub use string_to_sign::string_to_sign;
pub use v1_header::v1_authorization;
pub use v1_signature::v1_signature;
pub use v1_string_to_sign::{V1Parts, v1_string_to_sign};
pub use v4_header::v4_authorization;

pub(crate) use hmac::hmac_sha1;
