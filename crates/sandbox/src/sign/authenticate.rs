//! Verifies the signature of a request and determines its identity.

use jiff::Timestamp;

use super::claim::{Claim, Scheme};
use super::{v1, v4};
use crate::credential::{Credential, Grant};
use crate::http::RequestHead;
use crate::oss::{Code, Operation, OssError, Target};

/// The sender of a request.
#[derive(Debug)]
pub(crate) enum Identity {
    /// The holder of the long-lived key.
    Owner,
    /// The holder of a temporary credential.
    Temporary(Grant),
}

impl Identity {
    /// Checks that the identity has the permission. `denied` are operations that are denied to
    /// temporary credentials regardless of their policy.
    pub(crate) fn authorize(
        &self,
        operation: Operation,
        target: &Target,
        denied: &[String],
    ) -> Result<(), OssError> {
        let Self::Temporary(grant) = self else {
            return Ok(());
        };
        if !grant.allows(operation, target) || denied.iter().any(|name| name == operation.name()) {
            return Err(OssError::access_denied(
                "You have no right to access this object because of the policy of your token.",
            ));
        }
        Ok(())
    }
}

/// The data that signatures are verified with.
#[derive(Debug)]
pub(crate) struct Authenticator<'a> {
    /// The long-lived key.
    pub(crate) access_key_id: &'a str,
    /// Its secret.
    pub(crate) access_key_secret: &'a str,
    /// The region required in V4 signatures.
    pub(crate) region: &'a str,
    /// The sandbox's time.
    pub(crate) now: Timestamp,
}

impl Authenticator<'_> {
    /// Verifies the signature of an OSS request.
    ///
    /// `by_key` and `by_token` look up temporary credentials.
    pub(crate) fn authenticate(
        &self,
        head: &RequestHead,
        target: &Target,
        by_key: impl Fn(&str) -> Option<Credential>,
        by_token: impl Fn(&str) -> Option<Credential>,
    ) -> Result<Identity, OssError> {
        let claim = parse_claim(head, target, self.now)?;
        self.check_scope(&claim)?;
        let temporary = by_key(&claim.access_key_id);
        let token = claim.security_token.as_deref();
        let secret = match (&temporary, token) {
            (None, None) if claim.access_key_id == self.access_key_id => self.access_key_secret,
            (None, Some(_)) if claim.access_key_id == self.access_key_id => {
                return Err(invalid_token());
            }
            // For OSS, a temporary key without its token is unknown.
            (None, _) | (Some(_), None) => return Err(unknown_key(&claim.access_key_id)),
            (Some(credential), Some(token)) => {
                if credential.security_token != token {
                    return Err(match by_token(token) {
                        Some(_) => OssError::new(
                            Code::AccessKeyIdAndSecurityTokenNotMatch,
                            "The AccessKeyId and the SecurityToken do not match.",
                        ),
                        None => invalid_token(),
                    });
                }
                if self.now >= credential.expires_at {
                    return Err(OssError::token_expired());
                }
                &credential.access_key_secret
            }
        };
        if claim.expected_signature(secret) != claim.signature {
            return Err(mismatch(&claim));
        }
        Ok(match temporary {
            Some(credential) => Identity::Temporary(credential.grant),
            None => Identity::Owner,
        })
    }

    fn check_scope(&self, claim: &Claim) -> Result<(), OssError> {
        let Scheme::V4(scope) = &claim.scheme else {
            return Ok(());
        };
        if scope.region != self.region {
            return Err(OssError::invalid_argument(format!(
                "Invalid signing region in Authorization header: {} instead of {}.",
                scope.region, self.region
            )));
        }
        if scope.product != "oss" {
            return Err(OssError::invalid_argument(
                "Invalid signing product in Authorization header.",
            ));
        }
        Ok(())
    }
}

fn parse_claim(head: &RequestHead, target: &Target, now: Timestamp) -> Result<Claim, OssError> {
    let query_v1 = head.has_query("Signature") || head.has_query("OSSAccessKeyId");
    let query_v4 = head.has_query("x-oss-signature") || head.has_query("x-oss-signature-version");
    match head.header("authorization") {
        Some(_) if query_v1 || query_v4 => {
            Err(OssError::invalid_argument("The request is signed in its header and in its query."))
        }
        Some(authorization) => match authorization.split_once(' ') {
            Some(("OSS", rest)) => v1::header_claim(head, target, rest, now),
            Some((v4::ALGORITHM, rest)) => v4::header_claim(head, target, rest, now),
            Some(("OSS2", _)) => Err(OssError::invalid_argument(
                "Signature version 2 is not supported; use version 4.",
            )),
            _ => Err(OssError::invalid_argument("Authorization header is invalid.")),
        },
        None if query_v4 => v4::query_claim(head, target, now),
        None if query_v1 => v1::query_claim(head, target, now),
        None => Err(OssError::access_denied("Anonymous user has no right to access this bucket.")),
    }
}

fn unknown_key(access_key_id: &str) -> OssError {
    OssError::new(
        Code::InvalidAccessKeyId,
        "The OSS Access Key Id you provided does not exist in our records.",
    )
    .with("OSSAccessKeyId", access_key_id)
}

fn invalid_token() -> OssError {
    OssError::new(Code::InvalidSecurityToken, "The security token you provided is invalid.")
}

fn mismatch(claim: &Claim) -> OssError {
    let error = OssError::new(
        Code::SignatureDoesNotMatch,
        "The request signature we calculated does not match the signature you provided. \
         Check your key and signing method.",
    )
    .with("OSSAccessKeyId", &claim.access_key_id)
    .with("SignatureProvided", &claim.signature)
    .with("StringToSign", &claim.string_to_sign);
    match &claim.canonical_request {
        Some(canonical) => error.with("CanonicalRequest", canonical),
        None => error,
    }
}
