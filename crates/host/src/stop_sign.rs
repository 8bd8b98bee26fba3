//! How one request asks another one, in this instance or elsewhere, to stop writing to an upload.
//!
//! The key-value store is the only thing that instances share: who wants the writer to stop writes
//! a new random mark, and a writer looks for one every [`POLL`] while it takes bytes.

use std::rc::Rc;
use std::time::Duration;

use vod_uploader::Result;
use vod_uploader::upload::UploadKey;

use crate::key_value::KeyValue;
use crate::{clock, random};

/// How often a writer looks. Whoever asks for an upload's offset waits about so long for a writer
/// that hangs, and is to be answered within 0.2 s.
const POLL: Duration = Duration::from_millis(50);

/// The sign of one upload, as it stood when a request began.
pub(crate) struct StopSign {
    kv: Rc<KeyValue>,
    name: String,
    seen: Option<Vec<u8>>,
}

impl StopSign {
    /// The sign as it stands now: what is raised later counts.
    pub(crate) async fn of(kv: &Rc<KeyValue>, key: &UploadKey) -> Result<Self> {
        let name = key.stop();
        let seen = kv.get(&name).await?;
        Ok(Self { kv: Rc::clone(kv), name, seen })
    }

    /// Asks whoever writes to stop. Returns the sign as it stands then: what is raised after it
    /// counts for the one who has raised it.
    pub(crate) async fn raise(kv: &Rc<KeyValue>, key: &UploadKey) -> Result<Self> {
        let (name, mark) = (key.stop(), random::bits64().to_le_bytes());
        kv.set(&name, &mark).await?;
        Ok(Self { kv: Rc::clone(kv), name, seen: Some(mark.to_vec()) })
    }

    /// Waits until somebody raises it. A store that cannot be read raises nothing: the writer
    /// notices that by itself.
    pub(crate) async fn raised(self) {
        loop {
            clock::sleep(POLL).await;
            if let Ok(present) = self.kv.get(&self.name).await
                && present != self.seen
            {
                return;
            }
        }
    }
}
