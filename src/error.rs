//! The error type of the engine.
//!
//! An [`Error`] has a kind and a message. [`ErrorKind`] identifies what happened,
//! [`ErrorKind::retry`] whether a retry may succeed, and [`ErrorKind::action`] what the client or
//! the operator does. The message states the cause. It never contains a secret, a signed URL or a
//! header of a signed request.

use std::fmt;

/// A result of the engine.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What failed and why, with the error response of OSS or VOD if there was one.
#[derive(Clone, PartialEq, Eq)]
pub struct Error {
    kind: ErrorKind,
    message: String,
    field: Option<Box<InvalidField>>,
    service: Option<Box<ServiceError>>,
}

/// A field whose value was rejected. The value itself is not included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidField {
    /// The name of the field in the interface that rejects it.
    pub name: String,
    /// Its valid values: a range with units, a set or a format.
    pub allowed: String,
}

impl Error {
    /// Creates an error of `kind`. The message states the cause.
    #[must_use]
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), field: None, service: None }
    }

    /// Creates an [`ErrorKind::RequestInvalid`] for the field `name` with its valid values.
    #[must_use]
    pub fn field_invalid(name: impl Into<String>, allowed: impl Into<String>) -> Self {
        let field = InvalidField { name: name.into(), allowed: allowed.into() };
        let message = format!("{} must be {}", field.name, field.allowed);
        Self { field: Some(Box::new(field)), ..Self::new(ErrorKind::RequestInvalid, message) }
    }

    /// Creates an error from an error response of the service `name`, whose texts are truncated.
    #[must_use]
    pub(crate) fn from_response(kind: ErrorKind, name: &str, response: ServiceError) -> Self {
        let response = response.truncated();
        let ServiceError { status, code, message, .. } = &response;
        let cause = match (code.as_str(), message.as_str()) {
            ("", _) => format!("{name} returned status {status} without an error code"),
            (code, "") => format!("{name} returned {code}"),
            (code, message) => format!("{name} returned {code}: {message}"),
        };
        Self::new(kind, cause).with_service(response)
    }

    /// Adds the error response of OSS or VOD, whose texts are truncated.
    #[must_use]
    pub fn with_service(mut self, service: ServiceError) -> Self {
        self.service = Some(Box::new(service.truncated()));
        self
    }

    /// Redacts `secrets` in all texts: a response may repeat parts of the request.
    #[must_use]
    pub fn without(mut self, secrets: &[&str]) -> Self {
        let hide = |text: &mut String| {
            for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
                *text = text.replace(secret, "[redacted]");
            }
        };
        hide(&mut self.message);
        if let Some(service) = &mut self.service {
            hide(&mut service.code);
            hide(&mut service.message);
            hide(&mut service.request_id);
            hide(&mut service.ec);
        }
        self
    }

    /// Puts `context` before the message.
    #[must_use]
    pub fn with_context(mut self, context: &str) -> Self {
        self.message = format!("{context}: {}", self.message);
        self
    }

    /// The kind of error.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The class of its kind.
    #[must_use]
    pub const fn class(&self) -> ErrorClass {
        self.kind.class()
    }

    /// The cause, in one sentence for people.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The field whose value was rejected, if that is the cause.
    #[must_use]
    pub fn field(&self) -> Option<&InvalidField> {
        self.field.as_deref()
    }

    /// The error response of OSS or VOD, if there was one.
    #[must_use]
    pub fn service(&self) -> Option<&ServiceError> {
        self.service.as_deref()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind.code(), self.message)?;
        match &self.service {
            Some(service) => write!(f, " ({service})"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Error {
    /// The error response of OSS or VOD, if there was one.
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.service().map(|service| service as _)
    }
}

/// An error response of OSS or VOD. Fields that contain secrets, such as `SignatureProvided` and
/// `StringToSign`, are omitted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServiceError {
    /// The HTTP status.
    pub status: u16,
    /// The error code, such as `NoSuchUpload`; empty if the response has none. In an [`Error`], at
    /// most 128 characters of it, as of the following texts.
    pub code: String,
    /// The message. In an [`Error`], at most 512 characters of it.
    pub message: String,
    /// The request ID, for the support of Alibaba Cloud; empty if the response has none.
    pub request_id: String,
    /// The detailed error code of OSS (`EC`), such as `0002-00000007`; empty if the response has
    /// none.
    pub ec: String,
    /// The server's time, if it rejected the request because of clock skew.
    pub server_time: Option<crate::units::UnixMillis>,
}

