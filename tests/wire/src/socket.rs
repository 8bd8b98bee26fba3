//! Sockets and their errors.

use std::io;
use std::net::{TcpStream, ToSocketAddrs as _};
use std::time::Duration;

/// Connects to the first address that accepts. The timeout also applies to each later read and
/// write.
pub(crate) fn connect(authority: &str, timeout: Duration) -> io::Result<TcpStream> {
    let has_port = authority.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    let address = if has_port { authority.to_owned() } else { format!("{authority}:80") };
    let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for address in address.to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, timeout) {
            Ok(stream) => {
                stream.set_nodelay(true)?;
                stream.set_read_timeout(Some(timeout))?;
                stream.set_write_timeout(Some(timeout))?;
                return Ok(stream);
            }
            Err(cause) => last = cause,
        }
    }
    Err(last)
}

/// An error of the same kind whose message contains what failed.
pub(crate) fn with_context(cause: &io::Error, what: &str) -> io::Error {
    let reason = match cause.kind() {
        _ if is_timeout(cause) => "nothing arrived in time".to_owned(),
        io::ErrorKind::UnexpectedEof => "the connection was closed".to_owned(),
        _ => cause.to_string(),
    };
    io::Error::new(cause.kind(), format!("{what}: {reason}"))
}

pub(crate) fn is_timeout(cause: &io::Error) -> bool {
    matches!(cause.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}
