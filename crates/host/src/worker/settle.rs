//! How an upload stands, and finding it out where its last writer did not say.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;

use spin_sdk::wasip3::wit_bindgen;
use vod_uploader::http::{Head, UploadStatus};
use vod_uploader::units::UnixMillis;
use vod_uploader::upload::{Claim, Outcome, Phase, Purpose, Role, UploadKey, UploadRecord};
use vod_uploader::{Error, ErrorKind, Result};

use super::{NO_SOURCE, Turn, Worker};
use crate::stop_sign::StopSign;
use crate::{clock, records};

/// A Complete that another request has sent may be under way this long before it is settled.
const COMPLETE_PATIENCE: Duration = Duration::from_secs(5);
const COMPLETE_POLL: Duration = Duration::from_millis(100);
const COMPLETE_POLLS_MAX: u32 = 50;

/// How long one request waits for a settlement: 5 s.
const SETTLE_POLLS_MAX: u32 = 50;

/// How many silent writers one request fences.
const FENCES_MAX: u32 = 4;

/// How long a writer that was asked to stop may take to store what it has: the answer is to be
/// there within 0.2 s.
const STOP_PATIENCE: Duration = Duration::from_millis(120);
const STOP_POLL: Duration = Duration::from_millis(10);

impl Worker {
    /// How the upload stands once nobody writes to it. A writer that is at work is asked to stop,
    /// and fenced where it does not: a client that asks for the offset has given its last request
    /// up, and continues from what it is told.
    pub(super) async fn stopped_status(
        &self,
        head: &Head,
        key: &UploadKey,
    ) -> Result<UploadStatus> {
        let mut status = self.present_status(key).await?;
        let joins = matches!(status.record.role, Role::Final { .. });
        if status.checkpoint.writing && status.checkpoint.phase == Phase::Receiving && !joins {
            StopSign::raise(&self.kv, key).await?;
            let asked_at = clock::now();
            // The polls bound the wait where the clock has gone back, too.
            let mut polls = 0;
            while status.checkpoint.writing
                && polls * STOP_POLL < STOP_PATIENCE
                && clock::now().since(asked_at) < STOP_PATIENCE
            {
                clock::sleep(STOP_POLL).await;
                polls += 1;
                status = self.present_status(key).await?;
            }
            if status.checkpoint.writing && status.checkpoint.phase == Phase::Receiving {
                self.fence(key).await?;
                status = self.present_status(key).await?;
            }
        }
        if status.checkpoint.phase == Phase::Completing {
            return self.settled_status(head, key).await;
        }
        Ok(status)
    }

    /// How the upload stands. One that may be completing is waited for a while, and then its end
    /// is found out: whoever touches it next settles it.
    ///
    /// # Errors
    /// [`ErrorKind::Busy`] where the store takes longer than a client waits: the settlement goes on.
    pub(super) async fn settled_status(
        &self,
        head: &Head,
        key: &UploadKey,
    ) -> Result<UploadStatus> {
        let mut status = self.present_status(key).await?;
        let mut polls = 0;
        // The polls bound the wait where the clock has gone back, too.
        while status.checkpoint.phase == Phase::Completing && polls < COMPLETE_POLLS_MAX {
            let written_at = UnixMillis(status.checkpoint.written_at_ms);
            if clock::now().since(written_at) >= COMPLETE_PATIENCE {
                break;
            }
            clock::sleep(COMPLETE_POLL).await;
            polls += 1;
            status = self.present_status(key).await?;
        }
        if status.checkpoint.phase != Phase::Completing {
            return Ok(status);
        }
        let settlement = Settlement::of(self, head, key, &status.record);
        for _ in 0..SETTLE_POLLS_MAX {
            if let Some(ended) = settlement.result() {
                ended?;
                let status = self.present_status(key).await?;
                if status.is_completed() {
                    // With this answer in hand: of a partial upload nothing may be left after it.
                    self.after_completion(key, &status.record).await;
                }
                if status.checkpoint.phase != Phase::Completing {
                    return Ok(status);
                }
            }
            clock::sleep(COMPLETE_POLL).await;
        }
        let message = "the store is still joining the parts: ask again later";
        Err(Error::new(ErrorKind::Busy, message))
    }

    /// How the upload stands now. A writer that took it over and then stopped without a word is
    /// fenced: nobody could tell what the one before it may still store.
    pub(super) async fn present_status(&self, key: &UploadKey) -> Result<UploadStatus> {
        for _ in 0..FENCES_MAX {
            let status = records::status(&self.kv, key, self.config.expire_after).await?;
            if let Some(status) = status {
                return Ok(status);
            }
            self.fence(key).await?;
        }
        Err(Error::new(ErrorKind::Busy, "the upload changes hands too fast to be read"))
    }

    /// Takes the upload over, so that nobody who wrote before can change it any more.
    async fn fence(&self, key: &UploadKey) -> Result<()> {
        let record = records::upload_record(&self.kv, key).await?;
        let outcome = self
            .take_turn(Turn {
                key,
                record: &record,
                claim: Claim::TakeOver,
                purpose: Purpose::Fence,
                credential: None,
                source: NO_SOURCE,
            })
            .await?;
        match outcome {
            Outcome::Failed { error, .. } if error.kind() != ErrorKind::TakenOver => Err(error),
            _ => Ok(()),
        }
    }

    /// Finds out how the upload ended, and finishes it.
    async fn settle(&self, head: &Head, key: &UploadKey, record: &UploadRecord) -> Result<()> {
        let outcome = self
            .take_turn(Turn {
                key,
                record,
                claim: Claim::TakeOver,
                purpose: Purpose::Settle,
                credential: self.credential(head, key, record).await?,
                source: NO_SOURCE,
            })
            .await?;
        match outcome {
            Outcome::Failed { error, .. } if error.kind() != ErrorKind::TakenOver => Err(error),
            _ => Ok(()),
        }
    }
}

/// A settlement that goes on whether or not somebody waits for it: joining a large object takes
/// longer than a client does. An instance has one at a time for an upload.
struct Settlement(Ending);

/// How a settlement ended, once it has.
type Ending = Rc<RefCell<Option<Result<()>>>>;

thread_local! {
    static SETTLEMENTS: RefCell<HashMap<String, Ending>> = RefCell::default();
}

impl Settlement {
    /// The one that is under way, or a new one.
    fn of(worker: &Worker, head: &Head, key: &UploadKey, record: &UploadRecord) -> Self {
        let name = key.as_str().to_owned();
        if let Some(running) = SETTLEMENTS.with_borrow(|running| running.get(&name).cloned()) {
            return Self(running);
        }
        let result = Rc::default();
        SETTLEMENTS.with_borrow_mut(|running| running.insert(name.clone(), Rc::clone(&result)));
        let (worker, head, key, record) =
            (worker.clone(), head.clone(), key.clone(), record.clone());
        let ended = Rc::clone(&result);
        wit_bindgen::spawn(async move {
            let settled = worker.settle(&head, &key, &record).await;
            ended.replace(Some(settled));
            SETTLEMENTS.with_borrow_mut(|running| running.remove(&name));
        });
        Self(result)
    }

    /// How it ended, once it has.
    fn result(&self) -> Option<Result<()>> {
        self.0.borrow().clone()
    }
}