impl ServiceError {
    /// Truncates the texts, and replaces control characters by spaces: what a service returns does
    /// not determine the size of responses and the lines of logs.
    fn truncated(mut self) -> Self {
        for (text, chars_max) in [
            (&mut self.code, SERVICE_CODE_CHARS_MAX),
            (&mut self.message, SERVICE_MESSAGE_CHARS_MAX),
            (&mut self.request_id, SERVICE_CODE_CHARS_MAX),
            (&mut self.ec, SERVICE_CODE_CHARS_MAX),
        ] {
            if text.chars().any(char::is_control) {
                *text = text.replace(char::is_control, " ");
            }
            if let Some((end, _)) = text.char_indices().nth(chars_max) {
                text.truncate(end);
            }
        }
        self
    }
}

/// The length to which the message of an error response is truncated, in characters.
const SERVICE_MESSAGE_CHARS_MAX: usize = 512;

/// The same, of its other texts.
const SERVICE_CODE_CHARS_MAX: usize = 128;

impl fmt::Display for ServiceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "status {}", self.status)?;
        for (name, value) in
            [("code", &self.code), ("ec", &self.ec), ("request ID", &self.request_id)]
        {
            if !value.is_empty() {
                write!(f, ", {name} {value}")?;
            }
        }
        Ok(())
    }
}

impl std::error::Error for ServiceError {}

/// The category of an error, by the reaction that it requires. Interfaces map classes, not kinds,
/// to their own errors: [`http::status_of`](crate::http::status_of) maps them to HTTP statuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorClass {
    /// Correct the request.
    InvalidRequest,
    /// Send a valid credential.
    Unauthenticated,
    /// Obtain a permission.
    PermissionDenied,
    /// Use an ID or address that exists.
    NotFound,
    /// Read the current state and act on it.
    Conflict,
    /// Create a new upload.
    Gone,
    /// Send a request or file of a size within the limits.
    TooLarge,
    /// Use a method of the address.
    MethodNotSupported,
    /// Use a supported version of the protocol.
    VersionNotSupported,
    /// Send a supported media type.
    MediaTypeNotSupported,
    /// Read the response of OSS or VOD, which did not accept a request.
    UpstreamRejected,
    /// Send fewer requests.
    TooManyRequests,
    /// Repeat the request later.
    Unavailable,
    /// Examine the stored record.
    CorruptState,
    /// Correct the configuration.
    Misconfigured,
    /// Report a bug.
    Internal,
}

/// Whether a retry may succeed, and what must change first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// The same attempt fails again: something else must change.
    Never,
    /// The same attempt may succeed later. Nothing acknowledged was lost.
    Retryable,
    /// The same attempt may succeed with a new credential.
    WithNewCredential,
    /// The upload no longer exists: the file must be sent again from its start as a new upload.
    RestartUpload,
}

impl Retry {
    /// Returns true if the same attempt may succeed later.
    #[must_use]
    pub fn is_later(self) -> bool {
        self == Self::Retryable
    }
}

macro_rules! error_kinds {
    ($($(#[doc = $doc:literal])+ $kind:ident = $code:literal, $class:ident, $retry:ident,
        $action:literal;)+) => {
        /// The kind of an error. Each kind has a stable code, a class, a retry class and an action.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum ErrorKind {
            $(
                $(#[doc = $doc])+
                ///
                #[doc = concat!(
                    "Code `", $code, "`, class [`", stringify!($class), "`](ErrorClass::",
                    stringify!($class), "), retry [`", stringify!($retry), "`](Retry::",
                    stringify!($retry), "). ", $action
                )]
                $kind,
            )+
        }

        impl ErrorKind {
            /// All kinds, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$kind,)+];

            /// The stable machine-readable code, in kebab case.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self { $(Self::$kind => $code,)+ }
            }

            /// The class of the error.
            #[must_use]
            pub const fn class(self) -> ErrorClass {
                match self { $(Self::$kind => ErrorClass::$class,)+ }
            }

            /// Whether a retry may succeed.
            #[must_use]
            pub const fn retry(self) -> Retry {
                match self { $(Self::$kind => Retry::$retry,)+ }
            }

            /// What the client or the operator does, in one or two sentences.
            #[must_use]
            pub const fn action(self) -> &'static str {
                match self { $(Self::$kind => $action,)+ }
            }
        }
    };
}

