//! Temporary credentials: minted as STS does, and cut short.

use http::StatusCode;
use serde::Deserialize;
use serde_json::json;

use super::response::{bad_request, changed, failed, parse};
use crate::clock::iso_secs;
use crate::credential::Grant;
use crate::http::{Reply, json as json_reply};
use crate::state::SandboxState;

/// What AssumeRole of the STS service gives: a credential for everything, VOD calls included. Its
/// life is that of all credentials, or `{"secs": N}`.
pub(super) fn assume_role(state: &SandboxState, body: &[u8]) -> Reply {
    let secs = match body {
        [] => Ok(state.token_life_secs()),
        body => parse(body).map(|life: TokenLifetime| life.secs),
    };
    let secs = match secs {
        Ok(secs) => secs,
        Err(why) => return bad_request(&why),
    };
    match state.mint_for(Grant::Account, secs) {
        Ok(credential) => json_reply(
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

/// Leaves a temporary credential `{"secs": N}` of life, whatever it was told when it was minted.
pub(super) fn set_life(state: &SandboxState, access_key_id: &str, body: &[u8]) -> Reply {
    match parse(body) {
        Ok(TokenLifetime { secs }) => {
            changed(state.set_life(access_key_id, secs), &format!("credential {access_key_id}"))
        }
        Err(why) => bad_request(&why),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TokenLifetime {
    secs: i64,
}
