//! The part buffers of one session.

use std::collections::BTreeMap;
use std::rc::Rc;

use vod_uploader::upload::{FillId, Value};

/// Filled buffers that the session has not released.
#[derive(Debug, Default)]
pub(crate) struct PartBuffers {
    buffers: BTreeMap<FillId, Rc<Vec<u8>>>,
    most: usize,
}

impl PartBuffers {
    pub(crate) fn insert(&mut self, fill: FillId, bytes: Vec<u8>) {
        self.buffers.insert(fill, Rc::new(bytes));
        self.most = self.most.max(self.buffers.len());
    }

    pub(crate) fn release(&mut self, fill: FillId) {
        self.buffers.remove(&fill);
    }

    /// Number of buffers that are held.
    pub(crate) fn len(&self) -> usize {
        self.buffers.len()
    }

    /// Largest number of buffers that were held at the same time.
    pub(crate) const fn most(&self) -> usize {
        self.most
    }

    /// The bytes of a buffer; `None` if the fill is streamed.
    pub(crate) fn bytes(&self, fill: FillId) -> Option<Rc<Vec<u8>>> {
        self.buffers.get(&fill).cloned()
    }

    /// The bytes that the session writes to the key-value store.
    pub(crate) fn value(&self, value: Value) -> Vec<u8> {
        match value {
            Value::Bytes(bytes) => bytes,
            Value::Fill { fill, len } => {
                self.buffers[&fill][..usize::try_from(len.bytes()).unwrap()].to_vec()
            }
        }
    }
}
