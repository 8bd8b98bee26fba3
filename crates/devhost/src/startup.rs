//! Starts the server from the command line, or reports one line of error.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use wasmtime_wasi_http::handler::ProxyHandler;

use crate::arguments::{Arguments, LogLevel};
use crate::component::{Grants, LoadError, LoadedComponent, Loader, ServerState, source_path};
use crate::key_value::{Database, OpenDatabaseError};
use crate::manifest::{ComponentSection, Manifest, ManifestError};
use crate::outbound::{AllowedHostError, AllowedHosts, OutboundClient};
use crate::route::Routes;
use crate::server::Server;
use crate::stats::Stats;
use crate::variables::{ApplicationVariables, VariableError};

/// An error of starting the host. Each message is one line with the problem and the remedy.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StartupError {
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    #[error(transparent)]
    Variables(#[from] VariableError),
    #[error(transparent)]
    AllowedHosts(#[from] AllowedHostError),
    #[error(transparent)]
    Component(#[from] LoadError),
    #[error(transparent)]
    Database(#[from] OpenDatabaseError),
    #[error("{path}: the data directory is not writable ({cause}); pass another one with --data")]
    DataDirectory { path: String, cause: io::Error },
    #[error("{0} is not a loopback address; use 127.0.0.1 or [::1]")]
    NotLoopback(SocketAddr),
    #[error("{0} is in use by another process; stop it, or pass another port with --listen")]
    AddressInUse(SocketAddr),
    #[error("cannot listen on {address} ({cause}); pass another address with --listen")]
    Listen { address: SocketAddr, cause: io::Error },
    #[error("the runtime cannot start: {0}")]
    Runtime(io::Error),
}

/// Serves the application until SIGINT or SIGTERM.
///
/// # Errors
/// Returns an error if the server cannot start.
pub(crate) async fn run(arguments: Arguments) -> Result<(), StartupError> {
    let manifest = Manifest::read(&arguments.manifest)?;
    let overrides: Vec<_> =
        arguments.variables.iter().map(|set| (set.name.clone(), set.value.clone())).collect();
    let variables = ApplicationVariables::resolve(&manifest.variables, &overrides, |name| {
        std::env::var(name).ok()
    })?;
    // Bound first: the error of a second host on the same port must precede all others.
    let listener = listen(arguments.listen).await?;
    check_writable(&arguments.data)?;
    let stats = Arc::new(Stats::default());
    let (shutdown, shutdown_seen) = watch::channel(false);
    let shared = ServerState {
        client: OutboundClient::new(stats.clone()),
        database: Database::open(&arguments.data.join("key-value.sqlite"))?,
        stats: stats.clone(),
        shutdown: shutdown_seen,
    };
    let loader = Loader::new(&absolute(&arguments.data)?.join("compiled"))?;
    let mut routes = Vec::new();
    for (id, section) in &manifest.components {
        let pre = loader.load(&source_path(&manifest.dir, &section.source), id)?;
        let grants = grants(section, &variables, &arguments)?;
        let handler = ProxyHandler::new(LoadedComponent::new(pre, id, grants, shared.clone()));
        let triggers = manifest.triggers.iter().filter(|trigger| trigger.component == *id);
        routes.extend(triggers.map(|trigger| (trigger.route.clone(), handler.clone())));
    }
    let stop = stop_signal()?;
    print_ready(&listener).map_err(StartupError::Runtime)?;
    let stop = async move {
        stop.await;
        tracing::info!("stopping");
        // Fails only if no instance has a receiver.
        let _ = shutdown.send(true);
    };
    Server::new(Routes::new(routes), stats).run(listener, stop, SHUTDOWN_GRACE).await;
    Ok(())
}

/// Sends the log to standard error. Events of other crates are logged only from `warn`: their
/// detailed ones contain headers.
pub(crate) fn init_logging(level: LogLevel) {
    let (ours, others) = match level {
        LogLevel::Off => (LevelFilter::OFF, LevelFilter::OFF),
        LogLevel::Error => (LevelFilter::ERROR, LevelFilter::ERROR),
        LogLevel::Warn => (LevelFilter::WARN, LevelFilter::WARN),
        LogLevel::Info => (LevelFilter::INFO, LevelFilter::WARN),
        LogLevel::Debug => (LevelFilter::DEBUG, LevelFilter::WARN),
    };
    let targets = Targets::new().with_default(others).with_target(env!("CARGO_CRATE_NAME"), ours);
    let lines = tracing_subscriber::fmt::layer().with_writer(io::stderr).with_ansi(false);
    tracing_subscriber::registry().with(lines).with(targets).init();
}

async fn listen(address: SocketAddr) -> Result<TcpListener, StartupError> {
    if !address.ip().is_loopback() {
        return Err(StartupError::NotLoopback(address));
    }
    TcpListener::bind(address).await.map_err(|cause| match cause.kind() {
        io::ErrorKind::AddrInUse => StartupError::AddressInUse(address),
        _ => StartupError::Listen { address, cause },
    })
}

fn check_writable(dir: &Path) -> Result<(), StartupError> {
    let error = |cause| StartupError::DataDirectory { path: dir.display().to_string(), cause };
    std::fs::create_dir_all(dir).map_err(error)?;
    let probe = dir.join(".writable");
    std::fs::write(&probe, []).and_then(|()| std::fs::remove_file(&probe)).map_err(error)
}

fn absolute(dir: &Path) -> Result<std::path::PathBuf, StartupError> {
    std::path::absolute(dir)
        .map_err(|cause| StartupError::DataDirectory { path: dir.display().to_string(), cause })
}

fn grants(
    section: &ComponentSection,
    variables: &ApplicationVariables,
    arguments: &Arguments,
) -> Result<Grants, StartupError> {
    let mut outbound = AllowedHosts::default();
    for template in &section.allowed_outbound_hosts {
        outbound.add(template, &variables.expand(template)?)?;
    }
    for origin in &arguments.allow_outbound {
        outbound.add(origin, origin)?;
    }
    Ok(Grants {
        outbound: Arc::new(outbound),
        key_value_labels: Arc::new(section.key_value_stores.iter().cloned().collect()),
        variables: Arc::new(variables.for_component(&section.variables)?),
        memory_max_bytes: arguments.component_memory_max_bytes,
    })
}

fn stop_signal() -> Result<impl Future<Output = ()>, StartupError> {
    let mut interrupt = signal(SignalKind::interrupt()).map_err(StartupError::Runtime)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(StartupError::Runtime)?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

#[expect(clippy::print_stdout, reason = "the only line, for which the caller waits")]
fn print_ready(listener: &TcpListener) -> io::Result<()> {
    println!("listening http://{}", listener.local_addr()?);
    Ok(())
}

/// How long running requests may take to finish after a signal.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(5);
