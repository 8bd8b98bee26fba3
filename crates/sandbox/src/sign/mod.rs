//! Signature verification: OSS V1 and V4 in header and in query, and the RPC signature of VOD.
//!
//! Each scheme parses a request into a [`Claim`](claim::Claim) with the key, the string to sign and
//! the signature. The signature is then compared with the one computed with the secret of the key.

mod authenticate;
mod claim;
mod hmac;
mod rpc;
mod v1;
mod v4;
#[cfg(test)]
mod vectors;

pub(crate) use authenticate::Authenticator;
pub(crate) use claim::MAX_SKEW;
pub(crate) use rpc::signature as rpc_signature;
pub(crate) use rpc::string_to_sign as rpc_string_to_sign;
