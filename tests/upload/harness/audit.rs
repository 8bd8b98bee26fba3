//! What must hold after every step of any run.

use vod_uploader::upload::SessionOutcome;

use super::world::{OBJECT, World, WriterId};
use super::writer::{Begun, Pending, Stage};
use vod_uploader_sim::crc64;

impl World {
    /// What must hold after every step.
    pub(super) fn audit(&mut self) {
        for id in 0..self.writers.len() {
            self.audit_durable(id);
            self.audit_end(id);
        }
        if std::mem::take(&mut self.kv.changed) && self.is_known() {
            self.stored_offset();
        }
    }

    /// Once a writer has acknowledged something, another one acknowledges only if it started from
    /// there, or if its acknowledgement was already on its way when the first one started.
    fn audit_durable(&mut self, id: WriterId) {
        let writer = &mut self.writers[id];
        if std::mem::take(&mut writer.rewinds_unseen) {
            self.acknowledged = 0;
            self.acknowledgements.clear();
        }
        let started = writer.ready.unwrap_or_default();
        for durable in std::mem::take(&mut self.writers[id].durable_unseen) {
            let other = self.acknowledgements.iter().rfind(|(by, _)| *by != id);
            if let Some((by, offset)) = other {
                let other_started = self.writers[*by].ready.unwrap_or_default();
                assert!(
                    started >= *offset || durable <= other_started,
                    "{id} acknowledged {durable} from {started} after {by} did {offset}"
                );
            }
            assert!(durable <= self.content.len());
            self.acknowledgements.push((id, durable));
            self.acknowledged = self.acknowledged.max(durable);
        }
    }

    fn audit_end(&mut self, id: WriterId) {
        if self.writers[id].end_audited {
            return;
        }
        let Some(outcome) = self.writers[id].outcome.clone() else { return };
        self.writers[id].end_audited = true;
        // What has ended waits for no answer, but its writes and deletions go on.
        if !self.writers[id].pending.is_empty() {
            let left: Vec<_> = self.writers[id].pending.drain(..).collect();
            for pending in left {
                match pending {
                    Pending { what: Begun::KvDelete { key }, .. } => self.kv.delete(&key),
                    Pending { what: Begun::KvSet { .. }, stage: Stage::Begun } => {
                        self.strays.push(pending);
                    }
                    _ => {}
                }
            }
        }
        match outcome {
            SessionOutcome::Completed(object) => {
                let stored = &self.store.objects[OBJECT];
                assert!(stored.bytes == self.content.bytes(), "the object is not the source");
                assert_eq!(object.size_bytes, self.content.len());
                assert_eq!(object.crc64, crc64(self.content.bytes()));
            }
            SessionOutcome::Suspended { durable, .. } | SessionOutcome::Failed { durable, .. } => {
                assert!(durable.bytes() <= self.content.len());
            }
            SessionOutcome::Aborted | SessionOutcome::Lost(_) => {}
        }
    }
}
