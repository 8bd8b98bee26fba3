//! Tasks of the component.

use futures::future::LocalBoxFuture;
use spin_sdk::wasip3::wit_bindgen;
use vod_uploader_relay::ports::Spawn;

/// Runs tasks in the export's task: the host keeps the instance until they end.
pub(crate) struct HostSpawn;

impl Spawn for HostSpawn {
    fn spawn(&self, task: LocalBoxFuture<'static, ()>) {
        wit_bindgen::spawn(task);
    }
}