error_kinds! {
    /// A header, path or value of a request is invalid. The message contains the field.
    RequestInvalid = "request-invalid", InvalidRequest, Never,
        "Correct the field in the message.";
    /// The Content-Type of a request is not supported for its body.
    MediaTypeUnsupported = "media-type-unsupported", MediaTypeNotSupported, Never,
        "Send the Content-Type in the message.";
    /// The content of a request is encoded.
    ContentEncodingUnsupported = "content-encoding-unsupported", MediaTypeNotSupported, Never,
        "Send the content without Content-Encoding.";
    /// The path does not support the method.
    MethodUnsupported = "method-unsupported", MethodNotSupported, Never,
        "Use a method in the Allow header.";
    /// The protocol version of a request is not supported.
    ProtocolVersionUnsupported = "protocol-version-unsupported", VersionNotSupported, Never,
        "Send Tus-Resumable: 1.0.0, or Upload-Complete as ?0 or ?1.";
    /// No file in the list has this ID.
    FileUnknown = "file-unknown", NotFound, Never,
        "Use an ID that add-file returned, of a file that was not deleted.";
    /// The list already contains this file.
    FileDuplicate = "file-duplicate", InvalidRequest, Never,
        "Use the file in the list, or delete it first.";
    /// The call is not allowed in the current state of the file.
    FileStateWrong = "file-state-wrong", Conflict, Never,
        "Read the state of the file, and make a call that the state allows.";
    /// The call is not allowed in the current state of the queue.
    QueueStateWrong = "queue-state-wrong", Conflict, Never,
        "Read the state of the queue, and make a call that the state allows.";
    /// The event stream was already taken.
    EventsTaken = "events-taken", InvalidRequest, Never,
        "Read the stream that the first call returned.";
    /// The source of a file reported an error.
    SourceBroken = "source-broken", InvalidRequest, Retryable,
        "Restart the file with a source that provides all bytes.";
    /// The file was not uploaded within its deadline.
    DeadlineExceeded = "deadline-exceeded", Unavailable, Retryable,
        "Restart the file, which resumes its upload, or extend the deadline.";
    /// The client stopped the upload.
    UploadStopped = "upload-stopped", Conflict, Retryable,
        "Restart the file, which resumes its upload.";
    /// Credentials of this kind of media cannot be refreshed.
    CredentialNotRefreshable = "credential-not-refreshable", InvalidRequest, WithNewCredential,
        "Create a new UploadAddress and UploadAuth for the file.";
    /// The signature of a webhook is invalid, or its timestamp is out of range.
    SignatureWrong = "signature-wrong", Unauthenticated, Never,
        "Check the callback URL, the authentication key and the clock.";
    /// The file has no bytes.
    FileEmpty = "file-empty", InvalidRequest, Never,
        "Send a file of at least one byte.";
    /// The file is larger than the limit.
    FileTooLarge = "file-too-large", TooLarge, Never,
        "Send a smaller file, declare its length, or raise upload_max_bytes.";
    /// A request contains too few bytes for the remaining part numbers.
    RequestTooSmall = "request-too-small", TooLarge, Never,
        "Send at least as many bytes per request as the message requires.";
    /// The received bytes are fewer or more than the declared length.
    LengthMismatch = "length-mismatch", InvalidRequest, Never,
        "Send exactly the declared number of bytes.";
    /// The received bytes do not match the checksum or digest that the client declared.
    DigestMismatch = "digest-mismatch", InvalidRequest, Retryable,
        "Send the same bytes again from the offset in the response.";
    /// A request declares another length than the upload, or than an earlier request.
    LengthInconsistent = "length-inconsistent", InvalidRequest, Never,
        "Send the length that was declared first, or no length.";
    /// The content of a request starts at another offset than that of the upload.
    OffsetMismatch = "offset-mismatch", Conflict, Retryable,
        "Request the offset of the upload and continue from there.";
    /// No upload has this ID.
    UploadNotFound = "upload-not-found", NotFound, RestartUpload,
        "Check the URL, or create a new upload.";
    /// OSS no longer has the parts of the upload.
    UploadLost = "upload-lost", Gone, RestartUpload,
        "Create a new upload, which can use the same media ID.";
    /// The upload was aborted.
    UploadAborted = "upload-aborted", Gone, RestartUpload,
        "Create a new upload.";
    /// The upload received no bytes until it expired.
    UploadExpired = "upload-expired", Gone, RestartUpload,
        "Create a new upload, and send its bytes before Upload-Expires.";
    /// The upload is paused.
    UploadPaused = "upload-paused", Conflict, Retryable,
        "Resume the upload first: POST to its URL with /resume.";
    /// The upload is the concatenation of other uploads and accepts no bytes.
    UploadIsFinal = "upload-is-final", PermissionDenied, Never,
        "Send the bytes to the partial uploads.";
    /// The worker cannot concatenate uploads with its credentials.
    ConcatenationUnavailable = "concatenation-unavailable", PermissionDenied, Never,
        "Send the file as one upload, or configure temporary_bucket for the worker.";
    /// The origin of a URL is not allowed by the operator.
    OriginNotAllowed = "origin-not-allowed", PermissionDenied, Never,
        "Use a URL of an allowed origin, or add its origin to redirect_origins.";
    /// The host of the request is not allowed by the operator.
    HostNotAllowed = "host-not-allowed", PermissionDenied, Never,
        "Use a host of the worker, or add this one to allowed_hosts.";
    /// The worker has no key with which it could store the credential of a client.
    CredentialNotStorable = "credential-not-storable", PermissionDenied, Never,
        "Send the credential with each PATCH, or set seal_key of the worker.";
    /// The worker accepts no credentials of clients.
    ClientCredentialsOff = "client-credentials-off", PermissionDenied, Never,
        "Send no Upload-Address and Upload-Auth, or set client_credentials of the worker to on.";
    /// The endpoint in the UploadAddress of a client is not allowed by the operator.
    EndpointNotAllowed = "endpoint-not-allowed", PermissionDenied, Never,
        "Pass the UploadAddress exactly as VOD returned it, or set store_origin to its endpoint.";
    /// The request is for the operator of the worker only.
    OperatorRequired = "operator-required", Unauthenticated, Never,
        "Send the operator_key of the worker as Authorization: Bearer.";
    /// The upload has finished and accepts no more bytes.
    UploadEnded = "upload-ended", Conflict, Never,
        "Read the state of the upload. Nothing else is required.";
    /// Another request has taken over the upload.
    TakenOver = "taken-over", Conflict, Retryable,
        "Request the offset of the upload and continue from there, with one request at a time.";
    /// OSS received other bytes than were sent.
    ChecksumMismatch = "checksum-mismatch", UpstreamRejected, Retryable,
        "Send the file again. If the error recurs, report it with the request ID.";
    /// An UploadAddress or UploadAuth cannot be parsed. The message contains the field.
    CredentialInvalid = "credential-invalid", InvalidRequest, WithNewCredential,
        "Pass UploadAddress and UploadAuth exactly as VOD returned them.";
    /// UploadAddress and UploadAuth are swapped.
    CredentialsSwapped = "credentials-swapped", InvalidRequest, WithNewCredential,
        "Exchange the values of UploadAddress and UploadAuth.";
    /// The credential is for another object than that of the upload.
    CredentialForOtherObject = "credential-for-other-object", Conflict, WithNewCredential,
        "Refresh the credential of the upload's media ID instead of creating a new one.";
    /// The upload requires a credential and none is available.
    CredentialRequired = "credential-required", Unauthenticated, WithNewCredential,
        "Send Upload-Address and Upload-Auth, or configure the worker's own access key.";
    /// The credential has expired.
    CredentialExpired = "credential-expired", Unauthenticated, WithNewCredential,
        "Refresh the credential with RefreshUploadVideo and send the new UploadAuth.";
    /// OSS or VOD rejects the credential or its signature.
    CredentialRejected = "credential-rejected", PermissionDenied, WithNewCredential,
        "Check the access key, its secret and the region, or send a new UploadAuth.";
    /// The credential is valid but does not permit the operation.
    AccessDenied = "access-denied", PermissionDenied, Never,
        "Grant the missing permission to the credential.";
    /// OSS failed or did not respond until the retries were exhausted.
    StoreUnavailable = "store-unavailable", Unavailable, Retryable,
        "Retry later. All acknowledged bytes are kept.";
    /// OSS rejected a request permanently.
    StoreRejected = "store-rejected", UpstreamRejected, Never,
        "Read the error code and message of OSS.";
    /// A response of OSS is incomplete or cannot be parsed.
    StoreReplyInvalid = "store-reply-invalid", UpstreamRejected, Retryable,
        "Retry. If the error recurs, report it with the request ID.";
    /// Whether the object was completed could not be determined.
    CompletionUnknown = "completion-unknown", Gone, RestartUpload,
        "Check whether VOD has the media. Grant oss:GetObject to the credential for later uploads.";
    /// VOD rejected a call.
    VodRejected = "vod-rejected", UpstreamRejected, Never,
        "Read the error code and message of VOD.";
    /// VOD could not be reached or failed.
    VodUnavailable = "vod-unavailable", Unavailable, Retryable,
        "Retry later.";
    /// The request does not prove that the client owns the media that it continues.
    MediaNotOwned = "media-not-owned", PermissionDenied, RestartUpload,
        "Send a valid Media-Token with the media ID, or create the upload without a media ID.";
    /// VOD does not have the media ID.
    MediaNotFound = "media-not-found", NotFound, RestartUpload,
        "Create a new upload without a media ID.";
    /// A stored record cannot be read.
    CheckpointCorrupt = "checkpoint-corrupt", CorruptState, RestartUpload,
        "Create a new upload. Report the record if the key-value store is intact.";
    /// A stored record was written by a newer version.
    CheckpointNewer = "checkpoint-newer", CorruptState, Never,
        "Continue the upload with the version that created it, or a newer one.";
    /// The host's key-value store failed.
    KeyValueUnavailable = "key-value-unavailable", Unavailable, Retryable,
        "Retry later. All acknowledged bytes are kept.";
    /// The configuration of the worker or its host is invalid. The message contains the setting.
    Misconfigured = "misconfigured", Misconfigured, Never,
        "Correct the setting in the message, or in the log of the worker.";
    /// The client, or all clients together, exceed a limit of the operator.
    TooManyRequests = "too-many-requests", TooManyRequests, Retryable,
        "Retry after the time in Retry-After.";
    /// The worker processes as many uploads as its memory allows.
    Busy = "busy", Unavailable, Retryable,
        "Retry in a few seconds.";
    /// Any other error, which indicates a bug. The only catch-all kind.
    Internal = "internal", Internal, Never,
        "Report the error.";
}

