//! The state of one instance: everything that outlives a request.

use std::rc::Rc;
use std::time::Duration;

use vod_uploader::units::UnixMillis;
use vod_uploader::upload::StoreOwner;

use crate::buffers::BufferBudget;
use crate::config::Config;
use crate::key_space::KeySpace;
use crate::load::Load;
use crate::ports::{KeyValue, Ports};
use crate::retrying_key_value::RetryingKeyValue;
use crate::single_flight::SingleFlight;

/// One instance of the worker, which concurrent requests share.
pub(crate) struct Instance {
    pub(crate) ports: Ports,
    pub(crate) config: Config,
    pub(crate) buffers: Rc<BufferBudget>,
    pub(crate) load: Load,
    /// Reconciliations, by upload.
    pub(crate) reconciliations: SingleFlight,
}

impl Instance {
    pub(crate) fn new(mut ports: Ports, config: Config) -> Self {
        let owner = StoreOwner::worker(config.seal_key.as_ref());
        let own_keys = KeySpace::new(ports.key_value, config.key_prefix.clone(), owner);
        ports.key_value = Rc::new(RetryingKeyValue {
            inner: Rc::new(own_keys),
            clock: Rc::clone(&ports.clock),
            log: Rc::clone(&ports.log),
            timeout: config.request_timeout.min(KEY_VALUE_TIMEOUT_MAX),
        });
        Self {
            ports,
            config,
            buffers: Rc::default(),
            load: Load::default(),
            reconciliations: SingleFlight::default(),
        }
    }

    pub(crate) fn kv(&self) -> &dyn KeyValue {
        &*self.ports.key_value
    }

    pub(crate) fn now(&self) -> UnixMillis {
        self.ports.clock.now()
    }

    pub(crate) async fn sleep(&self, duration: Duration) {
        self.ports.clock.sleep(duration).await;
    }
}

/// The longest time limit of one attempt of a key-value operation. A request performs several in
/// sequence while its client waits.
const KEY_VALUE_TIMEOUT_MAX: Duration = Duration::from_secs(10);
