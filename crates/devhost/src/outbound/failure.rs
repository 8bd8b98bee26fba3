//! Telling a guest why its outbound request failed, in the cases of `wasi:http`'s `error-code`.

use std::error::Error as StdError;
use std::io;

use hyper_util::client::legacy;
use wasmtime_wasi_http::Error;

/// The `wasi:http` error for a failed request.
pub(super) fn of_request(failure: legacy::Error) -> Error {
    let connecting = failure.is_connect();
    let mut causes: Vec<&(dyn StdError + 'static)> = Vec::new();
    let mut next = failure.source();
    while let Some(cause) = next {
        causes.push(cause);
        next = cause.source();
    }
    if let Some(body) = causes.iter().find_map(|cause| cause.downcast_ref::<Error>()) {
        return of_request_body(body);
    }
    if let Some(tls) = causes.iter().find_map(|cause| tls_error(*cause)) {
        return of_tls(tls);
    }
    if connecting {
        return of_connect(&causes);
    }
    match causes.iter().find_map(|cause| cause.downcast_ref::<hyper::Error>()) {
        Some(http) if http.is_parse() => Error::HttpProtocolError,
        _ => Error::ConnectionTerminated,
    }
}

/// The body came from the guest, so its error goes back as it is where it says something.
fn of_request_body(body: &Error) -> Error {
    match body {
        Error::HttpRequestBodySize(size) => Error::HttpRequestBodySize(*size),
        other => Error::InternalError(Some(other.to_string())),
    }
}

fn of_tls(tls: &rustls::Error) -> Error {
    match tls {
        rustls::Error::InvalidCertificate(_) => Error::TlsCertificateError,
        rustls::Error::AlertReceived(alert) => Error::TlsAlertReceived {
            alert_id: Some(u8::from(*alert)),
            alert_message: Some(format!("{alert:?}")),
        },
        _ => Error::TlsProtocolError,
    }
}

fn of_connect(causes: &[&(dyn StdError + 'static)]) -> Error {
    // The connector marks a failed name lookup in its text only.
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

/// A TLS error sits inside the `io::Error` of the stream that carried it.
fn tls_error<'a>(cause: &'a (dyn StdError + 'static)) -> Option<&'a rustls::Error> {
    let inner = cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
    match inner {
        Some(inner) => inner.downcast_ref(),
        None => cause.downcast_ref(),
    }
}
