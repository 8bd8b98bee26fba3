//! Maps errors of outbound requests to `wasi:http`'s `error-code`.

use std::error::Error as StdError;
use std::io;

use hyper_util::client::legacy;
use wasmtime_wasi_http::Error;

/// The `wasi:http` error for a failed request.
pub(super) fn error_code(failure: legacy::Error) -> Error {
    let connecting = failure.is_connect();
    let mut causes: Vec<&(dyn StdError + 'static)> = Vec::new();
    let mut next = failure.source();
    while let Some(cause) = next {
        causes.push(cause);
        next = cause.source();
    }
    if let Some(body) = causes.iter().find_map(|cause| cause.downcast_ref::<Error>()) {
        return body_error_code(body);
    }
    if let Some(tls) = causes.iter().find_map(|cause| find_tls_error(*cause)) {
        return tls_error_code(tls);
    }
    if connecting {
        return connect_error_code(&causes);
    }
    match causes.iter().find_map(|cause| cause.downcast_ref::<hyper::Error>()) {
        Some(http) if http.is_parse() => Error::HttpProtocolError,
        _ => Error::ConnectionTerminated,
    }
}

/// The body came from the guest, so its error is returned unchanged if it is specific.
fn body_error_code(body: &Error) -> Error {
    match body {
        Error::HttpRequestBodySize(size) => Error::HttpRequestBodySize(*size),
        other => Error::InternalError(Some(other.to_string())),
    }
}

fn tls_error_code(tls: &rustls::Error) -> Error {
    match tls {
        rustls::Error::InvalidCertificate(_) => Error::TlsCertificateError,
        rustls::Error::AlertReceived(alert) => Error::TlsAlertReceived {
            alert_id: Some(u8::from(*alert)),
            alert_message: Some(format!("{alert:?}")),
        },
        _ => Error::TlsProtocolError,
    }
}

fn connect_error_code(causes: &[&(dyn StdError + 'static)]) -> Error {
    // The connector identifies a failed name lookup only by its text.
    if causes.iter().any(|cause| cause.to_string() == "dns error") {
        return Error::DnsError { rcode: None, info_code: None };
    }
    match causes.iter().find_map(|cause| cause.downcast_ref::<io::Error>()).map(io::Error::kind) {
        Some(io::ErrorKind::ConnectionRefused) => Error::ConnectionRefused,
        Some(io::ErrorKind::TimedOut) => Error::ConnectionTimeout,
        Some(io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable) => {
            Error::DestinationUnavailable
        }
        _ => Error::ConnectionTerminated,
    }
}

/// A TLS error is wrapped in the `io::Error` of its stream.
fn find_tls_error<'a>(cause: &'a (dyn StdError + 'static)) -> Option<&'a rustls::Error> {
    let inner = cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
    match inner {
        Some(inner) => inner.downcast_ref(),
        None => cause.downcast_ref(),
    }
}
