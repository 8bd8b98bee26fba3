//! Temporary credentials: issued as STS does, with adjustable lifetimes.

use http::StatusCode;
use serde::Deserialize;
use serde_json::json;

use super::response::{bad_request, changed, failed, parse};
use crate::clock::iso_secs;
use crate::credential::Grant;
use crate::http::{Response, json as json_response};
use crate::state::SandboxState;

/// Returns a credential for everything, including VOD calls, as AssumeRole of STS does. Its
/// lifetime is the default or `{"secs": N}`.
pub(super) fn assume_role(state: &SandboxState, body: &[u8]) -> Response {
    let secs = match body {
        [] => Ok(state.token_ttl_secs()),
        body => parse(body).map(|lifetime: TokenLifetime| lifetime.secs),
    };
    let secs = match secs {
        Ok(secs) => secs,
        Err(why) => return bad_request(&why),
    };
    match state.issue_with_ttl(Grant::Account, secs) {
        Ok(credential) => json_response(
            StatusCode::OK,
            &json!({
                "AccessKeyId": credential.access_key_id,
                "AccessKeySecret": credential.access_key_secret,
                "SecurityToken": credential.security_token,
                "Expiration": iso_secs(credential.expires_at),
            }),
        ),
        Err(error) => failed(&error),
    }
}

/// Sets the remaining lifetime of a temporary credential to `{"secs": N}`.
pub(super) fn set_ttl(state: &SandboxState, access_key_id: &str, body: &[u8]) -> Response {
    match parse(body) {
        Ok(TokenLifetime { secs }) => {
            changed(state.set_ttl(access_key_id, secs), &format!("credential {access_key_id}"))
        }
        Err(why) => bad_request(&why),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TokenLifetime {
    pub(super) secs: i64,
}
