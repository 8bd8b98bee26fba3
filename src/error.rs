//! The one error type of the engine: what kind, may the caller try again, and what to do.
//!
//! An [`Error`] answers three questions in types: [`ErrorKind`] says what happened,
//! [`ErrorKind::retry`] says whether trying again can help, and [`ErrorKind::action`] says what
//! the operator or the client does about it. Its message names the cause and never carries a
//! secret, a signed URL or a header of a signed request.

use std::fmt;

/// A result of the engine.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, why, and what the store said about it.
#[derive(Clone, PartialEq, Eq)]
pub struct Error {
    kind: ErrorKind,
    message: String,
    field: Option<Box<InvalidField>>,
    store: Option<Box<StoreError>>,
}

/// The value of a field that was refused, without the value itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidField {
    /// The field's name, as its user wrote it.
    pub name: String,
    /// What it may be: a range with units, a set, or a form.
    pub allowed: String,
}

impl Error {
    /// An error of `kind` whose message says what was found.
    #[must_use]
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), field: None, store: None }
    }

    /// [`ErrorKind::RequestInvalid`] for the field `name`, and what it may be.
    #[must_use]
    pub fn field_invalid(name: impl Into<String>, allowed: impl Into<String>) -> Self {
        let field = InvalidField { name: name.into(), allowed: allowed.into() };
        let message = format!("{} must be {}", field.name, field.allowed);
        Self { field: Some(Box::new(field)), ..Self::new(ErrorKind::RequestInvalid, message) }
    }

    /// The same error with what the store or the VOD service answered.
    #[must_use]
    pub fn with_store(mut self, store: StoreError) -> Self {
        self.store = Some(Box::new(store));
        self
    }

    /// The same error without these texts: a service may repeat what it was sent.
    #[must_use]
    pub fn without(mut self, secrets: &[&str]) -> Self {
        let hide = |text: &mut String| {
            for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
                *text = text.replace(secret, "[redacted]");
            }
        };
        hide(&mut self.message);
        if let Some(store) = &mut self.store {
            hide(&mut store.code);
            hide(&mut store.message);
            hide(&mut store.request_id);
        }
        self
    }

    /// The same error with `context` ahead of its message.
    #[must_use]
    pub fn with_context(mut self, context: &str) -> Self {
        self.message = format!("{context}: {}", self.message);
        self
    }

    /// What kind of error it is.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The class of its kind.
    #[must_use]
    pub const fn class(&self) -> ErrorClass {
        self.kind.class()
    }

    /// One sentence for people, without the kind and without what to do.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The field that was refused, where it was one.
    #[must_use]
    pub fn field(&self) -> Option<&InvalidField> {
        self.field.as_deref()
    }

    /// What the store or the VOD service answered, where it did.
    #[must_use]
    pub fn store(&self) -> Option<&StoreError> {
        self.store.as_deref()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind.code(), self.message)?;
        match &self.store {
            Some(store) => write!(f, " ({store})"),
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
    /// What the store or the VOD service answered, where it did.
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.store().map(|store| store as _)
    }
}

/// What the store (OSS) or the VOD service answered, without its secrets: `SignatureProvided`,
/// `StringToSign` and the like of an error body are never kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoreError {
    /// The HTTP status.
    pub status: u16,
    /// The vendor's error code, such as `NoSuchUpload`; empty where the body had none.
    pub code: String,
    /// The vendor's message, at most 512 characters of it.
    pub message: String,
    /// The request id to quote to the vendor's support; empty where there was none.
    pub request_id: String,
    /// The vendor's finer error code (`EC`), such as `0002-00000007`; empty where there was none.
    pub ec: String,
    /// The server's time; `None` unless it rejected the request because of clock skew.
    pub server_time: Option<crate::units::UnixMillis>,
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "status {}", self.status)?;
        for (name, value) in
            [("code", &self.code), ("ec", &self.ec), ("request id", &self.request_id)]
        {
            if !value.is_empty() {
                write!(f, ", {name} {value}")?;
            }
        }
        Ok(())
    }
}

impl std::error::Error for StoreError {}

