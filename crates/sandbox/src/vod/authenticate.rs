//! Authentication of VOD calls: RPC signature, timestamp, nonce, key and token.

use http::StatusCode;

use super::call::Call;
use super::error::VodError;
use crate::clock::parse_iso_secs;
use crate::credential::Grant;
use crate::sign::{MAX_SKEW, rpc_signature, rpc_string_to_sign};

/// Checks the signature of a call.
pub(super) fn check(call: &Call<'_>) -> Result<(), VodError> {
    let parameters = &call.parameters;
    for (name, expected) in FIXED {
        let value = parameters.required(name)?;
        if value != expected {
            return Err(VodError::invalid(name, &format!("it must be {expected}")));
        }
    }
    check_timestamp(call)?;
    let access_key_id = parameters.required("AccessKeyId")?;
    let secret = secret(call, access_key_id)?;
    let signature = parameters.required("Signature")?;
    let string_to_sign = rpc_string_to_sign(call.method, parameters.pairs());
    if rpc_signature(&secret, &string_to_sign) != signature {
        return Err(VodError::new(
            StatusCode::BAD_REQUEST,
            "SignatureDoesNotMatch",
            format!(
                "Specified signature is not matched with our calculation. \
                 server string to sign is:{string_to_sign}"
            ),
        ));
    }
    let nonce = parameters.required("SignatureNonce")?;
    if !call.state.use_nonce(access_key_id, nonce) {
        return Err(VodError::new(
            StatusCode::BAD_REQUEST,
            "SignatureNonceUsed",
            "Specified signature nonce was used already.",
        ));
    }
    Ok(())
}

fn check_timestamp(call: &Call<'_>) -> Result<(), VodError> {
    let timestamp = parse_iso_secs(call.parameters.required("Timestamp")?).ok_or_else(|| {
        VodError::new(
            StatusCode::BAD_REQUEST,
            "InvalidTimeStamp.Format",
            "Specified time stamp or date value is not well formatted.",
        )
    })?;
    if timestamp.duration_since(call.state.clock.now()).abs() > MAX_SKEW {
        return Err(VodError::new(
            StatusCode::BAD_REQUEST,
            "InvalidTimeStamp.Expired",
            "Specified time stamp or date value is expired.",
        ));
    }
    Ok(())
}

/// The secret of the long-lived key, or of a temporary one with its token.
fn secret(call: &Call<'_>, access_key_id: &str) -> Result<String, VodError> {
    let state = call.state;
    let token = call.parameters.optional("SecurityToken");
    let mismatch = || {
        VodError::new(
            StatusCode::BAD_REQUEST,
            "InvalidSecurityToken.MismatchWithAccessKey",
            "Specified SecurityToken mismatch with the AccessKey.",
        )
    };
    if access_key_id == state.config.access_key_id {
        return match token {
            None => Ok(state.config.access_key_secret.clone()),
            Some(_) => Err(mismatch()),
        };
    }
    let credential = state.store.credential(access_key_id).ok_or_else(|| {
        VodError::new(
            StatusCode::NOT_FOUND,
            "InvalidAccessKeyId.NotFound",
            "Specified access key is not found.",
        )
    })?;
    let token = token.ok_or_else(|| VodError::missing("SecurityToken"))?;
    if token != credential.security_token {
        return Err(mismatch());
    }
    if state.clock.now() >= credential.expires_at {
        return Err(VodError::token_expired());
    }
    if credential.grant != Grant::Account {
        return Err(VodError::new(
            StatusCode::FORBIDDEN,
            "Forbidden.RAM",
            "User not authorized to operate on the specified resource.",
        ));
    }
    Ok(credential.access_key_secret)
}

const FIXED: [(&str, &str); 4] = [
    ("Version", "2017-03-21"),
    ("Format", "JSON"),
    ("SignatureMethod", "HMAC-SHA1"),
    ("SignatureVersion", "1.0"),
];
