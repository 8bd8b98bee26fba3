//! Addresses to listen on, checked before the build.

use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};

use crate::command_error::CommandError;

/// Reads the value of `option` as a loopback address and port.
pub(crate) fn loopback_address(option: &str, value: &str) -> Result<SocketAddr, CommandError> {
    let address: SocketAddr = value.parse().map_err(|_| {
        CommandError::new(format!(
            "--{option} {value}: not an address and port: write it like 127.0.0.1:3000"
        ))
    })?;
    if !address.ip().is_loopback() {
        return Err(CommandError::new(format!(
            "--{option} {value}: not a loopback address: use 127.0.0.1 or [::1], there is no TLS"
        )));
    }
    Ok(address)
}

/// Checks that `address`, the value of `option`, can be listened on.
pub(crate) fn check_free(option: &str, address: SocketAddr) -> Result<(), CommandError> {
    match TcpListener::bind(address) {
        Ok(_) => Ok(()),
        Err(cause) if cause.kind() == ErrorKind::AddrInUse => Err(CommandError::new(format!(
            "{address} is in use by another process: stop it, or pass another port with --{option}"
        ))),
        Err(cause) => Err(CommandError::new(format!(
            "{address} cannot be listened on ({cause}): pass another address with --{option}"
        ))),
    }
}

/// Selects a free port.
pub(crate) const ANY_PORT: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed assumption fails the test")]

    use super::*;

    #[test]
    fn only_loopback_addresses_with_a_port_are_accepted() {
        assert!(loopback_address("listen", "127.0.0.1:3000").is_ok());
        assert!(loopback_address("listen", "[::1]:0").is_ok());
        for rejected in ["3000", "localhost:3000", "0.0.0.0:3000", "192.0.2.1:80"] {
            let failure = loopback_address("listen", rejected).unwrap_err().to_string();
            assert!(failure.contains("--listen") && failure.contains(rejected), "{failure}");
        }
    }
}