/// What a caller can do about an error, in general. Interfaces map classes, not kinds, to their own
/// errors: `src/http` to HTTP statuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorClass {
    /// Correct the request.
    InvalidRequest,
    /// Send a valid credential.
    Unauthenticated,
    /// Obtain a permission.
    PermissionDenied,
    /// Use an id or address that exists.
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
    /// Repeat the request later.
    Unavailable,
    /// Examine the stored record.
    CorruptState,
    /// Correct the configuration.
    Misconfigured,
    /// Report a bug.
    Internal,
}

/// Whether trying again can help, and what must change first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// The same attempt fails again: something else has to change.
    Never,
    /// The same attempt may succeed later; nothing acknowledged was lost.
    Retryable,
    /// The same attempt may succeed with a new credential.
    WithNewCredential,
    /// The upload is gone: the source has to be sent again from its start as a new upload.
    RestartUpload,
}

impl Retry {
    /// True where the same attempt may succeed later.
    #[must_use]
    pub fn is_later(self) -> bool {
        self == Self::Retryable
    }
}

macro_rules! error_kinds {
    ($($(#[doc = $doc:literal])+ $kind:ident = $code:literal, $class:ident, $retry:ident,
        $action:literal;)+) => {
        /// What went wrong. Each kind has a stable code, a class, a retry class and an action.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum ErrorKind {
            $($(#[doc = $doc])+ $kind,)+
        }

        impl ErrorKind {
            /// Every kind, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$kind,)+];

            /// The stable machine-readable code, in kebab case.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self { $(Self::$kind => $code,)+ }
            }

            /// What the caller can do about it, in general.
            #[must_use]
            pub const fn class(self) -> ErrorClass {
                match self { $(Self::$kind => ErrorClass::$class,)+ }
            }

            /// Whether trying again can help.
            #[must_use]
            pub const fn retry(self) -> Retry {
                match self { $(Self::$kind => Retry::$retry,)+ }
            }

            /// What the operator or the client does about it, in one sentence.
            #[must_use]
            pub const fn action(self) -> &'static str {
                match self { $(Self::$kind => $action,)+ }
            }
        }
    };
}

