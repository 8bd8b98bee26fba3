//! The signal that asks the writer of an upload to stop, in any instance.
//!
//! Instances share no memory, so the signal is a random value in the key-value store. Active
//! writers poll it every [`POLL`].

use std::rc::Rc;
use std::time::Duration;

use vod_uploader::Result;
use vod_uploader::upload::UploadId;

use crate::instance::Instance;

/// The signal of one upload, with its last known value.
pub(crate) struct StopSignal {
    instance: Rc<Instance>,
    name: String,
    seen: Option<Vec<u8>>,
}

impl StopSignal {
    /// Subscribes to the values that are sent after this.
    pub(crate) async fn subscribe(instance: &Rc<Instance>, id: &UploadId) -> Result<Self> {
        let name = id.stop_key();
        let seen = instance.kv().get(&name).await?;
        Ok(Self { instance: Rc::clone(instance), name, seen })
    }

    /// Asks the writer to stop. The returned signal receives values that are sent after this.
    pub(crate) async fn send(instance: &Rc<Instance>, id: &UploadId) -> Result<Self> {
        let (name, value) = (id.stop_key(), instance.ports.random.bits64().to_le_bytes());
        instance.kv().set(&name, &value).await?;
        Ok(Self { instance: Rc::clone(instance), name, seen: Some(value.to_vec()) })
    }

    /// Waits until another request sends the signal. Failed reads are ignored: the writer's own
    /// operations report them.
    pub(crate) async fn received(self) {
        loop {
            self.instance.sleep(POLL).await;
            if let Ok(value) = self.instance.kv().get(&self.name).await
                && value != self.seen
            {
                return;
            }
        }
    }
}

/// How often a writer reads the signal. The response to a request for the offset is due within
/// 0.2 s, and waits for the writer.
const POLL: Duration = Duration::from_millis(50);
