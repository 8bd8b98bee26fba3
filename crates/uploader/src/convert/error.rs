//! Converts errors: a kind has its own case, or is `other` with its code.

use vod_uploader_host::engine::{Error, ErrorKind, Retry, ServiceError};

use crate::bindings::exports::vod::uploader::types as wit;

pub(crate) fn to_wit(error: Error) -> wit::Error {
    wit::Error {
        code: code_of(&error),
        message: error.message().to_owned(),
        service: error.service().map(service_error_to_wit),
        retry: match error.kind().retry() {
            Retry::Never => wit::Retry::Never,
            Retry::Retryable => wit::Retry::Later,
            Retry::WithNewCredential => wit::Retry::WithNewCredential,
            Retry::RestartUpload => wit::Retry::AsNewUpload,
        },
        action: error.kind().action().to_owned(),
    }
}

fn service_error_to_wit(response: &ServiceError) -> wit::ServiceError {
    wit::ServiceError {
        status: response.status,
        code: response.code.clone(),
        message: response.message.clone(),
        request_id: response.request_id.clone(),
    }
}

fn code_of(error: &Error) -> wit::ErrorCode {
    if let Some(field) = error.field() {
        let (name, allowed) = (field.name.clone(), field.allowed.clone());
        return wit::ErrorCode::FieldInvalid(wit::InvalidField { name, allowed });
    }
    match error.kind() {
        ErrorKind::FileUnknown => wit::ErrorCode::FileUnknown,
        ErrorKind::FileDuplicate => wit::ErrorCode::FileDuplicate,
        ErrorKind::FileEmpty => wit::ErrorCode::FileEmpty,
        ErrorKind::FileTooLarge => wit::ErrorCode::FileTooLarge,
        ErrorKind::FileStateWrong => wit::ErrorCode::FileStateWrong,
        ErrorKind::QueueStateWrong => wit::ErrorCode::QueueStateWrong,
        ErrorKind::EventsTaken => wit::ErrorCode::EventsTaken,
        ErrorKind::OffsetMismatch => wit::ErrorCode::OffsetMismatch,
        ErrorKind::LengthMismatch => wit::ErrorCode::LengthMismatch,
        ErrorKind::SourceBroken => wit::ErrorCode::SourceBroken,
        ErrorKind::DeadlineExceeded => wit::ErrorCode::DeadlineExceeded,
        ErrorKind::CredentialInvalid => wit::ErrorCode::CredentialInvalid,
        ErrorKind::CredentialsSwapped => wit::ErrorCode::CredentialsSwapped,
        ErrorKind::CredentialForOtherObject => wit::ErrorCode::CredentialForOtherObject,
        ErrorKind::CredentialRequired => wit::ErrorCode::CredentialRequired,
        ErrorKind::CredentialExpired => wit::ErrorCode::CredentialExpired,
        ErrorKind::CredentialRejected => wit::ErrorCode::CredentialRejected,
        ErrorKind::CredentialNotRefreshable => wit::ErrorCode::CredentialNotRefreshable,
        ErrorKind::AccessDenied => wit::ErrorCode::AccessDenied,
        ErrorKind::UploadLost => wit::ErrorCode::UploadLost,
        ErrorKind::TakenOver => wit::ErrorCode::TakenOver,
        ErrorKind::ChecksumMismatch => wit::ErrorCode::ChecksumMismatch,
        ErrorKind::StoreUnavailable => wit::ErrorCode::StoreUnavailable,
        ErrorKind::StoreRejected => wit::ErrorCode::StoreRejected,
        ErrorKind::StoreReplyInvalid => wit::ErrorCode::StoreReplyInvalid,
        ErrorKind::CompletionUnknown => wit::ErrorCode::CompletionUnknown,
        ErrorKind::VodUnavailable => wit::ErrorCode::VodUnavailable,
        ErrorKind::VodRejected => wit::ErrorCode::VodRejected,
        ErrorKind::MediaNotFound => wit::ErrorCode::MediaNotFound,
        ErrorKind::KeyValueUnavailable => wit::ErrorCode::KeyValueUnavailable,
        ErrorKind::CheckpointCorrupt => wit::ErrorCode::CheckpointCorrupt,
        ErrorKind::CheckpointNewer => wit::ErrorCode::CheckpointNewer,
        ErrorKind::SignatureWrong => wit::ErrorCode::SignatureWrong,
        other => wit::ErrorCode::Other(other.code().to_owned()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::panic, reason = "a failed assumption fails the test")]

    use super::*;

    /// Kinds without a case: those of the edge worker, of its configuration, and of defects.
    const OTHERS: &[ErrorKind] = &[
        ErrorKind::RequestInvalid,
        ErrorKind::MediaTypeUnsupported,
        ErrorKind::ContentEncodingUnsupported,
        ErrorKind::MethodUnsupported,
        ErrorKind::ProtocolVersionUnsupported,
        ErrorKind::UploadStopped,
        ErrorKind::RequestTooSmall,
        ErrorKind::UploadNotFound,
        ErrorKind::UploadAborted,
        ErrorKind::UploadEnded,
        ErrorKind::DigestMismatch,
        ErrorKind::LengthInconsistent,
        ErrorKind::UploadExpired,
        ErrorKind::UploadPaused,
        ErrorKind::UploadIsFinal,
        ErrorKind::ConcatenationUnavailable,
        ErrorKind::OriginNotAllowed,
        ErrorKind::HostNotAllowed,
        ErrorKind::CredentialNotStorable,
        ErrorKind::ClientCredentialsOff,
        ErrorKind::EndpointNotAllowed,
        ErrorKind::OperatorRequired,
        ErrorKind::MediaNotOwned,
        ErrorKind::Misconfigured,
        ErrorKind::TooManyRequests,
        ErrorKind::Busy,
        ErrorKind::Internal,
    ];

    #[test]
    fn every_kind_maps_to_the_case_of_its_code_or_to_other() {
        for kind in ErrorKind::ALL {
            let code = to_wit(Error::new(*kind, "why")).code;
            if OTHERS.contains(kind) {
                let wit::ErrorCode::Other(code) = code else { panic!("{code:?}") };
                assert_eq!(code, kind.code());
            } else {
                assert_eq!(kebab(&format!("{code:?}")), kind.code());
            }
        }
    }

    #[test]
    fn an_invalid_field_keeps_its_name_and_the_allowed_values() {
        let error = to_wit(Error::field_invalid("parallel", "1 to 32 parts"));
        let wit::ErrorCode::FieldInvalid(field) = error.code else { panic!("{:?}", error.code) };
        assert_eq!((&*field.name, &*field.allowed), ("parallel", "1 to 32 parts"));
        assert_eq!(error.retry, wit::Retry::Never);
    }

    /// `ErrorCode::FileUnknown` as `file-unknown`.
    fn kebab(debug: &str) -> String {
        let name = debug.rsplit("::").next().unwrap_or_default();
        let mut kebab = String::new();
        for letter in name.chars() {
            if letter.is_uppercase() && !kebab.is_empty() {
                kebab.push('-');
            }
            kebab.extend(letter.to_lowercase());
        }
        kebab
    }
}
