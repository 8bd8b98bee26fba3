//! The state of one instance: everything that outlives a request.

use std::rc::Rc;
use std::time::Duration;

use vod_uploader::units::UnixMillis;

use crate::buffers::BufferBudget;
use crate::config::Config;
use crate::key_value_deadline::KeyValueDeadline;
use crate::ports::{KeyValue, Ports};
use crate::single_flight::SingleFlight;

/// One instance of the worker, which concurrent requests share.
pub(crate) struct Instance {
    pub(crate) ports: Ports,
    pub(crate) config: Config,
    pub(crate) buffers: Rc<BufferBudget>,
    /// Reconciliations, by upload.
    pub(crate) reconciliations: SingleFlight,
}

impl Instance {
    pub(crate) fn new(mut ports: Ports, config: Config) -> Self {
        ports.key_value = Rc::new(KeyValueDeadline {
            inner: ports.key_value,
            clock: Rc::clone(&ports.clock),
            limit: config.request_timeout,
        });
        Self { ports, config, buffers: Rc::default(), reconciliations: SingleFlight::default() }
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