error_kinds! {
    /// A request's header, path or value is wrong; the message names the field.
    RequestInvalid = "request-invalid", InvalidRequest, Never,
        "Correct the field that the message names.";
    /// A request's Content-Type is not the one that its body must have.
    MediaTypeUnsupported = "media-type-unsupported", MediaTypeNotSupported, Never,
        "Send the Content-Type that the message names.";
    /// The path has no such method.
    MethodUnsupported = "method-unsupported", MethodNotSupported, Never,
        "Use a method that the header Allow names.";
    /// The request is of a version of its protocol that is not spoken.
    ProtocolVersionUnsupported = "protocol-version-unsupported", VersionNotSupported, Never,
        "Send Tus-Resumable: 1.0.0, or Upload-Complete as ?0 or ?1.";
    /// No file in the list has this id.
    FileUnknown = "file-unknown", NotFound, Never,
        "Use an id that add-file returned, of a file that was not deleted.";
    /// The list has this file already.
    FileDuplicate = "file-duplicate", InvalidRequest, Never,
        "Use the file that is in the list, or delete it first.";
    /// The call means nothing in the state that the file is in.
    FileStateWrong = "file-state-wrong", Conflict, Never,
        "Ask for the file's state, and see which calls it takes.";
    /// The call means nothing in the state that the queue is in.
    QueueStateWrong = "queue-state-wrong", Conflict, Never,
        "Ask for the queue's state, and see which calls it takes.";
    /// The events have been taken before.
    EventsTaken = "events-taken", InvalidRequest, Never,
        "Read the stream that the first call returned.";
    /// The source reported that it failed.
    SourceBroken = "source-broken", InvalidRequest, Retryable,
        "Start the file again with a source that is whole.";
    /// The file was not uploaded within its deadline.
    DeadlineExceeded = "deadline-exceeded", Unavailable, Retryable,
        "Start the file again, which continues it, or allow it more time.";
    /// The upload was stopped by its owner.
    UploadStopped = "upload-stopped", Conflict, Retryable,
        "Start the file again, which continues it.";
    /// This kind of media has no refresh.
    CredentialNotRefreshable = "credential-not-refreshable", InvalidRequest, WithNewCredential,
        "Create a new UploadAddress and UploadAuth for the file.";
    /// A webhook is not from whom it says, or too old.
    SignatureWrong = "signature-wrong", Unauthenticated, Never,
        "Check the callback URL, the authentication key and the clock.";
    /// The source has no bytes.
    FileEmpty = "file-empty", InvalidRequest, Never,
        "Send a file of at least one byte.";
    /// The source is, or turned out, larger than the limit.
    FileTooLarge = "file-too-large", TooLarge, Never,
        "Send a smaller file, declare its length, or raise upload_max_bytes.";
    /// A request brought too few bytes for the part numbers that are left.
    RequestTooSmall = "request-too-small", TooLarge, Never,
        "Send at least as many bytes in one request as the message says.";
    /// The bytes received are fewer or more than the declared length.
    LengthMismatch = "length-mismatch", InvalidRequest, Never,
        "Send exactly the bytes that were declared.";
    /// A client's bytes are not those that its own checksum or digest names.
    DigestMismatch = "digest-mismatch", InvalidRequest, Retryable,
        "Send the same bytes again from the offset that the answer names.";
    /// A request declares another length than the upload's, or than it declared before.
    LengthInconsistent = "length-inconsistent", InvalidRequest, Never,
        "Send the length that was declared first, or none.";
    /// A chunk starts at another offset than the upload's.
    OffsetMismatch = "offset-mismatch", Conflict, Retryable,
        "Ask for the upload's offset and continue from there.";
    /// No upload has this id.
    UploadNotFound = "upload-not-found", NotFound, RestartUpload,
        "Check the address, or create a new upload.";
    /// The store has forgotten this upload's parts.
    UploadLost = "upload-lost", Gone, RestartUpload,
        "Create a new upload; it may carry the same media id.";
    /// The upload was aborted.
    UploadAborted = "upload-aborted", Gone, RestartUpload,
        "Create a new upload.";
    /// The upload was left alone for longer than it is kept.
    UploadExpired = "upload-expired", Gone, RestartUpload,
        "Create a new upload; Upload-Expires tells how long it may rest.";
    /// The upload is paused.
    UploadPaused = "upload-paused", Conflict, Retryable,
        "Resume it first (POST to its address with /resume).";
    /// The upload is made of other uploads and takes no bytes of its own.
    UploadIsFinal = "upload-is-final", PermissionDenied, Never,
        "Send the bytes to the partial uploads that it is made of.";
    /// Uploads cannot be joined with what this worker may use.
    ConcatenationUnavailable = "concatenation-unavailable", PermissionDenied, Never,
        "Send the file as one upload, or configure temporary_bucket for the worker.";
    /// An address is not of an origin that the operator allows.
    OriginNotAllowed = "origin-not-allowed", PermissionDenied, Never,
        "Use an address of an allowed origin, or add its origin to allowed_origins.";
    /// The upload has already ended and takes no more bytes.
    UploadEnded = "upload-ended", Conflict, Never,
        "Nothing: ask for the upload's state.";
    /// Another request has taken this upload over.
    TakenOver = "taken-over", Conflict, Retryable,
        "Ask for the upload's offset and continue from there, in one request at a time.";
    /// Bytes arrived at the store other than they were sent.
    ChecksumMismatch = "checksum-mismatch", UpstreamRejected, Retryable,
        "Send the file again; if it happens again, report it with the request id.";
    /// An UploadAddress or UploadAuth cannot be read; the message names the field.
    CredentialInvalid = "credential-invalid", InvalidRequest, WithNewCredential,
        "Pass UploadAddress and UploadAuth on exactly as the VOD service returned them.";
    /// UploadAddress and UploadAuth stand in each other's place.
    CredentialsSwapped = "credentials-swapped", InvalidRequest, WithNewCredential,
        "Exchange the values of UploadAddress and UploadAuth.";
    /// The credential names another object than this upload's.
    CredentialForOtherObject = "credential-for-other-object", Conflict, WithNewCredential,
        "Refresh the credential of this upload's media id instead of creating a new one.";
    /// No credential is at hand for this upload.
    CredentialRequired = "credential-required", Unauthenticated, WithNewCredential,
        "Send Upload-Address and Upload-Auth, or configure the worker's own access key.";
    /// The credential's life is over.
    CredentialExpired = "credential-expired", Unauthenticated, WithNewCredential,
        "Refresh the credential (RefreshUploadVideo) and send the new UploadAuth.";
    /// The store or VOD does not accept the credential or its signature.
    CredentialRejected = "credential-rejected", PermissionDenied, WithNewCredential,
        "Check the access key, its secret and the region, or send a new UploadAuth.";
    /// The credential is valid but does not permit this.
    AccessDenied = "access-denied", PermissionDenied, Never,
        "Grant the missing permission to the credential.";
    /// The store did not answer, or not well, until the retry budget was used up.
    StoreUnavailable = "store-unavailable", Unavailable, Retryable,
        "Try again later: everything acknowledged is kept.";
    /// The store refused a request for good.
    StoreRejected = "store-rejected", UpstreamRejected, Never,
        "Read the store's code and message.";
    /// The store's answer lacks something or cannot be read.
    StoreReplyInvalid = "store-reply-invalid", UpstreamRejected, Retryable,
        "Try again; if it happens again, report it with the request id.";
    /// Whether the object was completed could not be found out.
    CompletionUnknown = "completion-unknown", Unavailable, Retryable,
        "Ask for the upload's state later, or grant HeadObject to the credential.";
    /// The VOD service refused a call.
    VodRejected = "vod-rejected", UpstreamRejected, Never,
        "Read the VOD service's code and message.";
    /// The VOD service could not be reached, or failed.
    VodUnavailable = "vod-unavailable", Unavailable, Retryable,
        "Try again later.";
    /// The request does not prove that its client may continue the media that it names.
    MediaNotOwned = "media-not-owned", PermissionDenied, RestartUpload,
        "Create a new upload without a media id, or send its Media-Token beside it.";
    /// The VOD service does not know the media id.
    MediaNotFound = "media-not-found", NotFound, RestartUpload,
        "Create a new upload without a media id.";
    /// A stored record cannot be read.
    CheckpointCorrupt = "checkpoint-corrupt", CorruptState, RestartUpload,
        "Create a new upload; report the record if the key-value store is sound.";
    /// A stored record was written by a newer version.
    CheckpointNewer = "checkpoint-newer", CorruptState, Never,
        "Continue this upload with the version that began it, or a newer one.";
    /// The host's key-value store failed.
    KeyValueUnavailable = "key-value-unavailable", Unavailable, Retryable,
        "Try again later: everything acknowledged is kept.";
    /// The configuration is wrong, of the worker or of its host; the message names the setting.
    Misconfigured = "misconfigured", Misconfigured, Never,
        "Correct the setting that the message names.";
    /// The worker holds as many uploads as its memory allows.
    Busy = "busy", Unavailable, Retryable,
        "Try again in a few seconds.";
    /// Anything else: a broken invariant. The one catch-all.
    Internal = "internal", Internal, Never,
        "Report it.";
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_kind_has_a_code_of_its_own_and_an_action() {
        let codes: HashSet<_> = ErrorKind::ALL.iter().map(|kind| kind.code()).collect();
        assert_eq!(codes.len(), ErrorKind::ALL.len());
        assert!(ErrorKind::ALL.iter().all(|kind| kind.action().ends_with('.')));
    }

    #[test]
    fn an_error_prints_its_code_its_message_and_what_the_store_said() {
        let error = Error::new(ErrorKind::StoreRejected, "part 3 was refused")
            .with_store(StoreError {
                status: 400,
                code: "InvalidArgument".into(),
                request_id: "6F".into(),
                ..StoreError::default()
            })
            .with_context("uploading");
        assert_eq!(
            error.to_string(),
            "store-rejected: uploading: part 3 was refused \
             (status 400, code InvalidArgument, request id 6F)"
        );
        let source = std::error::Error::source(&error).map(ToString::to_string);
        assert_eq!(source.as_deref(), Some("status 400, code InvalidArgument, request id 6F"));
    }
}