#[cfg(test)]
mod tests {
    #![allow(clippy::panic, reason = "a failed assumption fails the test")]

    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_kind_has_a_unique_code_and_an_action() {
        let codes: HashSet<_> = ErrorKind::ALL.iter().map(|kind| kind.code()).collect();
        assert_eq!(codes.len(), ErrorKind::ALL.len());
        assert!(ErrorKind::ALL.iter().all(|kind| kind.action().ends_with('.')));
    }

    #[test]
    fn the_texts_of_a_service_are_bounded_and_on_one_line() {
        let long = "ä\n".repeat(600);
        let response = ServiceError {
            code: long.clone(),
            message: long.clone(),
            request_id: long.clone(),
            ec: long,
            ..ServiceError::default()
        };
        for error in [
            Error::new(ErrorKind::StoreRejected, "").with_service(response.clone()),
            Error::from_response(ErrorKind::StoreRejected, "OSS", response),
        ] {
            assert!(!error.to_string().contains('\n'), "{error}");
            let Some(service) = error.service() else { panic!("{error}") };
            let ServiceError { code, message, request_id, ec, .. } = service;
            let lengths = [code, message, request_id, ec].map(|text| text.chars().count());
            assert_eq!(lengths, [128, 512, 128, 128]);
        }
    }

    #[test]
    fn an_error_prints_its_code_message_and_service_error() {
        let error = Error::new(ErrorKind::StoreRejected, "part 3 was rejected")
            .with_service(ServiceError {
                status: 400,
                code: "InvalidArgument".into(),
                request_id: "6F".into(),
                ..ServiceError::default()
            })
            .with_context("uploading");
        assert_eq!(
            error.to_string(),
            "store-rejected: uploading: part 3 was rejected \
             (status 400, code InvalidArgument, request ID 6F)"
        );
        let source = std::error::Error::source(&error).map(ToString::to_string);
        assert_eq!(source.as_deref(), Some("status 400, code InvalidArgument, request ID 6F"));
    }
}
