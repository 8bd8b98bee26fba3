//! The values that live as long as the component's instance.
//!
//! The exports of a component are functions without a receiver, so the instance is a static of its
//! only thread. The exports read it through the functions below; the relay receives everything as
//! an argument.

use std::cell::{OnceCell, RefCell};
use std::rc::Rc;

use vod_uploader::upload::StoreOwner;
use vod_uploader_relay::ports::{Log as _, Ports};
use vod_uploader_relay::{BufferBudget, Config, KeyPrefix, KeySpace, Relay};

use crate::clock::HostClock;
use crate::http_client::HostHttpClient;
use crate::key_value::HostKeyValue;
use crate::log::HostLog;
use crate::random::HostRandom;
use crate::spawn::HostSpawn;
use crate::variables;

thread_local! {
    static INSTANCE: Instance = Instance::new();
}

struct Instance {
    ports: Ports,
    /// The ports of the uploaders, whose keys have their own prefix.
    uploader_ports: Ports,
    /// The budget of all uploaders of the instance.
    buffers: Rc<BufferBudget>,
    /// Present once a valid configuration has been read.
    relay: OnceCell<Relay>,
    /// The problem of the configuration that was logged last.
    logged: RefCell<String>,
}

impl Instance {
    fn new() -> Self {
        let ports = Ports {
            key_value: Rc::new(HostKeyValue::default()),
            http: Rc::new(HostHttpClient),
            clock: Rc::new(HostClock),
            random: Rc::new(HostRandom),
            spawn: Rc::new(HostSpawn),
            log: Rc::new(HostLog),
        };
        let inner = Rc::clone(&ports.key_value);
        let own_keys = KeySpace::new(inner, KeyPrefix::uploader(), StoreOwner::uploader());
        let uploader_ports = Ports { key_value: Rc::new(own_keys), ..ports.clone() };
        Self {
            ports,
            uploader_ports,
            buffers: Rc::default(),
            relay: OnceCell::new(),
            logged: RefCell::default(),
        }
    }
}

/// The ports of the uploaders.
#[must_use]
pub fn ports() -> Ports {
    INSTANCE.with(|instance| instance.uploader_ports.clone())
}

/// The memory budget of all uploaders.
pub(crate) fn buffers() -> Rc<BufferBudget> {
    INSTANCE.with(|instance| Rc::clone(&instance.buffers))
}

/// The worker. A configuration that cannot be read or is invalid is read again by the next request.
///
/// # Errors
/// Returns [`Misconfigured`](vod_uploader::ErrorKind::Misconfigured) if the configuration cannot be
/// read or is invalid.
pub(crate) async fn relay() -> vod_uploader::Result<Relay> {
    if let Some(relay) = INSTANCE.with(|instance| instance.relay.get().cloned()) {
        return Ok(relay);
    }
    let config = match read_config().await {
        Ok(config) => config,
        Err(error) => {
            log_once(&error);
            return Err(error);
        }
    };
    Ok(INSTANCE.with(|instance| {
        instance.relay.get_or_init(|| Relay::new(instance.ports.clone(), config)).clone()
    }))
}

async fn read_config() -> vod_uploader::Result<Config> {
    Ok(Config::new(&variables::read().await?)?)
}

/// Logs a problem of the configuration, once as long as it is the same.
fn log_once(problem: &vod_uploader::Error) {
    let line = problem.message().to_owned();
    let is_known = INSTANCE.with(|instance| instance.logged.replace(line.clone()) == line);
    if !is_known {
        HostLog.warn(&format!("invalid configuration: {line}"));
    }
}
