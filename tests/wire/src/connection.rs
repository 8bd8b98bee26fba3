//! Connections to a server.

use std::io::{self, BufReader, Write as _};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::time::Duration;

use crate::client::Client;
use crate::exchange::Exchange;
use crate::request::Request;

/// A connection for one request after another.
#[derive(Debug)]
pub struct Connection {
    pub(crate) stream: BufReader<TcpStream>,
    client: Client,
}

impl Connection {
    pub(crate) fn open(client: &Client) -> io::Result<Self> {
        let stream = connect(&client.authority, client.timeout).map_err(|cause| {
            with_context(&cause, &format!("no connection to {}", client.authority))
        })?;
        Ok(Self { stream: BufReader::new(stream), client: client.clone() })
    }

    /// Sends the head of a request after which the connection stays open.
    ///
    /// # Errors
    /// Returns an error if the server closed the connection.
    pub fn start(mut self, request: &Request) -> io::Result<Exchange> {
        let recorder = self.client.record(request);
        let head = self.client.head(request, &self.client.headers).join("\r\n");
        let written = self.stream.get_mut().write_all(format!("{head}\r\n\r\n").as_bytes());
        written.map_err(|cause| with_context(&cause, &self.client.authority))?;
        Ok(Exchange::new(self, request, recorder))
    }

    pub(crate) fn reset_timeout(&self) -> io::Result<()> {
        self.stream.get_ref().set_read_timeout(Some(self.client.timeout))
    }
}

/// Connects to the first address that accepts. The timeout also applies to each later read and
/// write.
fn connect(authority: &str, timeout: Duration) -> io::Result<TcpStream> {
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

/// The error of the same kind that says what failed.
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
