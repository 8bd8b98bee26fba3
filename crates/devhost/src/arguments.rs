//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Parser, ValueEnum};

/// Runs a Spin application on this machine, without Spin.
#[derive(Debug, Parser)]
#[command(name = "devhost", version, args_override_self = true)]
pub(crate) struct Arguments {
    /// The application's Spin manifest.
    #[arg(long, default_value = "spin.toml")]
    pub(crate) manifest: PathBuf,

    /// The loopback address to listen on; port 0 selects a free port.
    #[arg(long, default_value = "127.0.0.1:3000")]
    pub(crate) listen: SocketAddr,

    /// The directory for the key-value file and the compiled components; created if absent.
    #[arg(long, value_name = "DIR")]
    pub(crate) data: PathBuf,

    /// Sets an application variable; overrides `SPIN_VARIABLE_…` of the environment.
    #[arg(long = "variable", value_name = "NAME=VALUE", value_parser = parse_variable)]
    pub(crate) variables: Vec<Variable>,

    /// Allows one more outbound origin to every component, such as http://127.0.0.1:9000.
    #[arg(long, value_name = "URL")]
    pub(crate) allow_outbound: Vec<String>,

    /// The maximum linear memory of one component instance, in bytes.
    #[arg(long, value_name = "N", default_value_t = 256 * 1024 * 1024)]
    pub(crate) component_memory_max_bytes: u64,

    /// How much to log to standard error.
    #[arg(long, value_enum, default_value_t = LogLevel::Info)]
    pub(crate) log: LogLevel,
}

/// A variable from the command line. `Debug` does not show its value.
#[derive(Clone)]
pub(crate) struct Variable {
    pub(crate) name: String,
    pub(crate) value: String,
}

impl std::fmt::Debug for Variable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}=…", self.name)
    }
}

/// The least severe event that is logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogLevel {
    Off,
    Error,
    Warn,
    Info,
    Debug,
}

fn parse_variable(text: &str) -> Result<Variable, &'static str> {
    let (name, value) = text.split_once('=').ok_or("expected NAME=VALUE")?;
    Ok(Variable { name: name.to_owned(), value: value.to_owned() })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed assumption fails the test")]

    use super::*;

    #[test]
    fn a_variable_value_may_contain_equals_signs_and_is_hidden_in_debug() {
        let arguments = ["devhost", "--data", "d", "--variable", "key=c2VjcmV0PQ=="];
        let arguments = Arguments::try_parse_from(arguments).unwrap();
        assert_eq!(arguments.variables[0].name, "key");
        assert_eq!(arguments.variables[0].value, "c2VjcmV0PQ==");
        assert!(!format!("{arguments:?}").contains("c2VjcmV0"));
    }

    #[test]
    fn the_data_directory_is_required() {
        assert!(Arguments::try_parse_from(["devhost"]).is_err());
    }
}
